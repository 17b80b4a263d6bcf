"""Which attention heads to prune, from their importance. Pure Python."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from tfcompress.errors import InputError

if TYPE_CHECKING:
    import numpy as np

Layer = TypeVar("Layer")


def heads_to_prune(
    scores: "Mapping[Layer, Sequence[float] | np.ndarray]",
    count: int,
    *,
    minimum_per_layer: int = 1,
    already: Mapping[Layer, Iterable[int]] | None = None,
) -> dict[Layer, list[int]]:
    """Returns the heads that are pruned when `count` more go, the least important of all first.

    The heads of all layers are ranked together; of equal scores the first goes first. The best
    `minimum_per_layer` of each layer stay. Where fewer than `count` may go, these are all.

    Args:
        scores: The importance of every head, by layer.
        count: How many more heads to prune.
        minimum_per_layer: Heads that every layer keeps; with 0, a layer may lose all.
        already: Heads that are pruned, by layer.

    Returns:
        The pruned heads by layer, those of `already` included; layers that keep all are left out.
        Layers come in the order in which they first lose a head, heads ascending.

    Raises:
        ValueError: If a number is negative, or `already` names what `scores` does not.

    Example:

    >>> heads_to_prune({"a": [0.3, 0.1], "b": [0.2, 0.4]}, 2)
    {'a': [1], 'b': [0]}

    Reference: Michel et al., 2019, arXiv:1905.10650.
    """
    for name, value in {"count": count, "minimum_per_layer": minimum_per_layer}.items():
        if value < 0:
            raise InputError(f"`{name}` must not be negative. Received: {name}={value}.")
    pruned = {layer: set(heads) for layer, heads in (already or {}).items() if heads}
    for layer, heads in pruned.items():
        if layer not in scores or not heads <= set(range(len(scores[layer]))):
            raise InputError(
                "`already` must name layers and heads that have scores. "
                f"Received: layer {layer!r} with heads {sorted(heads)}."
            )
    prunable = []
    for layer, values in scores.items():
        heads = [head for head in range(len(values)) if head not in pruned.get(layer, ())]
        heads.sort(key=lambda head, values=values: values[head])
        loses = max(0, len(heads) - minimum_per_layer)
        prunable += [(values[head], layer, head) for head in heads[:loses]]
    prunable.sort(key=lambda candidate: candidate[0])
    for _, layer, head in prunable[:count]:
        pruned.setdefault(layer, set()).add(head)
    return {layer: sorted(heads) for layer, heads in pruned.items()}


def pruning_sequence(
    num_heads: Sequence[int], percents: Iterable[float], *, minimum_per_layer: int = 0
) -> list[int]:
    """Returns how many heads to prune in each step so that these percentages are gone after it.

    Percentages of all heads are rounded down, and limited to what `minimum_per_layer` leaves.

    Args:
        num_heads: Number of heads of each layer.
        percents: Percentages of pruned heads after each step, ascending.
        minimum_per_layer: Heads that every layer keeps.

    Raises:
        ValueError: If a percentage lies outside [0, 100] or they do not ascend.

    Example:

    >>> pruning_sequence([4, 4, 4], [10, 20, 50])
    [1, 1, 4]

    Reference: Michel et al., 2019, arXiv:1905.10650.
    """
    percents = list(percents)
    if percents != sorted(percents) or not all(0 <= percent <= 100 for percent in percents):
        raise InputError(
            f"`percents` must ascend and lie in [0, 100]. Received: percents={percents}."
        )
    total = sum(num_heads)
    most = sum(max(0, heads - minimum_per_layer) for heads in num_heads)
    pruned = [min(int(total * percent / 100), most) for percent in percents]
    return [now - before for now, before in zip(pruned, [0, *pruned])]
