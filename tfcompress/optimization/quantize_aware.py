"""Quantization-aware training with tf-model-optimization."""

import numpy as np
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers import AdaptiveEmbedding, FactorizedEmbedding
from tfcompress.layers.weight_slots import weight_slots
from tfcompress.optimization.models import check_optimizable
from tfcompress.optimization.quantization_plan import plan_quantization
from tfcompress.optimization.unwrapping import copy_unwrapped, unwrapped_clone

ACTIVATIONS = ("dynamic", "static")
_PREFIX = "quant_"
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
            the bundle too, export with `quantization="mixed"` and `plan={skip: "float32"}`.
        preserve_sparsity: Whether weights that are zero at the beginning stay zero.
        preserve_clusters: Whether weights of a matrix or table that are equal at the beginning stay
            equal, where there are at most 256 distinct ones, as `cluster_weights` makes them. Those
            have one scale, so that their integers are as few. Needs 8 bits.

    Returns:
        The model, wrapped by tf-model-optimization. Its attribute `quantization_plan` says what is
        quantized, what is not, and why.

    Raises:
        InputError: If an argument is impossible, the model is subclassed, or Keras 3 runs.

    Example:

    >>> model = tfc.optimization.quantize_aware(transformer.model, bits=4, block_size=32)
    >>> model.compile("adam", loss)
    >>> model.fit(dataset)
    >>> plain = tfc.optimization.strip_quantization(model)
    >>> tfc.export.convert(tfc.models.Seq2SeqTransformer(transformer.config, plain), "bundle")
    """
    check_optimizable(model, "quantize_aware")
    if activations not in ACTIVATIONS:
        raise InputError(
            f"`activations` must be one of {', '.join(ACTIVATIONS)} (received {activations!r})"
        )
    plan = plan_quantization(model, bits, block_size=block_size, skip=skip)
    clusters = {}
    if preserve_clusters:
        clusters = _clusters(model, plan, bits)
        plan = plan.with_one_scale(clusters, "clustered: one scale")
    import tensorflow_model_optimization as tfmot

    from tfcompress.optimization.plain_scheme import PlainScheme
    from tfcompress.optimization.weight_quantize_config import WeightQuantizeConfig

    def annotated(layer):
        grids = plan.grids(layer.name)
        if not grids:
            return layer
        output = activations == "static" and not isinstance(
            layer, (AdaptiveEmbedding, FactorizedEmbedding)
        )
        return tfmot.quantization.keras.quantize_annotate_layer(
            layer,
            WeightQuantizeConfig(grids, output, preserve_sparsity, clusters.get(layer.name)),
        )

    if not any(weight.grid is not None for weight in plan.weights):
        raise InputError("quantize_aware finds nothing to quantize; every weight is small")
    quantized = tfmot.quantization.keras.quantize_apply(
        keras.models.clone_model(model, clone_function=annotated),
        PlainScheme(),
        quantized_layer_name_prefix=_PREFIX,
    )
    for wrapper in filter(_is_wrapper, quantized.layers):
        for variable, quantizer, weights in wrapper._weight_vars:
            quantizer.begin(variable.numpy(), weights)
    quantized.quantization_plan = plan
    return quantized


def strip_quantization(model: keras.Model) -> keras.Model:
    """Returns the plain model of a quantization-aware one, with weights that lie on its grids.

    Args:
        model: What `quantize_aware` returned, trained or not; it stays as it is.

    Raises:
        InputError: If nothing of the model is quantized.

    Example:

    >>> plain = tfc.optimization.strip_quantization(model)
    """
    check_optimizable(model, "strip_quantization")
    if not any(map(_is_wrapper, model.layers)):
        raise InputError(
            f"strip_quantization needs a model that quantize_aware made (received {model.name}, of "
            "which nothing is quantized)"
        )
    plain = unwrapped_clone(model, _is_wrapper)
    copy_rounded(model, plain)
    return plain


def copy_rounded(model: keras.Model, plain: keras.Model) -> None:
    """Gives a plain model the present weights of a quantization-aware one, on its grids.

    Args:
        model: What `quantize_aware` returned.
        plain: What `strip_quantization` made of it.
    """
    values = {}
    for wrapper in filter(_is_wrapper, model.layers):
        slots = wrapper.quantize_config.slots(wrapper.layer)
        values[wrapper.layer.name] = {
            slot.path: (variable, _rounded(variable, quantizer, weights))
            for slot, (variable, quantizer, weights) in zip(
                slots, wrapper._weight_vars, strict=True
            )
        }
    copy_unwrapped(model, plain, values)


def _rounded(variable, quantizer, weights):
    # Once more, for zeros without a sign.
    return quantizer.grid.round(quantizer(variable, False, weights).numpy())


def _clusters(model, plan, bits):
    """Returns how many values the clustered weights have, by layer and path."""
    if bits != 8:
        raise InputError(f"`preserve_clusters` needs 8 bits (received {bits})")
    found = {}
    for layer in model.layers:
        grids = plan.grids(layer.name)
        for slot in weight_slots(layer):
            count = len(np.unique(slot.get().numpy())) if slot.path in grids else _MOST + 1
            if count <= _MOST:
                found.setdefault(layer.name, {})[slot.path] = count
    if not found:
        raise InputError(
            f"`preserve_clusters` needs a matrix or table of at most {_MOST} distinct values "
            f"(received {model.name}, which has none); call cluster_weights first"
        )
    return found


def _is_wrapper(layer):
    return hasattr(layer, "quantize_config") and hasattr(layer, "layer")
