"""Systems timed in turns, so that what else a machine does is the same for all."""

import time
from collections.abc import Callable, Mapping

import numpy as np


def speeds_in_turns(systems: Mapping[str, Callable[[], int]], rounds: int) -> dict[str, np.ndarray]:
    """Times systems in alternating rounds, after one that does not count.

    Args:
        systems: By name, what does a round's work and returns how many units it was.
        rounds: How many rounds.

    Returns:
        Units per second of each round, by name.
    """
    for system in systems.values():
        system()
    speeds = {name: [] for name in systems}
    for _ in range(rounds):
        for name, system in systems.items():
            start = time.perf_counter()
            units = system()
            speeds[name].append(units / (time.perf_counter() - start))
    return {name: np.array(values) for name, values in speeds.items()}


def median(values: np.ndarray, digits: int = 1) -> float:
    """Returns the median of rounds as it is reported."""
    return round(float(np.median(values)), digits)
