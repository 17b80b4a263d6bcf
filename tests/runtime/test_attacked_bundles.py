"""Bundles that are altered, but whose SHA-256 are right, never crash the native runtime."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flavours import one_flavour

pytestmark = one_flavour

PROGRAM = Path(__file__).with_name("attack_bundles.py")
NUMBER = 400


@pytest.mark.parametrize("name", ["bundle", "plain_bundle", "int8_encoder_bundle"])
def test_hostile_bundles(built, request, tmp_path, name):
    attack(built, request.getfixturevalue(name), tmp_path / "last")


@pytest.mark.parametrize("head", ["token_classification", None])
def test_hostile_text_encoders(built, encoder_bundles, tmp_path, head):
    attack(built, encoder_bundles[head], tmp_path / "last")


def attack(built, bundle, last):
    command = [sys.executable, PROGRAM, built / "libtfcompress.so", bundle, str(NUMBER), last]
    environment = os.environ | {"PYTHONPATH": str(PROGRAM.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{last.read_text()}\n{done.stderr[-2000:]}"
    errors, whole = map(int, done.stdout.split())
    assert errors > NUMBER // 2
    assert whole > 0
