"""The cost of a feed-forward network."""

from tfcompress.analysis.cost import Cost
from tfcompress.analysis.dense import dense
from tfcompress.models.config import FeedForwardConfig, at_depth


def feed_forward(config: FeedForwardConfig, width: int, *, depth: int, tokens: int) -> Cost:
    """Returns the cost of a feed-forward network applied to `tokens` positions.

    Args:
        config: The feed-forward network.
        width: The model's width.
        depth: Which layer, from 0.
        tokens: Positions that it is applied to.
    """
    inner = at_depth(config.intermediate_dim, depth)
    return dense(width, inner, tokens=tokens) + dense(inner, width, tokens=tokens)
