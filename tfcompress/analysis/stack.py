"""The cost of the encoder and of the decoder."""

from collections.abc import Callable

from tfcompress.analysis.attention import attention, self_attention
from tfcompress.analysis.cost import Cost
from tfcompress.analysis.feed_forward import feed_forward
from tfcompress.analysis.group_transform import group_transform
from tfcompress.analysis.normalization import normalization
from tfcompress.models.config import Seq2SeqConfig, StackConfig, at_depth, layer_groups
from tfcompress.scaling import block_wise_scaling, default_max_groups, dextra_schedule


def encoder(config: Seq2SeqConfig, *, source_length: int) -> Cost:
    """Returns the cost of encoding a sentence.

    Args:
        config: The model.
        source_length: Tokens of the source.
    """

    def attending(depth):
        return _own(config, config.encoder, depth, source_length)

    return _stack(config, config.encoder, attending, source_length)


def decoder(config: Seq2SeqConfig, *, source_length: int, target_length: int) -> Cost:
    """Returns the cost of decoding a sentence with a cache.

    Each target token passes the layers once; the keys and values of the source are computed once.

    Args:
        config: The model.
        source_length: Tokens of the source.
        target_length: Tokens of the target.
    """
    stack, width = config.decoder, config.hidden_dim
    across = stack.memory_attention

    def attending(depth):
        own = _own(config, stack, depth, target_length)
        half = None
        if stack.kind == "delight":
            heads = across.num_heads
            half = width // 2 // (at_depth(heads, depth))
        return (
            own
            + attention(
                across,
                width,
                depth=depth,
                queries=target_length,
                keys=source_length,
                head_dim=half,
            )
            + normalization(width)
        )

    return _stack(config, stack, attending, target_length)


def _own(config, stack, depth, length):
    """Self-attention and its normalization."""
    width = config.hidden_dim
    if stack.kind != "delight":
        mixing = self_attention(stack.attention, width, depth=depth, length=length)
        return mixing + normalization(width)
    scaling, half = stack.scaling, width // 2
    num_layers, multiplier = block_wise_scaling(
        scaling.min_depth, scaling.max_depth, scaling.width_multiplier, stack.num_layers
    )[depth]
    groups = scaling.max_groups or default_max_groups(width)
    schedule = dextra_schedule(half, half, multiplier * width, num_layers, groups)
    transform = group_transform(schedule, width, half, half, tokens=length)
    mixing = attention(
        stack.attention, half, depth=depth, queries=length, keys=length, output_dim=width
    )
    return transform + mixing + normalization(width)


def _stack(
    config: Seq2SeqConfig, stack: StackConfig, attending: Callable[[int], Cost], tokens: int
) -> Cost:
    """Puts attention and feed-forward halves at every depth, shared ones stored once."""
    width = config.hidden_dim

    def feeding(depth):
        return feed_forward(stack.feed_forward, width, depth=depth, tokens=tokens) + normalization(
            width
        )

    layers = Cost()
    for groups, make in zip(layer_groups(stack), (attending, feeding)):
        for group in sorted(set(groups)):
            depth = groups.index(group)
            # Of a stack that is being replaced, the successors are what runs.
            applied = groups.count(group) if stack.successors is None else 0
            layers += make(depth).repeated(stored=1, applied=applied)
        for depth in range(stack.successors or 0):
            layers += make(depth)
    if stack.layer_drop.learned:
        # One score for each wrapper.
        layers += Cost(vector_values=stack.successors or len(set(layer_groups(stack)[0])))
    return layers + normalization(width) if config.normalize_first else layers
