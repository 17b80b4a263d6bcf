"""Stores the weights of a float32 model in fewer bytes."""

import collections
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfcompress.custom_ops.names import GROUP_TRANSFORM, WEIGHTS, is_weight
from tfcompress.errors import InputError
from tfcompress.export.graph import flatbuffer
from tfcompress.export.quantization.schemes import WEIGHT_TYPE_OF
from tfcompress.grids import INT4_BLOCK, MIN_ELEMENTS, Grid, holds_whole, quantized_elsewhere

# Operations whose second operand is a weight, with the version that reads integers by channel.
# Custom operations say themselves which of their operands are weights.
_INTEGER_VERSIONS = {"FULLY_CONNECTED": 12, "EMBEDDING_LOOKUP": 4, "BATCH_MATMUL": 4}
_INTEGER_ACTIVATIONS = ("FULLY_CONNECTED", "BATCH_MATMUL")
_WEIGHT_OPERAND = 1


TypeChooser = Callable[[np.ndarray], str]


def type_chooser(
    quantization: str, scheme: Callable[[np.ndarray], str | None] | None = None
) -> TypeChooser:
    """Returns what says which of `WEIGHT_TYPES` a weight is stored as.

    Args:
        quantization: One of `QUANTIZATIONS`.
        scheme: Gives the type of a weight that a scheme names, and None for any other.
    """
    default = WEIGHT_TYPE_OF[quantization]
    if scheme is None:
        return lambda values: default
    return lambda values: scheme(values) or default


def quantize(model: schema.ModelT, choose: TypeChooser) -> None:
    """Converts the large weights of a float32 model, each once for all who share it.

    Where a weight is integers, kernels quantize the other operand as it comes. Of grouped matrices,
    each output channel of a group has a scale that all groups share, as the format has no more.

    Args:
        model: Edited in place.
        choose: What `type_chooser` returned.
    """
    types, halves, integers = {}, [], []
    for weight in _large_weights(model):
        tensor = weight[0].tensors[weight[1]]
        if tensor.buffer not in types:
            types[tensor.buffer] = choose(_values(model, tensor))
        weight_type = types[tensor.buffer]
        if weight_type == "float16":
            halves.append(weight)
        elif weight_type != "float32":
            integers.append((weight, _GRIDS[weight_type]))
    _to_integers(model, integers)
    if halves:
        _to_float16(model, halves)


def int8_grid(values: np.ndarray, axis: int) -> Grid:
    """Returns the grid of 8 bits, with one scale for matrices that were made to have one.

    Args:
        values: The weights.
        axis: Where the output channels are.
    """
    return holds_whole(values) or quantized_elsewhere(values) or Grid(8, channels=(axis,))


def _int4(values, axis):
    """4 bits in blocks, unless the weights were trained otherwise or do not divide."""
    if values.ndim != 2 or values.shape[1] % INT4_BLOCK or holds_whole(values):
        return int8_grid(values, axis)
    by_channel, by_block = Grid(4), Grid(4, block_size=INT4_BLOCK, inputs=(1,))
    # What was trained in channels lies on no grid of blocks.
    return by_channel if np.array_equal(by_channel.round(values), values) else by_block


def _int4_per_channel(values, axis):
    """4 bits with a scale for each channel, where two of them fill a byte."""
    if values.ndim != 2 or values.shape[1] % 2 or holds_whole(values):
        return int8_grid(values, axis)
    return Grid(4)


_GRIDS = {"int8": int8_grid, "int4": _int4, "int4_per_channel": _int4_per_channel}


def _to_integers(model, weights):
    converted = {}
    for (subgraph, index, operators), make_grid in weights:
        tensor = subgraph.tensors[index]
        axis = channel_axis(model, operators[0])
        key = tensor.buffer, tuple(tensor.shape), axis
        if key not in converted:
            values = _values(model, tensor)
            converted[key] = _Quantized.make(model, values, make_grid(values, axis), axis)
        names = [flatbuffer.operator_name(model, operator) for operator in operators]
        converted[key].put(subgraph, tensor, with_scales=not WEIGHTS.keys() >= {*names})
        scales = None
        for operator, name in zip(operators, names):
            if name in WEIGHTS:
                if scales is None:
                    scales = flatbuffer.add_constant(model, subgraph, converted[key].all_scales())
                _give_scales(operator, index, scales)
                continue
            model.operatorCodes[operator.opcodeIndex].version = _INTEGER_VERSIONS[name]
            if name in _INTEGER_ACTIVATIONS:
                operator.builtinOptions.asymmetricQuantizeInputs = True


def _give_scales(operator, weight, scales):
    """Sets the operand after a weight of a custom operation."""
    operator.inputs = operator.inputs.copy()
    operator.inputs[np.flatnonzero(operator.inputs[:-1] == weight) + 1] = scales


@dataclass(frozen=True)
class _Quantized:
    """A weight on its grid, stored.

    Attributes:
        grid: The grid.
        shape: The weight's shape.
        axis: Where the channels are.
        buffer: Index of the buffer with the integers.
        scales: The float32 scale of each channel; of blocks, `[channels, blocks]`.
        scales_buffer: Index of the buffer with the scales of blocks.
    """

    grid: Grid
    shape: tuple[int, ...]
    axis: int
    buffer: int
    scales: np.ndarray
    scales_buffer: int | None = None

    @classmethod
    def make(cls, model, values, grid, axis):
        integers, scales = grid.quantize(values)
        buffer = flatbuffer.add_buffer(model, pack(integers, grid.bits))
        if grid.block_size is not None:
            scales = scales.reshape(len(values), -1).astype(np.float16)
            scales_buffer = flatbuffer.add_buffer(model, scales)
            return cls(grid, values.shape, axis, buffer, scales, scales_buffer)
        channels = np.broadcast_to(scales.reshape(-1), values.shape[axis : axis + 1]).copy()
        return cls(grid, values.shape, axis, buffer, channels)

    def all_scales(self):
        """The scale of every row, or of every block of one, as custom operations take them."""
        rows = int(np.prod(self.shape[:-1]))
        return np.tile(self.scales, (rows // len(self.scales),) + (1,) * (self.scales.ndim - 1))

    def put(self, subgraph, tensor, *, with_scales):
        """Lets a tensor hold the integers, and their scales where builtin operations read it."""
        tensor.buffer = self.buffer
        tensor.type = schema.TensorType.INT8 if self.grid.bits == 8 else schema.TensorType.INT4
        if not with_scales:
            return
        tensor.quantization = schema.QuantizationParametersT()
        if self.scales_buffer is None:
            tensor.quantization.scale = self.scales
            tensor.quantization.zeroPoint = np.zeros(len(self.scales), np.int64)
            tensor.quantization.quantizedDimension = self.axis
            return
        blocks = schema.BlockwiseQuantizationT()
        blocks.scales, blocks.blockSize, blocks.zeroPoints = len(subgraph.tensors), INT4_BLOCK, -1
        subgraph.tensors.append(self._scales_tensor(tensor))
        tensor.quantization.detailsType = schema.QuantizationDetails.BlockwiseQuantization
        tensor.quantization.details = blocks

    def _scales_tensor(self, tensor):
        scales = schema.TensorT()
        scales.shape = np.array(self.scales.shape, np.int32)
        scales.type = schema.TensorType.FLOAT16
        scales.buffer = self.scales_buffer
        return scales


def pack(integers: np.ndarray, bits: int) -> np.ndarray:
    """Returns integers as they are stored: of 4 bits two in a byte, the first in its low half.

    Args:
        integers: Int8.
        bits: 8 or 4.
    """
    if bits == 8:
        return integers
    flat = integers.reshape(-1).view(np.uint8) & 15
    return flat[::2] | (flat[1::2] << 4)


def unpack(stored: np.ndarray, bits: int) -> np.ndarray:
    """Returns the int8 integers of `pack`, in one dimension.

    Args:
        stored: Bytes.
        bits: 8 or 4.
    """
    if bits == 8:
        return stored.view(np.int8)
    nibbles = np.stack([stored & 15, stored >> 4], axis=1).reshape(-1)
    return (nibbles.astype(np.int8) ^ 8) - 8


def channel_axis(model: schema.ModelT, operator: schema.OperatorT) -> int:
    """Returns the axis of an operator's weight that has the output channels."""
    name = flatbuffer.operator_name(model, operator)
    if name == GROUP_TRANSFORM:
        return 1
    if name != "BATCH_MATMUL":
        return 0
    return 1 if operator.builtinOptions.adjY else 2


def _to_float16(model, weights):
    """Halves the weights; the arithmetic stays in float32, behind DEQUANTIZE.

    That of a matrix is constant, and folded into the kernel when the model is loaded. Of a table
    only the rows that were looked up are dequantized.
    """
    converted = {}
    code = flatbuffer.add_operator_code(model, schema.BuiltinOperator.DEQUANTIZE, version=3)
    for subgraph, index, operators in weights:
        tensor = subgraph.tensors[index]
        if tensor.buffer not in converted:
            values = _values(model, tensor).astype(np.float16)
            converted[tensor.buffer] = flatbuffer.add_buffer(model, values)
        tensor.buffer = converted[tensor.buffer]
        tensor.type = schema.TensorType.FLOAT16
        restored = None
        for operator in operators:
            if flatbuffer.operator_name(model, operator) in WEIGHTS:
                raise InputError(
                    "Custom operations read weights of 32, 8 and 4 bits only. Received: float16. "
                    "Give another quantization, or no `custom_ops`."
                )
            if flatbuffer.operator_name(model, operator) == "EMBEDDING_LOOKUP":
                rows = operator.outputs[0]
                looked_up = flatbuffer.add_tensor_like(subgraph, rows, schema.TensorType.FLOAT16)
                operator.outputs = np.array([looked_up], np.int32)
                place = subgraph.operators.index(operator) + 1
                subgraph.operators.insert(place, _dequantize(code, looked_up, rows))
                continue
            if restored is None:
                restored = flatbuffer.add_tensor_like(subgraph, index, schema.TensorType.FLOAT32)
                subgraph.operators.insert(0, _dequantize(code, index, restored))
            operator.inputs = operator.inputs.copy()
            operator.inputs[_WEIGHT_OPERAND] = restored


def _dequantize(code, source, target):
    operator = schema.OperatorT()
    operator.opcodeIndex = code
    operator.inputs = np.array([source], np.int32)
    operator.outputs = np.array([target], np.int32)
    return operator


def _large_weights(model):
    """Returns `(subgraph, tensor index, operators)` of large weights that only weigh.

    A constant that some operator reads in another way stays as it is.
    """
    weights = []
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
                operand in weight_operands(model, operator) for operator, operand in readers[index]
            ):
                weights.append((subgraph, index, operators))
    return weights


def weight_operands(model: schema.ModelT, operator: schema.OperatorT) -> tuple[int, ...]:
    """Returns which operands of an operator are weights."""
    name = flatbuffer.operator_name(model, operator)
    if name in WEIGHTS:
        return tuple(i for i in range(len(operator.inputs)) if is_weight(name, i))
    return (_WEIGHT_OPERAND,) if name in _INTEGER_VERSIONS else ()


def _values(model, tensor):
    return model.buffers[tensor.buffer].data.view(np.float32).reshape(tensor.shape)
