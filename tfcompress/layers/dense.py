"""A dense layer whose matrix product always has rank 2."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.shapes import known_or_dynamic_shape
from tfcompress.layers.common.sublayers import build_sublayer, copy_initializer


@register
class Dense(Layer, keras.layers.Dense):
    """`keras.layers.Dense` computed as one `[-1, input_dim]` matrix product.

    Same weights, arguments and results as the Keras layer. The rank-2 product is one large
    matrix multiplication in training and converts to a bare FULLY_CONNECTED.

    Call arguments:
        inputs: `[..., input_dim]`.

    Returns:
        `[..., units]`.
    """

    input_axes = ("...", "width")

    def call(self, inputs):
        inputs = tf.cast(inputs, self.compute_dtype)
        width = inputs.shape[-1]
        x = inputs if inputs.shape.rank == 2 else tf.reshape(inputs, [-1, width])
        x = tf.matmul(x, tf.cast(self.kernel, x.dtype))
        if self.use_bias:
            x = tf.nn.bias_add(x, tf.cast(self.bias, x.dtype))
        if self.activation is not None:
            x = self.activation(x)
        if inputs.shape.rank == 2:
            return x
        leading = inputs.shape.rank - 1
        return tf.reshape(x, [*known_or_dynamic_shape(inputs, rank=leading), self.units])


def sub_dense(
    owner: keras.layers.Layer, name: str, units: int, input_dim: int, activation=None
) -> Dense:
    """Makes and builds a dense sub-layer with its owner's biases, initializers and data type."""
    layer = Dense(
        units,
        activation=activation,
        use_bias=owner.use_bias,
        kernel_initializer=copy_initializer(owner.kernel_initializer),
        bias_initializer=copy_initializer(owner.bias_initializer),
        dtype=owner.dtype_policy,
        name=name,
    )
    build_sublayer(layer, (None, input_dim))
    return layer
