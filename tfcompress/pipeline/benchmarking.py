"""Timing bundles."""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tfcompress.errors import InputError


def benchmark_in_turns(
    bundles: Sequence[str | Path],
    sentences: list[str],
    *,
    num_threads: int,
    runs: int,
    beam_size: int = 1,
) -> list[dict]:
    """Times bundles pass by pass in turns, so that what slows the machine down slows all of them.

    Each bundle has a process of its own, which holds nothing but the runtime and which waits while
    it is another's turn.

    Args:
        bundles: The bundles' folders.
        sentences: What to translate or encode, one by one.
        num_threads: Threads of the runtime.
        runs: Repetitions.
        beam_size: Beam; 1 is greedy search, and is what a text encoder takes.

    Returns:
        For each bundle the metrics of `tfcompress.runtime.benchmark`.

    Raises:
        InputError: If a benchmark fails, with its message.
    """
    options = [
        "--num-threads",
        str(num_threads),
        "--beam-size",
        str(beam_size),
        "--runs",
        str(runs),
    ]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        text = Path(folder) / "sentences"
        text.write_text("\n".join(sentences), encoding="utf-8")
        programs = []
        for bundle in bundles:
            errors = stack.enter_context(tempfile.TemporaryFile())
            programs.append(stack.enter_context(_Program(bundle, text, options, errors)))
        waiting = programs
        while waiting:
            waiting = [program for program in waiting if program.turn()]
        return [program.metrics for program in programs]


class _Program:
    """The program that times a bundle, which stops before each pass.

    Args:
        bundle: The bundle's folder.
        text: A file of sentences.
        options: Further arguments.
        errors: An open file for what it writes to standard error.

    Attributes:
        metrics: What it found; None as long as it is not done.
    """

    def __init__(self, bundle: str | Path, text: Path, options: Sequence[str], errors: IO):
        self.metrics: dict | None = None
        self._begun = False
        self._errors = errors
        module = "tfcompress.runtime.benchmark"
        self._process: Any = subprocess.Popen(
            [sys.executable, "-m", module, str(bundle), str(text), "--in-turns", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
        )

    def turn(self) -> bool:
        """Lets the program go on until it waits again, and returns whether it is not done."""
        if self._begun:
            with contextlib.suppress(OSError):
                self._process.stdin.write("\n")
                self._process.stdin.flush()
        self._begun = True
        line = self._process.stdout.readline()
        if line != "\n":
            self._finish(line)
        return self.metrics is None

    def _finish(self, line):
        output = line + self._process.stdout.read()
        code = self._process.wait()
        if code:
            self._errors.seek(0)
            said = self._errors.read().decode("utf-8", errors="replace")
            lines = said.strip().splitlines() or [f"exit code {code}"]
            raise InputError(lines[-1].removeprefix("error: "))
        self.metrics = json.loads(output)

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self._process.kill()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
