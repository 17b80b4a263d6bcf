"""The configuration of a training run."""

import math
from dataclasses import dataclass

from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression
from tfcompress.grids import check_bits
from tfcompress.schema import type_problems
from tfcompress.training.replacing import ReplacingSchedule

SCHEDULES = ("inverse_square_root", "cosine", "constant")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
STRATEGIES = ("none", "mirrored", "multi_worker")
METRICS = ("val_loss", "val_bleu", "val_accuracy", "val_perplexity")
WEIGHTS = ("best", "last", "average")


@dataclass(frozen=True)
class DistillationConfig:
    """How a student learns the probabilities and hidden states of a teacher.

    Attributes:
        weight: Weight of the teacher's words, in [0, 1]; the references have the rest.
        temperature: What logits are divided by before they are compared.
        hidden_weight: Weight of the hidden states; 0 for none.
        encoder_layers: For each encoder layer of the student, the teacher's that it shall match,
            from 1, or 0 for the embedding; None spreads them evenly.
        decoder_layers: The same for the decoder.
    """

    weight: float = 0.5
    temperature: float = 1.0
    hidden_weight: float = 0.0
    encoder_layers: tuple[int, ...] | None = None
    decoder_layers: tuple[int, ...] | None = None


@dataclass(frozen=True)
class GuidedAlignmentConfig:
    """How cross-attention learns which source words are translated.

    The model's `alignment_head` says which head does.

    Attributes:
        weight: Weight of the loss on what it attends to.
    """

    weight: float = 0.1


@dataclass(frozen=True)
class ReplacingConfig(ReplacingSchedule):
    """How successors replace the layers of a model with `successors` (BERT-of-Theseus).

    Attributes:
        scale_learning_rate: Whether the learning rate is multiplied by the replacing rate; needs
            the schedule "constant" of the learning rate.
    """

    scale_learning_rate: bool = False


@dataclass(frozen=True)
class QuantizeAwareConfig:
    """The grids that weights are trained on; needs Keras 2.

    Attributes:
        bits: 8 or 4; export with the quantization "dynamic_int8", or "int4".
        block_size: With 4 bits, how many weights share a scale: 32, which "int4" bundles have; null
            for those of a channel.
        activations: "dynamic" leaves them alone, "static" quantizes the outputs of layers to 8 bits
            while they train.
        skip: Regular expression; weights that it is found in stay in float32.
        preserve_sparsity: Whether weights that are zero at the beginning stay zero.
        preserve_clusters: Whether weights that are equal at the beginning stay equal, where a
            matrix has at most 256 values.
    """

    bits: int = 8
    block_size: int | None = None
    activations: str = "dynamic"
    skip: str | None = None
    preserve_sparsity: bool = False
    preserve_clusters: bool = False


@dataclass(frozen=True)
class PruningConfig:
    """How weights become zero while a model trains; needs Keras 2.

    Attributes:
        sparsity: The part of zeros at the end; "2:4" has one half whatever it says.
        pattern: "unstructured", "2:4" or "block_1x4".
        begin: Updates before the first weights go.
        end: Updates after which no more go; null for all.
        frequency: Updates between two choices of weights.
        scope: Regular expression; only weights that it is found in are pruned.
    """

    sparsity: float = 0.5
    pattern: str = "unstructured"
    begin: int = 0
    end: int | None = None
    frequency: int = 50
    scope: str | None = None


@dataclass(frozen=True)
class ClusteringConfig:
    """How few values the matrices of a model have; needs Keras 2.

    Attributes:
        number_of_clusters: Distinct values of each.
        scope: Regular expression; only weights that it is found in are clustered.
        preserve_sparsity: Whether weights that are zero at the beginning stay zero.
    """

    number_of_clusters: int = 16
    scope: str | None = None
    preserve_sparsity: bool = False


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    A training ends before its last update when patience runs out, or at the first loss that is not
    finite; what was saved at the evaluations before remains, and the model comes from them.

    Attributes:
        updates: Number of optimizer updates, a multiple of `evaluate_every`; 0 for none.
        batch_tokens: Padded tokens of a batch on the longer side.
        accumulate: Batches whose gradients are added up for one update.
        learning_rate: Peak (or constant) learning rate.
        schedule: "inverse_square_root", "cosine" or "constant".
        warmup: Updates of linear warm-up; unused by "constant".
        beta_1: Adam's decay of the mean.
        beta_2: Adam's decay of the variance.
        clip_norm: Largest global norm of the gradients, or None.
        label_smoothing: Part of the target distribution spread over the vocabulary.
        precision: "float32", "mixed_bfloat16" or "mixed_float16".
        strategy: "none", "mirrored" (all devices of this machine) or "multi_worker" (as
            TF_CONFIG says; see docs/many-machines.md).
        worker_timeout: Seconds that a worker of "multi_worker" is waited for.
        seed: Seed of initial weights, order of batches and dropout.
        evaluate_every: Updates between evaluations, which also save the state.
        evaluate_sentences: Validation sentences decoded for BLEU; 0 for none, None for all.
        patience: Evaluations in a row, in which neither the metric nor the validation loss gets
            better (by a ten-thousandth of itself), after which training ends, or None.
        metric: What evaluations are compared by: "val_loss" or a language model's
            "val_perplexity" (the lower the better), "val_bleu" of a translator or "val_accuracy"
            of a classifier (the higher; where they are alike, by validation loss); None for BLEU,
            accuracy or perplexity where it is measured, else the loss.
        weights: Whose weights the trained model has: of the "best" evaluation, of the "last", or
            the "average" of the last ones; None for "average" if `average` is above 1, "last"
            with `pruning` or `clustering`, and else "best".
        average: Number of last evaluations whose weights are averaged.
        distillation: How to learn from a teacher, where there is one.
        guided_alignment: How a translator's attention learns alignments, if it does.
        replacing: How successors replace layers, for a model that has some.
        train_only: Regular expression that the names of the layers match that are trained; None
            trains all. BERT-of-Theseus trains "_module_" only.
        quantize_aware: The grids that weights are trained on, if they are.
        pruning: How weights become zero, if they do.
        clustering: How few values matrices have, if they have.

    Raises:
        InputError: If settings are impossible, naming each of them.
    """

    updates: int = 10000
    batch_tokens: int = 4096
    accumulate: int = 1
    learning_rate: float = 0.001
    schedule: str = "inverse_square_root"
    warmup: int = 1000
    beta_1: float = 0.9
    beta_2: float = 0.98
    clip_norm: float | None = None
    label_smoothing: float = 0.1
    precision: str = "float32"
    strategy: str = "none"
    worker_timeout: int = 60
    seed: int = 0
    evaluate_every: int = 500
    evaluate_sentences: int | None = None
    patience: int | None = None
    metric: str | None = None
    weights: str | None = None
    average: int = 1
    distillation: DistillationConfig | None = None
    guided_alignment: GuidedAlignmentConfig | None = None
    replacing: ReplacingConfig | None = None
    train_only: str | None = None
    quantize_aware: QuantizeAwareConfig | None = None
    pruning: PruningConfig | None = None
    clustering: ClusteringConfig | None = None

    @property
    def fixed_updates(self) -> bool:
        """Whether the first updates would be others if there were more updates in all."""
        open_pruning = self.pruning is not None and self.pruning.end is None
        return self.schedule == "cosine" or open_pruning

    def __post_init__(self):
        problems = type_problems(self) or list(_problems(self))
        if problems:
            raise InputError(f"impossible training settings: {'; '.join(problems)}")


def _problems(config):
    if not 0 <= config.updates < 2**31:
        yield f"`updates` must lie in [0, 2**31) (received {config.updates})"
    if not 0 <= config.seed < 2**32:
        yield f"`seed` must lie in [0, 2**32) (received {config.seed})"
    names = ("batch_tokens", "accumulate", "warmup", "evaluate_every", "average", "worker_timeout")
    for name in names:
        if not 1 <= getattr(config, name) < 2**31:
            yield f"`{name}` must lie in [1, 2**31) (received {getattr(config, name)})"
    if config.evaluate_every >= 1 and config.updates % config.evaluate_every:
        yield (
            f"`updates` must be a multiple of `evaluate_every` (received {config.updates} and "
            f"{config.evaluate_every})"
        )
    if not 0 < config.learning_rate < math.inf:
        yield f"`learning_rate` must be positive (received {config.learning_rate})"
    for name in ("beta_1", "beta_2", "label_smoothing"):
        if not 0 <= getattr(config, name) < 1:
            yield f"`{name}` must lie in [0, 1) (received {getattr(config, name)})"
    if config.clip_norm is not None and not 0 < config.clip_norm < math.inf:
        yield f"`clip_norm` must be positive or null (received {config.clip_norm})"
    if config.patience is not None and config.patience < 1:
        yield f"`patience` must be at least 1 or null (received {config.patience})"
    if config.evaluate_sentences is not None and config.evaluate_sentences < 0:
        yield f"`evaluate_sentences` must not be negative (received {config.evaluate_sentences})"
    if config.metric == "val_bleu" and config.evaluate_sentences == 0:
        yield "`metric` val_bleu needs validation sentences (received evaluate_sentences 0)"
    if config.weights is not None and (config.weights == "average") != (config.average > 1):
        yield (
            "`weights` average and an `average` above 1 go together (received "
            f"{config.weights!r} and {config.average})"
        )
    if config.schedule == "cosine" and config.warmup >= config.updates > 0:
        yield f"`warmup` must be below `updates` (received {config.warmup} and {config.updates})"
    if config.train_only is not None:
        try:
            compile_expression("train_only", config.train_only)
        except InputError as error:
            yield str(error)
    guided = config.guided_alignment
    if guided is not None and not 0 < guided.weight < math.inf:
        yield f"`guided_alignment.weight` must be positive (received {guided.weight})"
    replacing = config.replacing
    if replacing is not None and replacing.scale_learning_rate and config.schedule != "constant":
        yield (
            "`replacing.scale_learning_rate` needs `schedule` constant (received "
            f"{config.schedule!r})"
        )
    yield from _compression_problems(config)
    options = {"schedule": SCHEDULES, "precision": PRECISIONS, "strategy": STRATEGIES}
    options |= {"metric": (None, *METRICS), "weights": (None, *WEIGHTS)}
    for name, valid in options.items():
        if getattr(config, name) not in valid:
            names = ", ".join("null" if value is None else value for value in valid)
            yield f"`{name}` must be one of {names} (received {getattr(config, name)!r})"


def _compression_problems(config):
    quantize, pruning, clustering = config.quantize_aware, config.pruning, config.clustering
    methods = {"quantize_aware": quantize, "pruning": pruning, "clustering": clustering}
    chosen = [name for name, method in methods.items() if method is not None]
    for name in chosen:
        if config.distillation is not None or config.replacing is not None:
            yield f"`{name}` does not go with `distillation` or `replacing`; train twice"
        if config.precision != "float32" or config.strategy != "none":
            yield f"`{name}` needs `precision` float32 and `strategy` none"
        if name == "quantize_aware":
            continue
        if config.accumulate > 1 or config.average > 1:
            yield f"`{name}` needs `accumulate` 1 and `average` 1"
        if config.guided_alignment is not None:
            yield f"`{name}` does not go with `guided_alignment`; train twice"
        if config.weights == "best":
            yield f"`{name}` needs `weights` last: it is not done before the end"
    if len(chosen) > 1:
        yield (
            f"{', '.join(f'`{name}`' for name in chosen)} are trainings of their own, later ones "
            "with `preserve_sparsity`"
        )
    if clustering is not None and clustering.number_of_clusters < 2 + clustering.preserve_sparsity:
        yield (
            "`clustering.number_of_clusters` must be at least 2, or 3 with preserve_sparsity "
            f"(received {clustering.number_of_clusters})"
        )
    if quantize is not None:
        try:
            check_bits(quantize.bits, quantize.block_size)
        except InputError as error:
            yield f"`quantize_aware`: {error}"
        if quantize.activations not in ("dynamic", "static"):
            yield (
                "`quantize_aware.activations` must be one of dynamic, static (received "
                f"{quantize.activations!r})"
            )
    if pruning is None:
        return
    if not 0 < pruning.sparsity < 1:
        yield f"`pruning.sparsity` must lie in (0, 1) (received {pruning.sparsity})"
    if pruning.pattern not in ("unstructured", "2:4", "block_1x4"):
        yield (
            "`pruning.pattern` must be one of unstructured, 2:4, block_1x4 (received "
            f"{pruning.pattern!r})"
        )
    if pruning.frequency < 1:
        yield f"`pruning.frequency` must be at least 1 (received {pruning.frequency})"
    end = config.updates if pruning.end is None else pruning.end
    if not 0 <= pruning.begin < end <= config.updates:
        yield (
            "`pruning` must begin before it ends, and end with the training (received begin "
            f"{pruning.begin}, end {end} of {config.updates} updates)"
        )
