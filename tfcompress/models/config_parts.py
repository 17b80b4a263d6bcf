"""The parts of a model's configuration."""

from dataclasses import KW_ONLY, dataclass, field

from tfcompress.models.mixers import AttentionConfig, MixerConfig

EMBEDDING_TYPES = ("factorized", "adaptive", "define", "dextra")
SHARING_PATTERNS = ("none", "all", "groups", "attention", "feed_forward")
POSITION_TYPES = ("sinusoidal", "paper_sinusoidal", "learned")


@dataclass(frozen=True)
class TransformConfig:
    """The group transform behind the table of a "define" or "dextra" embedding.

    Attributes:
        num_layers: Number of group linear layers, at least 2.
        width_multiplier: Its largest width, in widths of the table.
        max_groups: Largest number of groups; None for the published rule.
        dropout: Dropout rate after each of its layers.
    """

    num_layers: int = 4
    _: KW_ONLY
    width_multiplier: float = 2.0
    max_groups: int | None = None
    dropout: float = 0.0


@dataclass(frozen=True)
class EmbeddingConfig:
    """The embeddings and the output layer.

    Attributes:
        embedding_dim: Width of the tables; None for the model's own width. Of "adaptive", the
            width of the first band. "define" and "dextra" need it.
        share: Whether source and target use one table (and one projection). The transforms of
            "define" and "dextra" are never shared.
        tie: How the output layer is tied to the target embedding: "shared" (through table and
            projection; not possible through a transform), "own" (through the table, with a
            projection of its own; not possible for "adaptive") or "none".
        use_bias: Whether the projections of "factorized" have biases.
        use_scale: Whether vectors of "factorized" are multiplied by the square root of the table's
            width when they are looked up.
        use_output_bias: Whether logits get a bias for each token; "adaptive" has none.
        layer_type: "factorized" (a table and, with `embedding_dim`, a projection), "adaptive"
            (bands of frequency, each with a narrower table), "define" or "dextra" (a narrow table
            and a group transform, DeFINE's or DeLighT's).
        transform: The transform of "define" and "dextra".
        schedule: Group schedule of "define": "paper" or "released".
        cached: Whether the transforms are replaced by tables of finished vectors, as
            `tfcompress.surgery.cache_outputs` does with a trained model.
        cutoffs: Where the bands of "adaptive" after the first begin.
        factor: How many times narrower each band of "adaptive" is than the one before.
        zero_start: Whether a target begins with a vector of zeros in place of the begin mark's, as
            Marian's decoders do.
    """

    embedding_dim: int | None = None
    _: KW_ONLY
    share: bool = False
    tie: str = "shared"
    use_bias: bool = False
    use_scale: bool = True
    use_output_bias: bool = False
    layer_type: str = "factorized"
    transform: TransformConfig = field(default_factory=TransformConfig)
    schedule: str = "paper"
    cached: bool = False
    cutoffs: tuple[int, ...] = ()
    factor: int = 4
    zero_start: bool = False


@dataclass(frozen=True)
class FeedForwardConfig:
    """The feed-forward network of a stack's layers.

    Attributes:
        intermediate_dim: Its inner width; one number, or one for each layer.
        activation: One of `ACTIVATIONS`: a Keras activation, or "gelu_tanh".
        dropout: Dropout rate after the activation.
    """

    intermediate_dim: int | tuple[int, ...] = 2048
    _: KW_ONLY
    activation: str = "relu"
    dropout: float = 0.0


@dataclass(frozen=True)
class SharingConfig:
    """Which layers of a stack are one and the same.

    Attributes:
        pattern: "none"; "all" (one layer, applied at every place); "groups" (`groups` layers,
            neighbours alike); "attention" or "feed_forward" (only that half of the layers is
            shared, in `groups` groups).
        groups: Number of distinct layers (or halves) for the last three patterns.
    """

    pattern: str = "none"
    _: KW_ONLY
    groups: int = 1


@dataclass(frozen=True)
class LayerDropConfig:
    """LayerDrop: layers that training skips at random.

    Attributes:
        rate: Probability that a layer is skipped; one number, or one for each layer.
        learned: Whether the rates of the layers are learned, with `rate` as their mean.
    """

    rate: float | tuple[float, ...] = 0.0
    _: KW_ONLY
    learned: bool = False


@dataclass(frozen=True)
class StackConfig:
    """The encoder or the decoder.

    Attributes:
        num_layers: Number of layers.
        attention: What mixes the positions: one of `MIXERS`.
        feed_forward: The feed-forward networks.
        sharing: Which layers share their parameters.
        cross_attention: The decoder's attention to the encoder, always "multi_head"; None for the
            heads of `attention`.
        layer_drop: Which layers training skips.
        successors: Number of layers that BERT-of-Theseus replaces the stack by in training; None
            for no replacement.
    """

    num_layers: int = 6
    _: KW_ONLY
    attention: MixerConfig = field(default_factory=AttentionConfig)
    feed_forward: FeedForwardConfig = field(default_factory=FeedForwardConfig)
    sharing: SharingConfig = field(default_factory=SharingConfig)
    cross_attention: AttentionConfig | None = None
    layer_drop: LayerDropConfig = field(default_factory=LayerDropConfig)
    successors: int | None = None

    @property
    def memory_attention(self) -> AttentionConfig:
        """The attention to the encoder."""
        if self.cross_attention is not None:
            return self.cross_attention
        own = self.attention
        return AttentionConfig(
            own.num_heads, head_dim=own.head_dim, dropout=own.dropout, gated=own.gated
        )

    @property
    def drops_layers(self) -> bool:
        """Whether training skips layers."""
        rates = self.layer_drop.rate
        return self.layer_drop.learned or any(rates if isinstance(rates, tuple | list) else [rates])


def layer_groups(stack: StackConfig) -> tuple[list[int], list[int]]:
    """Returns, for each layer, which distinct attention and feed-forward half it has.

    Layer `i` of `L` in `G` groups uses group `floor(i * G / L)`, as in ALBERT; in whole numbers,
    because its reference code's `int(i / L * G)` merges groups by rounding from 22 groups on.

    Args:
        stack: The encoder's or decoder's configuration.
    """
    count, groups = stack.num_layers, stack.sharing.groups
    alone = list(range(count))
    shared = [i * groups // count for i in range(count)]
    return {
        "none": (alone, alone),
        "all": ([0] * count, [0] * count),
        "groups": (shared, shared),
        "attention": (shared, alone),
        "feed_forward": (alone, shared),
    }[stack.sharing.pattern]
