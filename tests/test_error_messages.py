"""Errors have one form: `Cause. Received: ... Remedy.`, or a cause that says what must be."""

import ast
import re
from pathlib import Path

import pytest

import tfcompress as tfc

ROOT = Path(tfc.__file__).parent
ERRORS = {"ExportError", "InputError", "TypeError", "ValueError"}
FORM = re.compile(r"(?P<cause>[^a-z].*|[a-z]+_.*)\. Received: .+?\.(?P<remedy> .+[.}])?", re.DOTALL)
REQUIRES = re.compile(r"\b(must|needs?|cannot|only|not supported)\b")
# What gathers several problems, or adds a place to another error.
OTHERS = (
    "impossible training settings: {}",
    "impossible configuration: {}",
    "{} Save the model anew.",
    "{} Remove the file to measure again.",
    "{}: {}",
    "a piece is there twice",
    "Metrics of system {}: {}",
)
# Packages and modules whose messages still have other forms.
NOT_YET: tuple[str, ...] = ()


def text(node: ast.expr) -> str | None:
    """A message with {} for each value, or None where it is no literal."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text(part) or "{}" for part in node.values)
    return None


def messages():
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT)
        if name.parts[0].removesuffix(".py") in NOT_YET:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS and node.args:
                message = text(node.args[0])
                if message is not None and message not in OTHERS:
                    yield pytest.param(message, id=f"{name}:{node.lineno}")


@pytest.mark.parametrize("message", messages())
def test_form(message):
    match = FORM.fullmatch(message)
    assert match, message
    assert match["remedy"] or REQUIRES.search(match["cause"]), message
    assert "(received" not in message
