"""Puts operators into a graph."""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfcompress.export.graph import flatbuffer


def sizes_of(tensor: schema.TensorT) -> list[int]:
    """Returns the sizes of a tensor, -1 where they are not known."""
    return list(tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature)


class Inserter:
    """Puts operators into a graph in place of another, one after another.

    Args:
        model: The model.
        subgraph: Its graph.
        operator: The operator that is removed.
    """

    def __init__(
        self, model: schema.ModelT, subgraph: schema.SubGraphT, operator: schema.OperatorT
    ):
        self._model, self._subgraph = model, subgraph
        self._place = subgraph.operators.index(operator)
        subgraph.operators.remove(operator)

    def constant(self, values: Sequence[int]) -> int:
        """Adds int32 numbers and returns the tensor's index."""
        index = self._tensor([len(values)], schema.TensorType.INT32)
        numbers = np.array(values, np.int32)
        self._subgraph.tensors[index].buffer = flatbuffer.add_buffer(self._model, numbers)
        return index

    def sizes(self, ids: int, width: int) -> int:
        """Returns a tensor with the sizes of `ids` and one more, computed where not known."""
        known = sizes_of(self._subgraph.tensors[ids])
        if np.count_nonzero(np.less(known, 0)) <= 1:
            return self.constant([*known, width])
        operation, int32 = schema.BuiltinOperator, schema.TensorType.INT32
        sizes = self.add(operation.SHAPE, [ids], [len(known)], int32)
        both = [sizes, self.constant([width])]
        return self.add(operation.CONCATENATION, both, [len(known) + 1], int32)

    def add(
        self,
        code: int,
        inputs: Sequence[int],
        shape: Sequence[int] | None = None,
        dtype: int = schema.TensorType.FLOAT32,
        output: int | None = None,
    ) -> int:
        """Adds an operator.

        Args:
            code: The builtin operation.
            inputs: Indices of tensors.
            shape: Of its output, -1 where sizes are not known.
            dtype: Of its output.
            output: Index of the output; without it, a new tensor of that shape and type.

        Returns:
            Index of the output.
        """
        operator = schema.OperatorT()
        operator.opcodeIndex = flatbuffer.add_operator_code(self._model, code)
        operator.inputs = np.array(inputs, np.int32)
        output = self._tensor(shape, dtype) if output is None else output
        operator.outputs = np.array([output], np.int32)
        if code == schema.BuiltinOperator.CONCATENATION:
            operator.builtinOptionsType = schema.BuiltinOptions.ConcatenationOptions
            operator.builtinOptions = schema.ConcatenationOptionsT()
        if code == schema.BuiltinOperator.SHAPE:
            operator.builtinOptionsType = schema.BuiltinOptions.ShapeOptions
            operator.builtinOptions = schema.ShapeOptionsT()
            operator.builtinOptions.outType = dtype
        self._subgraph.operators.insert(self._place, operator)
        self._place += 1
        return output

    def _tensor(self, shape, dtype):
        tensor = schema.TensorT()
        tensor.shape, tensor.type = np.abs(np.array(shape, np.int32)), dtype
        tensor.shapeSignature = np.array(shape, np.int32)
        self._subgraph.tensors.append(tensor)
        return len(self._subgraph.tensors) - 1
