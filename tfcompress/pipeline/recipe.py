"""Recipes: everything that a run depends on, in one YAML file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from tfcompress.errors import InputError
from tfcompress.export.quantization.schemes import QUANTIZATIONS, check_plan
from tfcompress.models.config import Seq2SeqConfig
from tfcompress.pipeline.surgery_recipe import SurgeryRecipe
from tfcompress.search_options import MAX_BEAM_SIZE, MAX_LENGTH_PENALTY, MAX_THREADS
from tfcompress.training.config import TrainingConfig

CORPUS_KINDS = ("files", "phrases")
# What the runtimes allow, by the names of settings.
_MOST = {"beam_size": MAX_BEAM_SIZE, "threads": MAX_THREADS}
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class CorpusRecipe:
    """Where the sentence pairs come from.

    Attributes:
        kind: "files" (plain files) or "phrases" (the corpus that ships with the library).
        path: Folder or TSV file; may be left to the command line's `--corpus`.
        source_language: Ending of the source files.
        target_language: Ending of the target files.
        train: File name of the training split without the language.
        valid: The same for the validation split.
        test: The same for the test split.
        pairs: Number of phrase pairs.
        seed: Seed of the phrases.
    """

    kind: str = "files"
    path: str | None = None
    source_language: str | None = None
    target_language: str | None = None
    train: str = "train"
    valid: str = "valid"
    test: str = "test"
    pairs: int = 60000
    seed: int = 0


@dataclass(frozen=True)
class TokenizerRecipe:
    """How text becomes token ids.

    Attributes:
        vocabulary_size: Number of token ids.
        model_type: "unigram" or "bpe". Only unigram models have an exact tensorflow-text graph
            on the device.
        normalization: sentencepiece's normalization rule: "nmt_nfkc" or "identity".
        joint: One tokenizer for both languages.
        like: The folder of a run whose tokenizer to use instead of training one.
    """

    vocabulary_size: int = 8000
    model_type: str = "unigram"
    normalization: str = "nmt_nfkc"
    joint: bool = True
    like: str | None = None


@dataclass(frozen=True)
class EvaluationRecipe:
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
class BenchmarkRecipe:
    """How bundles are timed.

    Attributes:
        sentences: Test sentences translated in each run.
        beam_size: Beam of the timed translations.
        threads: Threads of the runtime.
        runs: Repetitions; figures are over all of them.
    """

    sentences: int = 100
    beam_size: int = 1
    threads: int = 1
    runs: int = 3


@dataclass(frozen=True)
class TeacherRecipe:
    """A trained model that this one learns from.

    Attributes:
        path: The folder of the teacher's run. For word-level distillation (`training.distillation`)
            it must have the same tokenizer: name its run under `tokenizer.like` or `start_from`.
        sequences: Whether the training targets are the teacher's translations.
        quantization: The teacher's bundle that translates.
        beam_size: Its beam.
        n_best: How many of its translations to choose from, by BLEU with the reference; 1 takes the
            best one.
    """

    path: str
    sequences: bool = False
    quantization: str = "dynamic_int8"
    beam_size: int = 5
    n_best: int = 1


@dataclass(frozen=True)
class Recipe:
    """A run from text to measured bundles.

    Attributes:
        name: What reports call the system.
        corpus: The sentence pairs.
        tokenizer: The tokenizer.
        model: A mapping with the names of `Seq2SeqConfig`, without vocabulary sizes; `preset`
            names a preset to start from. With `start_from`, what changes in that model.
        start_from: The folder of a finished run whose model and tokenizer this one begins with.
        surgery: Operations on the model before and after training.
        teacher: A trained model to learn from.
        training: The training; `updates` 0 for none.
        quantizations: The bundles to export. What activations occur, which "static_int8" and
            "static_int8x16" need to know, is seen on the first 200 training sentences.
        plan: What weights are stored as in the bundle "mixed", by regular expressions over their
            names, as for `tfcompress.export.convert`.
        evaluation: How they are judged.
        benchmark: How they are timed.
        kind: "translation".
    """

    name: str
    model: dict[str, Any] = field(default_factory=dict)
    start_from: str | None = None
    surgery: SurgeryRecipe = field(default_factory=SurgeryRecipe)
    teacher: TeacherRecipe | None = None
    corpus: CorpusRecipe = field(default_factory=CorpusRecipe)
    tokenizer: TokenizerRecipe = field(default_factory=TokenizerRecipe)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    quantizations: list[str] = field(default_factory=lambda: ["float32", "dynamic_int8"])
    plan: dict[str, str] | None = None
    evaluation: EvaluationRecipe = field(default_factory=EvaluationRecipe)
    benchmark: BenchmarkRecipe = field(default_factory=BenchmarkRecipe)
    kind: str = "translation"

    def __post_init__(self):
        problems = list(_problems(self))
        if problems:
            raise InputError(f"impossible recipe: {'; '.join(problems)}")
        if self.start_from is None:
            size = self.tokenizer.vocabulary_size
            self.model_config(size, size)  # raises for an impossible model

    def model_config(
        self, source_size: int, target_size: int, start: Seq2SeqConfig | None = None
    ) -> Seq2SeqConfig:
        """Returns the model's configuration for vocabularies of these sizes.

        Args:
            source_size: Number of source token ids.
            target_size: Number of target token ids.
            start: The configuration of the model of `start_from`, after surgery.
        """
        mapping = dict(self.model)
        if start is not None:
            mapping = merged(start.to_mapping(), mapping)
        name = mapping.pop("preset", None)
        if name is not None:
            from tfcompress.models.presets import preset

            base = preset(name)
            if not isinstance(base, Seq2SeqConfig):
                raise InputError(
                    f"`model.preset` must be a translation model (received {name!r}, a text "
                    "encoder); `tfcompress describe` lists presets"
                )
            mapping = merged(base.to_mapping(), mapping)
        mapping |= {"source_vocabulary_size": source_size, "target_vocabulary_size": target_size}
        return Seq2SeqConfig.from_mapping(mapping)


def bundle_problems(recipe: Any) -> Iterator[str]:
    """Yields what is impossible about the bundles of a recipe.

    Args:
        recipe: The recipe.
    """
    if not recipe.name.strip():
        yield f"`name` must not be blank (received {recipe.name!r})"
    if not recipe.quantizations:
        yield "`quantizations` must name at least one bundle to export (received none)"
    for value in recipe.quantizations:
        if value not in QUANTIZATIONS:
            yield (f"`quantizations` may hold {', '.join(QUANTIZATIONS)} (received {value!r})")
    if recipe.plan is not None:
        check_plan(recipe.plan)
    if (recipe.plan is not None) != ("mixed" in recipe.quantizations):
        yield (
            "`plan` goes with the bundle mixed in `quantizations` (received only "
            f"{'mixed' if recipe.plan is None else 'a plan'})"
        )
    if len(set(recipe.quantizations)) < len(recipe.quantizations):
        yield f"`quantizations` must not repeat (received {recipe.quantizations})"


def count_problems(recipe: Any, parts: Sequence[str], *, least: Mapping[str, int]) -> Iterator[str]:
    """Yields which whole numbers of a recipe are too small or too large.

    Args:
        recipe: The recipe.
        parts: Its attributes whose attributes to look at.
        least: The least values of those that may be below 1, such as "corpus.seed".
    """
    for part in parts:
        settings = getattr(recipe, part)
        for attribute in fields(settings):
            name, value = f"{part}.{attribute.name}", getattr(settings, attribute.name)
            if attribute.type is not int:
                continue
            if value < least.get(name, 1):
                yield f"`{name}` must be at least {least.get(name, 1)} (received {value})"
            most = _MOST.get(attribute.name, _LARGEST)
            if value > most:
                yield f"`{name}` must be at most {most} (received {value})"


def differences(one: Mapping, other: Mapping, path: str = "") -> list[str]:
    """Returns the keys under which two mappings differ."""
    found = []
    for key in sorted({*one, *other}):
        where = f"{path}.{key}" if path else key
        a, b = one.get(key), other.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += differences(a, b, where)
        elif a != b:
            found.append(where)
    return found


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a mapping with changes: mappings within merge, anything else is replaced."""
    result = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if nested else value
    return result


def _problems(recipe):
    if recipe.kind != "translation":
        yield f"`kind` of a translation recipe must be translation (received {recipe.kind!r})"
    if recipe.corpus.kind not in CORPUS_KINDS:
        yield (
            f"`corpus.kind` must be one of {', '.join(CORPUS_KINDS)} (received "
            f"{recipe.corpus.kind!r})"
        )
    if recipe.start_from is None:
        if not recipe.model:
            yield "`model` must describe a model unless `start_from` names one (received neither)"
        if recipe.surgery.before:
            yield "`surgery.before` needs a trained model; name its run under `start_from`"
        if not recipe.training.updates:
            yield "`training.updates` 0 needs a trained model; name its run under `start_from`"
    elif "preset" in recipe.model:
        yield "`model.preset` does not go with `start_from`, which names a model already"
    if any(step.name == "trim_vocabulary" for step in recipe.surgery.after):
        yield "`surgery.after` cannot trim the vocabulary; do it in `surgery.before`"
    if recipe.training.metric == "val_accuracy":
        yield "`training.metric` val_accuracy is for text encoders; choose val_bleu or val_loss"
    if recipe.training.distillation is not None and recipe.teacher is None:
        yield "`training.distillation` needs a `teacher` (received none)"
    if recipe.teacher is not None:
        teacher = recipe.teacher
        if not teacher.sequences and recipe.training.distillation is None:
            yield "`teacher` teaches nothing: set `teacher.sequences` or `training.distillation`"
        if not 1 <= teacher.n_best <= teacher.beam_size:
            yield (
                "`teacher.n_best` must lie between 1 and `teacher.beam_size` (received "
                f"{teacher.n_best} and {teacher.beam_size})"
            )
    penalty = recipe.evaluation.length_penalty
    if not abs(penalty) <= MAX_LENGTH_PENALTY:
        yield (
            f"`evaluation.length_penalty` must be from -{MAX_LENGTH_PENALTY} to "
            f"{MAX_LENGTH_PENALTY} (received {penalty})"
        )
    yield from bundle_problems(recipe)
    parts = ["corpus", "tokenizer", "evaluation", "benchmark"]
    parts += [] if recipe.teacher is None else ["teacher"]
    yield from count_problems(recipe, parts, least={"corpus.seed": 0, "evaluation.examples": 0})
