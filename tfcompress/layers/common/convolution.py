"""What lightweight and dynamic convolution have in common."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.custom_ops.convolution import Convolution
from tfcompress.decoder_state import StateSpec
from tfcompress.layers.common.masks import token_mask
from tfcompress.layers.common.state import IncrementalLayer
from tfcompress.layers.dense import sub_dense
from tfcompress.layers.dropout import Dropout


class SequenceConvolution(IncrementalLayer):
    """Base of depthwise convolutions over a sequence whose channels share kernels in blocks.

    Subclasses have `_build_kernel(width)`; `_convolve(x, training)`, which convolves
    `[batch, length, width]`; `_kernel_at(x)`, the kernels `[batch or 1, num_heads, kernel_size]` at
    a position with the value `[batch, width]`; and `_operand()`, what a custom operation gets.
    """

    input_axes = ("batch", "length", "width")

    is_dynamic = False

    def __init__(
        self,
        kernel_size,
        *,
        num_heads,
        causal,
        weight_softmax,
        weight_dropout,
        project,
        gated,
        mask_after_linear,
        use_bias,
        kernel_initializer,
        bias_initializer,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in {"kernel_size": kernel_size, "num_heads": num_heads}.items():
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
        if not 0.0 <= weight_dropout < 1.0:
            raise ValueError(
                f"`weight_dropout` must lie in [0, 1). Received: weight_dropout={weight_dropout}."
            )
        self.kernel_size = kernel_size
        self.num_heads = num_heads
        self.causal = causal
        self.weight_softmax = weight_softmax
        self.weight_dropout = weight_dropout
        self.project = project
        self.gated = gated
        self.mask_after_linear = mask_after_linear
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True
        # Taps before the position and after it.
        self._before = kernel_size - 1 if causal else kernel_size // 2
        self._after = kernel_size - 1 - self._before

    def build(self, input_shape):
        width = input_shape[-1]
        if width % self.num_heads:
            raise ValueError(
                f"The input width must be divisible by `num_heads`. Received: width={width}, "
                f"num_heads={self.num_heads}. Pass a divisor of the width."
            )
        self._width, self._head_dim = width, width // self.num_heads
        if self.project:
            self.linear1 = sub_dense(self, "linear1", 2 * width if self.gated else width, width)
            self.linear2 = sub_dense(self, "linear2", width, width)
        self._build_kernel(width)
        self.kernel_dropout = Dropout(self.weight_dropout, dtype=self.dtype_policy)
        super().build(input_shape)

    def call(self, inputs, padding_mask=None, training=None):
        x = inputs
        tokens = None if padding_mask is None else token_mask(padding_mask, x.dtype)
        if tokens is not None and not self.mask_after_linear:
            x *= tokens
        operation = self._operation()
        if tokens is None and self.computes_with(operation.name):
            x = self.linear1(x) if self.project else x
            return self._project_out(operation.call(x, self._operand()))
        x = self._project_in(x)
        if tokens is not None and self.mask_after_linear:
            x *= tokens
        return self._project_out(self._convolve(x, training))

    def _project_in(self, x):
        if not self.project:
            return x
        x = self.linear1(x)
        if not self.gated:
            return x
        value, gate = tf.split(x, 2, axis=-1)
        return value * tf.sigmoid(gate)

    def _project_out(self, x):
        return self.linear2(x) if self.project else x

    def _operation(self):
        return Convolution(
            self.num_heads,
            self.kernel_size,
            self._before,
            softmax=self.weight_softmax,
            gated=self.project and self.gated,
            dynamic=self.is_dynamic,
        )

    def _normalize(self, kernel, training=False):
        """Turns kernels `[..., kernel_size]` into what the taps are multiplied by."""
        if self.weight_softmax:
            kernel = tf.nn.softmax(kernel)
        return self.kernel_dropout(kernel, training=training)

    def state_spec(self) -> dict[str, StateSpec]:
        """Returns what `step` needs of the steps before: `inputs`, all that was convolved so far.

        Raises:
            ValueError: If the layer looks at later positions.
        """
        if not self.causal:
            raise ValueError(
                "Only a causal convolution works step by step. Received: causal=False. Pass "
                "causal=True to the layer."
            )
        return {"inputs": StateSpec((1, None, self._width))}

    def step(self, inputs, position, cache, padding_mask=None):
        """Computes one position from the cache of the earlier ones.

        Args:
            inputs: `[batch, width]`.
            position: Integer scalar, the number of earlier positions.
            cache: What `init_cache` or the step before returned.
            padding_mask: Not needed, as the kernel never reaches beyond `position`; taken so that
                a convolution stands wherever attention does.

        Returns:
            A pair: `[batch, width]`, equal to what `call` gives at this position, and the new
            cache.
        """
        x = tf.cast(inputs, self.compute_dtype)
        operation = self._operation()
        if self.computes_with(operation.step_name):
            x = self.linear1(x) if self.project else x
            position = tf.reshape(tf.cast(position, tf.int32), [1])
            y, history = operation.step(x, self._operand(), cache["inputs"], position)
            return self._project_out(y), {"inputs": history}
        x = self._project_in(x)
        row = tf.reshape(x, [-1, 1, 1, self._width])
        history = self.update_row(cache["inputs"], row, position)
        # Rows before the first do not exist: the first stands in for them, times 0.
        rows = tf.reshape(tf.cast(position, tf.int32), [1]) + tf.range(1 - self.kernel_size, 1)
        exists = tf.cast(rows >= 0, x.dtype)
        window = tf.gather(history, tf.maximum(rows, 0), axis=2)
        window = tf.reshape(window, [-1, self.kernel_size, self.num_heads, self._head_dim])
        kernel = tf.transpose(self._kernel_at(x) * exists, [0, 2, 1])[..., tf.newaxis]
        y = tf.reshape(tf.reduce_sum(window * kernel, axis=1), [-1, self._width])
        return self._project_out(y), {"inputs": history}

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "num_heads": self.num_heads,
            "causal": self.causal,
            "weight_softmax": self.weight_softmax,
            "weight_dropout": self.weight_dropout,
            "project": self.project,
            "gated": self.gated,
            "mask_after_linear": self.mask_after_linear,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
