"""The weights of a plain text encoder, by names that other libraries' names are matched with."""

from collections.abc import Iterator

import tensorflow as tf
from tensorflow import keras

from tfcompress import layers
from tfcompress.errors import InputError
from tfcompress.layers.common.plain import is_plain
from tfcompress.models.text_encoder import TextEncoder


def encoder_weights(encoder: TextEncoder) -> dict[str, tf.Variable]:
    """Returns the variables of an encoder by name.

    The names are `tokens`, `positions`, `types`, `embedding_norm`, `projection`, of each distinct
    layer `layers.0.query` and so on, `pooler`, `head_hidden` and `head_output`; kernels, biases,
    gammas and betas add `.kernel`, `.bias`, `.gamma` and `.beta`.

    Args:
        encoder: An encoder of Transformer layers with plain attention.

    Raises:
        InputError: If it has other layers, naming them.
    """
    return dict(_named(encoder))


def set_weights(encoder: TextEncoder, values: dict) -> None:
    """Sets all variables of an encoder.

    Args:
        encoder: What to change.
        values: An array for each name of `encoder_weights`.

    Raises:
        InputError: If an array has another shape than its variable.
    """
    variables = encoder_weights(encoder)
    wrong = [
        f"{name} {tuple(values[name].shape)} instead of {tuple(variable.shape)}"
        for name, variable in variables.items()
        if tuple(values[name].shape) != tuple(variable.shape)
    ]
    if wrong:
        raise InputError(
            f"Weights must have the shapes of the configuration. Received: {'; '.join(wrong)}."
        )
    for name, variable in variables.items():
        variable.assign(values[name])


def _named(encoder: TextEncoder) -> Iterator[tuple[str, tf.Variable]]:
    embedding = encoder.layer("embedding")
    yield "tokens", embedding.embeddings
    yield "positions", embedding.positions.embeddings
    if embedding.token_types:
        yield "types", embedding.type_embeddings
    yield from _norm("embedding_norm", embedding.normalization)
    if embedding.embedding_dim is not None:
        yield from _dense("projection", embedding.projection)
    for index, layer in enumerate(dict.fromkeys(encoder.encoder_layers)):
        _check(layer)
        attention, feed = layer.attention, layer.feed_forward
        parts = {
            "query": attention.query,
            "key": attention.key,
            "value": attention.value,
            "output": attention.output_projection,
            "inner": feed.inner,
            "outer": feed.outer,
        }
        for name, dense in parts.items():
            yield from _dense(f"layers.{index}.{name}", dense)
        yield from _norm(f"layers.{index}.attention_norm", layer.attention_normalization)
        yield from _norm(f"layers.{index}.feed_norm", layer.feed_forward_normalization)
    names = {layer.name for layer in encoder.model.layers}
    for name in ("pooler", "head_hidden", "head_output"):
        if name in names:
            yield from _dense(name, encoder.layer(name))


def _check(layer: keras.layers.Layer) -> None:
    if not is_plain(layer, layers.TransformerEncoderLayer) or layer.normalize_first:
        raise InputError(
            "Other libraries' BERT-like encoders have plain post-norm Transformer layers only. "
            f"Received: {layer.name}. Build the encoder without changed layers."
        )


def _dense(name, dense):
    yield f"{name}.kernel", dense.kernel
    yield f"{name}.bias", dense.bias


def _norm(name, normalization):
    yield f"{name}.gamma", normalization.gamma
    yield f"{name}.beta", normalization.beta
