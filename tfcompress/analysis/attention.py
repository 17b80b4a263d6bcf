"""The cost of multi-head attention."""

from tfcompress.analysis.cost import Cost
from tfcompress.analysis.dense import dense
from tfcompress.models.config import AttentionConfig


def attention(config: AttentionConfig, width: int, *, queries: int, keys: int) -> Cost:
    """Returns the cost of attention from `queries` positions to `keys` positions.

    Every query meets every key, under a causal mask too, which is how the published figures
    count: `2 * queries * keys * num_heads * head_dim` for scores and weighted sums.

    Args:
        config: The attention.
        width: The model's width.
        queries: Number of positions that attend.
        keys: Number of positions attended to; their keys and values are computed once.
    """
    inner = config.num_heads * (config.head_dim or width // config.num_heads)
    query = dense(width, inner, tokens=queries)
    key = value = dense(width, inner, tokens=keys)
    output = dense(inner, width, tokens=queries)
    return query + key + value + output + Cost(multiply_adds=2 * queries * keys * inner)
