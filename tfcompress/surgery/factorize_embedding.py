"""Factorizes trained embedding tables."""

import dataclasses

import numpy as np

from tfcompress.errors import InputError
from tfcompress.models import Seq2SeqTransformer
from tfcompress.surgery.rebuilding import rebuild


def factorize_embedding(
    transformer: Seq2SeqTransformer, embedding_dim: int
) -> tuple[Seq2SeqTransformer, dict[str, float]]:
    """Returns a model whose tables are products of a narrow table and a projection.

    Each table is replaced by its best approximation of this rank (truncated singular value
    decomposition). A tied output layer gets a projection of its own, the transposed one, because
    embedding and output scale the table differently. Training afterwards recovers quality.

    Args:
        transformer: A model with "factorized" embeddings; it stays as it is.
        embedding_dim: The new width of the tables.

    Returns:
        The smaller model, and for each table the norm of the difference as a part of its own norm.

    Raises:
        InputError: If the embeddings are of another kind, or the width is impossible.

    Example:

    >>> smaller, errors = tfc.surgery.factorize_embedding(transformer, 64)
    >>> errors
    {'embedding': 0.31}

    Reference: Lan et al., 2020, arXiv:1909.11942 (the factors, there trained from the start).
    """
    config, embedding = transformer.config, transformer.config.embedding
    width = embedding.embedding_dim or config.hidden_dim
    if embedding.kind != "factorized":
        raise InputError(
            f"only embeddings of kind factorized can be factorized (received {embedding.kind!r})"
        )
    if not 1 <= embedding_dim < width:
        raise InputError(
            f"`embedding_dim` must lie between 1 and {width - 1}, below the width of the tables "
            f"(received {embedding_dim})"
        )
    tie = "own" if embedding.tie == "shared" else embedding.tie
    new_config = config.replace(
        embedding=dataclasses.replace(embedding, embedding_dim=embedding_dim, tie=tie)
    )
    changed, errors = {}, {}
    for name in ("embedding", "source_embedding", "target_embedding"):
        layers = [layer for layer in transformer.model.layers if layer.name == name]
        if layers:
            factors = _Factors(layers[0], embedding_dim)
            changed[name] = factors.fill
            errors[name] = factors.error
    return rebuild(transformer, new_config, changed=changed), errors


class _Factors:
    """A table's factors, for the layer that will hold them."""

    def __init__(self, old, width):
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
        left, values, right = np.linalg.svd(table, full_matrices=False)
        self.error = float(np.sqrt(np.sum(values[width:] ** 2) / max(np.sum(values**2), 1e-300)))
        root = np.sqrt(values[:width])
        self._table = left[:, :width] * root
        scale = (old.scale or 1.0) / width**0.5
        self._projection = scale * (root[:, np.newaxis] * right[:width]) @ through
        into = right[:width].T * root
        self._back = back @ into
        self._back_bias = np.zeros(width)
        if old.tie == "own" and old.use_bias:
            self._back_bias = old.output_projection.get_weights()[1] @ into

    def fill(self, new):
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
