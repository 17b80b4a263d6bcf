"""One position through all layers of a Transformer decoder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from tfcompress.custom_ops.attention import attend_cache, attend_memory
from tfcompress.custom_ops.emission import emit
from tfcompress.custom_ops.maths import activate, float_bits, linear, normalize
from tfcompress.custom_ops.names import DECODER


@dataclass(frozen=True)
class AppliedLayer:
    """One application of a layer.

    Attributes:
        index: Which of the layers it is.
        num_heads: Heads of its self-attention; 0 for a recurrent unit.
        first_memory_head: Its cross-attention's first head in the memory.
        num_memory_heads: Heads of its cross-attention.
    """

    index: int
    num_heads: int
    first_memory_head: int
    num_memory_heads: int


@dataclass(frozen=True)
class Decoder:
    """The layers of a decoder.

    Attributes:
        applied: What is applied, in order. The heads of their caches stand in this order too.
        activation: Number of the feed-forwards' activation.
        normalize_first: Whether normalization stands before each sub-layer.
        epsilon: The normalizations'.
    """

    applied: tuple[AppliedLayer, ...]
    activation: int
    normalize_first: bool
    epsilon: float

    def __call__(
        self,
        x: tf.Tensor,
        position: tf.Tensor,
        cache: Sequence[tf.Tensor],
        weights: Sequence[Sequence[tf.Tensor]],
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Decodes one position.

        Args:
            x: `[batch, width]`.
            position: int32 `[1]`, or `[batch]` for rows at different positions.
            cache: `keys` and `values` `[batch, heads, max_length, head_dim]` with the heads of all
                layers, `memory_keys` and `memory_values`
                `[sentences, heads, memory_length, head_dim]`, and the lengths of these, int32
                `[sentences]`. There are as many rows of each sentence, which stand together.
            weights: Of each layer: weight and bias of the self-attention's query, key, value and
                output, the cross-attention's query and output, and the feed-forward's inner and
                outer layer; gamma and beta of the three normalizations.

        Returns:
            `[batch, width]`, and the new keys and values.
        """
        each = len(weights[0])

        def body(x, position, keys, values, memory_keys, memory_values, lengths, *operands):
            new_keys, new_values, first = [], [], 0
            for layer in self.applied:
                own = slice(first, first + layer.num_heads)
                end = layer.first_memory_head + layer.num_memory_heads
                memory = slice(layer.first_memory_head, end)
                start = each * layer.index
                x, *updated = self._layer(
                    x,
                    position,
                    (keys[:, own], values[:, own]),
                    (memory_keys[:, memory], memory_values[:, memory], lengths),
                    operands[start : start + each],
                )
                new_keys.append(updated[0])
                new_values.append(updated[1])
                first = own.stop
            return x, tf.concat(new_keys, axis=1), tf.concat(new_values, axis=1)

        config = [self.activation, int(self.normalize_first), float_bits(self.epsilon)]
        for layer in self.applied:
            config += [layer.index, layer.num_heads]
            config += [layer.first_memory_head, layer.num_memory_heads]
        operands = [operand for layer in weights for operand in layer]
        return emit(DECODER, body, [x, position, *cache, *operands], config)

    def _layer(self, x, position, cache, memory, operands):
        keys, values = cache
        pairs = list(zip(operands[::2], operands[1::2]))
        query, key, value, output = pairs[:4]

        def attend_self(x):
            nonlocal keys, values
            rows = linear(x, *query), linear(x, *key), linear(x, *value)
            context, keys, values = attend_cache(*rows, keys, values, position)
            return linear(context, *output)

        return self.apply_layer(x, attend_self, memory, pairs[4:]), keys, values

    def apply_layer(
        self,
        x: tf.Tensor,
        mix: Callable[[tf.Tensor], tf.Tensor],
        memory: Sequence[tf.Tensor],
        pairs: Sequence[tuple[tf.Tensor, tf.Tensor]],
    ) -> tf.Tensor:
        """Applies a layer to one position.

        Args:
            x: `[batch, width]`.
            mix: What stands first in the layer, on a normalized position.
            memory: Keys, values and lengths of the cross-attention.
            pairs: Weights and biases of what follows, and the normalizations.
        """
        query, output, inner, outer = pairs[:4]

        def attend_other(x):
            return linear(attend_memory(linear(x, *query), *memory), *output)

        def feed(x):
            return linear(activate(linear(x, *inner), self.activation), *outer)

        for norm, function in zip(pairs[4:], (mix, attend_other, feed)):
            y = x + function(normalize(x, *norm, self.epsilon) if self.normalize_first else x)
            x = y if self.normalize_first else normalize(y, *norm, self.epsilon)
        return x
