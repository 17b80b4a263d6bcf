"""Which layers of a deep model to keep, after training with LayerDrop. Pure Python."""

import math
from collections.abc import Sequence

from tfcompress.errors import InputError


def layer_drop_keep(num_layers: int, rate: float) -> list[int]:
    """Returns which layers stay when every n-th is dropped.

    Layers count from 1; those whose number is a multiple of `floor(1 / rate)` are dropped. So 0.5
    drops every second layer, 0.2 every fifth, and 0.4 every second one too.

    Args:
        num_layers: Number of layers.
        rate: The part to drop, in [0, 0.5].

    Returns:
        Indices from 0, ascending: the layer at position i of the new model is layer `keep[i]` of
        the old.

    Raises:
        ValueError: If `num_layers` is below 1, or `rate` outside [0, 0.5]; more would drop all.

    Example:

    >>> layer_drop_keep(6, 0.5)
    [0, 2, 4]

    Reference: Fan et al., 2020, arXiv:1909.11556.
    """
    if num_layers < 1:
        raise InputError(f"`num_layers` must be at least 1. Received: num_layers={num_layers}.")
    if not 0.0 <= rate <= 0.5:
        raise InputError(
            f"`rate` must lie in [0, 0.5]. Received: rate={rate}. To keep fewer than every second "
            "layer, choose them yourself or with `top_layers`."
        )
    if rate == 0.0:
        return list(range(num_layers))
    every = math.floor(1.0 / rate + 1e-9)
    return [i for i in range(num_layers) if (i + 1) % every]


def top_layers(scores: Sequence[float], count: int) -> list[int]:
    """Returns the indices of the `count` highest scores, ascending; of equal ones the first.

    Raises:
        ValueError: If there are not so many scores, or `count` is below 1.

    Example:

    >>> top_layers([0.3, -1.0, 0.9], 2)
    [0, 2]
    """
    if not 1 <= count <= len(scores):
        raise InputError(
            f"`count` must lie between 1 and the number of layers, {len(scores)}. "
            f"Received: count={count}."
        )
    return sorted(sorted(range(len(scores)), key=lambda i: -scores[i])[:count])


def drop_rates(scores: Sequence[float], rate: float) -> list[float]:
    """Turns scores into drop rates with a given mean.

    Rates are proportional to `exp(-score)`. Where one would exceed 1 it is 1, and the others stay
    in proportion.

    Args:
        scores: A score for each layer; the higher, the less it is dropped.
        rate: The mean of the rates, in [0, 1].

    Raises:
        ValueError: If there are no scores, or `rate` lies outside [0, 1].

    Example:

    >>> drop_rates([0.0, 0.0, math.log(2.0)], 0.5)
    [0.6, 0.6, 0.3]

    Reference: Fan et al., 2020, arXiv:1909.11556.
    """
    if not scores:
        raise InputError("Drop rates need scores. Received: scores=[]. Pass one for each layer.")
    if not 0.0 <= rate <= 1.0:
        raise InputError(f"`rate` must lie in [0, 1]. Received: rate={rate}.")
    rates = [1.0] * len(scores)
    rest = sorted(range(len(scores)), key=lambda i: scores[i])
    remaining = rate * len(scores)
    while rest:
        weights = [math.exp(scores[rest[0]] - scores[i]) for i in rest]
        scale = remaining / sum(weights)
        if scale <= 1.0:
            for i, weight in zip(rest, weights):
                rates[i] = scale * weight
            break
        del rest[0]
        remaining -= 1.0
    return rates
