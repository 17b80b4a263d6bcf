"""The configuration that describes a model completely."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfcompress import schema
from tfcompress.errors import InputError

SHARING_PATTERNS = ("none", "all", "groups", "attention", "feed_forward")
POSITION_KINDS = ("sinusoidal", "learned")
ACTIVATIONS = (
    "relu",
    "relu6",
    "gelu",
    "silu",
    "swish",
    "tanh",
    "sigmoid",
    "hard_sigmoid",
    "elu",
    "selu",
    "leaky_relu",
    "mish",
    "softplus",
    "softsign",
    "linear",
)


@dataclass(frozen=True)
class EmbeddingConfig:
    """The embeddings and the output layer.

    Attributes:
        embedding_dim: Width of the tables; None for the model's own width (not factorized).
        share: Whether source and target use one table (and one projection).
        tie: How the output layer is tied to the target embedding: "shared" (through table and
            projection), "own" (through the table, with a projection of its own) or "none".
        use_bias: Whether the projections have biases.
        use_output_bias: Whether logits get a bias for each token.
    """

    embedding_dim: int | None = None
    share: bool = False
    tie: str = "shared"
    use_bias: bool = False
    use_output_bias: bool = False


@dataclass(frozen=True)
class AttentionConfig:
    """The attention of a stack's layers.

    Attributes:
        num_heads: Number of heads.
        head_dim: Width of a head; None for the model's width divided by `num_heads`.
        dropout: Dropout rate on the attention probabilities.
    """

    num_heads: int = 8
    head_dim: int | None = None
    dropout: float = 0.0


@dataclass(frozen=True)
class FeedForwardConfig:
    """The feed-forward network of a stack's layers.

    Attributes:
        intermediate_dim: Its inner width.
        activation: A Keras activation, one of `ACTIVATIONS`.
        dropout: Dropout rate after the activation.
    """

    intermediate_dim: int = 2048
    activation: str = "relu"
    dropout: float = 0.0


@dataclass(frozen=True)
class SharingConfig:
    """Which layers of a stack are one and the same.

    Attributes:
        pattern: "none"; "all" (one layer, applied at every depth); "groups" (`groups` layers,
            neighbours alike); "attention" or "feed_forward" (only that half of the layers is
            shared, in `groups` groups).
        groups: Number of distinct layers (or halves) for the last three patterns.
    """

    pattern: str = "none"
    groups: int = 1


@dataclass(frozen=True)
class StackConfig:
    """The encoder or the decoder.

    Attributes:
        num_layers: Its depth.
        attention: Self-attention and, in the decoder, cross-attention.
        feed_forward: The feed-forward networks.
        sharing: Which layers share their parameters.
    """

    num_layers: int = 6
    attention: AttentionConfig = field(default_factory=AttentionConfig)
    feed_forward: FeedForwardConfig = field(default_factory=FeedForwardConfig)
    sharing: SharingConfig = field(default_factory=SharingConfig)


@dataclass(frozen=True)
class Seq2SeqConfig:
    """An encoder-decoder Transformer.

    Every impossible setting is found when the configuration is made, all of them at once.

    Attributes:
        source_vocabulary_size: Number of source token ids.
        target_vocabulary_size: Number of target token ids; None for that of the source.
        hidden_dim: The model's width.
        encoder: The encoder.
        decoder: The decoder.
        embedding: Embeddings and output layer.
        positions: "sinusoidal" or "learned".
        normalize_first: Pre-norm rather than post-norm layers; adds a final normalization to both
            stacks.
        dropout: Dropout rate on embeddings and on the output of every sub-layer.
        epsilon: Epsilon of the normalizations.
        max_source_length: Longest source in tokens, end mark included.
        max_target_length: Longest target in tokens, end mark included.
        pad_id: Id of padding.
        bos_id: Id that a target begins with.
        eos_id: Id that sources and targets end with.

    Raises:
        InputError: If settings are impossible, naming each of them.

    Example:

    >>> config = tfc.models.Seq2SeqConfig(source_vocabulary_size=8000, hidden_dim=256)
    >>> config.encoder.num_layers
    6
    """

    source_vocabulary_size: int
    target_vocabulary_size: int | None = None
    hidden_dim: int = 512
    encoder: StackConfig = field(default_factory=StackConfig)
    decoder: StackConfig = field(default_factory=StackConfig)
    embedding: EmbeddingConfig = field(default_factory=EmbeddingConfig)
    positions: str = "sinusoidal"
    normalize_first: bool = False
    dropout: float = 0.1
    epsilon: float = 1e-5
    max_source_length: int = 256
    max_target_length: int = 256
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2

    def __post_init__(self):
        if self.target_vocabulary_size is None:
            object.__setattr__(self, "target_vocabulary_size", self.source_vocabulary_size)
        problems = schema.type_problems(self) or list(_problems(self))
        if problems:
            raise InputError(f"impossible configuration: {'; '.join(problems)}")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Seq2SeqConfig":
        """Reads a configuration from a mapping with the same names, such as a YAML file's.

        Args:
            mapping: Values by attribute name.

        Raises:
            InputError: If keys are unknown, or settings impossible.
        """
        return schema.from_mapping(cls, mapping)

    def to_mapping(self) -> dict[str, Any]:
        """Returns the mapping that `from_mapping` reads back to an equal configuration."""
        return schema.to_mapping(self)

    def replace(self, **changes: Any) -> "Seq2SeqConfig":
        """Returns a copy with some attributes changed.

        Args:
            **changes: New values by attribute name. A new `source_vocabulary_size` leaves the
                target's as it is; pass `target_vocabulary_size=None` to make them equal again.

        Raises:
            InputError: If settings are impossible.
        """
        return dataclasses.replace(self, **changes)


def layer_groups(stack: StackConfig) -> tuple[list[int], list[int]]:
    """Returns, for each depth, which distinct attention and feed-forward half stands there.

    Depth `i` of `L` in `G` groups uses group `floor(i * G / L)`, as in ALBERT; in whole numbers,
    because its reference code's `int(i / L * G)` merges groups by rounding from 22 groups on.

    Args:
        stack: The encoder's or decoder's configuration.
    """
    depth, groups = stack.num_layers, stack.sharing.groups
    alone = list(range(depth))
    shared = [i * groups // depth for i in range(depth)]
    return {
        "none": (alone, alone),
        "all": ([0] * depth, [0] * depth),
        "groups": (shared, shared),
        "attention": (shared, alone),
        "feed_forward": (alone, shared),
    }[stack.sharing.pattern]


def _problems(config):
    """Yields every impossible setting."""
    positive = {
        "source_vocabulary_size": config.source_vocabulary_size,
        "target_vocabulary_size": config.target_vocabulary_size,
        "hidden_dim": config.hidden_dim,
        "max_source_length": config.max_source_length,
        "max_target_length": config.max_target_length,
    }
    if config.embedding.embedding_dim is not None:
        positive["embedding.embedding_dim"] = config.embedding.embedding_dim
    rates = {"dropout": config.dropout}
    for name in ("encoder", "decoder"):
        stack = getattr(config, name)
        positive |= {
            f"{name}.num_layers": stack.num_layers,
            f"{name}.attention.num_heads": stack.attention.num_heads,
            f"{name}.feed_forward.intermediate_dim": stack.feed_forward.intermediate_dim,
        }
        if stack.attention.head_dim is not None:
            positive[f"{name}.attention.head_dim"] = stack.attention.head_dim
        rates[f"{name}.attention.dropout"] = stack.attention.dropout
        rates[f"{name}.feed_forward.dropout"] = stack.feed_forward.dropout
    for name, value in positive.items():
        if value < 1:
            yield f"`{name}` must be at least 1 (received {value})"
    for name, value in rates.items():
        if not 0 <= value < 1:
            yield f"`{name}` must lie in [0, 1) (received {value})"
    for name in ("encoder", "decoder"):
        yield from _stack_problems(name, getattr(config, name), config.hidden_dim)
    yield from _embedding_problems(config)
    if config.positions not in POSITION_KINDS:
        yield (
            f"`positions` must be one of {', '.join(POSITION_KINDS)} (received "
            f"{config.positions!r})"
        )
    elif config.positions == "sinusoidal" and (config.hidden_dim % 2 or config.hidden_dim < 4):
        yield (
            "sinusoidal positions need an even `hidden_dim` of at least 4 (received "
            f"{config.hidden_dim})"
        )
    if not 0 < config.epsilon < math.inf:
        yield f"`epsilon` must be positive and finite (received {config.epsilon})"
    yield from _id_problems(config)


def _stack_problems(name, stack, hidden_dim):
    heads = stack.attention.num_heads
    if stack.attention.head_dim is None and heads >= 1 and hidden_dim % heads:
        yield (
            f"`hidden_dim` must be divisible by `{name}.attention.num_heads` unless `head_dim` is "
            f"given (received {hidden_dim} and {heads})"
        )
    activation = stack.feed_forward.activation
    if activation not in ACTIVATIONS:
        yield (
            f"`{name}.feed_forward.activation` must be one of {', '.join(ACTIVATIONS)} (received "
            f"{activation!r})"
        )
    sharing = stack.sharing
    if sharing.pattern not in SHARING_PATTERNS:
        yield (
            f"`{name}.sharing.pattern` must be one of {', '.join(SHARING_PATTERNS)} (received "
            f"{sharing.pattern!r})"
        )
    if not 1 <= sharing.groups <= max(stack.num_layers, 1):
        yield (
            f"`{name}.sharing.groups` must lie between 1 and `{name}.num_layers` (received "
            f"{sharing.groups} of {stack.num_layers})"
        )


def _embedding_problems(config):
    embedding = config.embedding
    if embedding.tie not in ("shared", "own", "none"):
        yield f"`embedding.tie` must be shared, own or none (received {embedding.tie!r})"
    if embedding.share and config.source_vocabulary_size != config.target_vocabulary_size:
        yield (
            "`embedding.share` needs equal source and target vocabularies (received "
            f"{config.source_vocabulary_size} and {config.target_vocabulary_size})"
        )


def _id_problems(config):
    ids = {name: getattr(config, name) for name in ("pad_id", "bos_id", "eos_id")}
    smallest = min(config.source_vocabulary_size, config.target_vocabulary_size)
    for name, value in ids.items():
        if not 0 <= value < max(smallest, 1):
            yield f"`{name}` must be an id of both vocabularies (received {value})"
    if len(set(ids.values())) < len(ids):
        yield f"`pad_id`, `bos_id` and `eos_id` must differ (received {list(ids.values())})"
