"""Replaces the transforms of embeddings by tables of finished vectors."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from tfcompress.analysis import describe
from tfcompress.errors import InputError
from tfcompress.models import Seq2SeqConfig, Seq2SeqTransformer
from tfcompress.surgery.keras_models import refuse_own
from tfcompress.surgery.rebuilding import rebuild

_ROWS = 4096


def cache_outputs(transformer: Seq2SeqTransformer, *, prefer: str = "bytes") -> Seq2SeqTransformer:
    """Returns the cheaper form of a model whose embeddings have transforms.

    A token's vector depends on the token alone, so that a table of the finished vectors can
    replace the narrow table and the transform behind it. That saves all multiply-adds of the
    transforms, and bytes where the vocabulary is small. The output layer keeps the narrow table.

    Args:
        transformer: A model with "define" or "dextra" embeddings; it stays as it is.
        prefer: "bytes" for whichever form is smaller in int8, "multiply_adds" for whichever needs
            fewer, "cached" for the tables in any case.

    Returns:
        The model with tables, which computes the same; or the given one if that is the cheaper.

    Raises:
        InputError: If the embeddings have no transform or are cached already, or `prefer` is
            unknown.

    Example:

    >>> fast = tfc.surgery.cache_outputs(define_transformer, prefer="multiply_adds")

    Reference: Mehta et al., 2020, arXiv:1911.12385.
    """
    refuse_own(
        transformer,
        "cache_outputs",
        "knows the transforms of a Seq2SeqTransformer's embeddings only. Make a table "
        "of the layer's outputs for all ids, and an Embedding with it.",
    )
    config: Any = transformer.config
    embedding = config.embedding
    if embedding.layer_type not in ("define", "dextra") or embedding.cached:
        raise InputError(
            "Embeddings must be of layer_type 'define' or 'dextra', and not cached yet, to have a "
            f"transform to replace. Received: layer_type={embedding.layer_type!r}, cached="
            f"{embedding.cached}."
        )
    cached = config.replace(embedding=dataclasses.replace(embedding, cached=True))
    if not _is_preferred(cached, config, prefer):
        return transformer
    changed = {
        f"{side}_embedding": lambda layer, side=side: layer.embeddings.assign(
            _vectors(transformer, side, layer.vocabulary_size)
        )
        for side in config.vocabulary_sizes
    }
    moved = {"output_embedding": transformer.layer(transformer.table_name("target"))}
    return rebuild(transformer, cached, changed=changed, moved=moved)


def _is_preferred(cached: Seq2SeqConfig, config: Seq2SeqConfig, prefer: str) -> bool:
    if prefer == "cached":
        return True
    if prefer not in ("bytes", "multiply_adds"):
        raise InputError(
            f"`prefer` must be one of bytes, multiply_adds, cached. Received: prefer={prefer!r}."
        )
    candidate, current = (describe(c).to_dict() for c in (cached, config))
    if prefer == "bytes":
        return candidate["bytes"]["int8"] < current["bytes"]["int8"]
    return candidate["multiply_adds"]["total"] < current["multiply_adds"]["total"]


def _vectors(transformer, side, size):
    table = transformer.layer(transformer.table_name(side))
    transform = transformer.layer(f"{side}_transform")
    rows = [
        transform(table(tf.range(start, min(start + _ROWS, size))[tf.newaxis]), training=False)[0]
        for start in range(0, size, _ROWS)
    ]
    return np.concatenate(rows)
