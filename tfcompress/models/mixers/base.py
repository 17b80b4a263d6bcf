"""What all mixers have in common, and the registry of them."""

import dataclasses
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypeVar

from tfcompress.cost import Cost, dense
from tfcompress.models.rules import at_layer

if TYPE_CHECKING:
    from tensorflow import keras

# The settings of every mixer, by its name.
MIXERS: "dict[str, type[MixerConfig]]" = {}

M = TypeVar("M", bound="type[MixerConfig]")


def register_mixer(cls: M) -> M:
    """Makes a mixer one that configurations can name, by the default of its field `mixer`."""
    MIXERS[cls.mixer] = cls
    return cls


@dataclass(frozen=True)
class Site:
    """Where a mixer stands.

    Attributes:
        width: The model's width.
        layer_index: Which layer, from 0.
        num_layers: Layers of the stack.
        causal: Whether a position sees only itself and earlier ones, as in a decoder.
        max_length: The greatest length of a sequence that is exported whole, if there is one.
        name: What its layer is called.
    """

    width: int
    _: KW_ONLY
    layer_index: int = 0
    num_layers: int = 1
    causal: bool = False
    max_length: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class MixerConfig:
    """What mixes the positions in a stack's layers: settings, rules, layer and costs of a mixer.

    A mixer is a subclass, registered with `register_mixer`. Its fields are what a configuration
    may say of it; those below have a meaning for every mixer, as the decoder's attention to the
    encoder has the same heads unless it is configured by itself.

    Attributes:
        mixer: The mixer's name; a mapping chooses the mixer by it.
        num_heads: Number of heads; one number, or one for each layer.
        head_dim: Width of a head; None for the width divided by `num_heads`.
        dropout: Dropout rate on the attention probabilities.
    """

    mixer: str = field(init=False, default="")
    num_heads: int | tuple[int, ...] = 8
    _: KW_ONLY
    head_dim: int | None = None
    dropout: float = 0.0

    # Whether its layer is told which word each token belongs to, and whether heads have gates:
    # fields of mixers that can say so.
    words = False
    gated = False
    # How the method's papers count costs, where they count otherwise: a name of
    # `tfcompress.analysis.published`.
    published_counting: ClassVar[str | None] = None

    # The key of a mapping that chooses among the mixers.
    tag: ClassVar[str] = "mixer"

    @staticmethod
    def options() -> "dict[str, type[MixerConfig]]":
        """Returns all mixers by name."""
        return MIXERS

    def sizes(self) -> dict[str, object]:
        """Returns the settings that must be at least 1, by name."""
        return {"num_heads": self.num_heads, "head_dim": self.head_dim}

    def rates(self) -> dict[str, float]:
        """Returns the dropout rates by name."""
        return {"dropout": self.dropout}

    def per_layer(self) -> dict[str, object]:
        """Returns the settings that may have one value for each layer, by name."""
        return {"num_heads": self.num_heads}

    @property
    def layers_differ(self) -> bool:
        """Whether layers differ with their place beyond what `per_layer` says."""
        return False

    def problems(self, where: str, *, side: str, width: int, num_layers: int) -> Iterator[str]:
        """Yields one line for each impossible setting beyond `sizes` and `rates`.

        Args:
            where: What the settings are called.
            side: "encoder" or "decoder".
            width: The model's width.
            num_layers: Layers of the stack.
        """
        yield from ()

    def build(self, site: Site) -> "keras.layers.Layer":
        """Returns the layer, called as `layer(x, padding_mask=..., training=...)`.

        In a decoder it also has `state_spec` and `step`; see `tfcompress.layers.LSRA` for one.
        """
        raise NotImplementedError

    def build_transform(self, site: Site) -> "keras.layers.Layer | None":
        """Returns what each position passes before it is mixed, or None."""
        return None

    def cost(self, site: Site, *, length: int) -> Cost:
        """Returns the cost of mixing `length` positions, the transform's included."""
        raise NotImplementedError

    def memory_width(self, width: int) -> int:
        """Returns what the heads of a decoder's attention to the encoder divide among them."""
        return width

    def of_layers(self, kept: list[int]) -> "MixerConfig":
        """Returns the settings of some layers of a stack, by index."""
        each = {
            name: tuple(value[layer_index] for layer_index in kept)
            for name, value in self.per_layer().items()
            if isinstance(value, tuple | list)
        }
        return _replaced(self, each)

    def with_heads(self, num_heads: int | tuple[int, ...], head_dim: int) -> "MixerConfig":
        """Returns the settings with other learned heads, without gates."""
        gates = {"gated": False} if self.gated else {}
        return dataclasses.replace(self, num_heads=num_heads, head_dim=head_dim, **gates)


def _replaced(settings, changes):
    """Replaces settings that are named by their paths."""
    for path, value in changes.items():
        name, _, inner = path.partition(".")
        value = _replaced(getattr(settings, name), {inner: value}) if inner else value
        settings = dataclasses.replace(settings, **{name: value})
    return settings


def attention_cost(
    config: MixerConfig,
    width: int,
    *,
    layer_index: int,
    queries: int,
    keys: int,
    head_dim: int | None = None,
    output_dim: int | None = None,
) -> Cost:
    """Returns the cost of attention from `queries` positions to `keys` positions.

    Every query meets every key, under a causal mask too, which is how the published numbers
    count: `2 * queries * keys * num_heads * head_dim` for scores and weighted sums.

    Args:
        config: The heads.
        width: Width of the input, and of what is attended to.
        layer_index: Which layer, from 0.
        queries: Number of positions that attend.
        keys: Number of positions attended to; their keys and values are computed once.
        head_dim: Width of a head where the configuration gives none.
        output_dim: Width of the output; `width` by default.
    """
    heads = at_layer(config.num_heads, layer_index)
    inner = heads * (config.head_dim or head_dim or width // heads)
    query = dense(width, inner, tokens=queries)
    key = value = dense(width, inner, tokens=keys, num_layers=0)
    output = dense(inner, output_dim or width, tokens=queries)
    gates = Cost(vector_values=heads if config.gated else 0)
    met = Cost(multiply_adds=2 * queries * keys * inner)
    return query + key + value + output + gates + met
