"""The profile of `tfcompress-benchmark`."""

import json
import os
import subprocess

import pytest
from flavours import one_flavour
from native_library import LITERT
from small_models import sentences

from tfcompress.custom_ops.names import ALL, DECODER, ENCODER_LAYER, TOP_LOGITS
from tfcompress.export import convert

pytestmark = one_flavour


@pytest.fixture
def run(built, bundle, tmp_path):
    """Runs the program with a library of LiteRT."""
    text = tmp_path / "text"
    text.write_text("\n".join([*sentences(4), ""]), encoding="utf-8")
    command = [built / "tfcompress-benchmark", "--profile", bundle, "--input", text]
    command += ["--warmup", "0", "--runs", "1", "--library"]

    def with_library(library):
        return subprocess.run([*command, library], capture_output=True, text=True, check=False)

    return with_library


def test_operations_of_each_signature(run):
    metrics = json.loads(run(LITERT).stdout)
    operations = metrics["operations"]
    assert set(operations) == {"encode", "step"}
    for profile in operations.values():
        assert all(set(one) == {"operation", "calls", "milliseconds", "share"} for one in profile)
        milliseconds = [one["milliseconds"] for one in profile]
        assert milliseconds == sorted(milliseconds, reverse=True)
    calls = {one["operation"]: one["calls"] for one in operations["step"]}
    assert calls["EMBEDDING_LOOKUP"] == metrics["steps"]
    # Where all take less than LiteRT's clock can tell, the shares are null.
    assert sum(one["share"] or 0 for one in operations["step"]) == pytest.approx(1, abs=0.02)


@pytest.mark.slow
def test_custom_operations(built, tokenizer, transformer, tmp_path, monkeypatch):
    """Their names stay in memory that is not freed, which glibc overwrites here."""
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    path, text = tmp_path / "custom", tmp_path / "text"
    convert(
        transformer,
        path,
        source_tokenizer=tokenizer,
        target_tokenizer=tokenizer,
        samples=[[5, 6, 2]],
        custom_ops=ALL,
    )
    text.write_text("two dogs play\n")
    command = [built / "tfcompress-benchmark", "--profile", path, "--input", text]
    done = subprocess.run(
        [*command, "--warmup", "0", "--runs", "1", "--library", LITERT],
        capture_output=True,
        env=os.environ | {"MALLOC_PERTURB_": "165"},
        check=True,
    )
    profiles = json.loads(done.stdout)["operations"]
    actual = {one["operation"] for profile in profiles.values() for one in profile}
    assert {name for name in actual if name.startswith("tfc.")} == {
        DECODER,
        ENCODER_LAYER,
        TOP_LOGITS,
    }
    assert all(name.isprintable() for name in actual)


def test_a_library_that_cannot_profile(run, tmp_path):
    library = tmp_path / "libLiteRt.so"
    library.write_bytes(
        LITERT.read_bytes().replace(b"LiteRtStopProfiler\0", b"LiteRtStopProfileX\0")
    )
    done = run(library)
    assert done.returncode == 2
    message = "cannot profile. Received: one without LiteRtStopProfiler."
    assert message in done.stderr
