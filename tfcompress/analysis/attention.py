"""The cost of what mixes positions."""

from tfcompress.analysis.cost import Cost, Matrix
from tfcompress.analysis.dense import dense
from tfcompress.models.config import AttentionConfig, ConvolutionConfig, at_depth

# Each value of a sentence is added to a running sum forwards and backwards.
_RUNNING = ("left_context", "right_context", "sentence_end", "sentence_start")


def self_attention(config: AttentionConfig, width: int, *, depth: int, length: int) -> Cost:
    """Returns the cost of what mixes the positions of one sequence.

    Args:
        config: Of any kind.
        width: The model's width.
        depth: Which layer, from 0.
        length: Positions.
    """
    if config.kind == "fixed":
        return _fixed(config, width, depth=depth, length=length)
    if config.kind == "convolution":
        return _convolution(config.convolution, width, depth=depth, length=length)
    if config.kind == "lsra":
        part = width // 2 if config.attention_dim is None else config.attention_dim
        attending = attention(config, part, depth=depth, queries=length, keys=length)
        return attending + _convolution(
            config.convolution, width - part, depth=depth, length=length
        )
    return attention(config, width, depth=depth, queries=length, keys=length)


def attention(
    config: AttentionConfig,
    width: int,
    *,
    depth: int,
    queries: int,
    keys: int,
    head_dim: int | None = None,
    memory_dim: int | None = None,
    output_dim: int | None = None,
) -> Cost:
    """Returns the cost of attention from `queries` positions to `keys` positions.

    Every query meets every key, under a causal mask too, which is how the published figures
    count: `2 * queries * keys * num_heads * head_dim` for scores and weighted sums.

    Args:
        config: The attention.
        width: Width of the queries' input.
        depth: Which layer, from 0.
        queries: Number of positions that attend.
        keys: Number of positions attended to; their keys and values are computed once.
        head_dim: Width of a head where the configuration gives none.
        memory_dim: Width of what is attended to; `width` by default.
        output_dim: Width of the output; `width` by default.
    """
    heads = at_depth(config.num_heads, depth)
    inner = heads * (config.head_dim or head_dim or width // heads)
    query = dense(width, inner, tokens=queries)
    key = value = dense(memory_dim or width, inner, tokens=keys, depth=0)
    output = dense(inner, output_dim or width, tokens=queries)
    gates = Cost(vector_values=heads if config.gated else 0)
    met = Cost(multiply_adds=2 * queries * keys * inner)
    return query + key + value + output + gates + met


def _fixed(config, width, *, depth, length):
    """Fixed heads have values only; shifts cost nothing, running sums a product a value."""
    heads = at_depth(config.num_heads, depth)
    head_dim = config.head_dim or width // heads
    learned = (heads - len(config.patterns)) * head_dim
    cost = dense(width, heads * head_dim, tokens=length) + dense(
        heads * head_dim, width, tokens=length
    )
    if learned:
        cost += dense(width, learned, tokens=length, depth=0) + dense(
            width, learned, tokens=length, depth=0
        )
    running = sum(pattern in _RUNNING for pattern in config.patterns)
    return cost + Cost(
        multiply_adds=2 * length * length * learned + 2 * length * running * head_dim
    )


def _convolution(config: ConvolutionConfig, width, *, depth, length):
    kernel_size = at_depth(config.kernel_size, depth)
    taps = config.num_heads * kernel_size
    applied = length * width * kernel_size
    cost = dense(width, 2 * width if config.gated else width, tokens=length)
    if config.kind == "dynamic":
        cost += dense(width, taps, tokens=length, use_bias=False, depth=0)
    else:
        cost += Cost((Matrix(config.num_heads, kernel_size),))
    cost += Cost(multiply_adds=applied, tap_multiply_adds=applied)
    return cost + dense(width, width, tokens=length)
