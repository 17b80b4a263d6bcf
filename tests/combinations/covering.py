"""Covering sets: few combinations in which every pair of options occurs."""

import itertools
import random
from collections.abc import Callable, Mapping, Sequence

_CANDIDATES = 40


def covering_pairs(
    factors: Mapping[str, Sequence[str]],
    allowed: Callable[[Mapping[str, str]], bool],
    seed: int = 0,
) -> list[dict[str, str]]:
    """Returns combinations in which every possible pair of two factors' options occurs.

    Args:
        factors: Choices by factor.
        allowed: Whether a combination makes sense; pairs that no combination allows are left out.
        seed: Of the random search; the same gives the same combinations.
    """
    rng = random.Random(seed)
    names = list(factors)

    def pairs(combination):
        return set(itertools.combinations(sorted(combination.items()), 2))

    def fill(fixed):
        combination = {name: fixed.get(name) or rng.choice(factors[name]) for name in names}
        return combination if allowed(combination) else None

    missing = {
        tuple(sorted(pair))
        for one, other in itertools.combinations(names, 2)
        for pair in itertools.product(
            [(one, option) for option in factors[one]],
            [(other, option) for option in factors[other]],
        )
    }
    combinations = []
    while missing:
        pair = min(missing)
        candidates = [c for _ in range(_CANDIDATES) if (c := fill(dict(pair))) is not None]
        if not candidates:
            missing.discard(pair)
            continue
        best = max(candidates, key=lambda candidate: len(pairs(candidate) & missing))
        combinations.append(best)
        missing -= pairs(best)
    return combinations
