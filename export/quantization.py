"""Stores the weights of a float32 model in fewer bytes."""

import collections

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfcompress.export import flatbuffer
from tfcompress.grids import MIN_ELEMENTS, Grid, holds_whole

QUANTIZATIONS = ("float32", "float16", "dynamic_int8")
# Operations whose second operand is a weight, with the version that reads it in int8 by channel.
_INT8_VERSIONS = {"FULLY_CONNECTED": 12, "EMBEDDING_LOOKUP": 4, "BATCH_MATMUL": 4}
_INT8_ACTIVATIONS = ("FULLY_CONNECTED", "BATCH_MATMUL")
_WEIGHT_OPERAND = 1


def quantize(model: schema.ModelT, quantization: str) -> None:
    """Converts every large weight of a float32 model, once for all who share it.

    Args:
        model: Edited in place.
        quantization: One of `QUANTIZATIONS`. With "dynamic_int8" weights become int8 with one
            scale a row (of grouped matrices one for each output channel of a group, shared by the
            groups, as the format has no more), and kernels quantize activations as they come.
    """
    if quantization == "float16":
        _to_float16(model)
    elif quantization == "dynamic_int8":
        _to_int8(model)


def quantize_rows(weights: np.ndarray, axis: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rounds each row to 255 levels symmetric about 0.

    Args:
        weights: Float32 `[rows, ...]`.
        axis: Where the rows are, if not in front.

    Returns:
        Int8 values of the same shape and the float32 scales `[rows]` to multiply them with, on the
        grid that the weights lie on already, if they do. A row without any magnitude gets the scale
        1, as kernels refuse a scale of 0.
    """
    grid = holds_whole(weights) or Grid(8, (axis,))
    values, scales = grid.quantize(weights)
    return values, np.broadcast_to(scales.reshape(-1), weights.shape[axis : axis + 1]).copy()


def _to_int8(model):
    converted = {}
    for subgraph, index, operators in _large_weights(model):
        tensor = subgraph.tensors[index]
        axis = _channel_axis(model, operators[0])
        key = tensor.buffer, tuple(tensor.shape), axis
        if key not in converted:
            values, scales = quantize_rows(_values(model, tensor), axis)
            converted[key] = flatbuffer.add_buffer(model, values), scales
        tensor.buffer, scales = converted[key]
        tensor.type = schema.TensorType.INT8
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = scales
        tensor.quantization.zeroPoint = np.zeros(len(scales), np.int64)
        tensor.quantization.quantizedDimension = axis
        for operator in operators:
            name = flatbuffer.operator_name(model, operator)
            model.operatorCodes[operator.opcodeIndex].version = _INT8_VERSIONS[name]
            if name in _INT8_ACTIVATIONS:
                operator.builtinOptions.asymmetricQuantizeInputs = True


def _channel_axis(model, operator):
    """Which axis of an operator's weight has the output channels."""
    if flatbuffer.operator_name(model, operator) != "BATCH_MATMUL":
        return 0
    return 1 if operator.builtinOptions.adjY else 2


def _to_float16(model):
    """Halves the weights; the arithmetic stays in float32, behind DEQUANTIZE.

    That of a matrix is constant, and folded into the kernel when the model is loaded. Of a table
    only the rows that were looked up are dequantized.
    """
    converted = {}
    code = flatbuffer.add_operator_code(model, schema.BuiltinOperator.DEQUANTIZE, version=3)
    for subgraph, index, operators in _large_weights(model):
        tensor = subgraph.tensors[index]
        if tensor.buffer not in converted:
            values = _values(model, tensor).astype(np.float16)
            converted[tensor.buffer] = flatbuffer.add_buffer(model, values)
        tensor.buffer = converted[tensor.buffer]
        tensor.type = schema.TensorType.FLOAT16
        restored = None
        for operator in operators:
            if flatbuffer.operator_name(model, operator) == "EMBEDDING_LOOKUP":
                rows = operator.outputs[0]
                looked_up = _add_tensor_like(subgraph, rows, schema.TensorType.FLOAT16)
                operator.outputs = np.array([looked_up], np.int32)
                place = subgraph.operators.index(operator) + 1
                subgraph.operators.insert(place, _dequantize(code, looked_up, rows))
                continue
            if restored is None:
                restored = _add_tensor_like(subgraph, index, schema.TensorType.FLOAT32)
                subgraph.operators.insert(0, _dequantize(code, index, restored))
            operator.inputs = operator.inputs.copy()
            operator.inputs[_WEIGHT_OPERAND] = restored


def _dequantize(code, source, target):
    operator = schema.OperatorT()
    operator.opcodeIndex = code
    operator.inputs = np.array([source], np.int32)
    operator.outputs = np.array([target], np.int32)
    return operator


def _add_tensor_like(subgraph, index, dtype):
    """Adds a tensor without content and returns its index."""
    tensor = schema.TensorT()
    tensor.shape = subgraph.tensors[index].shape
    tensor.shapeSignature = subgraph.tensors[index].shapeSignature
    tensor.type = dtype
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def _large_weights(model):
    """Returns `(subgraph, tensor index, operators)` of large weights that only weigh.

    A constant that some operator reads in another way stays as it is.
    """
    found = []
    for subgraph in model.subgraphs:
        readers = collections.defaultdict(list)
        for operator in subgraph.operators:
            for operand, index in enumerate(operator.inputs):
                readers[int(index)].append((operator, operand))
        for index, tensor in enumerate(subgraph.tensors):
            is_large = tensor.buffer and int(np.prod(tensor.shape)) >= MIN_ELEMENTS
            if not is_large or tensor.type != schema.TensorType.FLOAT32:
                continue
            operators = [operator for operator, _ in readers[index]]
            names = {flatbuffer.operator_name(model, operator) for operator in operators}
            # A matrix of a product in groups has three axes; one that others read too would need
            # scales along two of them.
            if "BATCH_MATMUL" in names and (names != {"BATCH_MATMUL"} or len(tensor.shape) != 3):
                continue
            if model.buffers[tensor.buffer].data is not None and all(
                operand == _WEIGHT_OPERAND
                and flatbuffer.operator_name(model, operator) in _INT8_VERSIONS
                for operator, operand in readers[index]
            ):
                found.append((subgraph, index, operators))
    return found


def _values(model, tensor):
    return model.buffers[tensor.buffer].data.view(np.float32).reshape(tensor.shape)
