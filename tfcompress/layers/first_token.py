"""The state of the first token."""

from tensorflow import keras

from tfcompress.layers.serialization import register


@register
class FirstToken(keras.layers.Layer):
    """Keeps the first position of a sequence, which encoders of the BERT family are read from.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.

    Returns:
        `[batch, width]`.

    Example:

    >>> tfc.layers.FirstToken()(np.zeros((2, 5, 8), "float32")).shape
    TensorShape([2, 8])
    """

    def call(self, inputs):
        return inputs[:, 0]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *input_shape[2:])
