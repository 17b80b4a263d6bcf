"""The cost of a text encoder."""

from tfcompress.analysis.cost import Cost, Matrix
from tfcompress.analysis.dense import dense
from tfcompress.analysis.normalization import normalization
from tfcompress.analysis.stack import encoder
from tfcompress.analysis.words import words
from tfcompress.models.text_encoder_config import TextEncoderConfig


def text_encoder(config: TextEncoderConfig, *, length: int) -> dict[str, Cost]:
    """Returns the costs of `embedding`, `encoder` and `output` (the pooler).

    Args:
        config: The model.
        length: Tokens of the text.
    """
    width, narrow = config.hidden_dim, config.embedding_dim or config.hidden_dim
    tables = [Matrix(config.vocabulary_size, narrow), Matrix(config.max_length, narrow)]
    if config.token_types:
        tables.append(Matrix(config.token_types, narrow))
    embedding = Cost(tuple(tables), depth=1) + normalization(narrow)
    if config.embedding_dim is not None:
        embedding += dense(narrow, width, tokens=length)
    return {
        "embedding": embedding,
        "encoder": encoder(config, source_length=length)
        + words(config.encoder.attention, config.vocabulary_size),
        "output": dense(width, width, tokens=1) if config.pooler else Cost(),
    }
