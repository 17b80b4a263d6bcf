"""The attention head that says which source tokens a target token translates."""

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
    'decoder_layer_1_cross_attention'
    """
    for layer in reversed(transformer.decoder_layers):
        attention = getattr(layer, "cross_attention", None)
        if isinstance(attention, MultiHeadAttention):
            return attention
    raise InputError(
        "Alignments need a decoder layer that attends to the source. Received: "
        f"{', '.join(layer.name for layer in transformer.decoder_layers)}."
    )
