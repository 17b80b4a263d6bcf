"""Bundles that are altered in one to three places, with sizes and SHA-256 that are right.

A model is altered as what it means, through the object interface of its format, so that most of the
result is a model still. A mutant is the same whenever it is made of the same bundle and number.
"""

import copy
import hashlib
import json
import pickle
import random

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

MODEL, MANIFEST = "model.tflite", "manifest.json"
SIZES = (-(2**31), -2, -1, 0, 1, 2, 3, 7, 64, 255, 2**15, 2**16, 2**20, 2**31 - 1)
SCALES = (0.0, -1.0, 1e-44, 1e-30, 1e-6, 1.0, 1e6, 1e30, float("nan"), float("inf"))
TYPES = tuple(value for value in vars(schema.TensorType).values() if isinstance(value, int))
JSON_VALUES = (None, True, False, 0, 1, -1, 2**31 - 1, 2**63, 1.5, 1e300, "", "x", [], {}, [1])
_OPTIONS = [name for name in vars(schema) if name.endswith("OptionsT")]


class Mutants:
    """The mutants of a bundle.

    Args:
        files: The bundle's files by name.
    """

    def __init__(self, files):
        self._files = files
        self._manifest = json.loads(files[MANIFEST])
        model = schema.ModelT.InitFromPackedBuf(files[MODEL], 0)
        self._model = pickle.dumps(model)
        words = np.frombuffer(files[MODEL][: len(files[MODEL]) // 4 * 4], "<i4")
        # Small numbers are what a flatbuffer is made of, but for its weights.
        self._words = np.flatnonzero(np.abs(words.astype(np.int64)) < 2**15)
        tokenizers = [name for name in files if name not in (MODEL, MANIFEST)]
        self._kinds = [self._altered_model] * 12 + [self._altered_words, self._altered_bytes]
        self._kinds += [self._altered_manifest] * 2 + [self._altered_tokenizer] * bool(tokenizers)

    def make(self, number):
        """Returns what was done, and the files of the mutant of a number."""
        rng = random.Random(number)
        while True:
            what, files = rng.choice(self._kinds)(rng)
            if files is not None:
                return what, files

    def _altered_model(self, rng):
        model = pickle.loads(self._model)
        done = []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            change = rng.choice(CHANGES)
            try:
                done.append(f"{change.__name__}: {change(model, rng)}")
            except (IndexError, TypeError, AttributeError, ValueError):
                continue  # Not of this model.
        try:
            data = pack(model)
        except Exception:  # What no writer can write.
            return done, None
        return done, signed(self._files | {MODEL: data}) if done else None

    def _altered_words(self, rng):
        model = bytearray(self._files[MODEL])
        done = []
        for _ in range(rng.randint(1, 3)):
            at = 4 * int(rng.choice(self._words))
            old = int.from_bytes(model[at : at + 4], "little")
            new = rng.choice((rng.choice(SIZES), old + rng.randint(-64, 64))) % 2**32
            model[at : at + 4] = new.to_bytes(4, "little")
            done.append(f"word at {at} from {old} to {new}")
        return done, signed(self._files | {MODEL: bytes(model)})

    def _altered_bytes(self, rng):
        name = rng.choice(sorted(self._files))
        data = bytearray(self._files[name])
        done = [name]
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
            done.append(f"cut to {len(data)}")
        for _ in range(rng.randint(1, 4)):
            at, value = rng.randrange(len(data) + 1), rng.randrange(256)
            data[at : at + 1] = bytes([value])
            done.append(f"byte {value} at {at}")
        files = self._files | {name: bytes(data)}
        return done, files if name == MANIFEST else signed(files)

    def _altered_manifest(self, rng):
        manifest = json.loads(json.dumps(self._manifest))
        paths = [()]
        for path in paths:
            value = at(manifest, path)
            if isinstance(value, list | dict):
                paths += [
                    (*path, key)
                    for key in (value if isinstance(value, dict) else range(len(value)))
                ]
        path = rng.choice(paths[1:])
        holder, old = at(manifest, path[:-1]), at(manifest, path)
        # A copy, as nothing may hold itself.
        another = copy.deepcopy(at(manifest, rng.choice(paths[1:])))
        values = [rng.choice(JSON_VALUES), rng.choice(SIZES), another]
        if isinstance(old, int):
            values += [old + 1, old - 1, 2 * old, -old] * 2
        value = holder[path[-1]] = rng.choice(values)
        return f"manifest {path} to {value!r}", self._files | {
            MANIFEST: json.dumps(manifest).encode()
        }

    def _altered_tokenizer(self, rng):
        name = rng.choice([name for name in self._files if name not in (MODEL, MANIFEST)])
        data = self._files[name]
        begin, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        end = min(end, begin + 200)
        part, place = data[begin:end], rng.randrange(len(data) + 1)
        times = rng.choice((0, 0, 1, 2, 50))
        altered = (
            data[:begin] + data[end:] if times == 0 else data[:place] + part * times + data[place:]
        )
        return f"{name}: {begin} to {end} {times} times at {place}", signed(
            self._files | {name: altered}
        )


def pack(model):
    """Returns a model as a file, its constants aligned as those of bundles are."""
    builder = _Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def signed(files):
    """Returns the files with a manifest of their true sizes and SHA-256."""
    manifest = json.loads(files[MANIFEST])
    for name, entry in manifest["files"].items():
        entry.update(bytes=len(files[name]), sha256=hashlib.sha256(files[name]).hexdigest())
    return files | {MANIFEST: json.dumps(manifest).encode()}


def at(value, path):
    for key in path:
        value = value[key]
    return value


class _Builder(flatbuffers.Builder):
    def StartVector(self, elem_size, num_elems, alignment):  # noqa: N802
        return super().StartVector(elem_size, num_elems, 64 if elem_size == 1 else alignment)


def _any_tensor(model, rng):
    graph = rng.choice(model.subgraphs)
    number = rng.randrange(len(graph.tensors))
    return graph, number, graph.tensors[number]


def _any_operator(model, rng):
    graph = rng.choice(model.subgraphs)
    # Each operation as often as another, however often it occurs.
    code = rng.choice(sorted({operator.opcodeIndex for operator in graph.operators}))
    numbers = [i for i, one in enumerate(graph.operators) if one.opcodeIndex == code]
    number = rng.choice(numbers)
    return graph, number, graph.operators[number]


def _operand(model, rng, graph, operator):
    """The tensor of one of an operator's operands."""
    index = rng.choice([*operator.inputs, *operator.outputs])
    return index, graph.tensors[index]


def _altered(values, rng, choices=SIZES):
    """A list with a value replaced, left out, repeated, added, or exchanged with another."""
    values = list(values)
    place = rng.randrange(len(values) + 1)
    kind = rng.choice(("replace", "replace", "replace", "remove", "repeat", "add", "swap"))
    if kind == "add" or not values:
        values.insert(place, rng.choice(choices))
        return values
    place = min(place, len(values) - 1)
    if kind == "replace":
        values[place] = rng.choice((rng.choice(choices), int(values[place]) + rng.choice((-1, 1))))
    elif kind == "remove":
        del values[place]
    elif kind == "repeat":
        values.insert(place, values[place])
    else:
        other = rng.randrange(len(values))
        values[place], values[other] = values[other], values[place]
    return values


def _set_list(owner, name, values, dtype=np.int32):
    setattr(owner, name, np.array(values, np.int64).astype(dtype))
    return f"{name} to {list(values)}"


def tensor_type(model, rng):
    graph, number, operator = _any_operator(model, rng)
    index, tensor = _operand(model, rng, graph, operator)
    old, tensor.type = tensor.type, rng.choice(TYPES)
    return f"tensor {index} of operator {number} from {old} to {tensor.type}"


def types_everywhere(model, rng):
    graph = rng.choice(model.subgraphs)
    old, new = rng.choice(graph.tensors).type, rng.choice(TYPES)
    for tensor in graph.tensors:
        tensor.type = new if tensor.type == old else tensor.type
    return f"from {old} to {new}"


def operator_types(model, rng):
    """All operands of an operator that have one type get another."""
    graph, number, operator = _any_operator(model, rng)
    old, new = _operand(model, rng, graph, operator)[1].type, rng.choice(TYPES)
    for index in {*operator.inputs, *operator.outputs} - {-1}:
        if graph.tensors[index].type == old:
            graph.tensors[index].type = new
    return f"operator {number} from {old} to {new}"


def shape(model, rng):
    graph, number, operator = _any_operator(model, rng)
    index, tensor = _operand(model, rng, graph, operator)
    what = _set_list(
        tensor, "shape", _altered(tensor.shape if tensor.shape is not None else [], rng)
    )
    if tensor.shapeSignature is not None and rng.random() < 0.5:
        tensor.shapeSignature = rng.choice((None, tensor.shape))
    return f"tensor {index} of operator {number}: {what}"


def extents_everywhere(model, rng):
    """An extent becomes another wherever it stands, constants too where they can be made to fit."""
    old = int(rng.choice(_any_tensor(model, rng)[2].shape))
    new = rng.choice((*SIZES, old + 1, 2 * old, max(1, old // 2)))
    fit = rng.random() < 0.5 and 0 < new < 2**17
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if tensor.shape is None or old not in tensor.shape:
                continue
            before = np.prod(np.array(tensor.shape, object))
            tensor.shape = np.where(tensor.shape == old, new, tensor.shape).astype(np.int32)
            after = np.prod(np.array(tensor.shape, object))
            data = model.buffers[tensor.buffer].data
            size = 0 if data is None or not before else int(len(data) * after // before)
            if fit and 0 < size < 2**22:
                model.buffers[tensor.buffer].data = np.resize(data, size)
            if tensor.shapeSignature is not None:
                tensor.shapeSignature = np.where(
                    tensor.shapeSignature == old, new, tensor.shapeSignature
                ).astype(np.int32)
    return f"from {old} to {new}, fit: {fit}"


def shape_signature(model, rng):
    _, number, tensor = _any_tensor(model, rng)
    values = tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape
    return f"tensor {number}: " + _set_list(tensor, "shapeSignature", _altered(values, rng))


def tensor_buffer(model, rng):
    graph, number, operator = _any_operator(model, rng)
    index, tensor = _operand(model, rng, graph, operator)
    tensor.buffer = rng.choice((0, rng.randrange(len(model.buffers)), len(model.buffers), 2**31))
    return f"tensor {index} of operator {number} to {tensor.buffer}"


def tensor_flags(model, rng):
    _, number, tensor = _any_tensor(model, rng)
    tensor.isVariable, tensor.hasRank = rng.random() < 0.5, rng.random() < 0.5
    if rng.random() < 0.2:
        tensor.sparsity = schema.SparsityParametersT()
    return f"tensor {number}"


def grid(model, rng):
    graph = rng.choice(model.subgraphs)
    quantized = [i for i, t in enumerate(graph.tensors) if t.quantization is not None]
    number = rng.choice(quantized or range(len(graph.tensors)))
    tensor = graph.tensors[number]
    kind = rng.choice(("none", "new", "other", "scale", "zero", "axis", "details", "length"))
    if kind == "none":
        tensor.quantization = None
    elif kind == "new" or tensor.quantization is None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = np.array([rng.choice(SCALES)] * rng.choice((1, 2)), np.float32)
        tensor.quantization.zeroPoint = np.array([0], np.int64)
    elif kind == "other":
        tensor.quantization = graph.tensors[rng.choice(quantized)].quantization
    elif kind == "scale":
        tensor.quantization.scale[rng.randrange(len(tensor.quantization.scale))] = rng.choice(
            SCALES
        )
    elif kind == "zero":
        place = rng.randrange(len(tensor.quantization.zeroPoint))
        tensor.quantization.zeroPoint[place] = rng.choice((*SIZES, 2**62))
    elif kind == "axis":
        tensor.quantization.quantizedDimension = rng.choice(SIZES)
    elif kind == "details":
        details = tensor.quantization.details or schema.BlockwiseQuantizationT()
        tensor.quantization.details, tensor.quantization.detailsType = details, 2
        name = rng.choice(("scales", "zeroPoints", "blockSize"))
        setattr(details, name, rng.choice((*SIZES, 16, 32, rng.randrange(len(graph.tensors)))))
        return f"tensor {number} {name} {getattr(details, name)}"
    else:
        tensor.quantization.scale = np.resize(tensor.quantization.scale, rng.randrange(5))
    return f"tensor {number} {kind}"


def operator_inputs(model, rng):
    graph, number, operator = _any_operator(model, rng)
    name = rng.choice(("inputs", "inputs", "inputs", "outputs", "intermediates"))
    values = getattr(operator, name)
    size = len(graph.tensors)
    choices = (-1, -1, -2, 2**31 - 1, size, *(rng.randrange(size) for _ in range(9)))
    return f"operator {number}: " + _set_list(
        operator, name, _altered(values if values is not None else [], rng, choices)
    )


def fewer_inputs(model, rng):
    _, number, operator = _any_operator(model, rng)
    return f"operator {number}: " + _set_list(
        operator, "inputs", operator.inputs[: rng.randrange(4)]
    )


def operator_code(model, rng):
    _, number, operator = _any_operator(model, rng)
    old, operator.opcodeIndex = operator.opcodeIndex, rng.randrange(len(model.operatorCodes) + 1)
    return f"operator {number} from {old} to {operator.opcodeIndex}"


def another_operator(model, rng):
    """An operator with all that makes another, but for its operands."""
    _, number, operator = _any_operator(model, rng)
    _, _, other = _any_operator(model, rng)
    for name in ("opcodeIndex", "builtinOptions", "builtinOptionsType", "customOptions"):
        setattr(operator, name, getattr(other, name))
    return f"operator {number} like one of {operator.opcodeIndex}"


def options_of_another(model, rng):
    _, number, operator = _any_operator(model, rng)
    _, _, other = _any_operator(model, rng)
    operator.builtinOptions = other.builtinOptions
    operator.builtinOptionsType = other.builtinOptionsType
    return f"operator {number} with options of {other.opcodeIndex}"


def option(model, rng):
    graph = rng.choice(model.subgraphs)
    number = rng.choice([i for i, o in enumerate(graph.operators) if o.builtinOptions is not None])
    options = graph.operators[number].builtinOptions
    name = rng.choice(sorted(vars(options)))
    old = getattr(options, name)
    if isinstance(old, bool):
        value = not old
    elif isinstance(old, float):
        value = rng.choice(SCALES)
    else:
        value = rng.choice((*SIZES, *range(-5, 9)))
    setattr(options, name, value)
    return f"operator {number} {name} {value}"


def options_of_another_kind(model, rng):
    _, number, operator = _any_operator(model, rng)
    name = rng.choice(_OPTIONS)
    kind = getattr(schema.BuiltinOptions, name[:-1], rng.randrange(130))
    operator.builtinOptionsType = rng.choice((kind, operator.builtinOptionsType))
    operator.builtinOptions = rng.choice((getattr(schema, name)(), None))
    return f"operator {number} {name}"


def custom_options(model, rng):
    _, number, operator = _any_operator(model, rng)
    size = rng.choice((0, 1, 3, 40, 5000))
    operator.customOptions = np.frombuffer(rng.randbytes(size), np.uint8)
    if rng.random() < 0.3:
        operator.mutatingVariableInputs = np.ones(len(operator.inputs), bool)
    if rng.random() < 0.2:
        operator.largeCustomOptionsOffset, operator.largeCustomOptionsSize = (
            64,
            rng.choice((4, 2**40)),
        )
    return f"operator {number}"


def code(model, rng):
    number = rng.randrange(len(model.operatorCodes))
    one = model.operatorCodes[number]
    kind = rng.choice(("code", "other", "version", "custom", "old"))
    if kind == "code":
        one.builtinCode = rng.randrange(210)
        one.deprecatedBuiltinCode = min(one.builtinCode, 127)
    elif kind == "other":
        other = rng.choice(model.operatorCodes)
        one.builtinCode, one.customCode = other.builtinCode, other.customCode
        one.deprecatedBuiltinCode = other.deprecatedBuiltinCode
    elif kind == "version":
        one.version = rng.choice((0, 1, 2, 3, 4, 5, 12, 13, 2**31 - 1, -1))
    elif kind == "custom":
        one.customCode = rng.choice(
            [other.customCode for other in model.operatorCodes] + [b"tfc.Decoder", b"odml.x", b""]
        )
    else:
        one.deprecatedBuiltinCode = rng.randrange(-128, 128)
    return f"{number} {kind} {vars(one)}"


def small_constant(model, rng):
    """A word of a constant that is no weight: axes, shapes, paddings, settings."""
    graph, number, operator = _any_operator(model, rng)
    indices = [
        i for i in operator.inputs
        if i >= 0 and graph.tensors[i].type == schema.TensorType.INT32
        and model.buffers[graph.tensors[i].buffer].data is not None
    ]  # fmt: skip
    tensor = graph.tensors[rng.choice(indices)]
    buffer = schema.BufferT()
    words = np.array(model.buffers[tensor.buffer].data, np.uint8).view(np.int32)
    words = np.array(_altered(words, rng), np.int64).astype(np.int32)
    buffer.data = words.view(np.uint8)
    model.buffers.append(buffer)
    tensor.buffer = len(model.buffers) - 1
    if rng.random() < 0.7 and tensor.shape is not None and len(tensor.shape) == 1:
        tensor.shape = np.array([len(words)], np.int32)
    return f"operator {number} to {words.tolist()}"


def packed_constants(model, rng):
    """A word of the description or the settings at the beginning of a pack."""
    places = [
        (graph, operator)
        for graph in model.subgraphs
        for operator in graph.operators
        if model.operatorCodes[operator.opcodeIndex].customCode
    ]
    graph, operator = rng.choice(places)
    buffer = model.buffers[graph.tensors[operator.inputs[-1]].buffer]
    words = np.array(buffer.data[: len(buffer.data) // 4 * 4], np.uint8).view(np.int32)
    count = max(1, min(int(words[0]), 1000))
    done = []
    for _ in range(rng.randint(1, 3)):
        # Settings come first of all that is packed.
        entries = rng.choice((1 + 7 * count, 1 + 14, 8 * count + 40))
        place = rng.randrange(min(len(words), entries))
        old = int(words[place])
        new = rng.choice((rng.choice(SIZES), old + 1, old - 1, int(rng.choice(words[:40]))))
        words[place] = np.array(new % 2**32, np.uint32).view(np.int32)
        done.append(f"{place} from {old} to {words[place]}")
    buffer.data = np.concatenate([words.view(np.uint8), buffer.data[4 * len(words) :]])
    return ", ".join(done)


def buffer_data(model, rng):
    number = rng.randrange(len(model.buffers))
    buffer = model.buffers[number]
    kind = rng.choice(("none", "cut", "longer", "offset"))
    if kind == "none":
        buffer.data = None
    elif kind == "offset":
        buffer.offset, buffer.size = rng.choice((1, 2, 64, 2**40)), rng.choice((0, 4, 64, 2**62))
    else:
        buffer.data = np.resize(buffer.data, int(len(buffer.data) * rng.choice((0.5, 2))) + 1)
    return f"{number} {kind}"


def graph_ends(model, rng):
    graph = rng.choice(model.subgraphs)
    name = rng.choice(("inputs", "outputs"))
    choices = (-1, len(graph.tensors), *(rng.randrange(len(graph.tensors)) for _ in range(8)))
    return _set_list(graph, name, _altered(getattr(graph, name), rng, choices))


def operators(model, rng):
    graph = rng.choice(model.subgraphs)
    a, b = (rng.randrange(len(graph.operators)) for _ in range(2))
    kind = rng.choice(("remove", "repeat", "swap", "reverse"))
    if kind == "remove":
        del graph.operators[a]
    elif kind == "repeat":
        graph.operators.insert(b, graph.operators[a])
    elif kind == "swap":
        graph.operators[a], graph.operators[b] = graph.operators[b], graph.operators[a]
    else:
        graph.operators.reverse()
    return f"{kind} {a} {b}"


def doubled_again_and_again(model, rng):
    """A chain of operators of which each gives twice what it takes."""
    graph = rng.choice(model.subgraphs)
    number = rng.randrange(len(graph.operators))
    last = int(graph.operators[number].outputs[0])
    added = schema.OperatorCodeT()
    added.builtinCode = added.deprecatedBuiltinCode = schema.BuiltinOperator.CONCATENATION
    model.operatorCodes.append(added)
    times, fixed = rng.choice((3, 12, 40)), rng.random() < 0.5
    for _ in range(times):
        old, tensor = graph.tensors[last], schema.TensorT()
        tensor.type, tensor.buffer, tensor.hasRank = old.type, 0, True
        tensor.shape = np.array(old.shape)
        tensor.shape[0] = min(2 * int(old.shape[0]), 2**30) if fixed else 1
        tensor.shapeSignature = None if fixed else np.array([-1, *old.shape[1:]], np.int32)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(model.operatorCodes) - 1
        operator.inputs = np.array([last, last], np.int32)
        operator.builtinOptionsType = schema.BuiltinOptions.ConcatenationOptions
        operator.builtinOptions = schema.ConcatenationOptionsT()
        graph.tensors.append(tensor)
        last = len(graph.tensors) - 1
        operator.outputs = np.array([last], np.int32)
        graph.operators.append(operator)
    return f"operator {number} {times} times, fixed: {fixed}"


def tensors(model, rng):
    graph = rng.choice(model.subgraphs)
    if rng.random() < 0.5:
        del graph.tensors[rng.randrange(len(graph.tensors)) :]
    else:
        graph.tensors += [graph.tensors[0]] * rng.choice((1, 1000, 100_000))
    return len(graph.tensors)


def signature(model, rng):
    one = rng.choice(model.signatureDefs)
    kind = rng.choice(("graph", "tensor", "name", "key", "remove", "repeat"))
    maps = rng.choice((one.inputs, one.outputs))
    if kind == "graph":
        one.subgraphIndex = rng.choice((0, 1, 2, 2**31))
    elif kind == "tensor":
        rng.choice(maps).tensorIndex = rng.choice((rng.randrange(40), 10**6, 2**32 - 1))
    elif kind == "name":
        rng.choice(maps).name = rng.choice((None, b"", b"ids", b"\xff", rng.choice(maps).name))
    elif kind == "key":
        one.signatureKey = rng.choice((None, b"", b"step", b"encode"))
    elif kind == "remove":
        del maps[rng.randrange(len(maps))]
    else:
        maps.append(rng.choice(maps))
    return kind


def whole_model(model, rng):
    name = rng.choice(sorted(vars(model)))
    setattr(model, name, rng.choice((None, None, [])) if name != "version" else rng.choice(SIZES))
    return name


def metadata(model, rng):
    one = schema.MetadataT()
    one.name = rng.choice(
        (b"min_runtime_version", b"TFLITE_METADATA", b"CONVERSION_METADATA", None)
    )
    one.buffer = rng.choice((0, rng.randrange(len(model.buffers)), len(model.buffers)))
    model.metadata = [*(model.metadata or []), one]
    return f"{one.name} {one.buffer}"


_OFTEN = (
    tensor_type,
    operator_types,
    shape,
    extents_everywhere,
    grid,
    operator_inputs,
    operator_code,
    option,
    small_constant,
    packed_constants,
)
_RARELY = (
    types_everywhere,
    shape_signature,
    tensor_buffer,
    tensor_flags,
    fewer_inputs,
    another_operator,
    options_of_another,
    options_of_another_kind,
    custom_options,
    code,
    buffer_data,
    graph_ends,
    operators,
    doubled_again_and_again,
    tensors,
    signature,
    whole_model,
    metadata,
)
CHANGES = (*_OFTEN, *_OFTEN, *_RARELY)
