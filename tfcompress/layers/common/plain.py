"""Whether a layer is the Transformer's own, which other libraries and custom operations have."""

from tensorflow import keras

from tfcompress.custom_ops.maths import activation_code
from tfcompress.layers.feed_forward import FeedForward
from tfcompress.layers.multi_head_attention import MultiHeadAttention


def is_plain(
    layer: keras.layers.Layer, layer_class: type, mixer_class: type = MultiHeadAttention
) -> bool:
    """Returns whether a layer consists of multi-head attention and feed-forward, and nothing else.

    Args:
        layer: Any.
        layer_class: `TransformerEncoderLayer` or `TransformerDecoderLayer`; subclasses do not
            count.
        mixer_class: What stands in the place of self-attention.
    """
    return (
        type(layer) is layer_class
        and [type(attention) for attention in _attentions(layer)]
        == [mixer_class, *[MultiHeadAttention] * (len(_attentions(layer)) - 1)]
        and type(layer.feed_forward) is FeedForward
    )


def fits_operation(
    layer: keras.layers.Layer, layer_class: type, mixer_class: type = MultiHeadAttention
) -> bool:
    """Returns whether a plain layer has nothing that the custom operation of its class lacks.

    Args:
        layer: Any.
        layer_class: As for `is_plain`.
        mixer_class: As for `is_plain`.
    """
    return (
        is_plain(layer, layer_class, mixer_class)
        and not any(getattr(each, "gated", False) for each in _attentions(layer))
        and not any(getattr(each, "use_projection", False) for each in _attentions(layer))
        and activation_code(layer.feed_forward.activation) is not None
    )


def _attentions(layer):
    return [getattr(layer, name) for name in layer.sublayer_names if name != "feed_forward"]
