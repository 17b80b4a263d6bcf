"""An exported decoder as one custom operation."""

from collections.abc import Collection
from typing import Any

import tensorflow as tf

from tfcompress.custom_ops.decoder import AppliedLayer, Decoder
from tfcompress.custom_ops.maths import activation_code, dense_operands, norm_operands
from tfcompress.custom_ops.names import DECODER, RECURRENT_DECODER
from tfcompress.custom_ops.recurrent_decoder import RecurrentDecoder
from tfcompress.decoder_state import SENTENCE, StateSpec
from tfcompress.export.conversion.layered_decoder import LayeredDecoder
from tfcompress.layers import (
    SSRU,
    LayerDropWrapper,
    MultiHeadAttention,
    TransformerDecoderLayer,
)
from tfcompress.layers.common.plain import fits_operation
from tfcompress.models import Seq2SeqTransformer


class WholeDecoder:
    """A decoder whose layers compute as one custom operation.

    All layers share one cache, with the heads of one after those of another, and so do the memories
    of all distinct cross-attentions.

    Args:
        transformer: One that `is_plain`.

    Attributes:
        operation: The custom operation.
        mixer: The layer in the place of self-attention.
        is_ragged: As of `LayeredDecoder`; they may.
        state: What the decoder carries from step to step, by name.
    """

    operation = DECODER
    mixer = MultiHeadAttention
    is_ragged = True
    _body = Decoder

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
                getattr(layer.self_attention, "num_heads", 0),
                first_heads[layer.cross_attention],
                layer.cross_attention.num_heads,
            )
            for layer in self._layers
        ]
        layer = self._layers[0]
        activation = activation_code(layer.feed_forward.activation)
        assert activation is not None  # `is_plain`
        self._decoder: Any = self._body(
            tuple(applied),
            activation,
            layer.normalize_first,
            layer.epsilon,
        )
        memory = StateSpec((heads, None, _head_dim(layer.cross_attention)), per=SENTENCE)
        self.state = {
            **self._own_state(applied),
            "memory_keys_0": memory,
            "memory_values_0": memory,
        }

    def _own_state(self, applied):
        """What it carries besides the memory."""
        heads = sum(each.num_heads for each in applied)
        own = StateSpec((heads, None, _head_dim(self._layers[0].self_attention)))
        return {"keys_0": own, "values_0": own}

    @classmethod
    def is_plain(cls, transformer: Seq2SeqTransformer) -> bool:
        """Returns whether a decoder has the parts that the operation has, and no others.

        Args:
            transformer: Any.
        """
        layers = [_inner(layer) for layer in transformer.decoder_layers]
        fits = (fits_operation(layer, TransformerDecoderLayer, cls.mixer) for layer in layers)
        if not layers or not all(fits):
            return False
        settings = {
            (
                activation_code(layer.feed_forward.activation),
                layer.normalize_first,
                layer.epsilon,
                cls.mixer is MultiHeadAttention and _head_dim(layer.self_attention),
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
        self,
        ids: tf.Tensor,
        position: tf.Tensor,
        mask: tf.Tensor,
        state: dict[str, tf.Tensor],
        lengths: tf.Tensor,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Decodes one position; see `LayeredDecoder.step`."""
        x, keys, values = self._decoder(
            self._transformer.embed_step(ids, position),
            position,
            [*(state[name] for name in self.state), lengths],
            self._weights(),
        )
        return x, {"keys_0": keys, "values_0": values}

    def _weights(self):
        return [_operands(layer, self._own_denses(layer)) for layer in self._distinct]

    def _own_denses(self, layer):
        own = layer.self_attention
        return [own.query, own.key, own.value, own.output_projection]


class RecurrentWholeDecoder(WholeDecoder):
    """The same of a decoder with recurrent units, whose cells are one tensor.

    Args:
        transformer: One that `is_plain`.
    """

    operation = RECURRENT_DECODER
    mixer = SSRU
    _body = RecurrentDecoder

    def _own_state(self, applied):
        width = self._transformer.config.hidden_dim
        return {"cells_0": StateSpec((len(applied), width))}

    def step(
        self,
        ids: tf.Tensor,
        position: tf.Tensor,
        mask: tf.Tensor,
        state: dict[str, tf.Tensor],
        lengths: tf.Tensor,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Decodes one position; see `LayeredDecoder.step`."""
        cells, *memory = (state[name] for name in self.state)
        x = self._transformer.embed_step(ids, position)
        x, cells = self._decoder(x, cells, [*memory, lengths], self._weights())
        return x, {"cells_0": cells}

    def _own_denses(self, layer):
        return [layer.self_attention.candidate, layer.self_attention.forget_gate]


def find_decoder(transformer: Seq2SeqTransformer, custom_ops: Collection[str]) -> Any:
    """Returns what decodes: one custom operation where there is one that fits, or the layers.

    Args:
        transformer: Any.
        custom_ops: Names of the operations to use.
    """
    for decoder in (WholeDecoder, RecurrentWholeDecoder):
        if decoder.operation in custom_ops and decoder.is_plain(transformer):
            return decoder(transformer)
    return LayeredDecoder(transformer)


def _inner(layer):
    """The layer that decodes, without what drops it during training."""
    return layer.layer if isinstance(layer, LayerDropWrapper) else layer


def _operands(layer, own_denses):
    other, feed = layer.cross_attention, layer.feed_forward
    denses = [*own_denses, other.query, other.output_projection, feed.inner, feed.outer]
    norms = [getattr(layer, f"{name}_normalization") for name in layer.sublayer_names]
    operands = [operand for dense in denses for operand in dense_operands(dense)]
    return operands + [operand for norm in norms for operand in norm_operands(norm)]


def _head_dim(attention):
    return attention.query.kernel.shape[-1] // attention.num_heads
