"""Lightweight and dynamic convolution in numpy, one position at a time; and what tests share."""

import numpy as np
from hypothesis import strategies as st
from layers.harness import lengths_mask

WIDTH = 8
OPTIONS = st.fixed_dictionaries(
    {
        "kernel_size": st.integers(1, 9) | st.just(31),
        "num_heads": st.sampled_from([1, 2, 4, 8]),
        "causal": st.booleans(),
        "weight_softmax": st.booleans(),
        "project": st.booleans(),
        "gated": st.booleans(),
        "mask_after_linear": st.booleans(),
        "use_bias": st.booleans(),
    }
)
LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=3)


def parameters(width, kernels, project=True, gated=False, bias=True):
    """The closed formula of the docstrings, beside the parameters of the kernels."""
    blocks = (3 if gated else 2) if project else 0
    return kernels + blocks * width * width + (blocks * width if bias else 0)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def affine(x, kernel, bias=0):
    return x @ kernel + bias


def convolved(layer, x, mask=None):
    """What a layer must give: `x` `[batch, length, width]`, `mask` true at tokens."""
    parts = (layer.linear1, layer.linear2) if layer.project else ()
    dense = [part.get_weights() for part in parts]
    dynamic = hasattr(layer, "weight_linear")
    kernel = (layer.weight_linear.get_weights() if dynamic else layer.get_weights())[0]
    before = layer.kernel_size - 1 if layer.causal else layer.kernel_size // 2
    block = x.shape[-1] // layer.num_heads
    output = np.zeros_like(x)
    for b in range(len(x)):
        u = x[b].copy()
        padding = np.zeros(len(u), bool) if mask is None else ~mask[b]
        if not layer.mask_after_linear:
            u[padding] = 0
        if dense:
            u = affine(u, *dense[0])
            if layer.gated:
                u = u[:, : x.shape[-1]] / (1 + np.exp(-u[:, x.shape[-1] :]))
        if layer.mask_after_linear:
            u[padding] = 0
        for t in range(len(u)):
            taps = (u[t] @ kernel).reshape(layer.num_heads, -1) if dynamic else kernel
            if layer.weight_softmax:
                taps = softmax(taps)
            for k in range(layer.kernel_size):
                if 0 <= t + k - before < len(u):
                    output[b, t] += np.repeat(taps[:, k], block) * u[t + k - before]
        if dense:
            output[b] = affine(output[b], *dense[1])
    return output


def positions_that_differ(layer, x, lengths):
    """Returns for each sequence the positions where padding changes what a token gets."""
    padded = np.asarray(layer(x, padding_mask=lengths_mask(lengths, x.shape[1])))
    differ = []
    for row, length in enumerate(lengths):
        alone = np.asarray(layer(x[row : row + 1, :length]))[0]
        distance = np.abs(padded[row, :length] - alone).max(axis=-1)
        differ.append(np.flatnonzero(distance > 1e-4).tolist())
    return differ
