import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.flatbuffer import schema


def constant(model, subgraph, values):
    tensor = schema.TensorT()
    tensor.shape = np.array(values.shape, np.int32)
    tensor.name = b"a name that running does not need"
    tensor.buffer = flatbuffer.add_buffer(model, values)
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def sum_of_constants(*constants):
    """A model whose signature `sum` adds constants to its input."""
    model, subgraph, signature = schema.ModelT(), schema.SubGraphT(), schema.SignatureDefT()
    model.version, model.description = 3, b"made by"
    model.buffers, model.operatorCodes, model.metadata = [schema.BufferT()], [], []
    model.subgraphs, model.signatureDefs = [subgraph], [signature]
    subgraph.tensors, subgraph.operators = [], []
    add = flatbuffer.add_operator_code(model, schema.BuiltinOperator.ADD)
    flatbuffer.add_operator_code(model, schema.BuiltinOperator.SUB)
    subgraph.inputs = np.array([constant(model, subgraph, constants[0])], np.int32)
    total = subgraph.inputs[0]
    subgraph.tensors[total].buffer = 0
    for values in constants:
        operator = schema.OperatorT()
        operator.opcodeIndex = add
        operator.inputs = np.array([total, constant(model, subgraph, values)], np.int32)
        operator.builtinOptionsType = schema.BuiltinOptions.AddOptions
        operator.builtinOptions = schema.AddOptionsT()
        total = constant(model, subgraph, values)
        subgraph.tensors[total].buffer = 0
        operator.outputs = np.array([total], np.int32)
        subgraph.operators.append(operator)
    subgraph.outputs = np.array([total], np.int32)
    signature.signatureKey, signature.subgraphIndex = b"sum", 0
    signature.inputs, signature.outputs = [schema.TensorMapT()], [schema.TensorMapT()]
    signature.inputs[0].name, signature.inputs[0].tensorIndex = b"x", int(subgraph.inputs[0])
    signature.outputs[0].name, signature.outputs[0].tensorIndex = b"y", int(total)
    return model


def test_equal_constants_are_stored_once():
    large = np.arange(4096, dtype=np.float32)
    data = flatbuffer.write(sum_of_constants(large, large.copy(), large + 1))
    model = flatbuffer.read(data)
    assert [b.data is None or len(b.data) for b in model.buffers] == [True, 16384, 16384]
    assert len(data) < 2 * large.nbytes + 2048
    assert b"name" not in data
    assert b"made by" not in data
    assert [c.builtinCode for c in model.operatorCodes] == [schema.BuiltinOperator.ADD]
    run = Interpreter(model_content=data).get_signature_runner("sum")
    np.testing.assert_array_equal(run(x=large)["y"], 4 * large + 1)


def test_written_models_are_stable_and_aligned():
    rng = np.random.default_rng(0)
    constants = [rng.random(1000, np.float32) for _ in range(5)]
    data = flatbuffer.write(sum_of_constants(*constants))
    assert flatbuffer.write(flatbuffer.read(data)) == data
    for values in constants:
        assert data.find(values.tobytes()) % 64 == 0


def test_operations():
    model = sum_of_constants(np.zeros(3, np.float32))
    assert flatbuffer.operation_counts(model) == {"sum": {"ADD": 1}}
    assert flatbuffer.custom_operations(model) == set()
    code = model.operatorCodes[model.subgraphs[0].operators[0].opcodeIndex]
    code.builtinCode, code.customCode = schema.BuiltinOperator.CUSTOM, b"FlexErf"
    assert flatbuffer.custom_operations(model) == {"FlexErf"}
    assert flatbuffer.operation_counts(model) == {"sum": {"FlexErf": 1}}


def test_new_operations_are_marked_for_old_readers():
    model = sum_of_constants(np.zeros(3, np.float32))
    update = schema.BuiltinOperator.DYNAMIC_UPDATE_SLICE
    code = model.operatorCodes[flatbuffer.add_operator_code(model, update)]
    assert (code.builtinCode, code.deprecatedBuiltinCode) == (update, 127)
