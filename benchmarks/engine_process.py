"""Engines that translate, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfcompress.runtime.measuring import peak_rss_bytes

_WORKER = Path(__file__).parent / "engines" / "worker.py"


@dataclass(frozen=True)
class Engine:
    """Which engine, and how it is run.

    Attributes:
        package: "tfcompress" or the name of another module of `engines/`, without `_engine`.
        environment: Further variables.
        python: What runs it.
        shortlists: Whether it has them.
        batches: Whether it takes several sentences at once.
    """

    package: str
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable
    shortlists: bool = True
    batches: bool = True


class EngineMissingError(Exception):
    """An engine's package is not installed."""


class EngineProcess:
    """A process that translates what `students.write_student` wrote.

    Its answers end with it: leave no process open.

    Args:
        engine: Which.
        settings: `num_sentences`, and the arguments of `open_engine` in the engine's module.

    Raises:
        EngineMissingError: Its Python does not have it.
    """

    def __init__(self, engine: Engine, settings: Mapping[str, Any]):
        try:
            self._process = subprocess.Popen(
                [engine.python, str(_WORKER), f"{engine.package}_engine", json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | engine.environment | {"OMP_NUM_THREADS": "1"},
                text=True,
            )
        except OSError as error:
            raise EngineMissingError(str(error)) from error
        line = self._process.stdout.readline()
        about = json.loads(line) if line else {"missing": f"{engine.python} cannot run it"}
        if "missing" in about:
            self.close()
            raise EngineMissingError(about["missing"])
        # What Python and its imports take.
        before = peak_rss_bytes(self._process.pid)
        self._about = about | self._ask("open") | {"rss_before_bytes": before}

    def translate(self) -> int:
        """Translates all sentences and returns the number of tokens."""
        return self._ask("translate")

    def texts(self) -> list[str]:
        """Translates all sentences."""
        return self._ask("texts")

    def describe(self) -> dict[str, Any]:
        """Returns the engine's version and backend, and its memory up to now."""
        return {**self._about, "peak_rss_bytes": peak_rss_bytes(self._process.pid)}

    def close(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, question):
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The engine's process ended. Received: {self._process.wait()}.")
        return json.loads(line)
