"""One position through all layers of a decoder with recurrent units (SSRU)."""

from collections.abc import Sequence

import tensorflow as tf

from tfcompress.custom_ops.decoder import Decoder
from tfcompress.custom_ops.emission import emit
from tfcompress.custom_ops.maths import float_bits, linear
from tfcompress.custom_ops.names import RECURRENT_DECODER


class RecurrentDecoder(Decoder):
    """The layers of such a decoder. The cells of what is applied stand in this order."""

    def __call__(
        self,
        x: tf.Tensor,
        cells: tf.Tensor,
        memory: Sequence[tf.Tensor],
        weights: Sequence[Sequence[tf.Tensor]],
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Decodes one position.

        Args:
            x: `[batch, width]`.
            cells: `[batch, layers, width]`.
            memory: Keys, values and lengths, as of `Decoder`.
            weights: Of each layer: weight and bias of candidate and forget gate, then as of
                `Decoder`.

        Returns:
            `[batch, width]`, and the new cells.
        """
        each = len(weights[0])

        def body(x, cells, memory_keys, memory_values, lengths, *operands):
            new = []
            for i, layer in enumerate(self.applied):
                end = layer.first_memory_head + layer.num_memory_heads
                heads = slice(layer.first_memory_head, end)
                start = each * layer.index
                own = operands[start : start + each]
                candidate, gate, *rest = zip(own[::2], own[1::2])

                def recur(x, cell=cells[:, i], candidate=candidate, gate=gate):
                    forget = tf.sigmoid(linear(x, *gate))
                    new.append(forget * cell + (1 - forget) * linear(x, *candidate))
                    return tf.nn.relu(new[-1])

                memory = memory_keys[:, heads], memory_values[:, heads], lengths
                x = self.apply_layer(x, recur, memory, rest)
            return x, tf.stack(new, axis=1)

        config = [self.activation, int(self.normalize_first), float_bits(self.epsilon)]
        for layer in self.applied:
            config += [layer.index, layer.first_memory_head, layer.num_memory_heads]
        operands = [operand for layer in weights for operand in layer]
        return emit(RECURRENT_DECODER, body, [x, cells, *memory, *operands], config)
