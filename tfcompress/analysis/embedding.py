"""The cost of embeddings, positions and the output layer."""

import dataclasses
import itertools

from tfcompress.cost import Cost, Matrix, dense, group_transform
from tfcompress.models.config import EmbeddingConfig, Seq2SeqConfig
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.scaling import default_max_groups, define_schedule, dextra_schedule


def embeddings(
    config: Seq2SeqConfig | LanguageModelConfig, *, source_length: int = 0, target_length: int
) -> Cost:
    """Returns the cost of embedding source and target, without positions.

    Looking up counts no multiply-adds. `num_layers` is that of one side.

    Args:
        config: The model.
        source_length: Tokens of the source, where there is one.
        target_length: Tokens of the target, or of a language model's text.
    """
    embedding, width, sizes = config.embedding, config.hidden_dim, config.vocabulary_sizes
    lengths = {"source": source_length, "target": target_length}
    if embedding.layer_type in ("define", "dextra"):
        return _transformed(embedding, sizes, width, lengths)
    if embedding.share:
        return _table(embedding, sizes["target"], width, tokens=sum(lengths.values()))
    cost = Cost()
    for side, size in sizes.items():
        table = _table(embedding, size, width, tokens=lengths[side])
        cost += table if side == "target" else dataclasses.replace(table, num_layers=0)
    return cost


def positions(position_type: str, max_length: int, width: int) -> Cost:
    """Returns the cost of positions: a table if "learned", nothing if "sinusoidal".

    Args:
        position_type: "learned" or "sinusoidal".
        max_length: Rows of the table.
        width: The model's width.
    """
    return Cost((Matrix(max_length, width),)) if position_type == "learned" else Cost()


def output(config: Seq2SeqConfig | LanguageModelConfig, *, tokens: int) -> Cost:
    """Returns the cost of computing the logits of `tokens` positions.

    What the output layer borrows from the target embedding counts no parameters here, only its
    multiply-adds.

    Args:
        config: The model.
        tokens: Positions with logits.
    """
    embedding, width = config.embedding, config.hidden_dim
    size = config.vocabulary_sizes["target"]
    if embedding.tie == "none":
        return dense(width, size, tokens=tokens, use_bias=embedding.use_output_bias)
    bias = Cost(
        vector_values=size if embedding.use_output_bias else 0,
        additions=tokens * size if embedding.use_output_bias else 0,
    )
    if embedding.layer_type == "adaptive":
        return bias + _adaptive_output(embedding, size, width, tokens=tokens)
    narrow = embedding.embedding_dim or width
    through_table = Cost(multiply_adds=tokens * narrow * size, num_layers=0)
    if embedding.layer_type in ("define", "dextra"):
        projection = Cost()
        if narrow != width:
            projection = dense(width, narrow, tokens=tokens, use_bias=False)
        table = Cost((Matrix(size, narrow),)) if embedding.cached else Cost()
        return bias + projection + table + through_table
    if embedding.tie == "own":
        own = dense(width, narrow, tokens=tokens, use_bias=embedding.use_bias)
        return bias + own + through_table
    if embedding.embedding_dim is None:
        return bias + through_table
    return bias + through_table + Cost(multiply_adds=tokens * width * narrow)


def _table(embedding: EmbeddingConfig, size: int, width: int, *, tokens: int) -> Cost:
    """A table and, where factorized, a projection; or the bands of an adaptive embedding."""
    if embedding.layer_type == "adaptive":
        cost = Cost(num_layers=1)
        for rows, narrow in _bands(embedding, size, width):
            # Every band is computed and one is chosen, so that shapes are known.
            cost += Cost((Matrix(rows, narrow),))
            cost += dense(narrow, width, tokens=tokens, use_bias=False, num_layers=0)
        return cost + Cost(num_layers=1)
    if embedding.embedding_dim is None:
        return Cost((Matrix(size, width),), num_layers=1)
    table = Cost((Matrix(size, embedding.embedding_dim),), num_layers=1)
    return table + dense(embedding.embedding_dim, width, tokens=tokens, use_bias=embedding.use_bias)


def _bands(embedding, size, width):
    """Rows and width of each band."""
    edges = [0, *embedding.cutoffs, size]
    first = embedding.embedding_dim or width
    return [
        (end - start, first // embedding.factor**i)
        for i, (start, end) in enumerate(itertools.pairwise(edges))
    ]


def _adaptive_output(embedding, size, width, *, tokens):
    """Head and tails, all of them computed, through tables and projections of the input."""
    bands = _bands(embedding, size, width)
    tails = len(bands) - 1
    cost = Cost()
    if tails:
        cost += dense(width, tails, tokens=tokens, use_bias=False)
    for i, (rows, narrow) in enumerate(bands):
        projected = 0 if i == 0 and narrow == width else width * narrow
        cost += Cost(multiply_adds=tokens * (projected + narrow * rows))
    return cost


def _transformed(embedding, sizes, width, lengths):
    """Tables, of which a shared one is stored once, and a transform for each side."""
    narrow = embedding.embedding_dim
    if embedding.cached:
        # The transforms have gone; the narrow table counts under the output that still uses it.
        return Cost(tuple(Matrix(size, width) for size in sizes.values()), num_layers=1)
    tables = [sizes["target"]] if embedding.share else sizes.values()
    cost = Cost(tuple(Matrix(size, narrow) for size in tables), num_layers=1)
    transform = embedding.transform
    groups = transform.max_groups or default_max_groups(width)
    shape = (width // 2, width, transform.width_multiplier * narrow, transform.num_layers, groups)
    if embedding.layer_type == "dextra":
        schedule = dextra_schedule(*shape)
    else:
        schedule = define_schedule(*shape, released=embedding.schedule == "released")
    for side in sizes:
        unit = group_transform(schedule, narrow, width // 2, width, tokens=lengths[side])
        cost += unit if side == "target" else dataclasses.replace(unit, num_layers=0)
    return cost
