"""The parts of a model's configuration."""

from dataclasses import dataclass, field
from typing import TypeVar

EMBEDDING_KINDS = ("factorized", "adaptive", "define", "dextra")
LAYER_KINDS = ("transformer", "delight")
ATTENTION_KINDS = ("multi_head", "fixed", "convolution", "lsra")
CONVOLUTION_KINDS = ("dynamic", "lightweight")
PATTERNS = (
    "current",
    "previous",
    "next",
    "left_context",
    "right_context",
    "sentence_end",
    "sentence_start",
    "last_token",
)
SHARING_PATTERNS = ("none", "all", "groups", "attention", "feed_forward")
POSITION_KINDS = ("sinusoidal", "learned")
ACTIVATIONS = (
    "relu",
    "relu6",
    "gelu",
    "gelu_tanh",
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

T = TypeVar("T")


@dataclass(frozen=True)
class TransformConfig:
    """The group transform behind the table of a "define" or "dextra" embedding.

    Attributes:
        depth: Number of group linear layers, at least 2.
        width_multiplier: Its largest width, in widths of the table.
        max_groups: Largest number of groups; None for the published rule.
        dropout: Dropout rate after each of its layers.
    """

    depth: int = 4
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
        use_output_bias: Whether logits get a bias for each token; "adaptive" has none.
        kind: "factorized" (a table and, with `embedding_dim`, a projection), "adaptive" (bands of
            frequency, each with a narrower table), "define" or "dextra" (a narrow table and a
            group transform, DeFINE's or DeLighT's).
        transform: The transform of "define" and "dextra".
        schedule: Group schedule of "define": "paper" or "released".
        cached: Whether the transforms are replaced by tables of finished vectors, as
            `tfcompress.surgery.cache_outputs` does with a trained model.
        cutoffs: Where the bands of "adaptive" after the first begin.
        factor: How many times narrower each band of "adaptive" is than the one before.
    """

    embedding_dim: int | None = None
    share: bool = False
    tie: str = "shared"
    use_bias: bool = False
    use_output_bias: bool = False
    kind: str = "factorized"
    transform: TransformConfig = field(default_factory=TransformConfig)
    schedule: str = "paper"
    cached: bool = False
    cutoffs: tuple[int, ...] = ()
    factor: int = 4


@dataclass(frozen=True)
class ConvolutionConfig:
    """The convolution of "convolution" and "lsra" attention.

    Attributes:
        kind: "dynamic" (kernels predicted at every position) or "lightweight" (fixed kernels).
        kernel_size: Taps; one number, or one for each depth.
        num_heads: Groups of channels that share a kernel.
        gated: Whether a gated linear unit stands before the convolution.
        weight_softmax: Whether the taps are normalized by a softmax.
        weight_dropout: Dropout rate on the taps.
        mask_after_linear: Whether padding is cleared after the first dense layer. The reference
            code clears it before, so that the layer's bias leaks out of the padding and a sentence
            gets another translation in a batch than alone.
    """

    kind: str = "dynamic"
    kernel_size: int | tuple[int, ...] = 3
    num_heads: int = 4
    gated: bool = True
    weight_softmax: bool = True
    weight_dropout: float = 0.0
    mask_after_linear: bool = True


@dataclass(frozen=True)
class AttentionConfig:
    """What mixes the positions in a stack's layers.

    Attributes:
        num_heads: Number of heads, those of fixed patterns included; one number, or one for each
            depth.
        head_dim: Width of a head; None for the width divided by `num_heads`.
        dropout: Dropout rate on the attention probabilities.
        kind: "multi_head"; "fixed" (heads of fixed patterns beside learned ones; encoder only);
            "convolution"; or "lsra" (attention on some channels, convolution on the others).
        gated: Whether each head has a gate, which pruning closes; "multi_head" only.
        patterns: The patterns of "fixed".
        edges: What a pattern of "fixed" without a target at a position attends to: "zero"
            (nothing) or "self".
        words: Whether the patterns of "fixed" hold between words instead of tokens.
        attention_dim: Channels that the attention of "lsra" takes; None for half.
        convolution: The convolution of "convolution" and "lsra".
    """

    num_heads: int | tuple[int, ...] = 8
    head_dim: int | None = None
    dropout: float = 0.0
    kind: str = "multi_head"
    gated: bool = False
    patterns: tuple[str, ...] = ()
    edges: str = "zero"
    words: bool = False
    attention_dim: int | None = None
    convolution: ConvolutionConfig = field(default_factory=ConvolutionConfig)


@dataclass(frozen=True)
class FeedForwardConfig:
    """The feed-forward network of a stack's layers.

    Attributes:
        intermediate_dim: Its inner width; one number, or one for each depth.
        activation: One of `ACTIVATIONS`: a Keras activation, or "gelu_tanh".
        dropout: Dropout rate after the activation.
    """

    intermediate_dim: int | tuple[int, ...] = 2048
    activation: str = "relu"
    dropout: float = 0.0


@dataclass(frozen=True)
class ScalingConfig:
    """DeLighT's block-wise scaling: deeper and wider transforms towards the output.

    Attributes:
        min_depth: Group linear layers in the first layer's transform, at least 2.
        max_depth: The same in the last layer's.
        width_multiplier: Largest width of the first transform, in widths of the model.
        max_groups: Largest number of groups; None for the published rule.
        dropout: Dropout rate after each layer of a transform.
    """

    min_depth: int = 4
    max_depth: int = 8
    width_multiplier: float = 2.0
    max_groups: int | None = None
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
class LayerDropConfig:
    """LayerDrop: layers that training skips at random.

    Attributes:
        rate: Probability that a layer is skipped; one number, or one for each depth.
        learned: Whether the rates of the layers are learned, with `rate` as their mean.
    """

    rate: float | tuple[float, ...] = 0.0
    learned: bool = False


@dataclass(frozen=True)
class StackConfig:
    """The encoder or the decoder.

    Attributes:
        num_layers: Its depth.
        attention: What mixes the positions.
        feed_forward: The feed-forward networks.
        sharing: Which layers share their parameters.
        kind: "transformer", or "delight" (a group transform before an attention of half width).
        cross_attention: The decoder's attention to the encoder, always "multi_head"; None for the
            heads of `attention`.
        scaling: The transforms of "delight".
        layer_drop: Which layers training skips.
        successors: Number of layers that BERT-of-Theseus replaces the stack by in training; None
            for no replacement.
    """

    num_layers: int = 6
    attention: AttentionConfig = field(default_factory=AttentionConfig)
    feed_forward: FeedForwardConfig = field(default_factory=FeedForwardConfig)
    sharing: SharingConfig = field(default_factory=SharingConfig)
    kind: str = "transformer"
    cross_attention: AttentionConfig | None = None
    scaling: ScalingConfig = field(default_factory=ScalingConfig)
    layer_drop: LayerDropConfig = field(default_factory=LayerDropConfig)
    successors: int | None = None

    @property
    def memory_attention(self) -> AttentionConfig:
        """The attention to the encoder."""
        if self.cross_attention is not None:
            return self.cross_attention
        own = self.attention
        return AttentionConfig(own.num_heads, own.head_dim, own.dropout, gated=own.gated)

    @property
    def drops_layers(self) -> bool:
        """Whether training skips layers."""
        rates = self.layer_drop.rate
        return self.layer_drop.learned or any(rates if isinstance(rates, tuple | list) else [rates])


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


def at_depth(value: T | tuple[T, ...], depth: int) -> T:
    """Returns the value at one depth of what is one value, or one for each depth.

    Args:
        value: One value or a tuple.
        depth: Which layer, from 0.
    """
    return value[depth] if isinstance(value, tuple | list) else value
