"""How the commands print results."""

import json
import sys
from collections.abc import Mapping
from typing import Any


def print_json(content: Any) -> None:
    """Prints JSON for people and programs."""
    print(json.dumps(content, indent=2, ensure_ascii=False))


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Prints a line for each metric."""
    for name, value in metrics.items():
        if isinstance(value, dict):
            value = "  ".join(f"{key} {_text(number)}" for key, number in value.items())
        elif isinstance(value, list):
            value = "  ".join(map(_text, value))
        print(f"{name:20} {_text(value)}")


def print_to_stderr(line: str) -> None:
    """Prints what is no result."""
    print(line, file=sys.stderr)


def _text(value):
    return f"{value:.3f}" if isinstance(value, float) else str(value)
