"""Factorizes trained embedding tables."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from tfcompress.errors import InputError
from tfcompress.models import TextEncoder
from tfcompress.models.copying import copy_weights
from tfcompress.surgery.rebuilding import Model, rebuild


def factorize_embedding(
    transformer: Model,
    embedding_dim: int,
    *,
    token_counts: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
) -> tuple[Model, dict[str, float]]:
    """Returns a model whose tables are products of a narrow table and a projection.

    Each table is replaced by its best approximation of this rank (truncated singular value
    decomposition). A tied output layer gets a projection of its own, the transposed one, because
    embedding and output scale the table differently. Training afterwards recovers quality.

    A text encoder whose table has the model's width gets `project_first`: positions, token types
    and normalization stay as they are.

    Args:
        transformer: A text encoder, or a translation model with "factorized" embeddings; it stays
            as it is.
        embedding_dim: The new width of the tables.
        token_counts: How often each token occurs in typical text. The more often it does, the
            better its row is approximated; by default all rows weigh the same. By the name of the
            table, where a model has two.

    Returns:
        The smaller model, and for each table the norm of the difference as a part of its own norm,
        both with rows weighted as they were approximated.

    Raises:
        InputError: If the embeddings are of another kind, the width is impossible, or there is not
            one count for each token.

    Example:

    >>> smaller, errors = tfc.surgery.factorize_embedding(transformer, 8)
    >>> 0 < errors["source_embedding"] < 1
    True

    Reference: Lan et al., 2020, arXiv:1909.11942 (the factors, there trained from the start).
    """
    if isinstance(transformer, TextEncoder):
        new_config = _encoder_config(transformer.config, embedding_dim)
    else:
        new_config = _translation_config(transformer.config, embedding_dim)
    changed, errors = {}, {}
    for name in ("embedding", "source_embedding", "target_embedding"):
        layers = [layer for layer in transformer.model.layers if layer.name == name]
        if layers:
            counts = token_counts.get(name) if isinstance(token_counts, Mapping) else token_counts
            factors = _Factors(layers[0], embedding_dim, counts)
            changed[name] = factors.fill
            errors[name] = factors.error
    return rebuild(transformer, new_config, changed=changed), errors


def _encoder_config(config, embedding_dim):
    _check_width(embedding_dim, config.embedding_dim or config.hidden_dim)
    if config.embedding_dim is not None and not config.project_first:
        raise InputError(
            f"a table of width {config.embedding_dim} whose vectors are normalized before they are "
            "projected cannot be factorized once more"
        )
    return config.replace(embedding_dim=embedding_dim, project_first=True)


def _translation_config(config, embedding_dim):
    embedding = config.embedding
    if embedding.kind != "factorized":
        raise InputError(
            f"only embeddings of kind factorized can be factorized (received {embedding.kind!r})"
        )
    _check_width(embedding_dim, embedding.embedding_dim or config.hidden_dim)
    tie = "own" if embedding.tie == "shared" else embedding.tie
    return config.replace(
        embedding=dataclasses.replace(embedding, embedding_dim=embedding_dim, tie=tie)
    )


def _check_width(embedding_dim, width):
    if not 1 <= embedding_dim < width:
        raise InputError(
            f"`embedding_dim` must lie between 1 and {width - 1}, below the width of the tables "
            f"(received {embedding_dim})"
        )


class _Factors:
    """A table's factors, for the layer that will hold them."""

    def __init__(self, old, width, token_counts):
        self._old = old
        table = np.asarray(old.embeddings, np.float64)
        old_width = table.shape[1]
        self._projection_bias = None
        through = np.eye(old_width)
        if old.embedding_dim is not None:
            weights = [np.asarray(w, np.float64) for w in old.projection.get_weights()]
            through = weights[0]
            self._projection_bias = weights[1] if len(weights) > 1 else None
        back = through.T
        if old.tie == "own":
            back = np.asarray(old.output_projection.get_weights()[0], np.float64)
        _, values, right = np.linalg.svd(_weighted(table, token_counts), full_matrices=False)
        self.error = float(np.sqrt(np.sum(values[width:] ** 2) / max(np.sum(values**2), 1e-300)))
        # Both factors get the same share of what the table stretches; none of 0.
        root = np.sqrt(np.maximum(values[:width], 1e-9 * max(values[0], 1e-300)))
        self._table = table @ right[:width].T / root
        # A scale of its own is what the new layer has where the old one had one.
        scale = 1.0 if old.scale is None else old.scale / width**0.5
        self._projection = scale * (root[:, np.newaxis] * right[:width]) @ through
        into = right[:width].T * root
        self._back = back @ into
        self._back_bias = np.zeros(width)
        if old.tie == "own" and old.use_bias:
            self._back_bias = old.output_projection.get_weights()[1] @ into

    def fill(self, new):
        for name in ("positions", "normalization"):
            layer = getattr(self._old, name, None)
            if layer is not None:
                copy_weights(layer, getattr(new, name))
        if self._old.token_types:
            new.type_embeddings.assign(self._old.type_embeddings)
        new.embeddings.assign(self._table)
        bias = self._projection_bias
        weights = [self._projection]
        if new.use_bias:
            weights.append(np.zeros(new.hidden_dim) if bias is None else bias)
        new.projection.set_weights(weights)
        if new.tie == "own":
            weights = [self._back]
            if new.use_bias:
                weights.append(self._back_bias)
            new.output_projection.set_weights(weights)
        if new.use_output_bias:
            new.output_bias.assign(self._old.output_bias)


def _weighted(table, token_counts):
    """A table whose rows count for as much as their tokens occur, each at least a little."""
    if token_counts is None:
        return table
    counts = np.asarray(token_counts, np.float64)
    if counts.shape != table.shape[:1] or not np.isfinite(counts).all() or (counts < 0).any():
        raise InputError(
            f"`token_counts` must be a number, at least 0, for each of {len(table)} tokens "
            f"(received shape {counts.shape})"
        )
    return table * np.sqrt(counts + 1.0)[:, np.newaxis]
