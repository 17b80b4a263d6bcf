"""The custom operations of the native runtime, on every level, against their definitions."""

import ctypes
import os
import subprocess
import sys
from ctypes import POINTER, c_char_p, c_int32, c_size_t, c_void_p
from itertools import cycle

import numpy as np
import op_reference as reference
import pytest
from ai_edge_litert import schema_py_generated as schema
from flavours import one_flavour
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from op_reference import IN_BLOCKS, STORAGES, Layer, Matrix

from tfcompress.export.graph.packing import PANEL_ORDER, scales_to_panels, to_panels

pytestmark = one_flavour

INVALID, BAD_BUNDLE = 1, 3
TYPES = {"f": 0, "i": 1, "b": 2}
INT4, PANELS, INT4_PANELS = 3, 4, 5
EPSILON = 1e-5
EPSILON_BITS = int(np.float32(EPSILON).view("i"))
LAYER_EPSILON = np.float32(0.1)
LAYER_BITS = int(LAYER_EPSILON.view("i"))


class CTensor(ctypes.Structure):
    _fields_ = [
        ("type", c_int32),
        ("rank", c_int32),
        ("dims", POINTER(c_int32)),
        ("data", c_void_p),
    ]


class Library:
    """Calls the functions of `tfcompress_ops.h`."""

    def __init__(self, path):
        self.c = ctypes.CDLL(str(path))
        self.c.tfc_level.restype = self.c.tfc_last_error.restype = c_char_p
        self.c.tfc_level.argtypes = (c_size_t,)
        self.levels = []
        while (name := self.c.tfc_level(len(self.levels))) is not None:
            self.levels.append(name.decode())

    def call(self, name, level, inputs, outputs):
        """Returns the status and the message."""
        tensors = [(CTensor * len(some))(*map(view, some)) for some in (inputs, outputs)]
        status = self.c.tfc_run_op(
            *(name.encode(), level and level.encode()),
            *(c_size_t(len(inputs)), tensors[0], c_size_t(len(outputs)), tensors[1]),
        )
        return status, self.c.tfc_last_error().decode()

    def run(self, name, level, inputs, shapes, in_place=()):
        """Returns the outputs. `in_place` are pairs of an input and of the output that is it."""
        inputs = flat(inputs)
        outputs = [np.full(shape, 77, storage) for storage, shape in map(storage_and_shape, shapes)]
        for source, output in in_place:
            inputs[source] = outputs[output] = inputs[source].copy()
        status, message = self.call(name, level, inputs, outputs)
        assert status == 0, message
        return outputs


def storage_and_shape(wanted):
    return wanted if isinstance(wanted[0], str) else ("f", wanted)


class Stored:
    """Values in another order than the row-major one, and their shape."""

    def __init__(self, storage, values):
        self.storage, self.shape = storage, values.shape
        if storage == INT4:
            low, high = values.reshape(-1, 2).T
            self.data = ((low & 15) | (high << 4)).astype("B")
        else:
            types = {INT4_PANELS: {"tensor_type": schema.TensorType.INT4}}
            self.data = to_panels(values, **types.get(storage, {}))


STORED = {
    "int4": INT4,
    "blocks": INT4,
    "panels": PANELS,
    "int4_panels": INT4_PANELS,
    "block_panels": INT4_PANELS,
}


def flat(operands):
    """The tensors of operands, where matrices become two."""
    tensors = []
    for one in operands:
        if isinstance(one, Matrix):
            stored = STORED.get(one.storage)
            tensors += [Stored(stored, one.values) if stored else one.values, scales_of(one)]
        else:
            tensors.append(np.asarray(one, "i") if isinstance(one, list) else one)
    return tensors


def scales_of(matrix):
    if matrix.storage != "block_panels":
        return matrix.scales
    return scales_to_panels(matrix.scales.reshape(*matrix.shape[:-1], -1))


def view(tensor):
    dims = (c_int32 * len(tensor.shape))(*tensor.shape)
    if isinstance(tensor, Stored):
        return CTensor(tensor.storage, len(dims), dims, tensor.data.ctypes.data)
    assert tensor.flags.c_contiguous
    return CTensor(TYPES[tensor.dtype.char], len(dims), dims, tensor.ctypes.data)


@pytest.fixture(scope="module")
def library(built):
    return Library(built / "libtfcompress.so")


def examples(count):
    fixed = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=count, deadline=None, suppress_health_check=fixed)


def normal(rng, *shape):
    return rng.normal(size=shape).astype("f")


def check(library, name, inputs, expected, storages=None, margin=np.inf, in_place=()):
    """Compares every level, which each may round otherwise what is close to a tie, with `expected`.

    Returns the outputs of each level.
    """
    storages = storages or "f" * len(expected)
    shapes = [(storage, one.shape) for storage, one in zip(storages, expected)]
    # The products of a few inexact numbers differ, at worst by a step of the rounding.
    allowed = 1e-5 if margin > 1e-3 else 5e-2
    results = []
    for level in library.levels:
        outputs = library.run(name, level, inputs, shapes)
        for output, one in zip(outputs, expected):
            finite = np.abs(one[np.isfinite(one)]).max(initial=0)
            np.testing.assert_allclose(
                output, one, rtol=0, atol=max(allowed * finite, 1e-7), err_msg=level
            )
        if in_place:
            updated = library.run(name, level, inputs, shapes, in_place)
            assert all(a.tobytes() == b.tobytes() for a, b in zip(outputs, updated))
        results.append(outputs)
    return results


seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)
storages = st.sampled_from(STORAGES)
codes = st.integers(0, 6)
sizes = st.one_of(st.integers(1, 40), st.integers(1, 300))


def divisors(n):
    return st.sampled_from([k for k in range(1, n + 1) if n % k == 0])


def width_for(storage, wanted):
    """The least width from the wanted one on that weights stored so may have."""
    step = {"int4": 2, "int4_panels": 2, "blocks": 32, "block_panels": 32}.get(storage, 1)
    return -(-wanted // step) * step


@examples(60)
@given(st.data(), seeds, storages, st.booleans(), st.booleans(), codes)
def test_group_linear(library, data, rng, storage, shuffle, normalize, code):
    total = data.draw(sizes)
    groups = data.draw(divisors(total))
    width, units = width_for(storage, total // groups), data.draw(st.integers(1, 300 // groups))
    shape = data.draw(st.lists(st.integers(1, 4), max_size=2))
    x = normal(rng, *shape, groups * width)
    weight, bias = Matrix(rng, (groups, units, width), storage), normal(rng, groups * units)
    # Of few units, which may be all but equal, the norm would magnify the error of the floats.
    norm = (normal(rng, units), normal(rng, units), np.float32(0.1))
    y = reference.group_linear(x, weight, bias, *norm[:2], shuffle, normalize, code, norm[2])
    config = [0, groups, int(shuffle), int(normalize), code, int(norm[2].view("i"))]
    check(library, "tfc.GroupTransform", [config, x, weight, bias, *norm[:2]], [y])


@examples(40)
@given(st.data(), seeds, st.booleans())
def test_group_chain(library, data, rng, projected):
    """Layers that see the chain's input beside what the one before gave."""
    counts = data.draw(st.lists(st.sampled_from([1, 2, 3, 6]), min_size=1 + projected, max_size=5))
    storage = data.draw(st.sampled_from([one for one in STORAGES if one not in IN_BLOCKS]))
    # All widths divide by all numbers of groups, and pairs of four bits.
    widths = [12 * data.draw(st.integers(1, 8)) for _ in range(len(counts) + 1)]
    x = chain = y = normal(rng, 3, widths[0])
    config, operands, margin = [int(projected)], [], np.inf
    for i, (groups, units) in enumerate(zip(counts, widths[1:])):
        mixed = y
        if i > projected:
            parts = [z.reshape(3, groups, -1) for z in (chain, y)]
            mixed = np.concatenate(parts, axis=-1).reshape(3, -1)
        shape = groups, units // groups, mixed.shape[1] // groups
        weight, bias = Matrix(rng, shape, storage), normal(rng, units)
        norm = normal(rng, units // groups), normal(rng, units // groups)
        y = reference.group_linear(mixed, weight, bias, *norm, True, True, 3, LAYER_EPSILON)
        y = y.astype("f")
        config += [groups, 1, 1, 3, LAYER_BITS]
        operands += [weight, bias, *norm]
        # What later layers see has been rounded otherwise.
        margin = weight.margin if i == 0 else 0
        if i < projected:
            chain = y
    margin = np.inf if storage == "float32" else margin
    check(library, "tfc.GroupTransform", [config, x, *operands], [y], margin=margin)


@examples(40)
@given(seeds, st.integers(1, 9), st.integers(1, 70), sizes, st.sampled_from(STORAGES[1:]))
def test_integers_are_exact(library, rng, count, units, width, storage):
    width = width_for(storage, width)
    weight = Matrix(rng, (1, units, width), storage)
    weight.scales = np.ones_like(weight.scales)
    x = rng.integers(-127, 128, (count, width)).astype("f")
    x[:, rng.integers(width)] = 127
    operands = [weight, np.zeros(units, "f"), np.zeros(units, "f"), np.zeros(units, "f")]
    expected = x.astype(int) @ weight.values[0].T.astype(int)
    config = [0, 1, 0, 0, 0, 0]
    for level in library.levels:
        (y,) = library.run("tfc.GroupTransform", level, [config, x, *operands], [expected.shape])
        np.testing.assert_array_equal(y, expected)
    # Rounding is alike as well, ties included.
    x = rng.integers(-3, 4, x.shape).astype("f") * np.float32(0.5)
    x[0] = 0
    both = np.stack([x, normal(rng, *x.shape) * np.float32(10.0 ** rng.integers(-20, 20))])
    first, *others = (
        library.run(
            "tfc.GroupTransform", level, [config, both, *operands], [(*both.shape[:2], units)]
        )
        for level in library.levels
    )
    assert all(first[0].tobytes() == other[0].tobytes() for other in others)


@pytest.mark.parametrize(
    "storages", [("int8", "panels"), ("int4", "int4_panels"), ("blocks", "block_panels")]
)
@examples(40)
@given(seeds, st.integers(1, 20), divisors(12), st.integers(1, 70), sizes, st.booleans())
def test_panels_are_another_order(library, storages, rng, count, groups, units, width, biased):
    width = width_for(storages[0], width)
    x = normal(rng, count, groups * width)
    matrix = Matrix(rng, (groups, units, width), storages[0])
    bias = normal(rng, groups * units) * np.float32(biased)
    norm = np.zeros((2, units), "f")
    results = set()
    for matrix.storage in storages:
        inputs = [[0, groups, 0, 0, 0, 0], x, matrix, bias, *norm]
        for level in library.levels:
            (y,) = library.run("tfc.GroupTransform", level, inputs, [(count, groups * units)])
            results.add(y.tobytes())
    assert len(results) == 1


@pytest.mark.parametrize("storage", ["panels", "int4_panels"])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_sums(library, storage, sign):
    """No level saturates: all weights and activations are as large as they can be."""
    rng, width = np.random.default_rng(0), 4096
    matrix = Matrix(rng, (1, 17, width), storage)
    matrix.values[:] = -128 if storage == "panels" else -8
    matrix.scales[:] = 1
    x = np.full((3, width), np.float32(127 * sign))
    zeros = np.zeros((3, 17), "f")
    for level in library.levels:
        (y,) = library.run(
            "tfc.GroupTransform", level, [[0, 1, 0, 0, 0, 0], x, matrix, *zeros], [(3, 17)]
        )
        np.testing.assert_array_equal(y, np.float32(matrix.values[0, 0, 0] * 127.0 * sign * width))


def test_the_order_of_panels():
    matrices = np.arange(-120, 120, dtype="b").reshape(2, 12, 10)
    panels = to_panels(matrices).view("b").reshape(2, 1, 2, 16, 8)
    values = matrices // 15
    pairs = to_panels(values, schema.TensorType.INT4).reshape(2, 1, 2, 8, 8)
    halves = np.concatenate([pairs & 15, pairs >> 4], axis=3).astype(int) - 8
    for matrix, panel, block, row, col in np.ndindex(panels.shape):
        there = 16 * panel + PANEL_ORDER[row], 8 * block + col
        exists = there[0] < 12 and there[1] < 10
        assert panels[matrix, panel, block, row, col] == (matrices[matrix][there] if exists else 0)
        assert halves[matrix, panel, block, row, col] == (values[matrix][there] if exists else 0)


def test_the_scales_of_panels():
    scales = np.arange(2 * 20 * 3, dtype="f").reshape(2, 20, 3)
    panels = scales_to_panels(scales)
    assert panels.shape == (4, 3, 16)
    for panel, block, row in np.ndindex(panels.shape):
        matrix, own = panel // 2, 16 * (panel % 2) + row
        assert panels[panel, block, row] == (scales[matrix, own, block] if own < 20 else 0)


@pytest.mark.parametrize("storage", [PANELS, INT4_PANELS])
def test_a_table_is_not_in_panels(library, storage):
    inputs, shapes = OPERATIONS["tfc.TopLogits"]
    given = [*inputs[:2], Stored(storage, np.zeros((20, 8), "b")), *inputs[3:]]
    status, message = library.call("tfc.TopLogits", None, given, made(shapes))
    assert status == BAD_BUNDLE
    assert "panels" in message


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite(library, bad):
    rng = np.random.default_rng(0)
    x, bias = normal(rng, 3, 40), np.zeros(20, "f")
    x[1, 7] = bad
    for level in library.levels:
        inputs = [[0, 1, 0, 0, 0, 0], x, Matrix(rng, (1, 20, 40), "int8"), bias, bias, bias]
        (y,) = library.run("tfc.GroupTransform", level, inputs, [(3, 20)])
        assert np.isnan(y[1]).all()
        assert np.isfinite(y[[0, 2]]).all()


@examples(50)
@given(st.data(), seeds, st.lists(st.integers(0, 7), min_size=1, max_size=9), st.booleans())
def test_fixed_patterns(library, data, rng, patterns, to_self):
    batch, length, width = (data.draw(st.integers(1, most)) for most in (3, 300, 20))
    values = normal(rng, batch, length, len(patterns) * width)
    expected = reference.fixed_patterns(values, patterns, "self" if to_self else "zero")
    check(library, "tfc.FixedPatterns", [[int(to_self), *patterns], values], [expected])


def convolutions(data, rng):
    """Random attributes and inputs: heads, taps, before, softmax, gated, width."""
    heads, size = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 9))
    before = data.draw(st.integers(0, size - 1))
    softmax, gated = data.draw(st.booleans()), data.draw(st.booleans())
    return heads, size, before, softmax, gated, heads * data.draw(st.integers(1, 40))


@examples(50)
@given(st.data(), seeds, storages)
def test_convolutions(library, data, rng, storage):
    heads, size, before, softmax, gated, width = convolutions(data, rng)
    width = heads * width_for(storage, width // heads)
    batch, length = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 40))
    config = [heads, size, before, int(softmax), int(gated)]
    x = normal(rng, batch, length, width * (1 + gated))
    u = reference.gate(x, gated)
    weight = Matrix(rng, (heads * size, width), storage)
    taps = reference.dynamic_taps(u, weight, heads, softmax)
    y = reference.convolve(u, taps, before)
    check(library, "tfc.DynamicConv", [config, x, weight], [y], margin=weight.margin)
    kernel = normal(rng, heads, size)
    y = reference.convolve(u, reference.softmax(kernel) if softmax else kernel, before)
    check(library, "tfc.LightweightConv", [config, x, kernel], [y])


@examples(40)
@given(st.data(), seeds, storages)
def test_convolution_steps(library, data, rng, storage):
    heads, size, _, softmax, gated, width = convolutions(data, rng)
    width = heads * width_for(storage, width // heads)
    batch, length = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 20))
    position = data.draw(st.integers(0, length - 1))
    config = [heads, size, size - 1, int(softmax), int(gated)]
    x, history = normal(rng, batch, width * (1 + gated)), normal(rng, batch, 1, length, width)
    updated = history.astype("d")
    updated[:, 0, position] = u = reference.gate(x, gated)
    weight, kernel = Matrix(rng, (heads * size, width), storage), normal(rng, heads, size)
    fixed = reference.softmax(kernel) if softmax else kernel
    taps = reference.dynamic_taps(u, weight, heads, softmax)
    for name, operand, own, margin in (
        ("tfc.DynamicConvStep", weight, taps[:, np.newaxis], weight.margin),
        ("tfc.LightweightConvStep", kernel, fixed, np.inf),
    ):
        rows = updated[:, 0, : position + 1]
        y = reference.convolve(rows, own, size - 1)[:, -1]
        inputs = [config, x, operand, history, [position]]
        place = len(flat(inputs)) - 2
        check(library, name, inputs, [y, updated], margin=margin, in_place=[(place, 1)])


@examples(40)
@given(st.data(), seeds)
def test_attention(library, data, rng):
    batch, heads, width, length = (data.draw(st.integers(1, most)) for most in (4, 6, 80, 70))
    position = data.draw(st.integers(0, length - 1))
    q, k, v = (normal(rng, batch, heads * width) for _ in range(3))
    keys, values = (normal(rng, batch, heads, length, width) for _ in range(2))
    inputs = [[heads], q, k, v, keys, values, [position]]
    y = reference.cached_attention(q, k, v, keys, values, position, heads)
    check(library, "tfc.CachedAttention", inputs, y, in_place=[(4, 1), (5, 2)])
    sentences = data.draw(divisors(batch))
    each = [np.repeat(one[:sentences], batch // sentences, axis=0) for one in (keys, values)]
    y = reference.memory_attention(q, *each, heads)
    inputs = [[heads], q, *(one[:sentences].copy() for one in (keys, values))]
    check(library, "tfc.MemoryAttention", inputs, [y])


@examples(60)
@given(st.data(), seeds, storages.filter(lambda storage: "panels" not in storage))
def test_top_logits(library, data, rng, storage):
    vocabulary = data.draw(st.one_of(st.integers(4, 30), st.integers(4, 2000)))
    batch, depth = data.draw(st.integers(1, 6)), width_for(storage, data.draw(sizes))
    x, table = normal(rng, batch, depth), Matrix(rng, (vocabulary, depth), storage)
    bias = normal(rng, vocabulary)
    pad, bos, eos = rng.choice(vocabulary, 3, replace=False).tolist()
    count = data.draw(st.sampled_from([0, 1, vocabulary // 2, vocabulary]))
    chosen = rng.choice(np.setdiff1d(np.arange(vocabulary), eos), max(count - 1, 0), replace=False)
    ids = np.sort([*chosen, eos])[:count]
    most = st.sampled_from([1, 2, 3, 10, vocabulary])
    width = min(data.draw(most), vocabulary)
    shortlist = np.full(vocabulary, -5, "i")
    shortlist[:count] = ids
    inputs = [[pad, bos, eos], x, table, bias, shortlist[np.newaxis], [count], [0] * width]
    values, top, *rest = reference.top_logits(x, table, bias, ids, width, pad, bos, eos)
    logits = table.dot(x) + bias
    allowed = 1e-5 * np.abs(logits).max()
    for level in library.levels:
        shapes = [values.shape, ("i", top.shape), (batch, 1), (batch, 1)]
        actual, found_ids, *found_rest = library.run("tfc.TopLogits", level, inputs, shapes)
        np.testing.assert_allclose(actual, values, rtol=0, atol=allowed)
        np.testing.assert_array_equal(found_ids < 0, top < 0)
        # Where two are all but equal, either may be first.
        own = np.take_along_axis(logits, np.maximum(found_ids, 0), axis=1)
        np.testing.assert_allclose(np.where(found_ids < 0, -np.inf, own), actual, atol=allowed)
        assert all(len({*row}) == (row >= 0).sum() + (row < 0).any() for row in found_ids)
        assert np.isin(found_ids, [*(ids if count else np.arange(vocabulary)), -1]).all()
        for one, other in zip(found_rest, rest):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=allowed)


def test_top_logits_prefers_low_ids(library):
    x, bias = np.zeros((2, 8), "f"), np.zeros(1200, "f")
    bias[[3, 700, 1100]] = 1
    table = Matrix(np.random.default_rng(0), (1200, 8))
    inputs = [[0, 3, 2], x, table, bias, np.zeros((1, 1200), "i"), [0], [0] * 5]
    for level in library.levels:
        shapes = [(2, 5), ("i", (2, 5)), (2, 1), (2, 1)]
        values, ids, total, eos = library.run("tfc.TopLogits", level, inputs, shapes)
        np.testing.assert_array_equal(ids, [[700, 1100, 1, 2, 4]] * 2)
        np.testing.assert_array_equal(values, [[1, 1, 0, 0, 0]] * 2)
        np.testing.assert_allclose(total, np.log(1197 + 3 * np.e), rtol=1e-5)
        np.testing.assert_array_equal(eos, 0)


@examples(20)
@given(st.data(), seeds, storages.filter(lambda storage: "panels" not in storage))
def test_top_logits_of_several_lists(library, data, rng, storage):
    """Each row gives what it gives alone, bit for bit."""
    vocabulary, lists, rows = 700, data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    depth = width_for(storage, data.draw(sizes))
    x, table = normal(rng, lists * rows, depth), Matrix(rng, (vocabulary, depth), storage)
    bias, width = normal(rng, vocabulary), data.draw(st.sampled_from([1, 8]))
    shortlists, counts = np.full((lists, vocabulary), -5, "i"), rng.integers(0, 600, lists)
    for row, count in zip(shortlists, counts):
        chosen = rng.choice(np.arange(3, vocabulary), max(count - 1, 0), replace=False)
        row[:count] = np.sort([2, *chosen])[:count]

    def run(level, x, shortlists, counts):
        inputs = [[0, 1, 2], x, table, bias, shortlists, [*counts], [0] * width]
        shapes = [(len(x), width), ("i", (len(x), width)), (len(x), 1), (len(x), 1)]
        return library.run("tfc.TopLogits", level, inputs, shapes)

    for level in library.levels:
        together = run(level, x, shortlists, counts)
        for i, row in enumerate(x):
            one = slice(i // rows, i // rows + 1)
            alone = run(level, row[np.newaxis], shortlists[one].copy(), counts[one])
            for several, own in zip(together, alone):
                np.testing.assert_array_equal(several[i : i + 1], own)


def widths(data):
    """A function that draws widths of layers, and the storages of their weights."""
    step, count = data.draw(st.sampled_from([(1, 3), (2, 4), (32, 5)]))
    some = data.draw(st.lists(st.sampled_from(STORAGES[:count]), min_size=1, max_size=3))
    return (lambda: step * data.draw(st.integers(1, 150 // step))), cycle(some)


@examples(40)
@given(st.data(), seeds, codes, st.booleans())
def test_decoder(library, data, rng, code, first):
    sentences, rows, length, memory = (data.draw(st.integers(1, most)) for most in (3, 3, 20, 20))
    batch = sentences * rows
    places = data.draw(st.sampled_from([1, batch]))
    positions = rng.integers(0, length, places)
    lengths = rng.integers(1, memory + 1, sentences)
    draw, some = widths(data)
    width, inner, own, cross = (draw() for _ in range(4))
    heads = data.draw(divisors(own)), data.draw(divisors(cross))
    shapes = dict.fromkeys(("query", "key", "value"), (own, width))
    shapes |= {"output": (width, own), "cross_query": (cross, width)}
    shapes |= {"cross_output": (width, cross), "first": (inner, width), "second": (width, inner)}
    layers = [Layer(rng, shapes, 3, width, some) for _ in range(data.draw(st.integers(1, 2)))]
    # Which layer, and which part of the memory, each depth has.
    some_depths = st.tuples(st.integers(0, len(layers) - 1), st.integers(0, 1))
    depths = data.draw(st.lists(some_depths, min_size=1, max_size=3))
    x = normal(rng, batch, width)
    own_shape = batch, len(depths) * heads[0], length, own // heads[0]
    caches = [normal(rng, *own_shape) for _ in range(2)]
    memories = [normal(rng, sentences, 2 * heads[1], memory, cross // heads[1]) for _ in range(2)]
    config = [code, int(first), LAYER_BITS]
    for layer, part in depths:
        config += [layer, heads[0], part * heads[1], heads[1]]

    def of_row(row):
        updated, y, sentence = ([], []), x[row : row + 1], row // rows
        for depth, (layer, part) in enumerate(depths):
            own = slice(depth * heads[0], (depth + 1) * heads[0])
            other = slice(part * heads[1], (part + 1) * heads[1])
            given_memories = [
                one[sentence : sentence + 1, other, : lengths[sentence]] for one in memories
            ]
            y, *new = reference.decoder_layer(
                *(layers[layer], y, np.broadcast_to(positions, batch)[row]),
                *([cache[row : row + 1, own] for cache in caches], given_memories),
                *(heads, code, first, LAYER_EPSILON),
            )
            for kept, one in zip(updated, new):
                kept.append(one)
        return [y, *(np.concatenate(parts, axis=1) for parts in updated)]

    expected = [np.concatenate(parts) for parts in zip(*map(of_row, range(batch)))]
    operands = [operand for layer in layers for operand in layer.operands()]
    inputs = [config, x, [*positions], *caches, *memories, [*lengths], *operands]
    # Later layers see what earlier ones rounded.
    margin = min(layer.margin for layer in layers) if len(depths) == 1 else 0
    check(library, "tfc.Decoder", inputs, expected, margin=margin, in_place=[(3, 1), (4, 2)])


@examples(40)
@given(st.data(), seeds, codes, st.booleans())
def test_recurrent_decoder(library, data, rng, code, first):
    sentences, rows, memory = (data.draw(st.integers(1, most)) for most in (3, 3, 20))
    batch, lengths = sentences * rows, rng.integers(1, memory + 1, sentences)
    draw, some = widths(data)
    width, inner, cross = (draw() for _ in range(3))
    heads = data.draw(divisors(cross))
    shapes = {"candidate": (width, width), "gate": (width, width), "cross_query": (cross, width)}
    shapes |= {"cross_output": (width, cross), "first": (inner, width), "second": (width, inner)}
    layers = [Layer(rng, shapes, 3, width, some) for _ in range(data.draw(st.integers(1, 2)))]
    # Which layer, and which part of the memory, each use has.
    some_uses = st.tuples(st.integers(0, len(layers) - 1), st.integers(0, 1))
    uses = data.draw(st.lists(some_uses, min_size=1, max_size=3))
    x, cells = normal(rng, batch, width), normal(rng, batch, len(uses), width)
    memories = [normal(rng, sentences, 2 * heads, memory, cross // heads) for _ in range(2)]
    config = [code, int(first), LAYER_BITS]
    for layer, part in uses:
        config += [layer, part * heads, heads]

    def of_row(row):
        updated, y, sentence = [], x[row : row + 1], row // rows
        for i, (layer, part) in enumerate(uses):
            own = slice(part * heads, (part + 1) * heads)
            own_memories = [
                one[sentence : sentence + 1, own, : lengths[sentence]] for one in memories
            ]
            y, cell = reference.recurrent_layer(
                *(layers[layer], y, cells[row : row + 1, i], own_memories, heads),
                *(code, first, LAYER_EPSILON),
            )
            updated.append(cell)
        return y, np.stack(updated, axis=1)

    operands = [operand for layer in layers for operand in layer.operands()]
    inputs = [config, x, cells, *memories, [*lengths], *operands]
    # Later layers see what earlier ones rounded.
    margin = min(layer.margin for layer in layers) if len(uses) == 1 else 0
    expected = [np.concatenate(parts) for parts in zip(*map(of_row, range(batch)))]
    check(library, "tfc.RecurrentDecoder", inputs, expected, margin=margin, in_place=[(2, 1)])


@examples(40)
@given(st.data(), seeds, codes, st.booleans())
def test_encoder_layer(library, data, rng, code, first):
    draw, some = widths(data)
    width, inner, own = (draw() for _ in range(3))
    heads, length = data.draw(divisors(own)), data.draw(st.integers(1, 30))
    shapes = dict.fromkeys(("query", "key", "value"), (own, width))
    shapes |= {"output": (width, own), "first": (inner, width), "second": (width, inner)}
    layer = Layer(rng, shapes, 2, width, some)
    x = normal(rng, 1, length, width)
    y = reference.encoder_layer(layer, x, heads, code, first, LAYER_EPSILON)
    inputs = [[heads, code, int(first), LAYER_BITS], x, *layer.operands()]
    check(library, "tfc.EncoderLayer", inputs, [y], margin=layer.margin)


def usable():
    """Operands of each operation, as tensors, and the shapes of its outputs."""
    rng = np.random.default_rng(0)

    def z(*shape):
        return np.zeros(shape, "f")

    def one(rows, cols):
        return [Matrix(rng, (rows, cols), "int8"), z(rows)]

    cache, four, memory = z(2, 2, 6, 4), z(4, 2, 6, 4), z(1, 2, 5, 4)
    layers = [part for _ in range(3) for part in one(8, 8)]
    norms = [z(8) for _ in range(4)]
    lists = np.arange(20, dtype="i")[np.newaxis]
    top = [[0, 1, 2], z(2, 8), *one(20, 8), lists, [4], [0] * 3]
    group = [
        [0, 2, 1, 1, 1, EPSILON_BITS],
        z(3, 8),
        Matrix(rng, (2, 3, 4), "int8"),
        z(6),
        z(3),
        z(3),
    ]
    decoder = [[1, 0, EPSILON_BITS, 0, 2, 0, 2], z(4, 8), [5], four, four, memory, memory, [5]]
    decoder += [*layers, *layers, *one(16, 8), *one(8, 16), *norms, *norms[:2]]
    recurrent = [[1, 0, EPSILON_BITS, 0, 0, 2], z(2, 8), z(2, 1, 8), memory, memory, [5]]
    recurrent += [*one(8, 8), *one(8, 8), *one(8, 8), *one(8, 8), *one(16, 8), *one(8, 16)]
    recurrent += [*norms, *norms[:2]]
    encoder = [[2, 1, 0, EPSILON_BITS], z(1, 5, 8), *layers, *one(8, 8), *one(16, 8), *one(8, 16)]
    taps = Matrix(rng, (6, 8), "int8")
    history = z(2, 1, 4, 8)
    step = [[2, 3, 2, 1, 0], z(2, 8)]
    operations = {
        "tfc.GroupTransform": (group, [(3, 6)]),
        "tfc.FixedPatterns": ([[1, 3, 4], z(2, 5, 8)], [(2, 5, 8)]),
        "tfc.DynamicConv": ([[2, 3, 1, 1, 1], z(2, 5, 16), taps], [(2, 5, 8)]),
        "tfc.LightweightConv": ([[2, 3, 1, 1, 1], z(2, 5, 16), z(2, 3)], [(2, 5, 8)]),
        "tfc.DynamicConvStep": ([*step, taps, history, [3]], [(2, 8), history.shape]),
        "tfc.LightweightConvStep": ([*step, z(2, 3), history, [3]], [(2, 8), history.shape]),
        "tfc.CachedAttention": (
            [[2], *[z(2, 8)] * 3, cache, cache, [5]],
            [(2, 8), cache.shape, cache.shape],
        ),
        "tfc.MemoryAttention": ([[2], z(2, 8), memory, memory], [(2, 8)]),
        "tfc.TopLogits": (top, [(2, 3), ("i", (2, 3)), (2, 1), (2, 1)]),
        "tfc.Decoder": (decoder, [(4, 8), four.shape, four.shape]),
        "tfc.RecurrentDecoder": (recurrent, [(2, 8), (2, 1, 8)]),
        "tfc.EncoderLayer": ([*encoder, *norms], [(1, 5, 8)]),
    }
    return {name: (flat(inputs), shapes) for name, (inputs, shapes) in operations.items()}


OPERATIONS = usable()


def made(shapes):
    return [np.zeros(shape, storage) for storage, shape in map(storage_and_shape, shapes)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_wrong_operands(library, name):
    inputs, shapes = OPERATIONS[name]
    outputs = made(shapes)
    assert library.call(name, None, inputs, outputs) == (0, "")
    for place, tensors in enumerate((inputs, outputs)):
        for index, tensor in enumerate(tensors):
            for wrong in wrongs(tensor):
                given = [[*inputs], [*outputs]]
                given[place][index] = wrong
                status, message = library.call(name, None, *given)
                assert status == BAD_BUNDLE, (place, index, wrong.shape, wrong.dtype)
                assert name in message or "an operand" in message
    for given in (inputs[:-1], [*inputs, inputs[-1]]):
        assert library.call(name, None, given, outputs)[0] == INVALID


def wrongs(tensor):
    """Tensors of another type, rank, or extents; never with less data than they claim."""
    yield np.zeros(tensor.shape, "f" if tensor.dtype == "i" else "i")
    yield np.zeros((*tensor.shape, 1), tensor.dtype)
    yield np.zeros(tensor.shape[1:], tensor.dtype)
    for axis, extent in enumerate(tensor.shape):
        for other in (0, extent + 1, 7 * extent):
            yield np.zeros((*tensor.shape[:axis], other, *tensor.shape[axis + 1 :]), tensor.dtype)


WRONG_VALUES = {
    "tfc.GroupTransform": [
        *[(0, 0, value) for value in (-1, 2)],
        *[(0, 1, value) for value in (0, -1, 3, 2**31 - 1)],
        *[(0, place, value) for place in (2, 3) for value in (-1, 2)],
        *[(0, 4, value) for value in (-1, 7)],
        *[(0, 5, int(np.float32(value).view("i"))) for value in (-1, np.inf, np.nan)],
    ],
    "tfc.FixedPatterns": [(0, 0, 2), (0, 0, -1), (0, 1, 8), (0, 2, -1)],
    "tfc.DynamicConv": [
        *[(0, 0, value) for value in (0, -2, 3, 2**31 - 1)],
        *[(0, 1, value) for value in (0, -3, 4, 2**31 - 1)],
        *[(0, 2, value) for value in (-1, 3, -(2**31))],
        *[(0, place, value) for place in (3, 4) for value in (-1, 2)],
        (0, 4, 0),
    ],
    "tfc.LightweightConv": [(0, 0, 4), (0, 1, 2), (0, 2, 3), (0, 3, 5), (0, 4, 0)],
    "tfc.DynamicConvStep": [(0, 2, 1), (0, 4, 1), (5, 0, -1), (5, 0, 4), (5, 0, 2**31 - 1)],
    "tfc.LightweightConvStep": [(0, 2, 1), (0, 4, 1), (4, 0, -1), (4, 0, 4)],
    "tfc.CachedAttention": [(0, 0, 0), (0, 0, 4), (0, 0, 3), (6, 0, -1), (6, 0, 6)],
    "tfc.MemoryAttention": [(0, 0, 0), (0, 0, 4), (0, 0, 3)],
    "tfc.TopLogits": [
        *[(0, 2, value) for value in (-1, 20, 5)],
        *[(6, 0, value) for value in (-1, 21, 1, 2, 2**31 - 1)],
        *[(5, (0, 0), value) for value in (-1, 1)],
        *[(5, (0, 3), value) for value in (20, 2, 2**31 - 1)],
    ],
    "tfc.Decoder": [
        *[(0, place, value) for place in (4, 6) for value in (0, 1, 4, -1, 2**31 - 1)],
        *[(0, 0, -1), (0, 0, 7), (0, 1, 2), (0, 2, -1)],
        *[(0, 3, value) for value in (-1, 1)],
        *[(0, 5, value) for value in (-1, 1, 2**31 - 1)],
        *[(2, 0, value) for value in (-1, 6)],
        *[(7, 0, value) for value in (-1, 0, 6, 2**31 - 1)],
    ],
    "tfc.RecurrentDecoder": [
        *[(0, 5, value) for value in (0, 1, 4, -1, 2**31 - 1)],
        *[(0, 0, -1), (0, 0, 7), (0, 1, 2), (0, 2, -1)],
        *[(0, 3, value) for value in (-1, 1)],
        *[(0, 4, value) for value in (-1, 1, 2**31 - 1)],
        *[(5, 0, value) for value in (-1, 0, 6, 2**31 - 1)],
    ],
    "tfc.EncoderLayer": [(0, 0, 0), (0, 0, 3), (0, 1, 7), (0, 2, -1), (0, 3, -1)],
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_wrong_values(library, name):
    inputs, shapes = OPERATIONS[name]
    for index, place, value in WRONG_VALUES[name]:
        given = [one.copy() for one in inputs]
        given[index][place] = value
        status, message = library.call(name, None, given, made(shapes))
        assert (status, name in message) == (BAD_BUNDLE, True), (index, place, value)


def test_weights_of_four_bits_have_even_rows(library):
    inputs, shapes = OPERATIONS["tfc.TopLogits"]
    for width, scales in ((7, (20,)), (8, (20, 1)), (48, (20, 1)), (32, (20, 2)), (32, (1, 20))):
        x = np.zeros((2, width), "f")
        table = Stored(INT4, np.zeros((20, width + width % 2), "b"))
        table.shape = (20, width)
        given = [inputs[0], x, table, np.zeros(scales, "f"), *inputs[4:]]
        assert library.call("tfc.TopLogits", None, given, made(shapes))[0] == BAD_BUNDLE


def test_wrong_calls(library):
    inputs, shapes = OPERATIONS["tfc.MemoryAttention"]
    outputs = made(shapes)
    assert library.call("tfc.Nothing", None, inputs, outputs)[0] == INVALID
    status, message = library.call("tfc.MemoryAttention", "sse9", inputs, outputs)
    assert status == INVALID
    assert all(level in message for level in library.levels)
    operands, result = ((CTensor * len(some))(*map(view, some)) for some in (inputs, outputs))
    for field, value in (("type", 6), ("type", -1), ("rank", -1), ("rank", 9), ("data", None)):
        before = getattr(operands[1], field)
        setattr(operands[1], field, value)
        arguments = (c_size_t(len(inputs)), operands, c_size_t(1), result)
        assert library.c.tfc_run_op(b"tfc.MemoryAttention", None, *arguments) == INVALID
        setattr(operands[1], field, before)
    assert library.c.tfc_run_op(None, None, *arguments) == INVALID
    assert library.c.tfc_run_op(b"tfc.MemoryAttention", None, *arguments) == 0


def test_the_environment_chooses_the_level(built):
    code = (
        "import ctypes, sys; c = ctypes.CDLL(sys.argv[1]); c.tfc_last_error.restype = "
        "ctypes.c_char_p; none = ctypes.c_size_t(0); "
        "print(c.tfc_run_op(b'tfc.MemoryAttention', None, none, None, none, None), "
        "c.tfc_last_error().decode())"
    )
    for level, expected in (("portable", "another number"), ("sse9", "Received: sse9")):
        command = [sys.executable, "-c", code, str(built / "libtfcompress.so")]
        environment = os.environ | {"TFCOMPRESS_LEVEL": level}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout.startswith(str(INVALID))
        assert expected in done.stdout
