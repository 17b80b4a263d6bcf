"""Sparse weights with tf-model-optimization."""

from typing import TYPE_CHECKING, Any

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression
from tfcompress.grids import MIN_ELEMENTS
from tfcompress.layers.common.weight_slots import WeightSlot, weight_slots
from tfcompress.models.cloning import clone, copy_model, leaf_layers, wrapped
from tfcompress.optimization.models import check_plain, wrappers

if TYPE_CHECKING:
    import tensorflow_model_optimization as tfmot

PATTERNS = ("unstructured", "2:4", "block_1x4")


def prune(
    model: keras.Model,
    schedule: "tfmot.sparsity.keras.PruningSchedule",
    *,
    sparsity: str = "unstructured",
    scope: str | None = None,
) -> keras.Model:
    """Returns a model whose smallest weights become zero while it trains.

    Train the result with `model.fit` and tf-model-optimization's `UpdatePruningStep` callback, then
    take the plain model with `strip_pruning`. It begins with the weights of the given model, which
    stays as it is.

    Zeros make a file smaller once it is compressed, as app stores do, and nothing else: LiteRT's
    kernels for Transformers have no sparse form, so speed and memory stay.

    Args:
        model: As for `quantize_aware`.
        schedule: One of tf-model-optimization's, such as `PolynomialDecay`.
        sparsity: Which weights go together. "unstructured": each alone; "2:4": two of four
            neighbours among the inputs of each output, at any time of the schedule; "block_1x4":
            four such neighbours at once.
        scope: Regular expression; only weights that it is found in are pruned, of at least 1,024
            elements. It is searched for in the layer's name, a slash and the weight's path. Without
            it, all of them. Patterns leave out grouped matrices, "2:4" also tables.

    Raises:
        InputError: If an argument is impossible, the schedule ends before it begins, nothing
            matches `scope`, the model is subclassed, or Keras 3 runs.

    Example:

    >>> schedule = tfmot.sparsity.keras.PolynomialDecay(0.0, 0.7, begin_step=0, end_step=2000)
    >>> model = tfc.optimization.prune(transformer.model, schedule)
    >>> model.compile("adam", loss)
    >>> callback = tfmot.sparsity.keras.UpdatePruningStep()
    >>> history = model.fit(dataset, callbacks=[callback], verbose=0)
    >>> plain = tfc.optimization.strip_pruning(model)
    """
    check_plain(model, "prune")
    if sparsity not in PATTERNS:
        raise InputError(
            f"`sparsity` must be one of {', '.join(PATTERNS)}. Received: sparsity={sparsity!r}."
        )
    _check_schedule(schedule)
    from tfcompress.optimization.pruned_layer import PrunedLayer

    expression = None if scope is None else compile_expression("scope", scope)
    copy = copy_model(model)
    chosen = {
        id(layer): slots
        for name, layer in leaf_layers(copy).items()
        if (slots := _chosen(name, layer, sparsity, expression))
    }
    if not chosen:
        raise InputError(
            f"`scope` must match a weight of at least {MIN_ELEMENTS:,} elements. Received: "
            f"scope={scope!r}, sparsity={sparsity!r}."
        )

    def wrap(layer):
        slots = chosen.get(id(layer))
        if slots is None:
            return layer
        options: dict[str, Any] = {"pruning_schedule": schedule}
        if sparsity == "2:4":
            options["sparsity_m_by_n"] = (2, 4)
        if sparsity == "block_1x4":
            options["block_size"] = (1, 4) if slots[0].channels == (0,) else (4, 1)
        return PrunedLayer(layer, paths=[slot.path for slot in slots], **options)

    return clone(copy, wrap)


def strip_pruning(model: keras.Model) -> keras.Model:
    """Returns the plain model of one that `prune` made; it shares the weights.

    It is a new model, not compiled: compile it before `evaluate` or `fit`.

    Args:
        model: What `prune` returned, trained or not.

    Raises:
        InputError: If nothing of the model is pruned.
    """
    wrappers(model, "prune", "strip_pruning")
    return clone(model, wrapped)


def _check_schedule(schedule):
    begin, end = getattr(schedule, "begin_step", None), getattr(schedule, "end_step", None)
    if begin is None:
        raise InputError(
            "`schedule` must be a schedule of tf-model-optimization, such as PolynomialDecay. "
            f"Received: {type(schedule).__name__}."
        )
    if end is not None and 0 <= end <= begin:
        raise InputError(
            f"`schedule` must end after it begins. Received: begin_step={begin}, end_step={end}."
        )


def _chosen(name, layer, sparsity, expression) -> list[WeightSlot]:
    slots = [
        slot
        for slot in weight_slots(layer)
        if slot.get().shape.num_elements() >= MIN_ELEMENTS
        and (expression is None or expression.search(f"{name}/{slot.path}"))
    ]
    if sparsity == "unstructured":
        return slots
    tables = [slot for slot in slots if slot.channels == (0,)]
    matrices = [slot for slot in slots if slot.inputs == (0,) and len(slot.get().shape) == 2]
    # A layer has one shape of block: that of its tables where it has any.
    return tables if tables and sparsity == "block_1x4" else matrices
