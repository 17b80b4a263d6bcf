"""Layer normalization written out so that it converts to few operations."""

import tensorflow as tf

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.serialization import register


@register
class LayerNormalization(Layer):
    """Normalizes the last axis to mean 0 and variance 1, then scales and shifts.

    The statistics are computed in float32 whatever the compute type is, so that half precision
    cannot overflow in the square. Converts to seven LiteRT operations.

    Number of parameters: `2 * width`.

    Args:
        epsilon: Added to the variance. The papers' reference codes use 1e-5 (fairseq family) and
            1e-12 (BERT family); Keras' own default of 1e-3 reproduces neither.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[..., width]`.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: If `epsilon` is not positive.

    Example:

    >>> tfc.layers.LayerNormalization()(np.random.rand(2, 8).astype("float32")).shape
    TensorShape([2, 8])

    Reference: Ba et al., 2016, arXiv:1607.06450.
    """

    input_axes = ("...", "width")

    def __init__(self, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        if epsilon <= 0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}.")
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, input_shape):
        width = (input_shape[-1],)
        self.gamma = self.add_weight(name="gamma", shape=width, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=width, initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        x = tf.cast(inputs, tf.float32)
        mean = tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axis=-1, keepdims=True)
        # Gamma scales the reciprocal deviation rather than the normalized vector: a product of
        # activations and a constant would be folded into the kernel of the next dense layer by
        # the converter, which duplicates tied tables and moves quantization grids.
        scale = tf.math.rsqrt(variance + self.epsilon) * tf.cast(self.gamma, tf.float32)
        x = (x - mean) * scale + tf.cast(self.beta, tf.float32)
        return tf.cast(x, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
