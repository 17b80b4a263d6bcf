"""Reads, rewrites and writes `.tflite` files."""

import collections
import hashlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfcompress.layers.common.state import UPDATE_OP

_IDENTIFIER = b"TFL3"
# Vectors of at least this many bytes are weights; custom kernels read them where they lie.
_LARGE, _LARGE_ALIGNMENT, _ALIGNMENT = 1024, 64, 16
_OPERATOR_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}
# Codes from here on are marked by this one in the field of older readers.
_PLACEHOLDER_CODE = schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES


def read(data: bytes) -> schema.ModelT:
    """Returns the model in a form that can be edited.

    Args:
        data: A `.tflite` file.
    """
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    for buffer in model.buffers:
        # Some writers put constants behind the flatbuffer itself.
        if buffer.offset > 1:
            buffer.data = np.frombuffer(data, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def write(model: schema.ModelT) -> bytes:
    """Returns the model as a `.tflite` file in which equal vectors are stored once.

    Args:
        model: What to write; unused and duplicate buffers, names of inner tensors and conversion
            records are removed from it.
    """
    _strip(model)
    _remove_tensors(model)
    _merge_buffers(model)
    _merge_operator_codes(model)
    size = sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)
    # LiteRT hands a custom kernel only memory that begins at such a multiple.
    alignment = _LARGE_ALIGNMENT if custom_operations(model) else _ALIGNMENT
    builder = _Builder(size + size // 16 + (1 << 18), alignment)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def operator_name(model: schema.ModelT, operator: schema.OperatorT) -> str:
    """Returns the name of an operator's builtin operation, or of its custom operation."""
    code = model.operatorCodes[operator.opcodeIndex]
    if code.builtinCode == schema.BuiltinOperator.CUSTOM:
        return code.customCode.decode()
    return _OPERATOR_NAMES[code.builtinCode]


def custom_operations(model: schema.ModelT) -> set[str]:
    """Returns the names of the operations that are not part of every LiteRT runtime."""
    return {
        operator_name(model, operator)
        for subgraph in model.subgraphs
        for operator in subgraph.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.CUSTOM
    }


def operation_counts(model: schema.ModelT) -> dict[str, dict[str, int]]:
    """Returns how often each operation occurs, by signature."""
    return {
        signature.signatureKey.decode(): dict(
            collections.Counter(
                operator_name(model, operator)
                for operator in model.subgraphs[signature.subgraphIndex].operators
            )
        )
        for signature in model.signatureDefs
    }


def add_operator_code(model: schema.ModelT, builtin_code: int, version: int = 1) -> int:
    """Adds a builtin operation and returns its index for `OperatorT.opcodeIndex`."""
    code = schema.OperatorCodeT()
    code.builtinCode = builtin_code
    code.deprecatedBuiltinCode = min(builtin_code, _PLACEHOLDER_CODE)
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def add_buffer(model: schema.ModelT, values: np.ndarray) -> int:
    """Adds a constant and returns its index for `TensorT.buffer`."""
    buffer = schema.BufferT()
    buffer.data = np.ascontiguousarray(values).view(np.uint8).reshape(-1)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def add_constant(model: schema.ModelT, subgraph: schema.SubGraphT, values: np.ndarray) -> int:
    """Adds a float32 constant to a subgraph and returns the tensor's index."""
    tensor = schema.TensorT()
    tensor.shape = np.array(values.shape, np.int32)
    tensor.type = schema.TensorType.FLOAT32
    tensor.buffer = add_buffer(model, values.astype(np.float32))
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def add_tensor_like(subgraph: schema.SubGraphT, index: int, dtype: int) -> int:
    """Adds a tensor of the same shape without content, and returns its index.

    Args:
        subgraph: Where to add it.
        index: The tensor whose shape it has.
        dtype: Its type, one of `schema.TensorType`.
    """
    tensor = schema.TensorT()
    tensor.shape = subgraph.tensors[index].shape
    tensor.shapeSignature = subgraph.tensors[index].shapeSignature
    tensor.type = dtype
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def use_builtin_cache_updates(model: schema.ModelT) -> None:
    """Turns the marked cache updates into DYNAMIC_UPDATE_SLICE, which has the same inputs.

    Args:
        model: Edited in place.
    """
    index = add_operator_code(model, schema.BuiltinOperator.DYNAMIC_UPDATE_SLICE)
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            if operator_name(model, operator) == UPDATE_OP:
                operator.opcodeIndex = index
                operator.customOptions = None


class _Builder(flatbuffers.Builder):
    """Stores equal vectors once, and aligns bytes as the format and custom kernels need."""

    def __init__(self, size, alignment):
        super().__init__(size)
        self._alignment = alignment
        self._offsets = {}

    def StartVector(self, elem_size, num_elems, alignment):  # noqa: N802
        if elem_size == 1:
            alignment = _LARGE_ALIGNMENT if num_elems >= _LARGE else self._alignment
        return super().StartVector(elem_size, num_elems, alignment)

    def CreateNumpyVector(self, x):  # noqa: N802
        key = x.dtype.str, x.size, hashlib.sha256(x.tobytes()).digest()
        if key not in self._offsets:
            self._offsets[key] = super().CreateNumpyVector(x)
        return self._offsets[key]


def _strip(model):
    """Removes what running the model does not need."""
    model.description = None
    model.metadata = [m for m in model.metadata or [] if m.name == b"min_runtime_version"]
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            tensor.name = None
            q = tensor.quantization
            if q is not None and q.scale is None and q.details is None:
                tensor.quantization = None


def _remove_tensors(model):
    """Removes tensors that nothing reads or writes."""
    for index, subgraph in enumerate(model.subgraphs):
        signatures = [s for s in model.signatureDefs or () if s.subgraphIndex == index]
        maps = [m for s in signatures for m in (*s.inputs, *s.outputs)]
        lists = [(subgraph, "inputs"), (subgraph, "outputs")]
        for operator in subgraph.operators:
            lists += [(operator, "inputs"), (operator, "outputs")]
            if operator.intermediates is not None:
                lists.append((operator, "intermediates"))
        used = {m.tensorIndex for m in maps}.union(*(getattr(*place) for place in lists))
        blocks = []
        for number in sorted(used - {-1}):
            q = subgraph.tensors[number].quantization
            if q is not None and q.details is not None:
                blocks.append(q.details)
        used.update(block.scales for block in blocks)
        kept = {old: new for new, old in enumerate(sorted(used - {-1}))}
        # An input that is left out has this index.
        kept[-1] = -1
        for holder, name in lists:
            setattr(holder, name, np.array([kept[i] for i in getattr(holder, name)], np.int32))
        for entry in maps:
            entry.tensorIndex = kept[entry.tensorIndex]
        for block in blocks:
            block.scales = kept[block.scales]
        subgraph.tensors = [subgraph.tensors[old] for old in sorted(used - {-1})]


def _merge_buffers(model):
    """Leaves one buffer for each distinct content, and an empty one in front."""
    merged, index_of, new_index = [schema.BufferT()], {}, []
    for buffer in model.buffers:
        if buffer.data is None or not len(buffer.data):
            new_index.append(0)
            continue
        key = len(buffer.data), hashlib.sha256(np.ascontiguousarray(buffer.data).data).digest()
        if key not in index_of:
            index_of[key] = len(merged)
            merged.append(buffer)
        new_index.append(index_of[key])
    used = {0}
    holders = [t for subgraph in model.subgraphs for t in subgraph.tensors] + model.metadata
    for holder in holders:
        holder.buffer = new_index[holder.buffer]
        used.add(holder.buffer)
    kept = {old: new for new, old in enumerate(sorted(used))}
    for holder in holders:
        holder.buffer = kept[holder.buffer]
    model.buffers = [merged[old] for old in kept]


def _merge_operator_codes(model):
    """Removes operations that no operator uses."""
    operators = [operator for subgraph in model.subgraphs for operator in subgraph.operators]
    kept = {
        old: new for new, old in enumerate(sorted({operator.opcodeIndex for operator in operators}))
    }
    for operator in operators:
        operator.opcodeIndex = kept[operator.opcodeIndex]
    model.operatorCodes = [model.operatorCodes[old] for old in kept]
