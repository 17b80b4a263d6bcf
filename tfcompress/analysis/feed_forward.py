"""The cost of a feed-forward network."""

from tfcompress.analysis.cost import Cost
from tfcompress.analysis.dense import dense
from tfcompress.models.config import FeedForwardConfig


def feed_forward(config: FeedForwardConfig, width: int, *, tokens: int) -> Cost:
    """Returns the cost of a feed-forward network applied to `tokens` positions.

    Args:
        config: The feed-forward network.
        width: The model's width.
        tokens: Positions that it is applied to.
    """
    inner = dense(width, config.intermediate_dim, tokens=tokens)
    return inner + dense(config.intermediate_dim, width, tokens=tokens)
