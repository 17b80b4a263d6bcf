"""What the README shows works."""

import re
from pathlib import Path

import pytest
from minilm import needs_minilm
from models import marian_folders
from tensorflow import keras

from tfcompress.commands.main import command_line

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^(?:\S+/)?tfcompress ([a-z].*?)(?: +#.*| <.*)?$", README, re.MULTILINE)


def _with_needs(code):
    return pytest.param(code, marks=needs_minilm if "minilm_folder" in code else ())


@pytest.mark.parametrize("code", map(_with_needs, PYTHON), ids=range(len(PYTHON)))
def test_python_runs(code, tmp_path, monkeypatch):
    # tf-model-optimization takes Keras 2 only; the rest runs under the flavour that is the default.
    if ("quantize_aware" in code) == hasattr(keras, "ops"):
        pytest.skip("runs under the other Keras")
    monkeypatch.chdir(tmp_path)
    if "opus-mt-en-de" in code:
        marian_folders.write_random_model(tmp_path / "opus-mt-en-de")
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist(command):
    words = [word.strip("[]") for word in command.replace("RUN...", "RUN").split()]
    assert command_line().parse_args(words).run_command


def test_there_are_examples():
    assert len(PYTHON) >= 2
    assert len(COMMANDS) >= 8
