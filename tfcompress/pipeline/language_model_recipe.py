"""Recipes of language models."""

from dataclasses import KW_ONLY, dataclass, field

from tfcompress.errors import InputError
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.pipeline.recipe import BenchmarkRecipe, Recipe, merged, weight_problems


@dataclass(frozen=True)
class LanguageModelCorpus:
    """Where the texts come from.

    Attributes:
        path: Folder, or one text file (or a pattern of several); may be left to the command line's
            `--corpus`.
        train: File name of the training split, without `.txt` and `.gz`; for several files a
            pattern such as "train-*", or a list of names or patterns.
        valid: The name or pattern of the validation split.
        test: That of the test split.
        weights: Where `train` is a list, the share of batches that comes from each, in any unit;
            null takes all as one corpus.
        join: Whether texts that follow one another share rows, so that the model sees what stands
            before a text, as in WikiText; in training and in scores.
    """

    path: str | None = None
    _: KW_ONLY
    train: str | tuple[str, ...] = "train"
    valid: str = "valid"
    test: str = "test"
    weights: tuple[float, ...] | None = None
    join: bool = False


@dataclass(frozen=True)
class LanguageModelTokenizer:
    """How text becomes token ids.

    Attributes:
        vocabulary_size: Number of token ids.
        model_type: "unigram" or "bpe".
        normalization: sentencepiece's normalization rule: "nmt_nfkc" or "identity".
        input_sentence_size: The most texts to train it on: of more, so many are drawn.
        like: The folder of a run whose tokenizer to use instead of training one.
    """

    vocabulary_size: int = 8000
    _: KW_ONLY
    model_type: str = "unigram"
    normalization: str = "nmt_nfkc"
    input_sentence_size: int = 300_000
    like: str | None = None


@dataclass(frozen=True)
class LanguageModelBenchmark(BenchmarkRecipe):
    """How bundles are timed.

    Attributes:
        texts: Test texts of each run; the first half of each is continued by as many tokens as the
            second half has.
        threads: As in `BenchmarkRecipe`.
        runs: As in `BenchmarkRecipe`.
    """

    texts: int = 100


@dataclass(frozen=True)
class LanguageModelTeacher:
    """A trained language model that this one learns from.

    Attributes:
        path: The folder of the teacher's run, which has the same tokenizer: name it under
            `tokenizer.like` or `start_from` too.
    """

    path: str


@dataclass(frozen=True, kw_only=True)
class LanguageModelRecipe(Recipe):
    """A run from plain texts to measured bundles of a language model.

    Attributes:
        model: A mapping with the names of `LanguageModelConfig`, without the vocabulary's size;
            `preset` names a preset to start from. With `start_from`, what changes in that model.
        teacher: A trained model to learn from, with `training.distillation`.
        corpus: The texts.
        tokenizer: The tokenizer.
        benchmark: How bundles are timed.
        model_type: "language_model".

    The others are those of `Recipe`.
    """

    teacher: LanguageModelTeacher | None = None
    corpus: LanguageModelCorpus = field(default_factory=LanguageModelCorpus)
    tokenizer: LanguageModelTokenizer = field(default_factory=LanguageModelTokenizer)
    benchmark: LanguageModelBenchmark = field(default_factory=LanguageModelBenchmark)
    model_type: str = "language_model"

    metrics = ("val_perplexity", "val_loss")
    paths = (*Recipe.paths, "tokenizer.like")

    def __post_init__(self):
        super().__post_init__()
        if self.start_from is None:
            self.model_config(self.tokenizer.vocabulary_size)  # raises for an impossible model

    def runs(self):
        return {
            "start_from": self.start_from,
            "tokenizer.like": self.tokenizer.like,
            "teacher.path": None if self.teacher is None else self.teacher.path,
        }

    def model_config(
        self, vocabulary_size: int, start: LanguageModelConfig | None = None
    ) -> LanguageModelConfig:
        """Returns the model's configuration for a vocabulary of this size.

        Args:
            vocabulary_size: Number of token ids.
            start: The configuration of the model of `start_from`, after surgery.
        """
        mapping = dict(self.model)
        if start is not None:
            mapping = merged(start.to_mapping(), mapping)
        name = mapping.pop("preset", None)
        if name is not None:
            from tfcompress.models.presets import preset

            base = preset(name)
            if not isinstance(base, LanguageModelConfig):
                raise InputError(
                    "`model.preset` must be a language model. Received: "
                    f"model.preset={name!r}. `tfcompress describe` lists presets."
                )
            mapping = merged(base.to_mapping(), mapping)
        return LanguageModelConfig.from_mapping(mapping | {"vocabulary_size": vocabulary_size})

    def _own_problems(self):
        yield from weight_problems(self.corpus)
        if self.has_start and "preset" in self.model:
            yield "`model.preset` does not go with `start_from`, which names a model already"
        for when in ("before", "after"):
            if any(step.name == "trim_vocabulary" for step in getattr(self.surgery, when)):
                yield f"`surgery.{when}` cannot trim the vocabulary of a language model"
        if (self.training.distillation is not None) != (self.teacher is not None):
            yield "`teacher` and `training.distillation` go together (received one of them)"
        if self.training.evaluate_sentences is not None:
            yield "`training.evaluate_sentences` is for translations; leave it out"
