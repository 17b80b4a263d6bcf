"""Recipes of translation models."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tfcompress.errors import InputError
from tfcompress.models.config import Seq2SeqConfig
from tfcompress.pipeline.recipe import BenchmarkRecipe, Recipe, merged, weight_problems
from tfcompress.search_options import MAX_LENGTH_PENALTY
from tfcompress.text.input_noise import InputNoise

CORPUS_FORMATS = ("files", "phrases")


@dataclass(frozen=True)
class TranslationCorpus:
    """Where the sentence pairs come from.

    Attributes:
        format: "files" (plain files) or "phrases" (the corpus that ships with the library).
        path: Folder or TSV file (or a pattern of several); may be left to the command line's
            `--corpus`.
        source_language: Ending of the source files.
        target_language: Ending of the target files.
        train: File name of the training split without the language; for several files a pattern
            such as "train-*", or a list of names or patterns.
        valid: The name or pattern of the validation split.
        test: That of the test split.
        weights: Where `train` is a list, the share of batches that comes from each, in any unit;
            null takes all as one corpus.
        pairs: Number of phrase pairs.
        seed: Seed of the phrases.
        noise: Noise on the sources that a model is trained on, by the names of
            `tfcompress.text.InputNoise`.
    """

    format: str = "files"
    path: str | None = None
    source_language: str | None = None
    target_language: str | None = None
    train: str | tuple[str, ...] = "train"
    valid: str = "valid"
    test: str = "test"
    weights: tuple[float, ...] | None = None
    pairs: int = 60000
    seed: int = 0
    noise: InputNoise | None = None


@dataclass(frozen=True)
class TranslationTokenizer:
    """How text becomes token ids.

    Attributes:
        vocabulary_size: Number of token ids.
        model_type: "unigram" or "bpe". Only unigram models have an exact tensorflow-text graph
            on the device.
        normalization: sentencepiece's normalization rule: "nmt_nfkc" or "identity".
        joint: One tokenizer for both languages.
        input_sentence_size: The most sentences to train it on: of more, so many are drawn.
        like: The folder of a run whose tokenizer to use instead of training one.
    """

    vocabulary_size: int = 8000
    model_type: str = "unigram"
    normalization: str = "nmt_nfkc"
    joint: bool = True
    input_sentence_size: int = 300_000
    like: str | None = None


@dataclass(frozen=True)
class TranslationScoring:
    """How bundles are judged.

    Attributes:
        beam_size: Beam of the translations that are scored.
        length_penalty: Exponent of the length that scores are divided by.
        tokenize: sacrebleu's tokenization.
        lowercase: Whether BLEU ignores case.
        examples: Translations shown in the report.
    """

    beam_size: int = 5
    length_penalty: float = 1.0
    tokenize: str = "13a"
    lowercase: bool = False
    examples: int = 8


@dataclass(frozen=True)
class TranslationBenchmark(BenchmarkRecipe):
    """How bundles are timed.

    Attributes:
        sentences: Test sentences translated in each run.
        beam_size: Beam of the timed translations.
        threads: As in `BenchmarkRecipe`.
        runs: As in `BenchmarkRecipe`.
    """

    sentences: int = 100
    beam_size: int = 1


@dataclass(frozen=True)
class BackwardFilter:
    """A model from the target language to the source's, which finds a teacher's worst translations.

    Attributes:
        path: The folder of its run.
        keep: The part of all pairs that stays: those whose sources the model finds most probable
            given their translations, by cross-entropy of a token.
    """

    path: str
    keep: float = 0.95


@dataclass(frozen=True)
class TranslationTeacher:
    """A trained model that this one learns from.

    Attributes:
        path: The folder of the teacher's run. For word-level distillation (`training.distillation`)
            it must have the same tokenizer: name its run under `tokenizer.like` or `start_from`.
        sequences: Whether the training targets are the teacher's translations.
        quantization: The teacher's bundle that translates.
        beam_size: Its beam.
        n_best: How many of its translations to choose from, by BLEU with the reference; 1 takes the
            best one.
        filter: Which of them to leave out.
        translations: The folder of a run that has the translations of this teacher and corpus, or
            some of them, which are taken over.
    """

    path: str
    sequences: bool = False
    quantization: str = "dynamic_int8"
    beam_size: int = 5
    n_best: int = 1
    filter: BackwardFilter | None = None
    translations: str | None = None


@dataclass(frozen=True)
class TranslationPretrained:
    """A translator of another library that the run begins with, with its tokenizers.

    Attributes:
        path: What `tfcompress import` takes: a MarianMT, M2M100 or NLLB folder, or a model of
            Marian's own.
        source_language: The source's language, as an M2M100 or NLLB model calls it.
        target_language: The target's language.
        max_length: Longest source and target in tokens; None for the model's.
        trim: Whether an M2M100 or NLLB model keeps the tokens of the training split only.
    """

    path: str
    source_language: str | None = None
    target_language: str | None = None
    max_length: int | None = None
    trim: bool = False


@dataclass(frozen=True, kw_only=True)
class TranslationRecipe(Recipe):
    """A run from sentence pairs to measured bundles of a translation model.

    Attributes:
        model: A mapping with the names of `Seq2SeqConfig`, without vocabulary sizes; `preset`
            names a preset to start from. With `start_from` or `pretrained`, what changes in that
            model.
        pretrained: A translator of another library to begin with, instead of `start_from`.
        teacher: A trained model to learn from.
        corpus: The sentence pairs.
        tokenizer: The tokenizer.
        evaluation: How bundles are judged.
        benchmark: How they are timed.
        model_type: "translation".

    The others are those of `Recipe`.
    """

    pretrained: TranslationPretrained | None = None
    teacher: TranslationTeacher | None = None
    corpus: TranslationCorpus = field(default_factory=TranslationCorpus)
    tokenizer: TranslationTokenizer = field(default_factory=TranslationTokenizer)
    evaluation: TranslationScoring = field(default_factory=TranslationScoring)
    benchmark: TranslationBenchmark = field(default_factory=TranslationBenchmark)
    model_type: str = "translation"

    starts = ("start_from", "pretrained")
    paths = (
        *Recipe.paths,
        "pretrained.path",
        "tokenizer.like",
        "teacher.filter.path",
        "teacher.translations",
        "export.shortlist",
    )
    metrics = ("val_bleu", "val_loss")
    minima = {"corpus.seed": 0, "evaluation.examples": 0}

    def __post_init__(self):
        super().__post_init__()
        if not self.has_start:
            size = self.tokenizer.vocabulary_size
            self.model_config(size, size)  # raises for an impossible model

    def runs(self):
        backward = None if self.teacher is None else self.teacher.filter
        return {
            "start_from": self.start_from,
            "tokenizer.like": self.tokenizer.like,
            "teacher.path": None if self.teacher is None else self.teacher.path,
            "teacher.filter.path": None if backward is None else backward.path,
        }

    def model_config(
        self,
        source_size: int,
        target_size: int,
        start: Seq2SeqConfig | None = None,
        ids: Mapping[str, int] | None = None,
    ) -> Seq2SeqConfig:
        """Returns the model's configuration for vocabularies of these sizes.

        Args:
            source_size: Number of source token ids.
            target_size: Number of target token ids.
            start: The configuration of the model that the run begins with, after surgery.
            ids: The tokenizers' ids of padding, begin and end, by name.
        """
        mapping = {**(ids or {}), **self.model}
        if start is not None:
            mapping = merged(start.to_mapping(), mapping)
        name = mapping.pop("preset", None)
        if name is not None:
            from tfcompress.models.presets import preset

            base = preset(name)
            if not isinstance(base, Seq2SeqConfig):
                raise InputError(
                    f"`model.preset` must be a translation model. Received: {name!r}, a text "
                    "encoder. `tfcompress describe` lists presets."
                )
            mapping = merged(base.to_mapping(), mapping)
        mapping |= {"source_vocabulary_size": source_size, "target_vocabulary_size": target_size}
        return Seq2SeqConfig.from_mapping(mapping)

    def _own_problems(self):
        if self.corpus.format not in CORPUS_FORMATS:
            yield (
                f"`corpus.format` must be one of {', '.join(CORPUS_FORMATS)} (received "
                f"{self.corpus.format!r})"
            )
        yield from weight_problems(self.corpus)
        for name in self.starts:
            if getattr(self, name) is not None and "preset" in self.model:
                yield f"`model.preset` does not go with `{name}`, which names a model already"
        if self.pretrained is not None and self.start_from is not None:
            yield "`pretrained` and `start_from` do not go together"
        if self.pretrained is not None and self.tokenizer.like is not None:
            yield "`tokenizer.like` does not go with `pretrained`, which has tokenizers"
        if any(step.name == "trim_vocabulary" for step in self.surgery.after):
            yield "`surgery.after` cannot trim the vocabulary; do it in `surgery.before`"
        if self.training.distillation is not None and self.teacher is None:
            yield "`training.distillation` needs a `teacher` (received none)"
        if self.teacher is not None:
            if not self.teacher.sequences and self.training.distillation is None:
                yield (
                    "`teacher` teaches nothing: set `teacher.sequences` or `training.distillation`"
                )
            if not 1 <= self.teacher.n_best <= self.teacher.beam_size:
                yield (
                    "`teacher.n_best` must lie between 1 and `teacher.beam_size` (received "
                    f"{self.teacher.n_best} and {self.teacher.beam_size})"
                )
            yield from self._teacher_problems(self.teacher)
        penalty = self.evaluation.length_penalty
        if not abs(penalty) <= MAX_LENGTH_PENALTY:
            yield (
                f"`evaluation.length_penalty` must be from -{MAX_LENGTH_PENALTY} to "
                f"{MAX_LENGTH_PENALTY} (received {penalty})"
            )

    def _teacher_problems(self, teacher):
        if not teacher.sequences:
            plain = TranslationTeacher(teacher.path)
            for name, default in vars(plain).items():
                if getattr(teacher, name) != default:
                    yield (
                        f"`teacher.{name}` needs translations of the teacher: set "
                        "`teacher.sequences`"
                    )
        chosen = teacher.filter
        if chosen is None:
            return
        if not 0 < chosen.keep <= 1:
            yield f"`teacher.filter.keep` must lie in (0, 1] (received {chosen.keep})"
        if self.corpus.weights is not None:
            yield "`teacher.filter` does not go with `corpus.weights`"
