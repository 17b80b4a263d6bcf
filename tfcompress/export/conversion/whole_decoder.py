"""An exported decoder as one custom operation."""

import tensorflow as tf

from tfcompress.custom_ops.decoder import AppliedLayer, Decoder
from tfcompress.custom_ops.maths import activation_code, dense_operands, norm_operands
from tfcompress.decoder_state import SENTENCE, StateSpec
from tfcompress.layers import LayerDropWrapper, TransformerDecoderLayer
from tfcompress.layers.common.plain import fits_operation
from tfcompress.models import Seq2SeqTransformer


class WholeDecoder:
    """A decoder whose layers compute as one custom operation.

    All layers share one cache, with the heads of one after those of another, and so do the memories
    of all distinct cross-attentions.

    Args:
        transformer: One that `is_plain`.

    Attributes:
        state: What the decoder carries from step to step, by name.
    """

    def __init__(self, transformer: Seq2SeqTransformer):
        self._transformer = transformer
        self._layers = [_inner(layer) for layer in transformer.decoder_layers]
        self._distinct = list(dict.fromkeys(self._layers))
        self._attentions = list(dict.fromkeys(layer.cross_attention for layer in self._layers))
        first_heads, heads = {}, 0
        for attention in self._attentions:
            first_heads[attention] = heads
            heads += attention.num_heads
        applied = [
            AppliedLayer(
                self._distinct.index(layer),
                layer.self_attention.num_heads,
                first_heads[layer.cross_attention],
                layer.cross_attention.num_heads,
            )
            for layer in self._layers
        ]
        layer = self._layers[0]
        activation = activation_code(layer.feed_forward.activation)
        assert activation is not None  # `is_plain`
        self._decoder = Decoder(
            tuple(applied),
            activation,
            layer.normalize_first,
            layer.epsilon,
        )
        own_heads = sum(each.num_heads for each in applied)
        own = StateSpec((own_heads, None, _head_dim(layer.self_attention)))
        memory = StateSpec((heads, None, _head_dim(layer.cross_attention)), per=SENTENCE)
        self.state = {
            "keys_0": own,
            "values_0": own,
            "memory_keys_0": memory,
            "memory_values_0": memory,
        }

    @staticmethod
    def is_plain(transformer: Seq2SeqTransformer) -> bool:
        """Returns whether a decoder has the parts that the operation has, and no others.

        Args:
            transformer: Any.
        """
        layers = [_inner(layer) for layer in transformer.decoder_layers]
        if not layers or not all(fits_operation(x, TransformerDecoderLayer) for x in layers):
            return False
        settings = {
            (
                activation_code(layer.feed_forward.activation),
                layer.normalize_first,
                layer.epsilon,
                _head_dim(layer.self_attention),
                _head_dim(layer.cross_attention),
            )
            for layer in layers
        }
        # Layers that share some of their parts would each pack them.
        distinct = list(dict.fromkeys(layers))
        weights = [id(weight) for layer in distinct for weight in layer.weights]
        return len(settings) == 1 and len(weights) == len(set(weights))

    def encode(self, memory: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the keys and values of the encoder's output; see `LayeredDecoder.encode`."""
        caches = [attention.init_cache(memory=memory) for attention in self._attentions]
        return {
            f"{name}_0": tf.concat([cache[name] for cache in caches], axis=1)
            for name in ("memory_keys", "memory_values")
        }

    def step(
        self, ids: tf.Tensor, position: tf.Tensor, mask: tf.Tensor, state: dict[str, tf.Tensor]
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Decodes one position; see `LayeredDecoder.step`."""
        x, keys, values = self._decoder(
            self._transformer.embed_step(ids, position),
            position,
            [state[name] for name in self.state],
            [_operands(layer) for layer in self._distinct],
        )
        return x, {"keys_0": keys, "values_0": values}


def _inner(layer):
    """The layer that decodes, without what drops it during training."""
    return layer.layer if isinstance(layer, LayerDropWrapper) else layer


def _operands(layer):
    own, other, feed = layer.self_attention, layer.cross_attention, layer.feed_forward
    denses = [own.query, own.key, own.value, own.output_projection]
    denses += [other.query, other.output_projection, feed.inner, feed.outer]
    norms = [getattr(layer, f"{name}_normalization") for name in layer.sublayer_names]
    operands = [operand for dense in denses for operand in dense_operands(dense)]
    return operands + [operand for norm in norms for operand in norm_operands(norm)]


def _head_dim(attention):
    return attention.query.kernel.shape[-1] // attention.num_heads
