"""The cost of embeddings and of the output layer."""

from tfcompress.analysis.cost import Cost, Matrix
from tfcompress.analysis.dense import dense
from tfcompress.models.config import EmbeddingConfig


def embedding(config: EmbeddingConfig, vocabulary_size: int, width: int, *, tokens: int) -> Cost:
    """Returns the cost of embedding `tokens` ids: a table and, where factorized, a projection.

    Looking up counts no multiply-adds.

    Args:
        config: The embedding.
        vocabulary_size: Rows of the table.
        width: The model's width.
        tokens: Ids looked up.
    """
    if config.embedding_dim is None:
        return Cost((Matrix(vocabulary_size, width),))
    table = Cost((Matrix(vocabulary_size, config.embedding_dim),))
    return table + dense(config.embedding_dim, width, tokens=tokens, use_bias=config.use_bias)


def output(config: EmbeddingConfig, vocabulary_size: int, width: int, *, tokens: int) -> Cost:
    """Returns the cost of computing the logits of `tokens` positions.

    What the output layer borrows from the target embedding counts no parameters here, only its
    multiply-adds.

    Args:
        config: The embedding, which says how the output layer is tied to it.
        vocabulary_size: Number of logits.
        width: The model's width.
        tokens: Positions with logits.
    """
    bias = Cost(vector_values=vocabulary_size if config.use_output_bias else 0)
    if config.tie == "none":
        return bias + dense(width, vocabulary_size, tokens=tokens, use_bias=False)
    narrow = config.embedding_dim or width
    through_table = Cost(multiply_adds=tokens * narrow * vocabulary_size)
    if config.tie == "own":
        own = dense(width, narrow, tokens=tokens, use_bias=config.use_bias)
        return bias + own + through_table
    if config.embedding_dim is None:
        return bias + through_table
    return bias + through_table + Cost(multiply_adds=tokens * width * narrow)
