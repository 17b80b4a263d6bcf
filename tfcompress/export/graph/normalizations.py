"""Finds the normalizations of a converted graph, which need more bits than products do."""

import collections

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfcompress.export.graph import flatbuffer

_DIFFERENCES = ("SUB", "SQUARED_DIFFERENCE")
_BEFORE = ("ADD", "MEAN", "MUL", *_DIFFERENCES)


def normalizations(model: schema.ModelT, subgraph: schema.SubGraphT) -> frozenset[int]:
    """Returns the outputs of the operations of all normalizations.

    These are the ones between the values that are normalized and the reciprocal of their deviation,
    and the products and the sum with constants that follow it.

    Args:
        model: The model.
        subgraph: One of its graphs.
    """
    graph = _Graph(model, subgraph)
    outputs = set()
    for operator in subgraph.operators:
        if graph.name(operator) == "RSQRT":
            inside = [*graph.before(operator), *graph.after(operator)]
            outputs |= {int(part.outputs[0]) for part in inside}
    return frozenset(outputs)


def multiply_differences(model: schema.ModelT, subgraph: schema.SubGraphT) -> None:
    """Writes squared differences as products, which have kernels for 16 bits.

    Args:
        model: Edited in place.
        subgraph: One of its graphs.
    """
    operation, options = schema.BuiltinOperator, schema.BuiltinOptions
    subtract = flatbuffer.add_operator_code(model, operation.SUB)
    multiply = flatbuffer.add_operator_code(model, operation.MUL)
    for operator in list(subgraph.operators):
        if flatbuffer.operator_name(model, operator) != "SQUARED_DIFFERENCE":
            continue
        index = flatbuffer.add_tensor_like(subgraph, operator.outputs[0], schema.TensorType.FLOAT32)
        difference = schema.OperatorT()
        difference.opcodeIndex = subtract
        difference.inputs, difference.outputs = operator.inputs, np.array([index], np.int32)
        difference.builtinOptionsType = options.SubOptions
        difference.builtinOptions = schema.SubOptionsT()
        subgraph.operators.insert(subgraph.operators.index(operator), difference)
        operator.opcodeIndex, operator.inputs = multiply, np.array([index, index], np.int32)
        operator.builtinOptionsType = options.MulOptions
        operator.builtinOptions = schema.MulOptionsT()


class _Graph:
    """Who makes a tensor, and who reads it."""

    def __init__(self, model, subgraph):
        self._model = model
        self._producers, self._consumers = {}, collections.defaultdict(list)
        for operator in subgraph.operators:
            self._producers |= {int(index): operator for index in operator.outputs}
            for index in operator.inputs:
                self._consumers[int(index)].append(operator)

    def name(self, operator):
        return flatbuffer.operator_name(self._model, operator)

    def before(self, operator):
        """Yields an operator and what leads to it from the values that are normalized."""
        yield operator
        operands = [self._producers.get(int(index)) for index in operator.inputs]
        if self.name(operator) in _DIFFERENCES:
            yield from self._named(operands[1:], "MEAN")
            return
        for producer in self._named(operands, *_BEFORE):
            yield from self.before(producer)

    def after(self, operator):
        """Yields the scaling, the centring and the shift after a reciprocal."""
        for scale in self._named(self._readers(operator), "MUL"):
            yield scale
            for product in self._named(self._readers(scale), "MUL"):
                yield product
                operands = [self._producers.get(int(index)) for index in product.inputs]
                yield from self._named(operands, "SUB")
                for shift in self._named(self._readers(product), "ADD"):
                    if any(int(index) not in self._producers for index in shift.inputs):
                        yield shift

    def _readers(self, operator):
        return self._consumers[int(operator.outputs[0])]

    def _named(self, operators, *names):
        return [o for o in operators if o is not None and self.name(o) in names]
