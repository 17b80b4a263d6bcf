"""Timing a bundle."""

import json
import subprocess
import sys
from pathlib import Path

from tfcompress.errors import InputError


def benchmark_in_process(
    bundle: str | Path, sentences: list[str], *, threads: int, runs: int, beam_size: int = 1
) -> dict:
    """Times a bundle in a process of its own, which holds nothing but the runtime.

    Args:
        bundle: The bundle's folder.
        sentences: What to translate or encode, one by one.
        threads: Threads of the runtime.
        runs: Repetitions.
        beam_size: Beam; 1 is greedy search, and is what a text encoder has.

    Returns:
        The figures of `tfcompress.export.runtime.benchmark` or `benchmark_encoder`.

    Raises:
        InputError: If the benchmark fails, with its message.
    """
    command = [sys.executable, "-m", "tfcompress.export.runtime.benchmark", str(bundle)]
    command += ["--num-threads", str(threads), "--beam-size", str(beam_size), "--runs", str(runs)]
    done = subprocess.run(
        command, input="\n".join(sentences), text=True, encoding="utf-8", capture_output=True
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise InputError(lines[-1].removeprefix("error: "))
    return json.loads(done.stdout)
