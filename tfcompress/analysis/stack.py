"""The cost of the encoder and of the decoder."""

from collections.abc import Callable

from tfcompress.cost import Cost, dense, normalization
from tfcompress.models.config import Seq2SeqConfig, StackConfig, layer_groups
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.mixers import MixerConfig, Site
from tfcompress.models.mixers.base import attention_cost
from tfcompress.models.rules import at_layer
from tfcompress.models.text_encoder_config import TextEncoderConfig

_BITS = 16


def encoder(config: Seq2SeqConfig | TextEncoderConfig, *, source_length: int) -> Cost:
    """Returns the cost of encoding a sentence.

    Args:
        config: The model.
        source_length: Tokens of the source.
    """

    def attending(layer_index):
        return _own(config, config.encoder, layer_index, source_length)

    return _stack(config, config.encoder, attending, source_length)


def decoder(
    config: Seq2SeqConfig | LanguageModelConfig, *, source_length: int = 0, target_length: int
) -> Cost:
    """Returns the cost of decoding a sentence with a cache.

    Each target token passes the layers once; the keys and values of the source are computed once.

    Args:
        config: The model.
        source_length: Tokens of the source, where there is one.
        target_length: Tokens of the target, or of a language model's text.
    """
    stack, width = config.decoder, config.hidden_dim
    across = stack.memory_attention

    def attending(layer_index):
        own = _own(config, stack, layer_index, target_length)
        if not hasattr(config, "encoder"):
            return own
        reading = attention_cost(
            across,
            width,
            layer_index=layer_index,
            queries=target_length,
            keys=source_length,
            head_dim=stack.attention.memory_width(width) // at_layer(across.num_heads, layer_index),
        )
        return own + reading + normalization(width)

    return _stack(config, stack, attending, target_length)


def _own(config, stack, layer_index, length):
    """What mixes positions, and its normalization."""
    site = Site(config.hidden_dim, layer_index=layer_index, num_layers=stack.num_layers)
    return stack.attention.cost(site, length=length) + normalization(config.hidden_dim)


def _stack(
    config: Seq2SeqConfig | LanguageModelConfig | TextEncoderConfig,
    stack: StackConfig,
    attending: Callable[[int], Cost],
    tokens: int,
) -> Cost:
    """Puts attention and feed-forward halves at every place, shared ones stored once."""
    width = config.hidden_dim

    def feeding(layer_index):
        inner = at_layer(stack.feed_forward.intermediate_dim, layer_index)
        both = dense(width, inner, tokens=tokens) + dense(inner, width, tokens=tokens)
        return both + normalization(width)

    layers = Cost()
    for groups, make in zip(layer_groups(stack), (attending, feeding)):
        for group in sorted(set(groups)):
            layer_index = groups.index(group)
            # Of a stack that is being replaced, the successors are what runs.
            applied = groups.count(group) if stack.successors is None else 0
            layers += make(layer_index).repeated(stored=1, applied=applied)
        for layer_index in range(stack.successors or 0):
            layers += make(layer_index)
    if stack.layer_drop.learned:
        # One score for each wrapper.
        layers += Cost(vector_values=stack.successors or len(set(layer_groups(stack)[0])))
    return layers + normalization(width) if config.normalize_first else layers


def words(attention: MixerConfig, vocabulary_size: int) -> Cost:
    """Returns the cost of patterns between words: one bit for each token, 16 in an integer of 4.

    Args:
        attention: The attention of the encoder.
        vocabulary_size: Number of source token ids.
    """
    return Cost(vector_values=-(-vocabulary_size // _BITS)) if attention.words else Cost()
