"""Quantization-aware training with tf-model-optimization."""

import numpy as np
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers import AdaptiveEmbedding, FactorizedEmbedding
from tfcompress.layers.common.weight_slots import weight_slots
from tfcompress.models.cloning import (
    clone,
    copy_changed,
    copy_layer,
    copy_model,
    leaf_layers,
)
from tfcompress.optimization.models import check_plain, wrappers
from tfcompress.optimization.quantizer_assignment import assign_quantizers

ACTIVATIONS = ("dynamic", "static")
_PREFIX = "quant_"
_EMBEDDINGS = (AdaptiveEmbedding, FactorizedEmbedding, keras.layers.Embedding)
_MOST = 256


def quantize_aware(
    model: keras.Model,
    bits: int = 8,
    *,
    block_size: int | None = None,
    activations: str = "dynamic",
    skip: str | None = None,
    preserve_sparsity: bool = False,
    preserve_clusters: bool = False,
) -> keras.Model:
    """Returns a model that trains with the weights that its bundle will have.

    Every forward pass rounds matrices and tables to the grid that export finds again, so that what
    was trained is what runs. Train the result with `model.fit`, then take the plain model with
    `strip_quantization` and export it with the quantization of the same bits. It begins with the
    weights of the given model, which stays as it is.

    Args:
        model: A functional or sequential model of this library's layers, or of Keras' Dense,
            EinsumDense, Embedding and MultiHeadAttention layers; of a transformer, its `model`.
            Shared layers, LayerDrop and pruned heads go with it.
        bits: 8 or 4.
        block_size: With 4 bits, how many weights share a scale: 32, as in bundles; None for all of
            a channel.
        activations: "dynamic": activations are left alone; kernels quantize them as they come, with
            a range for each row. "static": the output of every quantized layer but embeddings is
            quantized to 8 bits, as kernels for integers only do; export with "static_int8" then
            measures the ranges anew.
        skip: Regular expression; weights that it is found in stay in float32. So that they do in
            the bundle too, export with `quantization="mixed"` and
            `quantization_scheme={skip: "float32"}`.
        preserve_sparsity: Whether weights that are zero at the beginning stay zero.
        preserve_clusters: Whether weights of a matrix or table that are equal at the beginning stay
            equal, where there are at most 256 distinct ones, as `cluster_weights` makes them. Those
            have one scale, so that their integers are as few. Needs 8 bits.

    Returns:
        The model, wrapped by tf-model-optimization. Its attribute `quantizer_assignment` says what
        is quantized, what is not, and why.

    Raises:
        InputError: If an argument is impossible, the model is subclassed, or Keras 3 runs.

    Example:

    >>> model = tfc.optimization.quantize_aware(transformer.model, bits=4, block_size=32)
    >>> model.compile("adam", loss)
    >>> history = model.fit(dataset, verbose=0)
    >>> plain = tfc.optimization.strip_quantization(model)
    >>> smaller = tfc.models.Seq2SeqTransformer(transformer.config, model=plain)
    """
    check_plain(model, "quantize_aware")
    if activations not in ACTIVATIONS:
        raise InputError(
            f"`activations` must be one of {', '.join(ACTIVATIONS)}. Received: "
            f"activations={activations!r}."
        )
    assignment = assign_quantizers(model, bits, block_size=block_size, skip=skip)
    clusters = {}
    if preserve_clusters:
        clusters = _clusters(model, assignment, bits)
        assignment = assignment.with_one_scale(clusters, "clustered: one scale")
    if not any(weight.grid is not None for weight in assignment.weights):
        raise InputError(
            "quantize_aware needs weights to quantize. Received: "
            f"{model.name}, whose weights are all small or skipped."
        )
    from tfcompress.optimization.quantized_layer import QuantizedLayer
    from tfcompress.optimization.weight_quantize_config import WeightQuantizeConfig

    copy = copy_model(model)
    configs = {}
    for name, layer in leaf_layers(copy).items():
        if grids := assignment.grids(name):
            output = activations == "static" and not isinstance(layer, _EMBEDDINGS)
            configs[id(layer)] = WeightQuantizeConfig(
                grids,
                quantize_output=output,
                preserve_sparsity=preserve_sparsity,
                clusters=clusters.get(name),
            )

    def wrap(layer):
        config = configs.get(id(layer))
        return layer if config is None else QuantizedLayer(layer, config, name_prefix=_PREFIX)

    quantized = clone(copy, wrap)
    for wrapper in wrappers(quantized, "quantize_aware", "quantize_aware").values():
        for variable, quantizer, weights in wrapper._weight_vars:
            quantizer.begin(variable.numpy(), weights)
    quantized.quantizer_assignment = assignment
    return quantized


def strip_quantization(model: keras.Model) -> keras.Model:
    """Returns the plain model of a quantization-aware one, with weights that lie on its grids.

    It is a new model, not compiled: compile it before `evaluate` or `fit`.

    Args:
        model: What `quantize_aware` returned, trained or not; it stays as it is.

    Raises:
        InputError: If nothing of the model is quantized.

    Example:

    >>> model = tfc.optimization.quantize_aware(transformer.model)
    >>> plain = tfc.optimization.strip_quantization(model)
    """
    wrappers(model, "quantize_aware", "strip_quantization")
    plain = clone(model, copy_layer)
    copy_rounded(model, plain)
    return plain


def copy_rounded(model: keras.Model, plain: keras.Model) -> None:
    """Gives a plain model the present weights of a quantization-aware one, on its grids.

    Args:
        model: What `quantize_aware` returned.
        plain: What `strip_quantization` made of it.
    """
    values = {}
    for path, wrapper in wrappers(model, "quantize_aware", "copy_rounded").items():
        slots = wrapper.quantize_config.slots(wrapper.layer)
        values[path] = {
            slot.path: (variable, _rounded(variable, quantizer, weights))
            for slot, (variable, quantizer, weights) in zip(
                slots, wrapper._weight_vars, strict=True
            )
        }
    copy_changed(model, plain, values)


def _rounded(variable, quantizer, weights):
    # Once more, for zeros without a sign.
    return quantizer.grid.round(quantizer(variable, False, weights).numpy())


def _clusters(model, assignment, bits):
    """Returns how many values the clustered weights have, by layer and path."""
    if bits != 8:
        raise InputError(f"`preserve_clusters` needs 8 bits. Received: bits={bits}.")
    clusters = {}
    for name, layer in leaf_layers(model).items():
        grids = assignment.grids(name)
        for slot in weight_slots(layer):
            count = len(np.unique(slot.get().numpy())) if slot.path in grids else _MOST + 1
            if count <= _MOST:
                clusters.setdefault(name, {})[slot.path] = count
    if not clusters:
        raise InputError(
            f"`preserve_clusters` needs a matrix or table of at most {_MOST} distinct values. "
            f"Received: {model.name}, which has none. Call cluster_weights first."
        )
    return clusters
