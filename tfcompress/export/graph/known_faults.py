"""Finds what LiteRT computes wrongly without saying so, or refuses only on the device."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfcompress.export.errors import ExportError
from tfcompress.export.graph import flatbuffer
from tfcompress.grids import SMALLEST_BLOCK_SCALE

_INTEGERS = (schema.TensorType.INT8, schema.TensorType.INT4, schema.TensorType.INT16)
_LARGEST_HALF = 65504.0


def check_known_faults(model: schema.ModelT) -> None:
    """Makes sure that a model has none of LiteRT's known faults.

    - A product of floats with integers that are computed at run time, such as an int8 cache:
      XNNPACK takes it and returns zeros.
    - A scale of zero, or a subnormal one, as a row of zeros would give: the model does not load.
    - A constant beyond half precision, such as a mask of -1e9: where a phone computes in half
      precision, masked rows become NaN.

    Args:
        model: What is to be written.

    Raises:
        ExportError: If it has one.
    """
    check_kernels(model)
    for subgraph in model.subgraphs or []:
        for tensor in subgraph.tensors:
            _check_constant(model, tensor)


def check_kernels(model: schema.ModelT) -> None:
    """Makes sure that a model has none of the faults of `check_known_faults` but that of constants.

    Args:
        model: What is to be written.

    Raises:
        ExportError: If it has one.
    """
    for subgraph in model.subgraphs or []:
        for operator in subgraph.operators:
            if flatbuffer.operator_name(model, operator) == "BATCH_MATMUL":
                _check_product(model, subgraph, operator)
        for tensor in subgraph.tensors:
            _check_scales(model, subgraph, tensor)


def _check_product(model, subgraph, operator):
    left, right = (subgraph.tensors[index] for index in operator.inputs[:2])
    is_mixed = left.type not in _INTEGERS and right.type in _INTEGERS
    if is_mixed and model.buffers[right.buffer].data is None:
        raise ExportError(
            "A matrix product's integer operand must be constant, as XNNPACK takes others for "
            "zeros. Received: one that is computed. Dequantize it first."
        )


def _check_scales(model, subgraph, tensor):
    quantization = tensor.quantization
    if quantization is None:
        return
    scales, least = quantization.scale, np.finfo(np.float32).tiny
    if quantization.details is not None:
        stored = subgraph.tensors[quantization.details.scales]
        scales, least = model.buffers[stored.buffer].data.view(np.float16), SMALLEST_BLOCK_SCALE
    if scales is not None and len(scales) and not np.min(scales) >= least:
        raise ExportError(
            f"A scale is too small for kernels. Received: {np.min(scales)}. Quantize rows of zeros "
            "with another."
        )


def _check_constant(model, tensor):
    data = model.buffers[tensor.buffer].data
    if tensor.type != schema.TensorType.FLOAT32 or data is None or not len(data):
        return
    values = np.asarray(data).view(np.float32)
    largest = np.abs(values).max()
    if not largest <= _LARGEST_HALF:
        raise ExportError(
            "A constant lies beyond half precision, in which phones may compute. Received: "
            f"{largest:.3g}. Use masks of -3e4 and smaller weights."
        )
