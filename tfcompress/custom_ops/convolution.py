"""Lightweight and dynamic convolution, over a sequence and step by step."""

from dataclasses import dataclass

import tensorflow as tf

from tfcompress.custom_ops import names
from tfcompress.custom_ops.emission import emit


@dataclass(frozen=True)
class Convolution:
    """The attributes of a convolution whose channels share kernels in blocks.

    Attributes:
        num_heads: Number of kernels.
        kernel_size: Number of taps.
        before: Taps before the position.
        softmax: Whether a softmax normalizes the kernels.
        gated: Whether the input is twice as wide, for a gated linear unit in front.
        dynamic: Whether kernels are predicted at every position, by a weight
            `[num_heads * kernel_size, width]`, rather than fixed, `[num_heads, kernel_size]`.
    """

    num_heads: int
    kernel_size: int
    before: int
    softmax: bool
    gated: bool
    dynamic: bool

    @property
    def name(self) -> str:
        """The operation over sequences."""
        return names.DYNAMIC_CONV if self.dynamic else names.LIGHTWEIGHT_CONV

    @property
    def step_name(self) -> str:
        """The operation of one position."""
        return names.DYNAMIC_CONV_STEP if self.dynamic else names.LIGHTWEIGHT_CONV_STEP

    def call(self, x: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        """Convolves sequences.

        Args:
            x: `[batch, length, width]`, or twice as wide.
            weight: Predicts the kernels, or is them.

        Returns:
            `[batch, length, width]`.
        """

        def body(x, weight):
            x = self._gate(x)
            padding = [[0, 0], [self.before, self.kernel_size - 1 - self.before], [0, 0]]
            length = tf.shape(x)[1]
            padded = tf.pad(x, padding)
            taps = tf.stack([padded[:, k : k + length] for k in range(self.kernel_size)], axis=-1)
            return self._weigh(taps, self._kernels(x, weight))

        return emit(self.name, body, [x, weight], self._config())

    def step(
        self, x: tf.Tensor, weight: tf.Tensor, history: tf.Tensor, position: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Convolves one position of causal sequences.

        Args:
            x: `[batch, width]`, or twice as wide.
            weight: Predicts the kernels, or is them.
            history: `[batch, 1, max_length, width]`, the earlier positions.
            position: int32 `[1]`.

        Returns:
            `[batch, width]` and the new history.
        """

        def body(x, weight, history, position):
            x = self._gate(x)
            rows = tf.range(tf.shape(history)[2])[tf.newaxis, tf.newaxis, :, tf.newaxis]
            history = tf.where(rows == position[0], x[:, tf.newaxis, tf.newaxis], history)
            padded = tf.pad(history[:, 0], [[0, 0], [self.kernel_size - 1, 0], [0, 0]])
            window = padded[:, position[0] : position[0] + self.kernel_size]
            taps = tf.transpose(tf.ensure_shape(window, [None, self.kernel_size, None]), [0, 2, 1])
            return self._weigh(taps, self._kernels(x, weight)), history

        return emit(self.step_name, body, [x, weight, history, position], self._config())

    def _config(self):
        sizes = [self.num_heads, self.kernel_size, self.before]
        return [*sizes, int(self.softmax), int(self.gated)]

    def _gate(self, x):
        if not self.gated:
            return x
        value, gate = tf.split(x, 2, axis=-1)
        return value * tf.sigmoid(gate)

    def _kernels(self, x, weight):
        """`[..., num_heads, kernel_size]`."""
        kernels = tf.linalg.matmul(x, weight, transpose_b=True) if self.dynamic else weight
        kernels = tf.reshape(kernels, [*self._leading(x), self.num_heads, self.kernel_size])
        return tf.nn.softmax(kernels) if self.softmax else kernels

    def _leading(self, x):
        return tf.unstack(tf.shape(x)[:-1]) if self.dynamic else [1] * (x.shape.rank - 1)

    def _weigh(self, taps, kernels):
        """Sums `[..., width, kernel_size]` over the taps."""
        width = taps.shape[-2]
        kernels = tf.repeat(kernels, width // self.num_heads, axis=-2)
        y = tf.reduce_sum(taps * kernels, axis=-1)
        return tf.ensure_shape(y, [*taps.shape[:-2], width])
