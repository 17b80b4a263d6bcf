"""How large the vectors are that a model multiplies its matrices by."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfcompress.models import Seq2SeqTransformer
from tfcompress.models.decoding import greedy_decode
from tfcompress.models.marian_files.variables import Weight

# Of the largest values of all sentences, how many standard deviations above the mean still fit.
_DEVIATIONS = 1.1


def activation_alphas(
    model: Seq2SeqTransformer, weights: Iterable[Weight], source_ids: Sequence[Sequence[int]]
) -> dict[str, np.float32]:
    """Measures what activations are multiplied by to become integers.

    The formula is that of Bergamot's tools: 127 divided by the mean over sentences of the largest
    magnitude, and 1.1 of its standard deviations more. Larger values are cut.

    Args:
        model: The model, in float32.
        weights: What `model_weights` gives.
        source_ids: Ids of sentences, each with its end mark.

    Returns:
        The factor by the name of the matrix; that of the output is called "none".
    """
    layers = {weight.name: weight.layer for weight in weights if weight.layer is not None}
    largest: dict[str, list[float]] = {name: [] for name in [*layers, "none"]}
    targets = greedy_decode(model, source_ids)
    with _recorded({id(layer): layer for layer in layers.values()}) as seen:
        for source, target in zip(source_ids, targets):
            seen.clear()
            rows = [[*source], [model.config.bos_id, *target]]
            forward = model.forward(*(tf.constant([row], tf.int32) for row in rows))
            hidden = forward.decoder_states[-1]
            if model.config.normalize_first:
                hidden = model.layer("decoder_normalization")(hidden)
            largest["none"].append(_magnitude(hidden))
            for name, layer in layers.items():
                largest[name].append(seen[id(layer)])
    return {name: _alpha(np.array(values)) for name, values in largest.items()}


def _alpha(largest):
    limit = largest.mean() + _DEVIATIONS * largest.std()
    return np.float32(127 / limit if limit > 0 else 1)


def _magnitude(x):
    return float(np.abs(np.asarray(x)).max())


@contextlib.contextmanager
def _recorded(layers: dict[int, Any]) -> Iterator[dict[int, float]]:
    """Notes the largest magnitude that each layer is given, until its dictionary is cleared."""
    seen: dict[int, float] = {}

    def recording(key, call):
        def recorded(inputs, *args, **kwargs):
            seen[key] = max(seen.get(key, 0.0), _magnitude(inputs))
            return call(inputs, *args, **kwargs)

        return recorded

    try:
        for key, layer in layers.items():
            layer.call = recording(key, layer.call)
        yield seen
    finally:
        for layer in layers.values():
            vars(layer).pop("call", None)
