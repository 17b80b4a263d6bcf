"""The cost of a text encoder."""

from tfcompress.analysis.stack import encoder, words
from tfcompress.cost import Cost, Matrix, dense, normalization
from tfcompress.models.text_encoder_config import TextEncoderConfig


def text_encoder(config: TextEncoderConfig, *, length: int) -> dict[str, Cost]:
    """Returns the costs of `embedding`, `encoder` and `output` (the pooler and the head).

    Args:
        config: The model.
        length: Tokens of the text.
    """
    width, narrow = config.hidden_dim, config.embedding_dim or config.hidden_dim
    inner = width if config.project_first else narrow
    tables = [Matrix(config.vocabulary_size, narrow), Matrix(config.max_length, inner)]
    if config.token_types:
        tables.append(Matrix(config.token_types, inner))
    embedding = Cost(tuple(tables), num_layers=1) + normalization(inner)
    if config.embedding_dim is not None:
        embedding += dense(narrow, width, tokens=length)
    return {
        "embedding": embedding,
        "encoder": encoder(config, source_length=length)
        + words(config.encoder.attention, config.vocabulary_size),
        "output": _output(config, length),
    }


def _output(config, length):
    head, width = config.head, config.hidden_dim
    per_token = head is not None and head.per_token
    cost = Cost()
    # A head that does not read the pooler leaves it out.
    if config.pooler and (head is None or (head.pooling == "pooled" and not per_token)):
        cost += dense(width, width, tokens=1)
    if head is not None:
        tokens = length if per_token else 1
        if head.hidden_activation is not None:
            cost += dense(width, width, tokens=tokens)
        if head.classes is not None:
            cost += dense(width, head.classes, tokens=tokens)
    return cost
