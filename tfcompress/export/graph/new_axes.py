"""Slices that only add axes, which TensorFlow's converter leaves where sizes are not known."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.inserting import Inserter, sizes_of

_SLICE = "StridedSlice"


def expand_new_axes(model: schema.ModelT) -> None:
    """Turns what is left of slices such as `mask[:, tf.newaxis, :]` into EXPAND_DIMS.

    The attentions of Keras 2 make their masks so.

    Args:
        model: Converted with custom operations allowed; edited in place.
    """
    for subgraph in model.subgraphs:
        for operator in list(subgraph.operators):
            if flatbuffer.operator_name(model, operator) == _SLICE:
                axes = _new_axes(model, subgraph, operator)
                if axes:
                    _expand(model, subgraph, operator, axes)


def _new_axes(model, subgraph, operator):
    """The axes that a slice adds; none if it does anything else."""
    options: Any = flexbuffers.Loads(bytes(operator.customOptions))
    strides = model.buffers[subgraph.tensors[operator.inputs[3]].buffer].data
    if strides is None:
        return []
    new, count = options["new_axis_mask"], subgraph.tensors[operator.inputs[3]].shape[0]
    whole = (1 << int(count)) - 1
    takes_all = all((options[name] | new) & whole == whole for name in ("begin_mask", "end_mask"))
    steps = np.asarray(strides).view(np.int32)
    axes = [axis for axis in range(int(count)) if new >> axis & 1]
    ones = all(steps[axis] == 1 for axis in range(int(count)) if axis not in axes)
    is_plain = not (options["shrink_axis_mask"] or options["ellipsis_mask"])
    return axes if takes_all and ones and is_plain else []


def _expand(model, subgraph, operator, axes):
    graph = Inserter(model, subgraph, operator)
    x, output = int(operator.inputs[0]), int(operator.outputs[0])
    sizes, dtype = sizes_of(subgraph.tensors[x]), subgraph.tensors[x].type
    for axis in axes:
        sizes = [*sizes[:axis], 1, *sizes[axis:]]
        result = output if axis == axes[-1] else None
        inputs = [x, graph.constant([axis])]
        x = graph.add(schema.BuiltinOperator.EXPAND_DIMS, inputs, sizes, dtype, result)
