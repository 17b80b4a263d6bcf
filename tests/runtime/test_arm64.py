"""The native runtime on an emulated 64-bit ARM processor. `.ci/emulator` installs what it needs."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from flavours import one_flavour
from level_products import checksums
from small_encoders import make_encoder, make_tokenizer, texts
from small_models import make_transformer, sentences

from tfcompress.custom_ops import names
from tfcompress.export import build_native, convert
from tfcompress.export.devices.litert_library import litert_library
from tfcompress.runtime import TextModel, Translator
from tfcompress.runtime.native_files import PROGRAM, ROOFLINE_PROGRAM, SOURCES

pytestmark = [one_flavour, pytest.mark.slow]

DIGESTS = Path(__file__).with_name("sha256_program.cc")
SYSROOT = Path("/usr/aarch64-linux-gnu")
SENTENCES = sentences(20)


@pytest.fixture(scope="module")
def arm64(tmp_path_factory):
    """The folder of a native runtime built for 64-bit ARM, and one of LiteRT's library for it."""
    if not SYSROOT.is_dir() or "TFCOMPRESS_QEMU" not in os.environ:
        pytest.skip("needs aarch64-linux-gnu-g++, and TFCOMPRESS_QEMU set to a recent qemu-aarch64")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("arm64_cache")))
        return build_native("aarch64-linux"), litert_library("aarch64-linux")


@pytest.fixture(scope="module")
def emulated(arm64, tmp_path_factory):
    """Runs the benchmark program under emulation and returns the lines that it writes."""
    folder = tmp_path_factory.mktemp("arm64")
    built, library = arm64

    def run(bundle, texts, level, **options):
        (folder / "in").write_text("\n".join([*texts, ""]))
        command = [os.environ["TFCOMPRESS_QEMU"], "-L", SYSROOT, built / PROGRAM, bundle]
        output = "results" if "beam" not in options else "translations"
        options |= {"input": folder / "in", "warmup": 0, "runs": 1, output: folder / "out"}
        options["library"] = library
        command += [word for name, value in options.items() for word in (f"--{name}", value)]
        environment = os.environ | {"TFCOMPRESS_LEVEL": level}
        subprocess.run([str(word) for word in command], check=True, env=environment)
        return (folder / "out").read_text().splitlines()

    return run


@pytest.fixture(scope="module")
def translate(emulated):
    """Translates under emulation."""
    return lambda bundle, beam_size, level: emulated(bundle, SENTENCES, level, beam=beam_size)


@pytest.fixture(scope="module")
def bundles(built, tokenizer, tmp_path_factory):
    """Bundles of one model by name, and what they say here, greedy and with beam 4."""
    folder, actual = tmp_path_factory.mktemp("bundles"), {}
    transformer = make_transformer(120)
    tokenizers = {"source_tokenizer": tokenizer, "target_tokenizer": tokenizer}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
        for quantization in ("float32", "dynamic_int8"):
            for kind, operations in (("builtin", False), ("custom", names.ALL)):
                path = folder / f"{quantization}_{kind}"
                options = {"quantization": quantization, "samples": [[5, 6, 2]]}
                convert(transformer, path, custom_ops=operations, **tokenizers, **options)
                with Translator(path) as translator:
                    actual[path.name] = (
                        path,
                        {beam: translator.translate(SENTENCES, beam_size=beam) for beam in (1, 4)},
                    )
    return actual


@pytest.mark.parametrize("beam_size", [1, 4])
@pytest.mark.parametrize("kind", ["builtin", "custom"])
def test_float32_translations_are_those_of_this_machine(translate, bundles, kind, beam_size):
    path, expected = bundles[f"float32_{kind}"]
    assert translate(path, beam_size, "neon_dot") == expected[beam_size]


@pytest.mark.parametrize("name", ["float32_custom", "dynamic_int8_custom"])
def test_every_level_says_the_same(translate, bundles, name):
    path, _ = bundles[name]
    expected = translate(path, 4, "portable")
    assert translate(path, 4, "neon_dot") == expected
    assert translate(path, 4, "neon_i8mm") == expected


def on_processor(arm64, name):
    """The words that start the program of the roofline on an emulated processor."""
    return [os.environ["TFCOMPRESS_QEMU"], "-cpu", name, "-L", SYSROOT, arm64[0] / ROOFLINE_PROGRAM]


@pytest.mark.parametrize("level", ["neon_dot", "neon_i8mm"])
def test_levels_agree_bit_for_bit(arm64, level):
    command = on_processor(arm64, "max")
    assert checksums(command, level) == checksums(command, "portable")


def test_a_processor_without_matrix_products(arm64):
    """A Cortex-A76 has dot products only."""
    command = on_processor(arm64, "cortex-a76")
    done = subprocess.run(
        [*command, "--rounds", "1", "product,int4_panels,3,16,64,1"],
        check=True,
        capture_output=True,
    )
    assert json.loads(done.stdout)["level"] == "neon_dot"
    assert checksums(command) == checksums(command, "portable")
    done = subprocess.run([*command, "--level", "neon_i8mm", "x"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Give one of portable, neon_dot." in done.stderr


def test_int8_translations_are_close_to_those_of_this_machine(translate, bundles):
    path, expected = bundles["dynamic_int8_custom"]
    same = [a == b for a, b in zip(translate(path, 1, "neon_dot"), expected[1], strict=True)]
    # Sums of floats differ in their last bits, which decides ties of a random model.
    assert sum(same) >= 0.9 * len(same)


def test_digests(emulated, tmp_path):
    """With the instructions of ARMv8 and without, they are those of hashlib."""
    program, common = tmp_path / "digests", SOURCES / "common"
    command = ["aarch64-linux-gnu-g++", "-std=c++17", "-O2", "-static", f"-I{SOURCES}", DIGESTS]
    subprocess.run([*command, *common.glob("sha256*.cc"), "-o", program], check=True)
    data, sizes = bytes(range(256)) * 9, [0, 55, 56, 63, 64, 119, 128, 2304]
    done = subprocess.run(
        [os.environ["TFCOMPRESS_QEMU"], program, *map(str, sizes)],
        input=data,
        capture_output=True,
        check=True,
    )
    expected = [hashlib.sha256(data[:size]).hexdigest() for size in sizes]
    assert done.stdout.decode().split() == [digest for one in expected for digest in (one, one)]


@pytest.mark.parametrize("quantization", ["float32", "dynamic_int8"])
def test_texts_are_encoded_as_on_this_machine(emulated, built, quantization, tmp_path, monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    options = {"tokenizer": make_tokenizer(), "quantization": quantization}
    convert(make_encoder("embedding"), tmp_path / "bundle", **options)
    given = texts(20)
    with TextModel(tmp_path / "bundle") as model:
        expected = model.embed(given)
    lines = emulated(tmp_path / "bundle", given, "neon_dot")
    actual = np.array([line.split() for line in lines], np.float32)
    if quantization == "float32":
        np.testing.assert_allclose(actual, expected, atol=1e-5)
    else:
        # The two kinds of processors round activations in different ways.
        assert np.sum(actual * expected, axis=1).min() > 0.995
