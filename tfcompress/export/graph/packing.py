"""Packs the constants of each custom operation into one tensor.

A runtime takes its time over every tensor that it hands to a custom operation, however small.
`export/native/ops/pack.h` has the layout.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfcompress.custom_ops.names import COMPUTED, is_weight
from tfcompress.errors import InputError
from tfcompress.export.graph import flatbuffer

_TYPES = {
    schema.TensorType.FLOAT32: 0,
    schema.TensorType.INT32: 1,
    schema.TensorType.INT8: 2,
    schema.TensorType.INT4: 3,
}
# Matrices of int8 that only the operation itself reads are stored as its kernels read them.
_PANELS = 4
PANEL_ROWS, PANEL_COLS = 16, 4
_RANK, _ALIGNMENT = 4, 64
_ENTRY = 4 * (3 + _RANK)


def pack_constants(model: schema.ModelT) -> None:
    """Packs the constants of all custom operations.

    Args:
        model: Edited in place; complete but for this.

    Raises:
        InputError: If what must be constant is computed.
    """
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            name = flatbuffer.operator_name(model, operator)
            if name in COMPUTED:
                _pack(model, subgraph, operator, name)


def _pack(model, subgraph, operator, name):
    operands = [subgraph.tensors[index] for index in operator.inputs]
    computed = set(COMPUTED[name])
    constants = []
    for index, tensor in enumerate(operands):
        if index in computed:
            continue
        data = model.buffers[tensor.buffer].data
        if data is None:
            raise InputError(
                "Operands of custom operations must be constant but for those that the model "
                f"computes. Received: operand {index} of {name}, which is not. Leave the operation "
                "out of `custom_ops`."
            )
        # The scales of float32 weights say nothing.
        scales = is_weight(name, index - 1)
        if scales and operands[index - 1].type == schema.TensorType.FLOAT32:
            constants.append((_TYPES[tensor.type], (0,), data[:0]))
            continue
        code, shape = _TYPES[tensor.type], tuple(tensor.shape)
        if is_weight(name, index) and tensor.type == schema.TensorType.INT8:
            code, data = _PANELS, to_panels(np.asarray(data).view(np.int8).reshape(shape))
        constants.append((code, shape, data))
    width = max(1, int(subgraph.tensors[operator.outputs[0]].shape[-1]))
    pack = schema.TensorT()
    pack.type = schema.TensorType.INT8
    content = _content(constants, width)
    pack.shape = np.array(content.shape, np.int32)
    pack.buffer = flatbuffer.add_buffer(model, content)
    kept = [operator.inputs[index] for index in sorted(computed)]
    operator.inputs = np.array([*kept, len(subgraph.tensors)], np.int32)
    subgraph.tensors.append(pack)


def to_panels(matrices: np.ndarray) -> np.ndarray:
    """Returns the bytes of int8 matrices in the order in which kernels multiply by them.

    That is 16 rows after another; of these, 4 columns after another; of these, row by row. What the
    last ones lack is filled up with zeros.

    Args:
        matrices: `[..., rows, columns]`; each begins with a panel of its own.
    """
    *outer, rows, cols = matrices.shape
    missing = [(0, 0)] * len(outer) + [(0, -rows % PANEL_ROWS), (0, -cols % PANEL_COLS)]
    padded = np.pad(matrices, missing)
    blocks = padded.reshape(-1, padded.shape[-2] // PANEL_ROWS, PANEL_ROWS, padded.shape[-1])
    blocks = blocks.reshape(*blocks.shape[:3], -1, PANEL_COLS)
    return np.ascontiguousarray(blocks.swapaxes(2, 3)).view(np.uint8).reshape(-1)


def _content(constants, width):
    """The bytes, `[width, count]`."""
    end = 4 + _ENTRY * len(constants)
    entries, parts = [], []
    for code, shape, data in constants:
        start = -(-end // _ALIGNMENT)
        entries.append([code, len(shape), *shape, *[0] * (_RANK - len(shape)), start])
        parts.append((start * _ALIGNMENT, data))
        end = start * _ALIGNMENT + len(data)
    content = np.zeros(-(-end // width) * width, np.uint8)
    header = np.array([len(constants), *np.concatenate(entries)], np.int32).view(np.uint8)
    for start, data in [(0, header), *parts]:
        content[start : start + len(data)] = np.asarray(data).view(np.uint8)
    return content.view(np.int8).reshape(width, -1)
