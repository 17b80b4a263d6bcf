"""Factorizes trained embedding tables."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers import FactorizedEmbedding
from tfcompress.layers.common.nested import by_name, named_layers, select_layers
from tfcompress.models import TextEncoder
from tfcompress.models.cloning import copy_model, replace_layers
from tfcompress.models.copying import copy_weights
from tfcompress.surgery.keras_models import check_own, rebuilt_layer
from tfcompress.surgery.rebuilding import rebuild


def factorize_embedding(
    transformer: Any,
    embedding_dim: int,
    *,
    token_counts: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    layers: str | Iterable[str] | None = None,
) -> tuple[Any, dict[str, float]]:
    """Returns a model whose tables are products of a narrow table and a projection.

    Each table is replaced by its best approximation of this rank (truncated singular value
    decomposition). A tied output layer gets a projection of its own, the transposed one, because
    embedding and output scale the table differently. Training afterwards recovers quality.

    A text encoder whose table has the model's width gets `project_first`: positions, token types
    and normalization stay as they are.

    In a Keras model of your own, `FactorizedEmbedding` takes the place of `keras.layers.Embedding`
    under its name. A model that reads the table of such a layer elsewhere, for instance as its
    output layer, cannot have it factorized: the table gets another width. Tie with
    `FactorizedEmbedding`, called with `reverse=True`, instead.

    Args:
        transformer: A text encoder, a translation model with "factorized" embeddings, or a Keras
            model of your own, functional, sequential or subclassed; it stays as it is.
        embedding_dim: The new width of the tables.
        token_counts: How often each token occurs in representative text. The more often it does,
            the better its row is approximated; by default all rows weigh the same. By the name of
            the table, where a model has two.
        layers: Of a Keras model, which `Embedding` and `FactorizedEmbedding` layers: a regular
            expression to search their paths for, or a collection of names; by default all that
            become smaller.

    Returns:
        The smaller model, and for each table the norm of the difference as a part of its own norm,
        both with rows weighted as they were approximated.

    Raises:
        InputError: If the embeddings are of another type, the width is impossible, or there is not
            one count for each token.

    Example:

    >>> smaller, errors = tfc.surgery.factorize_embedding(transformer, 8)
    >>> 0 < errors["source_embedding"] < 1
    True

    Reference: Lan et al., 2020, arXiv:1909.11942 (the factors, there trained from the start).
    """
    if isinstance(transformer, keras.Model):
        return _factorize_own(transformer, embedding_dim, token_counts, layers)
    if layers is not None:
        raise InputError(
            f"`layers` is for Keras models of your own. Received: {layers!r} with a "
            f"{type(transformer).__name__}. Leave it out."
        )
    if isinstance(transformer, TextEncoder):
        new_config = _encoder_config(transformer.config, embedding_dim)
    else:
        new_config = _translation_config(transformer.config, embedding_dim)
    changed, errors = {}, {}
    for name in ("embedding", "source_embedding", "target_embedding"):
        layers = [layer for layer in transformer.model.layers if layer.name == name]
        if layers:
            factors = _Factors(layers[0], embedding_dim, _counts(token_counts, name))
            changed[name] = factors.fill
            errors[name] = factors.error
    return rebuild(transformer, new_config, changed=changed), errors


def _counts(token_counts, name):
    return token_counts.get(name) if isinstance(token_counts, Mapping) else token_counts


def _factorize_own(model, embedding_dim, token_counts, layers):
    check_own(model, "factorize_embedding")
    copy = copy_model(model)
    tables = {
        path: layer
        for path, layer in named_layers(copy, (keras.layers.Embedding, FactorizedEmbedding)).items()
        # A class of its own may be an output layer as well.
        if type(layer) in (keras.layers.Embedding, FactorizedEmbedding)
    }
    chosen = select_layers(tables, layers)
    if layers is None:
        chosen = {path: x for path, x in tables.items() if _shrinks(x, embedding_dim)}
    if not chosen:
        raise InputError(
            "factorize_embedding needs Embedding or FactorizedEmbedding layers that become "
            f"smaller. Received: {model.name} with {', '.join(by_name(tables)) or 'none'} and "
            f"embedding_dim={embedding_dim}. Give a smaller one, or leave the model as it is."
        )
    replacements, errors = {}, {}
    for name, old in by_name(chosen).items():
        table = _as_factorized(old)
        _check_width(embedding_dim, table.embeddings.shape[1])
        normalizes = table.normalize or table.positions is not None or table.token_types
        if table.embedding_dim is not None and normalizes and not table.project_first:
            raise InputError(
                "Vectors that are normalized, or to which others are added, before they are "
                f"projected cannot be factorized once more. Received: {name}. Leave it out of "
                "`layers`."
            )
        factors = _Factors(table, embedding_dim, _counts(token_counts, name))
        changes = {
            "embedding_dim": embedding_dim,
            "tie": "own" if table.tie == "shared" else table.tie,
            "project_first": table.embedding_dim is None or table.project_first,
            "scale": None if table.scale is None else embedding_dim**0.5,
        }
        new = rebuilt_layer(table, changes, input_shape=(None, None))
        factors.fill(new)
        replacements[id(old)], errors[name] = new, factors.error
    return replace_layers(copy, replacements), errors


def _shrinks(layer, width):
    rows, now = layer.embeddings.shape
    out = layer.hidden_dim if isinstance(layer, FactorizedEmbedding) else now
    inner = now * out if out != now else 0
    return width < now and rows * width + width * out < rows * now + inner


def _as_factorized(layer):
    """A table of Keras as one of this library, that computes the same."""
    if isinstance(layer, FactorizedEmbedding):
        return layer
    new = FactorizedEmbedding(
        layer.input_dim,
        hidden_dim=layer.output_dim,
        tie="none",
        mask_zero=layer.mask_zero,
        name=layer.name,
        dtype=layer.dtype_policy,
    )
    new.build((None, None))
    new.embeddings.assign(layer.embeddings)
    new.trainable = layer.trainable
    return new


def _encoder_config(config, embedding_dim):
    _check_width(embedding_dim, config.embedding_dim or config.hidden_dim)
    if config.embedding_dim is not None and not config.project_first:
        raise InputError(
            "A table whose vectors are normalized before they are projected cannot be factorized "
            f"once more. Received: one of width {config.embedding_dim}."
        )
    return config.replace(embedding_dim=embedding_dim, project_first=True)


def _translation_config(config, embedding_dim):
    embedding = config.embedding
    if embedding.layer_type != "factorized":
        raise InputError(
            "Embeddings to factorize must be of layer_type 'factorized'. Received: "
            f"layer_type={embedding.layer_type!r}."
        )
    _check_width(embedding_dim, embedding.embedding_dim or config.hidden_dim)
    tie = "own" if embedding.tie == "shared" else embedding.tie
    return config.replace(
        embedding=dataclasses.replace(embedding, embedding_dim=embedding_dim, tie=tie)
    )


def _check_width(embedding_dim, width):
    if not 1 <= embedding_dim < width:
        raise InputError(
            f"`embedding_dim` must lie between 1 and {width - 1}, below the width of the tables. "
            f"Received: embedding_dim={embedding_dim}."
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
            f"`token_counts` must be a number, at least 0, for each of {len(table)} tokens. "
            f"Received: shape={counts.shape}."
        )
    return table * np.sqrt(counts + 1.0)[:, np.newaxis]
