"""Recipes of text encoders."""

from dataclasses import dataclass, field

from tfcompress.errors import InputError
from tfcompress.models.head_config import CLASSIFICATION
from tfcompress.models.text_encoder_config import TextEncoderConfig
from tfcompress.pipeline.recipe import BenchmarkRecipe, Recipe, merged, weight_problems
from tfcompress.text.text_tokenizers import fits_table

MINILM = "minilm"
_TRANSLATION_ONLY = ("trim_vocabulary", "cache_outputs")


@dataclass(frozen=True)
class TextEncoderCorpus:
    """Where texts and labels come from.

    Attributes:
        path: Folder with `.tsv` files; may be left to the command line's `--corpus`.
        train: File name of the training split, without `.tsv` or `.tsv.gz`; for several files a
            pattern such as "train-*", or a list of names or patterns.
        valid: The name or pattern of the validation split; for "valid", "dev" is tried too.
        test: That of the test split.
        weights: Where `train` is a list, the share of batches that comes from each, in any unit;
            null takes all as one corpus.
        labels: Names of the classes, in the order of their numbers, as the files have them. They
            are also those of a model that the run begins with, where that has as many classes and
            no names for them.
    """

    path: str | None = None
    train: str | tuple[str, ...] = "train"
    valid: str = "valid"
    test: str = "test"
    weights: tuple[float, ...] | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextEncoderTeacher:
    """A trained classifier that this one learns from.

    Attributes:
        path: The folder of the teacher's run, which has the same tokenizer and the student's
            classes, in any order.
    """

    path: str


@dataclass(frozen=True)
class TextEncoderBenchmark(BenchmarkRecipe):
    """How bundles are timed.

    Attributes:
        texts: Test texts of each run.
        threads: As in `BenchmarkRecipe`.
        runs: As in `BenchmarkRecipe`.
    """

    texts: int = 100


@dataclass(frozen=True, kw_only=True)
class TextEncoderRecipe(Recipe):
    """A run from texts with labels to measured bundles of a classifier.

    Attributes:
        model: What changes in the model that the run begins with, with the names of
            `TextEncoderConfig`; the whole model, where it begins with nothing. `head` replaces that
            of the model, and is for classification; the classes are those of the corpus. Those of
            the model that the run begins with are found by their names; where it has other classes,
            the head starts anew.
        pretrained: What to begin with: "minilm" (the extra of that name), or a folder with a
            published model of the BERT family, or one that `save_to_preset` wrote, as of a
            keras-nlp model. Or else `start_from`, or nothing.
        tokenizer: A folder with the files of a tokenizer; by default that of `pretrained` or of
            `start_from`.
        teacher: A trained model to learn from, with `training.distillation`.
        corpus: The texts.
        benchmark: How bundles are timed.
        model_type: "text_encoder".

    The others are those of `Recipe`.
    """

    pretrained: str | None = None
    tokenizer: str | None = None
    teacher: TextEncoderTeacher | None = None
    corpus: TextEncoderCorpus = field(default_factory=TextEncoderCorpus)
    benchmark: TextEncoderBenchmark = field(default_factory=TextEncoderBenchmark)
    model_type: str = "text_encoder"

    starts = ("pretrained", "start_from")
    paths = (*Recipe.paths, "pretrained", "tokenizer")
    metrics = ("val_accuracy", "val_loss")

    def runs(self):
        return {
            "start_from": self.start_from,
            "teacher.path": None if self.teacher is None else self.teacher.path,
        }

    def model_config(
        self,
        start: TextEncoderConfig | None,
        *,
        vocabulary_size: int,
        pad_id: int,
        labels: tuple[str, ...],
    ) -> TextEncoderConfig:
        """Returns the model's configuration.

        Args:
            start: That of the model that the run begins with, after surgery; None for none.
            vocabulary_size: Number of token ids; the model may have spare ones after them.
            pad_id: The tokenizer's id of padding.
            labels: Names of the classes.

        Raises:
            InputError: If it is impossible, or the tokenizer is another than the model's.
        """
        changes = dict(self.model)
        head = changes.pop("head", None)
        own = {"vocabulary_size": vocabulary_size, "pad_id": pad_id}
        mapping = own | changes if start is None else merged(start.to_mapping(), changes)
        rows = mapping["vocabulary_size"]
        if isinstance(rows, int) and fits_table(vocabulary_size, rows):
            own["vocabulary_size"] = rows
        for name, value in own.items():
            if mapping[name] != value:
                raise InputError(
                    f"Tokenizer and model must have the same {name}. Received: {value} and "
                    f"{mapping[name]}. Give the tokenizer that belongs to the model."
                )
        former = mapping.get("head")
        if head is None:
            head = former if _classifies(former) else _default_head(mapping, former)
        if not isinstance(head, dict) or head.get("task", CLASSIFICATION) != CLASSIFICATION:
            raise InputError(
                f"`model.head` must be of the task {CLASSIFICATION} in a recipe, whose texts have "
                f"one class each. Received: {head}. Train others with `train_classifier`."
            )
        mapping["head"] = {**head, "num_classes": len(labels), "labels": list(labels)}
        return TextEncoderConfig.from_mapping(mapping)

    def _own_problems(self):
        yield from weight_problems(self.corpus)
        if self.pretrained is not None and self.start_from is not None:
            yield "`pretrained` and `start_from` do not go together"
        if not self.has_start and self.tokenizer is None:
            yield "`tokenizer` must be a folder where the run begins with no model (received none)"
        if self.start_from is not None and self.tokenizer is not None:
            yield "`tokenizer` does not go with `start_from`, whose run has one"
        for when in ("before", "after"):
            for step in getattr(self.surgery, when):
                if step.name in _TRANSLATION_ONLY:
                    yield f"`surgery.{when}` cannot {step.name} a text encoder"
        if (self.training.distillation is not None) != (self.teacher is not None):
            yield "`teacher` and `training.distillation` go together (received one of them)"
        if self.training.evaluate_sentences is not None:
            yield "`training.evaluate_sentences` is for translations; leave it out"


def _classifies(head):
    return head is not None and head["task"] == CLASSIFICATION


def _default_head(mapping, former):
    """A classifier that reads a text as the model's former head did, or its pooler does."""
    if former is not None and "pooling" in former:
        return {name: former.get(name) for name in ("pooling", "hidden_activation")}
    has_pooler = mapping.get("pooler", TextEncoderConfig(1).pooler)
    return {"pooling": "pooled" if has_pooler else "first"}
