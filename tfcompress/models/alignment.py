"""The attention head that says which source tokens a target token translates."""

import tensorflow as tf

from tfcompress.errors import InputError
from tfcompress.layers import MultiHeadAttention
from tfcompress.models.seq2seq import Seq2SeqTransformer

ALIGNMENT_HEAD = 0
"""The head, by its number, as in Marian's students."""


def alignment_attention(transformer: Seq2SeqTransformer) -> MultiHeadAttention:
    """Returns the last decoder layer's attention to the source, whose head `ALIGNMENT_HEAD` aligns.

    Args:
        transformer: The model.

    Raises:
        InputError: If the decoder has no such attention.

    Example:

    >>> alignment_attention(transformer).name
    'decoder_layer_0_cross_attention'
    """
    for layer in reversed(transformer.decoder_layers):
        attention = getattr(layer, "cross_attention", None)
        if isinstance(attention, MultiHeadAttention):
            return attention
    raise InputError(
        "Alignments need a decoder layer that attends to the source. Received: "
        f"{', '.join(layer.name for layer in transformer.decoder_layers)}."
    )


def alignment_of(probabilities: tf.Tensor, head: int | None) -> tf.Tensor:
    """Returns what each position is aligned with.

    Args:
        probabilities: `[batch, num_heads, length, source_length]`, of `alignment_attention`.
        head: The head that says it; None for the mean over all.

    Returns:
        `[batch, length, source_length]`; each row sums to 1.

    Example:

    >>> ids = np.array([[5, 7, 2]])
    >>> with alignment_attention(transformer).recording("probabilities") as recorded:
    ...     logits = transformer.forward(ids, ids).logits
    >>> alignment_of(recorded[-1], transformer.config.alignment_head).shape
    TensorShape([1, 3, 3])
    """
    return tf.reduce_mean(probabilities, axis=1) if head is None else probabilities[:, head]
