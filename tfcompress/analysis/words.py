"""The cost of knowing where words begin."""

from tfcompress.analysis.cost import Cost
from tfcompress.models.config import AttentionConfig

_BITS = 16


def words(attention: AttentionConfig, vocabulary_size: int) -> Cost:
    """Returns the cost of patterns between words: one bit for each token, 16 in an integer of 4.

    Args:
        attention: The attention of the encoder.
        vocabulary_size: Number of source token ids.
    """
    return Cost(vector_values=-(-vocabulary_size // _BITS)) if attention.words else Cost()
