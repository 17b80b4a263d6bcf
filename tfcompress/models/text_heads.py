"""What stands on a text encoder's states."""

from collections.abc import Mapping

import tensorflow as tf
from tensorflow import keras

from tfcompress import layers
from tfcompress.models.head_config import EMBEDDING
from tfcompress.models.text_encoder_config import TextEncoderConfig


def make_head(config: TextEncoderConfig) -> dict[str, keras.layers.Layer]:
    """Returns the new layers of an encoder's head by name.

    Args:
        config: The encoder.
    """
    head, layers_by_name = config.head, {}
    if head is None:
        return layers_by_name
    if not head.per_token:
        if head.pooling == "first":
            layers_by_name["head_pooling"] = layers.FirstToken(name="head_pooling")
        elif head.pooling == "mean":
            layers_by_name["head_pooling"] = layers.MeanPooling(name="head_pooling")
    if head.hidden_activation is not None:
        layers_by_name["head_hidden"] = layers.Dense(
            config.hidden_dim, activation=head.hidden_activation, name="head_hidden"
        )
    if head.task == EMBEDDING:
        if head.normalize:
            layers_by_name["head_normalization"] = layers.UnitNormalization(
                name="head_normalization"
            )
        return layers_by_name
    layers_by_name["head_dropout"] = layers.Dropout(head.dropout, name="head_dropout")
    # The logits of a model in mixed precision are float32.
    layers_by_name["head_output"] = layers.Dense(head.classes, dtype="float32", name="head_output")
    return layers_by_name


def apply_head(
    config: TextEncoderConfig,
    layers_by_name: Mapping[str, keras.layers.Layer],
    states: Mapping[str, tf.Tensor],
    padding_mask: tf.Tensor | None,
    **options,
) -> dict[str, tf.Tensor]:
    """Returns what an encoder with its head gives.

    Args:
        config: The encoder.
        layers_by_name: Its layers by name.
        states: `hidden` and, with a pooler, `pooled`.
        padding_mask: Where tokens are, or None where all positions are tokens.
        **options: `training`, where the caller knows it.
    """
    head = config.head
    if head is None:
        return dict(states)
    if head.per_token:
        x = states["hidden"]
    elif head.pooling == "pooled":
        x = states["pooled"]
    elif head.pooling == "mean" and padding_mask is not None:
        x = layers_by_name["head_pooling"](states["hidden"], padding_mask=padding_mask)
    else:
        x = layers_by_name["head_pooling"](states["hidden"])
    for name in ("head_hidden", "head_normalization", "head_dropout", "head_output"):
        if name in layers_by_name:
            x = layers_by_name[name](x, **(options if name == "head_dropout" else {}))
    return {"embedding" if head.task == EMBEDDING else "logits": x}
