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
# Matrices of integers that only the operation itself reads are stored as its kernels read them.
_PANELS = {schema.TensorType.INT8: 4, schema.TensorType.INT4: 5}
PANEL_ROWS, PANEL_COLS = 16, 8
# In which order a panel has its rows.
PANEL_ORDER = (0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15)
_INT4_BIAS = 8
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
        code, shape = _TYPES[tensor.type], tuple(tensor.shape)
        if is_weight(name, index) and tensor.type in _PANELS:
            data = to_panels(_integers(tensor.type, shape, data), tensor.type)
            code = _PANELS[tensor.type]
        elif is_weight(name, index - 1):
            weight = operands[index - 1]
            if weight.type == schema.TensorType.FLOAT32:
                # The scales of these say nothing.
                shape, data = (0,), data[:0]
            elif len(shape) == 2 and index - 1 not in computed:
                scales = np.asarray(data).view(np.float32).reshape(*weight.shape[:-1], shape[1])
                panels = scales_to_panels(scales)
                shape, data = panels.shape, panels.view(np.uint8).reshape(-1)
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


def to_panels(matrices: np.ndarray, tensor_type: int = schema.TensorType.INT8) -> np.ndarray:
    """Returns the bytes of integer matrices in the order in which kernels multiply by them.

    That is 16 rows after another; of these, 8 columns after another; of these, row by row in the
    order `PANEL_ORDER`. What the last ones lack is filled up with zeros. Of int4, 8 is added to
    each value, and the values of the first eight of those rows are the low halves of bytes whose
    high halves are the values of the others.

    Args:
        matrices: int8 `[..., rows, columns]`; each begins with a panel of its own.
        tensor_type: INT8 or INT4.
    """
    *outer, rows, cols = matrices.shape
    missing = [(0, 0)] * len(outer) + [(0, -rows % PANEL_ROWS), (0, -cols % PANEL_COLS)]
    padded = np.pad(matrices, missing)
    blocks = padded.reshape(-1, padded.shape[-2] // PANEL_ROWS, PANEL_ROWS, padded.shape[-1])
    blocks = blocks.reshape(*blocks.shape[:3], -1, PANEL_COLS)[:, :, list(PANEL_ORDER)]
    panels = np.ascontiguousarray(blocks.swapaxes(2, 3))
    if tensor_type == schema.TensorType.INT4:
        low, high = np.split((panels + _INT4_BIAS).view(np.uint8), 2, axis=3)
        panels = low | high << 4
    return panels.view(np.uint8).reshape(-1)


def scales_to_panels(scales: np.ndarray) -> np.ndarray:
    """Returns the scales of blocks as kernels read them, `[panels, blocks, 16]`.

    Args:
        scales: `[..., rows, blocks]`, of matrices each of which begins with a panel of its own.
    """
    *outer, rows, blocks = scales.shape
    padded = np.pad(scales, [(0, 0)] * len(outer) + [(0, -rows % PANEL_ROWS), (0, 0)])
    return np.ascontiguousarray(padded.reshape(-1, PANEL_ROWS, blocks).swapaxes(1, 2))


def _integers(tensor_type, shape, data):
    """The values of a tensor as int8."""
    values = np.asarray(data).view(np.uint8)
    if tensor_type == schema.TensorType.INT4:
        pairs = np.stack([values & 15, values >> 4], axis=-1).reshape(-1)
        values = (pairs ^ _INT4_BIAS) - np.uint8(_INT4_BIAS)
    return values.view(np.int8)[: np.prod(shape, dtype=int)].reshape(shape)


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
