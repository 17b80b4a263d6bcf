"""What a recipe may do to a model before and after training."""

from dataclasses import dataclass, field, fields

from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression

SIDES = ("encoder", "decoder")


@dataclass(frozen=True)
class PruneHeads:
    """Removes the least important attention heads.

    Attributes:
        fraction: Part of all heads to remove, in (0, 1).
        steps: Removals, each after a new estimate of importance.
        minimum_per_layer: Heads that every layer keeps.
        protect: Regular expression that the names of attention layers match that keep all heads,
            such as "cross"; None for none.
        sentences: Training pairs that importance is estimated on.
    """

    fraction: float = 0.5
    steps: int = 1
    minimum_per_layer: int = 1
    protect: str | None = None
    sentences: int = 1000

    def __post_init__(self):
        if not 0.0 < self.fraction < 1.0:
            raise InputError(
                f"`prune_heads.fraction` must lie in (0, 1). Received: {self.fraction}."
            )
        _check_least("prune_heads.steps", self.steps, 1)
        _check_least("prune_heads.minimum_per_layer", self.minimum_per_layer, 1)
        _check_least("prune_heads.sentences", self.sentences, 1)
        if self.protect is not None:
            compile_expression("prune_heads.protect", self.protect)


@dataclass(frozen=True)
class DropLayers:
    """Removes whole layers: those named, every other, or those that validation misses least.

    Attributes:
        keep: Depths to keep, from 0, by side ("encoder", "decoder").
        drop: Depths to drop, likewise; not for a side that `keep` names.
        rate: Part of the layers of the other sides to drop, evenly; 0 for none.
        search_encoder: Layers that the encoder keeps, found by the score on validation sentences.
        search_decoder: The same for the decoder.
        sentences: Validation sentences of a search.
    """

    keep: dict[str, tuple[int, ...]] | None = None
    drop: dict[str, tuple[int, ...]] | None = None
    rate: float = 0.0
    search_encoder: int | None = None
    search_decoder: int | None = None
    sentences: int = 200

    def __post_init__(self):
        if not 0.0 <= self.rate <= 0.5:
            raise InputError(
                f"`drop_layers.rate` must lie in [0, 0.5]. Received: {self.rate}. To keep fewer "
                "than every second layer, list those that stay under `keep`."
            )
        named = [*(self.keep or ()), *(self.drop or ())]
        for side in named:
            if side not in SIDES or named.count(side) > 1:
                raise InputError(
                    "`drop_layers` must name each side once, under `keep` or `drop`. Received: "
                    f"{side!r}. Sides are {' and '.join(SIDES)}."
                )
        _check_least("drop_layers.sentences", self.sentences, 1)


@dataclass(frozen=True)
class TakeSuccessors:
    """Ends a BERT-of-Theseus replacement."""


@dataclass(frozen=True)
class FactorizeEmbedding:
    """Factorizes the tables.

    Attributes:
        embedding_dim: Their new width.
        weigh_tokens: Whether tokens that the training corpus has more often are approximated
            better.
    """

    embedding_dim: int
    weigh_tokens: bool = False


@dataclass(frozen=True)
class TrimVocabulary:
    """Removes the tokens that the training corpus does not use; before training only."""


@dataclass(frozen=True)
class NarrowFeedForward:
    """Removes the least important units of feed-forward networks.

    Attributes:
        encoder: New width in the encoder; None leaves it.
        decoder: New width in the decoder; None leaves it.
        sentences: Training pairs that importance is measured on.
    """

    encoder: int | None = None
    decoder: int | None = None
    sentences: int = 1000

    def __post_init__(self):
        _check_least("narrow_feed_forward.sentences", self.sentences, 1)


@dataclass(frozen=True)
class CacheOutputs:
    """Replaces the transforms of embeddings by tables of finished vectors.

    Attributes:
        prefer: "bytes", "multiply_adds" or "cached".
    """

    prefer: str = "bytes"


@dataclass(frozen=True)
class SurgeryStep:
    """One operation; exactly one attribute is set."""

    prune_heads: PruneHeads | None = None
    drop_layers: DropLayers | None = None
    take_successors: TakeSuccessors | None = None
    factorize_embedding: FactorizeEmbedding | None = None
    trim_vocabulary: TrimVocabulary | None = None
    narrow_feed_forward: NarrowFeedForward | None = None
    cache_outputs: CacheOutputs | None = None

    def __post_init__(self):
        names_set = [f.name for f in fields(self) if getattr(self, f.name) is not None]
        if len(names_set) != 1:
            names = ", ".join(f.name for f in fields(self))
            raise InputError(
                f"A step of surgery must be exactly one of {names}. Received: "
                f"{', '.join(names_set) or 'none'}."
            )

    @property
    def name(self) -> str:
        """Which operation it is."""
        return next(f.name for f in fields(self) if getattr(self, f.name) is not None)

    @property
    def settings(self) -> object:
        """The operation's settings."""
        return getattr(self, self.name)


@dataclass(frozen=True)
class SurgeryRecipe:
    """Operations on the model, in order.

    Attributes:
        before: On the model of `start_from`, before it is trained.
        after: On the trained model.
    """

    before: tuple[SurgeryStep, ...] = field(default=())
    after: tuple[SurgeryStep, ...] = field(default=())


def _check_least(name, value, least):
    if value < least:
        raise InputError(f"`{name}` must be at least {least}. Received: {value}.")
