"""Alterations of models that stock LiteRT does not survive, or that take all its memory."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from mutants import pack

_CODE = schema.BuiltinOperator
HUGE = 2**31 - 1


def operators(model, code):
    """Every operator of an operation, with its graph."""
    for graph in model.subgraphs:
        for operator in graph.operators:
            if model.operatorCodes[operator.opcodeIndex].builtinCode == code:
                yield graph, operator


def output_of_another_type(model):
    graph, operator = next(operators(model, _CODE.RESHAPE))
    graph.tensors[operator.outputs[0]].type = schema.TensorType.INT16


def output_of_another_size(model):
    graph, operator = next(operators(model, _CODE.RESHAPE))
    tensor = graph.tensors[operator.outputs[0]]
    tensor.shape = np.array([*tensor.shape[:-1], tensor.shape[-1] + 1], np.int32)
    tensor.shapeSignature = None


def input_left_out(model):
    _, operator = next(operators(model, _CODE.STRIDED_SLICE))
    operator.inputs = np.array([*operator.inputs[:3], -1], np.int32)


def too_few_inputs(model):
    _, operator = next(operators(model, _CODE.STRIDED_SLICE))
    operator.inputs = operator.inputs[:3]


def another_operation(model):
    _, operator = next(operators(model, _CODE.SOFTMAX))
    operator.opcodeIndex = next(operators(model, _CODE.BATCH_MATMUL))[1].opcodeIndex


def zero_extent(model):
    graph, operator = next(operators(model, _CODE.FULLY_CONNECTED))
    tensor = graph.tensors[operator.outputs[0]]
    tensor.shape = np.array([0, *tensor.shape[1:]], np.int32)
    tensor.shapeSignature = None


def axis_beyond_the_rank(model):
    next(operators(model, _CODE.CONCATENATION))[1].builtinOptions.axis = 9


def huge_extent(model):
    graph, operator = next(operators(model, _CODE.FULLY_CONNECTED))
    tensor = graph.tensors[operator.outputs[0]]
    tensor.shape = np.array([HUGE, *tensor.shape[1:]], np.int32)


def _set_scalar(model, operand, value):
    """Gives an operand of RANGE a constant of its own, as others are shared."""
    graph, operator = next(operators(model, _CODE.RANGE))
    buffer = schema.BufferT()
    buffer.data = np.array([value], np.int32).view(np.uint8)
    model.buffers.append(buffer)
    tensor = schema.TensorT()
    tensor.type, tensor.buffer = schema.TensorType.INT32, len(model.buffers) - 1
    graph.tensors.append(tensor)
    inputs = list(operator.inputs)
    inputs[operand] = len(graph.tensors) - 1
    operator.inputs = np.array(inputs, np.int32)


def huge_range(model):
    _set_scalar(model, 0, -HUGE)


def step_of_nothing(model):
    _set_scalar(model, 2, 0)


def unknown_operation(model):
    code = model.operatorCodes[next(operators(model, _CODE.SOFTMAX))[1].opcodeIndex]
    code.builtinCode = code.deprecatedBuiltinCode = _CODE.WHILE


def variable(model):
    graph, operator = next(operators(model, _CODE.FULLY_CONNECTED))
    graph.tensors[operator.outputs[0]].isVariable = True


# What the error says of each.
MODELS = {
    output_of_another_type: "RESHAPE: its operands have other types",
    output_of_another_size: "RESHAPE: its output has another shape",
    input_left_out: "an operator's input has no value",
    too_few_inputs: "an operator has another number of tensors",
    another_operation: "an operator has another number of tensors",
    zero_extent: "a tensor is empty",
    axis_beyond_the_rank: "an option is out of range",
    huge_extent: "a tensor is too large",
    huge_range: "RANGE: its output is too large",
    step_of_nothing: "RANGE: its range is impossible",
    unknown_operation: "operation 119 is none that export writes",
    variable: "a table has a field that export does not write",
}


def altered(data: bytes, alter) -> bytes:
    """Returns a model that is altered."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    alter(model)
    return pack(model)


def repeated_offsets(size: int) -> bytes:
    """A file whose graph lists one operator, of many inputs, as often as fits."""
    model = schema.ModelT()
    model.version, graph, operator = 3, schema.SubGraphT(), schema.OperatorT()
    operator.inputs, operator.outputs = np.zeros(size // 8, np.int32), np.zeros(1, np.int32)
    graph.tensors, graph.operators = [schema.TensorT()], [operator] * (size // 8)
    code, buffer = schema.OperatorCodeT(), schema.BufferT()
    model.operatorCodes, model.buffers, model.subgraphs = [code], [buffer], [graph]
    graph.inputs = graph.outputs = np.zeros(1, np.int32)
    # Written once, however often it is listed.
    places = []
    write = operator.Pack
    operator.Pack = lambda builder: (
        places[0] if places else places.append(write(builder)) or places[0]
    )
    return pack(model)
