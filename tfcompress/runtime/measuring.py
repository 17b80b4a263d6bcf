"""What benchmarks have in common."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def rounded(value: float) -> float:
    """Returns a metric as it is reported."""
    return round(float(value), 3)


def latencies(seconds: Sequence[float]) -> dict[str, float]:
    """Returns mean and percentiles in milliseconds."""
    milliseconds = 1000 * np.array(seconds)
    p50, p90, p99 = np.percentile(milliseconds, [50, 90, 99])
    return {
        "mean": rounded(milliseconds.mean()),
        "p50": rounded(p50),
        "p90": rounded(p90),
        "p99": rounded(p99),
    }


def load_average() -> float | None:
    """Returns the machine's load average of the last minute, or None where it has none."""
    try:
        return rounded(os.getloadavg()[0])
    except (AttributeError, OSError):
        return None


def peak_rss_bytes(process: int | None = None) -> int:
    """Returns a process's peak of resident memory.

    Args:
        process: Its id; None for this one. Others need Linux.
    """
    try:
        for line in Path(f"/proc/{process or 'self'}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    except OSError:
        if process is not None:
            raise
    import resource  # not on every system

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
