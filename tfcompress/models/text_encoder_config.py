"""The configuration of a text encoder."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.models.config_parts import FeedForwardConfig, StackConfig
from tfcompress.models.config_problems import epsilon_problems, stack_problems
from tfcompress.models.head_config import HeadConfig, head_problems
from tfcompress.models.mixers import AttentionConfig
from tfcompress.models.rules import range_problems


def _bert_stack():
    return StackConfig(
        12, attention=AttentionConfig(12), feed_forward=FeedForwardConfig(3072, activation="gelu")
    )


@dataclass(frozen=True)
class TextEncoderConfig(schema.Mapped):
    """An encoder of the BERT family.

    Token, position and type embeddings are added in the width of the table, normalized, and
    projected to the model's width where that is another (ALBERT). The defaults are BERT-base's.
    RoBERTa has no token types and pads with another id, DistilBERT has neither types nor pooler.

    Every impossible setting is found when the configuration is made, all of them at once.

    Attributes:
        vocabulary_size: Number of token ids.
        hidden_dim: The model's width.
        encoder: The layers.
        embedding_dim: Width of the embeddings; None for the model's own width, without a
            projection.
        project_first: Whether tokens are projected to the model's width before positions and types
            are added, as a table is that was factorized after training. ALBERT projects last.
        token_types: Number of token types; 0 for none.
        pooler: Whether there is a dense layer with tanh on the first token.
        normalize_first: Pre-norm rather than post-norm layers; adds a final normalization.
        dropout: Dropout rate on embeddings and on the output of every sub-layer.
        epsilon: Epsilon of the normalizations.
        max_length: Longest text in tokens.
        pad_id: Id of padding.
        head: What stands on the encoder; None for its states alone.

    Raises:
        InputError: If settings are impossible, naming each of them.

    Example:

    >>> config = tfc.models.TextEncoderConfig(vocabulary_size=30522)
    >>> config.encoder.num_layers
    12
    """

    vocabulary_size: int
    _: KW_ONLY
    hidden_dim: int = 768
    encoder: StackConfig = field(default_factory=_bert_stack)
    embedding_dim: int | None = None
    project_first: bool = False
    token_types: int = 2
    pooler: bool = True
    normalize_first: bool = False
    dropout: float = 0.1
    epsilon: float = 1e-12
    max_length: int = 512
    pad_id: int = 0
    head: HeadConfig | None = None

    def __post_init__(self):
        problems = schema.type_problems(self) or list(_problems(self))
        if problems:
            raise InputError(f"impossible configuration: {'; '.join(problems)}")


def _problems(config: TextEncoderConfig) -> Iterator[str]:
    names = ("vocabulary_size", "hidden_dim", "embedding_dim", "max_length")
    sizes = {name: getattr(config, name) for name in names}
    yield from range_problems(sizes, {"dropout": config.dropout})
    yield from stack_problems("encoder", config.encoder, config.hidden_dim)
    yield from epsilon_problems(config.epsilon)
    if config.project_first and config.embedding_dim is None:
        yield "`project_first` needs `embedding_dim` (received null)"
    if config.token_types < 0:
        yield f"`token_types` must not be negative (received {config.token_types})"
    if not 0 <= config.pad_id < max(config.vocabulary_size, 1):
        yield f"`pad_id` must be an id of the vocabulary (received {config.pad_id})"
    if config.head is not None:
        yield from head_problems(config.head, config.pooler)
