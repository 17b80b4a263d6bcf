"""The parts of the bodies of custom operations. Weights are `[outputs, inputs]`."""

import struct
from collections.abc import Callable

import tensorflow as tf
from tensorflow import keras

# What kernels know activations by.
_ACTIVATIONS = {
    "linear": (0, tf.identity),
    "relu": (1, tf.nn.relu),
    "gelu": (2, tf.nn.gelu),
    "swish": (3, tf.nn.silu),
    "silu": (3, tf.nn.silu),
    "tanh": (4, tf.tanh),
    "sigmoid": (5, tf.sigmoid),
    "tfcompress>gelu_tanh": (6, lambda x: tf.nn.gelu(x, approximate=True)),
}


def activation_code(activation: Callable) -> int | None:
    """Returns the number that kernels know an activation by, or None.

    Args:
        activation: A Keras activation.
    """
    name = keras.activations.serialize(activation)
    if isinstance(name, dict):  # of a function that is not Keras's own
        name = name.get("config")
    return _ACTIVATIONS[name][0] if isinstance(name, str) and name in _ACTIVATIONS else None


def activate(x: tf.Tensor, code: int) -> tf.Tensor:
    """Applies the activation of a number."""
    return next(function for number, function in _ACTIVATIONS.values() if number == code)(x)


def float_bits(value: float) -> int:
    """Returns a number as the int32 with the bits of its float32."""
    return struct.unpack("<i", struct.pack("<f", value))[0]


def linear(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Returns `[..., outputs]` of `[..., inputs]`."""
    return tf.linalg.matmul(x, weight, transpose_b=True) + bias


def normalize(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float) -> tf.Tensor:
    """Normalizes the last axis."""
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + epsilon) * gamma + beta


def attend(query: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, mask=None) -> tf.Tensor:
    """Returns `[..., queries, head_dim]`.

    Args:
        query: `[..., queries, head_dim]`.
        keys: `[..., length, head_dim]`.
        values: `[..., length, head_dim]`.
        mask: Additive.
    """
    scores = tf.matmul(query, keys, transpose_b=True) * query.shape[-1] ** -0.5
    return tf.matmul(tf.nn.softmax(scores if mask is None else scores + mask), values)


def dense_operands(layer: keras.layers.Layer) -> list[tf.Tensor]:
    """Returns the weight, `[outputs, inputs]`, and the bias of a dense layer.

    Args:
        layer: A layer with `kernel` `[inputs, outputs]`, `use_bias` and, then, `bias`.
    """
    return [
        tf.transpose(tf.convert_to_tensor(layer.kernel)),
        bias_of(layer, layer.kernel.shape[-1]),
    ]


def bias_of(layer: keras.layers.Layer, width: int) -> tf.Tensor:
    """Returns a layer's bias, or zeros."""
    return tf.convert_to_tensor(layer.bias) if layer.use_bias else tf.zeros([width])


def norm_operands(layer: keras.layers.Layer) -> list[tf.Tensor]:
    """Returns gamma and beta of a normalization."""
    return [tf.convert_to_tensor(layer.gamma), tf.convert_to_tensor(layer.beta)]
