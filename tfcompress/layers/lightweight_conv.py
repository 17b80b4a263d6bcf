"""Lightweight convolution."""

import tensorflow as tf

from tfcompress.layers.common.convolution import SequenceConvolution
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.shapes import known_or_dynamic_shape


@register
class LightweightConv(SequenceConvolution):
    """Depthwise convolution with a few fixed kernels, between two dense layers.

    Channels are split into `num_heads` contiguous blocks; the channels of a block share a kernel,
    which a softmax over its taps normalizes: `y[t] = sum_k w[k] * u[t + k - before]`, where
    `before` is `kernel_size // 2`, or `kernel_size - 1` in the causal form, `u` is 0 outside the
    sequence and `w` is the same at its edges.

    Number of parameters, with input width `d`: `num_heads * kernel_size`; with `project`
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
        mask_after_linear: Whether padding is cleared after `linear1` rather than before it, so
            that it never changes a token. The reference code clears it before: what padding holds
            changes nothing then either, but it becomes `linear1`'s bias (through the gate), which
            reaches tokens as far from padding as the kernel does.
        use_bias: Whether the dense layers have biases.
        kernel_initializer: Initializer of the dense layers' kernels and of the convolution's,
            made as `[kernel_size, 1, num_heads]`.
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

    >>> layer = tfc.layers.LightweightConv(kernel_size=7, num_heads=4)
    >>> layer(np.random.rand(2, 5, 32).astype("float32")).shape
    TensorShape([2, 5, 32])

    References: Wu et al., 2019, arXiv:1901.10430; Wu et al., 2020, arXiv:2004.11886.
    """

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
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.num_heads, self.kernel_size),
            initializer=self._initial_kernel,
        )

    def _initial_kernel(self, shape, dtype=None):
        # Glorot's bounds follow from the shape: that of a convolution is the reference code's.
        heads, taps = shape
        return tf.transpose(self.kernel_initializer((taps, 1, heads), dtype=dtype)[:, 0])

    def _convolve(self, x, training):
        # One DEPTHWISE_CONV_2D: of the forms tried the fastest, in training as on the device.
        kernel = self._normalize(tf.cast(self.kernel, x.dtype), training)
        kernel = tf.repeat(tf.transpose(kernel), self._head_dim, axis=1)
        batch, length = known_or_dynamic_shape(x, rank=2)
        y = tf.reshape(x, [batch, 1, length, self._width])
        y = tf.pad(y, [[0, 0], [0, 0], [self._before, self._after], [0, 0]])
        y = tf.nn.depthwise_conv2d(
            y, kernel[tf.newaxis, :, :, tf.newaxis], strides=[1, 1, 1, 1], padding="VALID"
        )
        return tf.reshape(y, [batch, length, self._width])

    def _operand(self):
        return tf.convert_to_tensor(self.kernel)

    def _kernel_at(self, x):
        return self._normalize(tf.cast(self.kernel, x.dtype))[tf.newaxis]
