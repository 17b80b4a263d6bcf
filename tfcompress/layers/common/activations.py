"""Activations, by name."""

from collections.abc import Callable

import tensorflow as tf
from tensorflow import keras


@keras.utils.register_keras_serializable("tfcompress")
def gelu_tanh(inputs: tf.Tensor) -> tf.Tensor:
    """The tanh approximation of GELU, which BERT and ALBERT were trained with.

    Args:
        inputs: Any shape.

    Example:

    >>> layer = tfc.layers.FeedForward(64, activation="gelu_tanh")

    Reference: Hendrycks and Gimpel, 2016, arXiv:1606.08415.
    """
    return tf.nn.gelu(inputs, approximate=True)


def get_activation(activation: str | Callable | None) -> Callable:
    """Returns an activation by its Keras name, or "gelu_tanh".

    Args:
        activation: A name or a function; None for the identity.
    """
    return gelu_tanh if activation == "gelu_tanh" else keras.activations.get(activation)
