"""The configuration of a language model."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.models.config_parts import EmbeddingConfig, StackConfig
from tfcompress.models.config_problems import stack_problems, token_problems
from tfcompress.models.rules import range_problems


@dataclass(frozen=True)
class LanguageModelConfig(schema.Mapped):
    """A decoder without an encoder.

    Every impossible setting is found when the configuration is made, all of them at once.

    Attributes:
        vocabulary_size: Number of token ids.
        hidden_dim: The model's width.
        decoder: The layers; there is no `cross_attention`.
        embedding: Embeddings and output layer; "shared" ties the output to the table, and `share`
            has no meaning here.
        positions: "sinusoidal" or "learned".
        first_position: As in `Seq2SeqConfig`.
        normalize_first: Pre-norm rather than post-norm layers; adds a final normalization.
        dropout: Dropout rate on embeddings and on the output of every sub-layer.
        epsilon: Epsilon of the normalizations.
        max_length: Longest text in tokens, end mark included.
        pad_id: Id of padding.
        bos_id: Id that a text begins with.
        eos_id: Id that a text ends with.

    Raises:
        InputError: If settings are impossible, naming each of them.

    Example:

    >>> config = tfc.models.LanguageModelConfig(vocabulary_size=8000, hidden_dim=256)
    >>> config.decoder.num_layers
    6
    """

    vocabulary_size: int
    _: KW_ONLY
    hidden_dim: int = 512
    decoder: StackConfig = field(default_factory=StackConfig)
    embedding: EmbeddingConfig = field(default_factory=EmbeddingConfig)
    positions: str = "sinusoidal"
    first_position: int = 0
    normalize_first: bool = False
    dropout: float = 0.1
    epsilon: float = 1e-5
    max_length: int = 256
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2

    def __post_init__(self):
        problems = schema.type_problems(self) or list(_problems(self))
        if problems:
            raise InputError(f"impossible configuration: {'; '.join(problems)}")

    @property
    def vocabulary_sizes(self) -> dict[str, int]:
        """Number of token ids by side: a language model has what a target has."""
        return {"target": self.vocabulary_size}

    @property
    def target_vocabulary_size(self) -> int:
        """Number of token ids, as decoders of all models call it."""
        return self.vocabulary_size

    @property
    def max_target_length(self) -> int:
        """Longest text in tokens, as decoders of all models call it."""
        return self.max_length


def _problems(config: LanguageModelConfig) -> Iterator[str]:
    names = ("vocabulary_size", "hidden_dim", "max_length")
    yield from range_problems(
        {name: getattr(config, name) for name in names}, {"dropout": config.dropout}
    )
    yield from stack_problems("decoder", config.decoder, config.hidden_dim)
    if config.decoder.cross_attention is not None:
        yield "`decoder.cross_attention` has nothing to attend to (received one; leave it out)"
    if config.embedding.share:
        yield "`embedding.share` needs a source and a target (received true; leave it out)"
    yield from token_problems(config)
