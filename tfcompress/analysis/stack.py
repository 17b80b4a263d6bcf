"""The cost of the encoder and of the decoder."""

from tfcompress.analysis.attention import attention
from tfcompress.analysis.cost import Cost
from tfcompress.analysis.feed_forward import feed_forward
from tfcompress.analysis.normalization import normalization
from tfcompress.models.config import Seq2SeqConfig, StackConfig, layer_groups


def encoder(config: Seq2SeqConfig, *, source_length: int) -> Cost:
    """Returns the cost of encoding a sentence.

    Args:
        config: The model.
        source_length: Tokens of the source.
    """
    stack, width, length = config.encoder, config.hidden_dim, source_length
    attending = attention(stack.attention, width, queries=length, keys=length)
    return _stack(config, stack, attending + normalization(width), length)


def decoder(config: Seq2SeqConfig, *, source_length: int, target_length: int) -> Cost:
    """Returns the cost of decoding a sentence with a cache.

    Each target token passes the layers once; the keys and values of the source are computed once.

    Args:
        config: The model.
        source_length: Tokens of the source.
        target_length: Tokens of the target.
    """
    stack, width, length = config.decoder, config.hidden_dim, target_length
    own = attention(stack.attention, width, queries=length, keys=length)
    across = attention(stack.attention, width, queries=length, keys=source_length)
    attending = own + normalization(width) + across + normalization(width)
    return _stack(config, stack, attending, length)


def _stack(config: Seq2SeqConfig, stack: StackConfig, attending: Cost, tokens: int) -> Cost:
    """Puts attention and feed-forward halves at every depth, shared ones stored once."""
    width, depth = config.hidden_dim, stack.num_layers
    feeding = feed_forward(stack.feed_forward, width, tokens=tokens) + normalization(width)
    attention_groups, feed_forward_groups = layer_groups(stack)
    layers = attending.repeated(
        stored=len(set(attention_groups)), applied=depth
    ) + feeding.repeated(stored=len(set(feed_forward_groups)), applied=depth)
    return layers + normalization(width) if config.normalize_first else layers
