"""Bundles that are altered, but whose SHA-256 are right, never crash the native runtime.

Nor do they keep it busy or take much memory. What failed is named by the mutant's number, of which
`mutants.Mutants` makes it again.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flavours import one_flavour
from optimization.families import make_family
from small_encoders import make_encoder
from small_models import make_transformer

from tfcompress.custom_ops import names
from tfcompress.export import convert

pytestmark = one_flavour

PROGRAM = Path(__file__).with_name("attack_bundles.py")
FEW, MANY = 60, 2500
MOST_FAILURES = 10
SAMPLES = [[5, 9, 4, 2], [7, 2]]


def family(name, **options):
    return lambda path: convert(make_family(name), path, samples=SAMPLES, **options)


MADE = {
    "custom": lambda path: convert(
        make_transformer(60), path, samples=SAMPLES, custom_ops=names.ALL
    ),
    "custom_int4": lambda path: convert(
        make_transformer(60), path, samples=SAMPLES, custom_ops=names.ALL, quantization="int4"
    ),
    "custom_encoder": lambda path: convert(
        make_encoder(), path, samples=[[2, 5, 3]], custom_ops=[names.ENCODER_LAYER]
    ),
    "lsra": family("lsra", custom_ops=names.ALL, quantization="float32"),
    "delight": family("delight", custom_ops=names.ALL, quantization="float32"),
    "fixed_patterns": family("fixed_patterns", quantization="float16"),
    "adaptive": family("adaptive", quantization="int4_per_channel"),
    "static": family("plain", quantization="static_int8x16", representative_data=[[5, 6, 2]] * 4),
}
QUICK = ("custom",)


@pytest.fixture(scope="module")
def made(built, tmp_path_factory):
    """Makes a bundle of a name, once."""
    paths = {}

    def make(name):
        if name not in paths:
            paths[name] = tmp_path_factory.mktemp("attacked") / name
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
                MADE[name](paths[name])
        return paths[name]

    return make


@pytest.mark.costly
@pytest.mark.parametrize("name", ["bundle", "plain_bundle", "int8_encoder_bundle"])
def test_few(built, request, tmp_path, name):
    attack(built, request.getfixturevalue(name), tmp_path / "last", FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_few_with_custom_operations(built, made, tmp_path, name):
    attack(built, made(name), tmp_path / "last", FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bundle", "plain_bundle", "int8_encoder_bundle"])
def test_many(built, request, tmp_path, name):
    attack(built, request.getfixturevalue(name), tmp_path / "last", MANY)


@pytest.mark.slow
@pytest.mark.parametrize("head", ["token_classification", "embedding", None])
def test_many_text_encoders(built, encoder_bundles, tmp_path, head):
    attack(built, encoder_bundles[head], tmp_path / "last", MANY)


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_many_others(built, made, tmp_path, name):
    attack(built, made(name), tmp_path / "last", MANY)


def attack(built, bundle, last, count):
    """Tries mutants in another process, and in one more after each that ends it."""
    environment = os.environ | {"PYTHONPATH": str(PROGRAM.parent)}
    first, failures, errors, whole = 0, [], 0, 0
    while first < count and len(failures) < MOST_FAILURES:
        command = [PROGRAM, built / "libtfcompress.so", bundle, first, count - first, last]
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if done.returncode == 0:
            more_errors, more_whole = map(int, done.stdout.split())
            errors, whole = errors + more_errors, whole + more_whole
            break
        number, what = last.read_text().split("\n", 1)
        failures.append(f"{number}: {what}: {done.returncode} {done.stderr[-300:]}")
        first = int(number) + 1
    assert not failures, "\n".join(failures)
    assert errors > count // 2
    assert whole > 0
