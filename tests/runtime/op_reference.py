"""The custom operations in float64, as their definitions read; weights round their input."""

import math

import numpy as np

from tfcompress.layers.common.fixed_patterns import PATTERNS, pattern_matrix

STORAGES = ("float32", "int8", "panels", "int4", "int4_panels", "blocks", "block_panels")
IN_BLOCKS = ("blocks", "block_panels")


class Matrix:
    """A weight `[..., outputs, inputs]`, stored in some way, and what a product with it is to give.

    Attributes:
        margin: How far the closest product of an inexact input was from being rounded otherwise.
    """

    def __init__(self, rng, shape, storage="float32"):
        *outer, rows, cols = shape
        self.storage, self.shape, self.margin = storage, shape, np.inf
        units = math.prod(outer) * rows
        if storage == "float32":
            self.values = rng.normal(size=shape).astype("f") / np.float32(math.sqrt(cols))
            self.scales = np.zeros(1, "f")
            self.exact = self.values.astype("d")
            return
        limit = 127 if storage in ("int8", "panels") else 7
        self.values = rng.integers(-limit - (limit < 100), limit + 1, shape).astype("b")
        blocks = (units, cols // 32) if storage in IN_BLOCKS else (units,)
        self.scales = (rng.uniform(0.5, 2, blocks) / (limit * math.sqrt(cols))).astype("f")
        each = self.scales.reshape(*outer, rows, -1)
        self.exact = self.values * np.repeat(each, cols // each.shape[-1], axis=-1).astype("d")

    def dot(self, x, group=...):
        """The product of rows with the weight, or with one of its groups."""
        if self.storage != "float32":
            x = self._round(x)
        return x.astype("d") @ self.exact[group].T

    def _round(self, x):
        largest = np.abs(x.astype("f")).max(axis=-1, keepdims=True)
        factor = np.divide(np.float32(127), largest, where=largest > 0, out=np.zeros_like(largest))
        if x.dtype == np.float64:
            scaled = x * factor
            self.margin = min(self.margin, np.abs(np.abs(scaled % 1) - 0.5).min())
        return np.rint(x.astype("f") * factor).astype("d") * (largest / np.float32(127))


def activate(code, x):
    erf = np.vectorize(math.erf, otypes="d")
    return (
        lambda: x,
        lambda: np.maximum(x, 0),
        lambda: x * (1 + erf(x / math.sqrt(2))) / 2,
        lambda: x * sigmoid(x),
        lambda: np.tanh(x),
        lambda: sigmoid(x),
        lambda: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    )[code]()


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype("d")))


def softmax(x):
    exps = np.exp(x - x.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


def layer_norm(x, gamma, beta, epsilon):
    centred = x.astype("d") - x.astype("d").mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + epsilon) * gamma + beta


def group_linear(x, weight, bias, gamma, beta, shuffle, normalize, code, epsilon):
    groups, units, width = weight.shape
    parts = x.reshape(*x.shape[:-1], groups, width)
    y = np.stack([weight.dot(parts[..., k, :], k) for k in range(groups)], axis=-2)
    y += bias.reshape(groups, units)
    if shuffle:
        y = np.swapaxes(y, -1, -2).reshape(y.shape)
    if normalize:
        y = layer_norm(y, gamma, beta, epsilon)
    return activate(code, y.reshape(*x.shape[:-1], groups * units))


def fixed_patterns(values, patterns, edges):
    heads = np.split(values.astype("d"), len(patterns), axis=-1)
    return np.concatenate(
        [pattern_matrix(PATTERNS[p], values.shape[1], edges) @ v for p, v in zip(patterns, heads)],
        axis=-1,
    )


def gate(x, gated):
    if not gated:
        return x
    value, gates = np.split(x, 2, axis=-1)
    return value * sigmoid(gates)


def convolve(u, taps, before):
    """`u` is `[batch, length, width]`; `taps`, broadcast to `[batch, length, heads, size]`."""
    batch, length, width = u.shape
    *_, heads, size = taps.shape
    taps = np.repeat(np.broadcast_to(taps, (batch, length, heads, size)), width // heads, axis=2)
    y = np.zeros(u.shape)
    for t in range(length):
        for k in range(size):
            if 0 <= t + k - before < length:
                y[:, t] += taps[:, t, :, k] * u[:, t + k - before]
    return y


def dynamic_taps(u, weight, heads, normalize):
    taps = weight.dot(u).reshape(*u.shape[:-1], heads, -1)
    return softmax(taps) if normalize else taps


def attend(q, keys, values):
    """`[..., queries, width]` over `[..., length, width]`."""
    scores = q.astype("d") @ np.swapaxes(keys, -1, -2) / math.sqrt(q.shape[-1])
    return softmax(scores) @ values


def split_heads(x, heads):
    """`[batch, heads, 1, width]` of `[batch, heads * width]`."""
    return x.reshape(len(x), heads, 1, -1)


def cached_attention(q, k, v, keys, values, position, heads):
    keys, values = keys.astype("d"), values.astype("d")
    keys[:, :, position] = split_heads(k, heads)[:, :, 0]
    values[:, :, position] = split_heads(v, heads)[:, :, 0]
    live = slice(position + 1)
    y = attend(split_heads(q, heads), keys[:, :, live], values[:, :, live])
    return y.reshape(q.shape), keys, values


def memory_attention(q, keys, values, heads):
    return attend(split_heads(q, heads), keys, values).reshape(q.shape)


def top_logits(x, table, bias, shortlist, width, pad, bos, eos):
    logits = table.dot(x) + bias
    ids = np.arange(len(bias)) if len(shortlist) == 0 else shortlist
    kept = logits[:, ids]
    values = np.full((len(x), width), -np.inf)
    top = np.full((len(x), width), -1)
    # Who wants all wants these too.
    excluded = () if width == len(bias) else (pad, bos)
    for row, of_row in enumerate(kept):
        order = [i for i in np.argsort(-of_row, kind="stable") if ids[i] not in excluded][:width]
        values[row, : len(order)], top[row, : len(order)] = of_row[order], ids[order]
    largest = kept.max(axis=-1, keepdims=True)
    total = largest + np.log(np.exp(kept - largest).sum(axis=-1, keepdims=True))
    return values, top, total if width > 1 else np.zeros_like(total), logits[:, [eos]]


class Layer:
    """The weights of a layer: pairs of a matrix and a bias by name, and pairs for the norms."""

    def __init__(self, rng, shapes, num_norms, width, storages):
        self.dense = {
            name: (Matrix(rng, shape, next(storages)), rng.normal(size=shape[0]).astype("f") / 10)
            for name, shape in shapes.items()
        }
        self.norms = [
            tuple(rng.normal(size=(2, width)).astype("f") / 10 + [[1], [0]])
            for _ in range(num_norms)
        ]
        self.norms = [tuple(part.astype("f") for part in norm) for norm in self.norms]

    def __call__(self, name, x):
        matrix, bias = self.dense[name]
        return matrix.dot(x) + bias

    def operands(self):
        flat = [one for pair in self.dense.values() for one in pair]
        return [*flat, *(part for norm in self.norms for part in norm)]

    @property
    def margin(self):
        return min(matrix.margin for matrix, _ in self.dense.values())


def _residual(x, norm, part, normalize_first, epsilon):
    if normalize_first:
        return x + part(layer_norm(x, *norm, epsilon))
    return layer_norm(x + part(x), *norm, epsilon)


def decoder_layer(layer, x, position, caches, memories, heads, code, first, epsilon):
    actual = []

    def self_attention(h):
        rows = [layer(name, h) for name in ("query", "key", "value")]
        context, *updated = cached_attention(*rows, *caches, position, heads[0])
        actual.extend(updated)
        return layer("output", context)

    cross_attention = _cross_attention(layer, memories, heads[1])
    parts = (self_attention, cross_attention, _feed_forward(layer, code))
    for norm, part in zip(layer.norms, parts):
        x = _residual(x, norm, part, first, epsilon)
    return x, *actual


def recurrent_layer(layer, x, cell, memories, heads, code, first, epsilon):
    def recur(h):
        nonlocal cell
        gate = 1 / (1 + np.exp(-layer("gate", h)))
        cell = gate * cell + (1 - gate) * layer("candidate", h)
        return np.maximum(cell, 0)

    parts = (recur, _cross_attention(layer, memories, heads), _feed_forward(layer, code))
    for norm, part in zip(layer.norms, parts):
        x = _residual(x, norm, part, first, epsilon)
    return x, cell


def _cross_attention(layer, memories, heads):
    return lambda h: layer(
        "cross_output", memory_attention(layer("cross_query", h), *memories, heads)
    )


def encoder_layer(layer, x, heads, code, first, epsilon):
    def attention(h):
        rows = [layer(name, h) for name in ("query", "key", "value")]
        q, k, v = (row.reshape(*row.shape[:-1], heads, -1).swapaxes(-2, -3) for row in rows)
        context = attend(q, k, v).swapaxes(-2, -3)
        return layer("output", context.reshape(rows[0].shape))

    for norm, part in zip(layer.norms, (attention, _feed_forward(layer, code))):
        x = _residual(x, norm, part, first, epsilon)
    return x


def _feed_forward(layer, code):
    return lambda h: layer("second", activate(code, layer("first", h)))
