"""Dynamic convolution."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.convolution import SequenceConvolution
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.shapes import known_or_dynamic_shape
from tfcompress.layers.common.sublayers import build_sublayer
from tfcompress.layers.dense import Dense


@register
class DynamicConv(SequenceConvolution):
    """Depthwise convolution with kernels predicted at every position, between two dense layers.

    As `LightweightConv`, but the kernels of position `t` are the softmax over the taps of
    `weight_linear(u[t])`, a dense layer without bias, where `u` is what the convolution is
    applied to.

    Number of parameters, with input width `d`: `num_heads * kernel_size * d`; with `project`
    `3*d*d` more (`2*d*d` if not gated), and `3*d` (`2*d`) with biases.

    Args:
        kernel_size: Number of taps.
        num_heads: Number of kernels, a divisor of the width.
        causal: Whether a position sees only itself and earlier ones.
        weight_softmax: Whether a softmax normalizes the kernels.
        weight_dropout: Dropout rate on the taps of the normalized kernels (DropConnect).
        project: Whether there are dense layers `linear1` and `linear2` before and after the
            convolution; without them the convolution stands alone.
        gated: Whether `linear1` is twice as wide with a gated linear unit behind it.
        mask_after_linear: Whether padding is cleared after `linear1` rather than before it, as in
            `LightweightConv`.
        use_bias: Whether `linear1` and `linear2` have biases.
        kernel_initializer: Initializer of the kernels of `linear1` and `linear2`. That of
            `weight_linear` starts uniform within `1 / sqrt(d)`, as in the reference code.
        bias_initializer: Initializer of the biases.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.
        padding_mask: Which positions are tokens, boolean or integer `[batch, length]`, or
            additive `[batch, 1, 1, length]` as `PaddingMask` gives it.
        training: Whether dropout is active.

    Returns:
        `[batch, length, width]`.

    Raises:
        ValueError: If a size or rate is impossible, or the width is not divisible by `num_heads`.

    Example:

    >>> layer = tfc.layers.DynamicConv(kernel_size=7, num_heads=4)
    >>> layer(np.random.rand(2, 5, 32).astype("float32")).shape
    TensorShape([2, 5, 32])

    References: Wu et al., 2019, arXiv:1901.10430; Wu et al., 2020, arXiv:2004.11886.
    """

    is_dynamic = True

    def __init__(
        self,
        kernel_size: int,
        *,
        num_heads: int,
        causal: bool = False,
        weight_softmax: bool = True,
        weight_dropout: float = 0.0,
        project: bool = True,
        gated: bool = True,
        mask_after_linear: bool = True,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(
            kernel_size,
            num_heads=num_heads,
            causal=causal,
            weight_softmax=weight_softmax,
            weight_dropout=weight_dropout,
            project=project,
            gated=gated,
            mask_after_linear=mask_after_linear,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            **kwargs,
        )

    def _build_kernel(self, width):
        self.weight_linear = Dense(
            self.num_heads * self.kernel_size,
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform"),
            dtype=self.dtype_policy,
            name="weight_linear",
        )
        build_sublayer(self.weight_linear, (None, width))

    def _convolve(self, x, training):
        sizes = known_or_dynamic_shape(x, rank=2)
        kernel = tf.reshape(self.weight_linear(x), [*sizes, self.num_heads, self.kernel_size])
        kernel = self._normalize(kernel, training)
        heads = tf.reshape(x, [*sizes, self.num_heads, self._head_dim])
        return tf.reshape(_weigh_taps(heads, kernel, self._before), [*sizes, self._width])

    def _operand(self):
        return tf.transpose(tf.convert_to_tensor(self.weight_linear.kernel))

    def _kernel_at(self, x):
        kernel = tf.reshape(self.weight_linear(x), [-1, self.num_heads, self.kernel_size])
        return self._normalize(kernel)


def _weigh_taps(x, kernel, before):
    """Returns `y[b, t, h] = sum_k kernel[b, t, h, k] * x[b, t + k - before, h]`.

    The derivatives are written as sums over taps too. Those that TensorFlow derives write each
    slice into a whole tensor of zeros, which takes 5 to 10 times as long.

    Args:
        x: `[batch, length, num_heads, head_dim]`.
        kernel: `[batch, length, num_heads, kernel_size]`.
        before: Taps before the position.
    """
    size = kernel.shape[-1]
    after = size - 1 - before

    @tf.custom_gradient
    def weigh(x, kernel):
        y = _sum(kernel[..., k : k + 1] * tap for k, tap in enumerate(_taps(x, size, before)))

        def gradients(dy):
            # Each position is tap k of the position that is `before - k` later.
            pairs = zip(reversed(_taps(dy, size, after)), reversed(_taps(kernel, size, after)))
            dx = _sum(weights[..., k : k + 1] * d for k, (d, weights) in enumerate(pairs))
            dkernel = [
                tf.reduce_sum(dy * tap, axis=-1, keepdims=True) for tap in _taps(x, size, before)
            ]
            return dx, tf.concat(dkernel, axis=-1)

        return y, gradients

    return weigh(x, kernel)


def _taps(x, size, before):
    """Returns `size` shifted copies of `x`; the k-th holds `x[:, t + k - before]`, 0 outside."""
    padded = tf.pad(x, [[0, 0], [before, size - 1 - before], [0, 0], [0, 0]])
    return [padded[:, k : k - size + 1 or None] for k in range(size)]


def _sum(terms):
    # One by one, as ADD_N is an operation that the fast kernels of LiteRT lack.
    terms = iter(terms)
    total = next(terms)
    for term in terms:
        total += term
    return total
