"""Recipes of text encoders."""

from dataclasses import dataclass, field
from typing import Any

from tfcompress.errors import InputError
from tfcompress.models.head_config import CLASSIFICATION
from tfcompress.models.text_encoder_config import TextEncoderConfig
from tfcompress.pipeline.recipe import bundle_problems, count_problems, merged
from tfcompress.pipeline.surgery_recipe import SurgeryRecipe
from tfcompress.text.text_tokenizers import fits_table
from tfcompress.training.config import TrainingConfig

MINILM = "minilm"
_TRANSLATION_ONLY = ("trim_vocabulary", "cache_outputs")


@dataclass(frozen=True)
class TextCorpusRecipe:
    """Where texts and labels come from.

    Attributes:
        path: Folder with `.tsv` files; may be left to the command line's `--corpus`.
        train: File name of the training split, without `.tsv` or `.tsv.gz`.
        valid: The same for the validation split; for "valid", "dev" is tried too.
        test: The same for the test split.
        labels: Names of the classes, in the order of their numbers, as the files have them. They
            are also those of a model that the run begins with, where that has as many classes and
            no names for them.
    """

    path: str | None = None
    train: str = "train"
    valid: str = "valid"
    test: str = "test"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextTeacherRecipe:
    """A trained classifier that this one learns from.

    Attributes:
        path: The folder of the teacher's run, which has the same tokenizer and the student's
            classes, in any order.
    """

    path: str


@dataclass(frozen=True)
class TextBenchmarkRecipe:
    """How bundles are timed.

    Attributes:
        texts: Test texts of each run.
        threads: Threads of the runtime.
        runs: Repetitions; figures are over all of them.
    """

    texts: int = 100
    threads: int = 1
    runs: int = 3


@dataclass(frozen=True)
class TextRecipe:
    """A run from texts with labels to measured bundles of a classifier.

    Attributes:
        name: What reports call the system.
        corpus: The texts.
        pretrained: What to begin with: "minilm" (the extra of that name), or a folder with a
            published model of the BERT family, or one that `save_to_preset` wrote, as of a
            keras-nlp model. Or else `start_from`, or nothing.
        start_from: The folder of a finished run whose model and tokenizer this one begins with.
        tokenizer: A folder with the files of a tokenizer; by default that of `pretrained` or of
            `start_from`.
        model: What changes in the model that the run begins with, with the names of
            `TextEncoderConfig`; the whole model, where it begins with nothing. `head` replaces that
            of the model, and is for classification; the classes are those of the corpus. Those of
            the model that the run begins with are found by their names; where it has other classes,
            the head starts anew.
        surgery: Operations on the model before and after training.
        teacher: A trained model to learn from, with `training.distillation`.
        training: The training; `updates` 0 for none.
        quantizations: The bundles to export.
        plan: What weights are stored as in the bundle "mixed", by regular expressions over their
            names, as for `tfcompress.export.convert`.
        benchmark: How they are timed.
        kind: "text_encoder".
    """

    name: str
    pretrained: str | None = None
    start_from: str | None = None
    tokenizer: str | None = None
    model: dict[str, Any] = field(default_factory=dict)
    surgery: SurgeryRecipe = field(default_factory=SurgeryRecipe)
    teacher: TextTeacherRecipe | None = None
    corpus: TextCorpusRecipe = field(default_factory=TextCorpusRecipe)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    quantizations: list[str] = field(default_factory=lambda: ["float32", "dynamic_int8"])
    plan: dict[str, str] | None = None
    benchmark: TextBenchmarkRecipe = field(default_factory=TextBenchmarkRecipe)
    kind: str = "text_encoder"

    def __post_init__(self):
        problems = list(_problems(self))
        if problems:
            raise InputError(f"impossible recipe: {'; '.join(problems)}")

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
                    f"the tokenizer has another {name} than the model ({value}, not "
                    f"{mapping[name]}); give the tokenizer that belongs to it"
                )
        former = mapping.get("head")
        if head is None:
            head = former if _classifies(former) else _default_head(mapping, former)
        if not isinstance(head, dict) or head.get("kind", CLASSIFICATION) != CLASSIFICATION:
            raise InputError(
                f"`model.head` must be of the kind {CLASSIFICATION} in a recipe, whose texts have "
                f"one class each (received {head}); train others with `train_classifier`, in Python"
            )
        mapping["head"] = {**head, "num_classes": len(labels), "labels": list(labels)}
        return TextEncoderConfig.from_mapping(mapping)


def _classifies(head):
    return head is not None and head["kind"] == CLASSIFICATION


def _default_head(mapping, former):
    """A classifier that reads a text as the model's former head did, or its pooler does."""
    if former is not None and "pooling" in former:
        return {name: former.get(name) for name in ("pooling", "hidden_activation")}
    has_pooler = mapping.get("pooler", TextEncoderConfig(1).pooler)
    return {"pooling": "pooled" if has_pooler else "first"}


def _problems(recipe):
    begins = [name for name in ("pretrained", "start_from") if getattr(recipe, name) is not None]
    if len(begins) > 1:
        yield "`pretrained` and `start_from` do not go together"
    if not begins:
        if not recipe.model:
            yield "`model` must describe a model unless `pretrained` or `start_from` names one"
        if recipe.tokenizer is None:
            yield "`tokenizer` must be a folder where the run begins with no model (received none)"
        if recipe.surgery.before:
            yield "`surgery.before` needs a model to begin with"
        if not recipe.training.updates:
            yield "`training.updates` 0 needs a model to begin with"
    if recipe.start_from is not None and recipe.tokenizer is not None:
        yield "`tokenizer` does not go with `start_from`, whose run has one"
    for when in ("before", "after"):
        for step in getattr(recipe.surgery, when):
            if step.name in _TRANSLATION_ONLY:
                yield f"`surgery.{when}` cannot {step.name} a text encoder"
    training = recipe.training
    if (training.distillation is not None) != (recipe.teacher is not None):
        yield "`teacher` and `training.distillation` go together (received one of them)"
    if training.evaluate_sentences is not None:
        yield "`training.evaluate_sentences` is for translations; leave it out"
    if training.metric == "val_bleu":
        yield "`training.metric` val_bleu is for translations; choose val_accuracy or val_loss"
    yield from bundle_problems(recipe)
    yield from count_problems(recipe, ("benchmark",), least={})
