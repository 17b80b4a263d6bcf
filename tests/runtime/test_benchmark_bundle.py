import json
import subprocess
import sys

import pytest
from flavours import one_flavour
from small_models import sentences

from tfcompress.errors import InputError
from tfcompress.runtime.benchmark import benchmark, main
from tfcompress.text import Tokenizer

pytestmark = one_flavour

KEYS = {
    "bundle",
    "device",
    "threads",
    "beam_size",
    "runtime",
    "texts",
    "overlong",
    "source_tokens",
    "target_tokens",
    "init_ms",
    "first_text_ms",
    "latency_ms",
    "target_tokens_per_s",
    "peak_rss_bytes",
    "bundle_bytes",
    "load_average",
    "processors",
}


@pytest.mark.parametrize("beam_size", [1, 2])
def test_figures(bundle, beam_size):
    batch = [" ", *sentences(7), "two dogs . " * 30]
    passes = []
    metrics = benchmark(
        bundle,
        batch,
        beam_size=beam_size,
        warmup=1,
        runs=2,
        progress=lambda done, total: passes.append((done, total)),
    )
    assert {*metrics} == KEYS
    assert metrics["overlong"] == [9]
    assert {*metrics["latency_ms"]} == {"mean", "p50", "p90", "p99"}
    assert passes == [(1, 3), (2, 3), (3, 3)]
    assert metrics["device"] == "local"
    assert metrics["bundle"] == str(bundle)
    assert (metrics["threads"], metrics["beam_size"], metrics["texts"]) == (1, beam_size, 8)
    tokenizer = Tokenizer(bundle / "tokenizer.model")
    assert metrics["source_tokens"] == sum(map(len, tokenizer.encode(batch)))
    latency = metrics["latency_ms"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"]
    per_second = metrics["target_tokens"] / (8 * latency["mean"] / 1000)
    assert metrics["target_tokens_per_s"] == pytest.approx(per_second, rel=0.01)
    assert metrics["init_ms"] > 0
    assert metrics["first_text_ms"] > 0
    assert metrics["peak_rss_bytes"] > metrics["bundle_bytes"]
    assert metrics["bundle_bytes"] == sum(file.stat().st_size for file in bundle.iterdir())
    assert {*metrics["load_average"]} == {"before", "after"}
    assert all(load >= 0 for load in metrics["load_average"].values())
    assert metrics["processors"] >= 1
    assert json.loads(json.dumps(metrics)) == metrics


@pytest.mark.parametrize("batch", [[], ["", "  "], ["\u3000", "\ufeff", "\u2028"]])
def test_nothing_to_translate(bundle, batch):
    with pytest.raises(InputError, match="There must be texts"):
        benchmark(bundle, batch)


@pytest.mark.parametrize("options", [{"warmup": -1}, {"runs": 0}])
def test_impossible_passes(bundle, options):
    with pytest.raises(InputError, match=r"warmup=.*runs="):
        benchmark(bundle, ["two dogs"], **options)


@pytest.mark.parametrize("options", [{"beam_size": 10**6}, {"num_threads": 10**5}])
def test_options_are_checked_first(tmp_path, options):
    with pytest.raises(InputError, match="must be a whole number from 1 to"):
        benchmark(tmp_path / "missing", ["two dogs"], **options)


def test_the_program(bundle, tmp_path):
    first, *rest = sentences(3)
    # Only line feeds end lines, and a byte order mark is no text.
    lines = "\n".join([f"\ufeff{first}\u2028\x85\x0bdogs\r", "\u200b", *rest, ""])
    (tmp_path / "lines").write_bytes(lines.encode())
    command = [sys.executable, "-m", "tfcompress.runtime.benchmark", str(bundle)]
    options = ["--warmup", "0", "--runs", "1", "--beam-size", "2"]
    outputs = [
        subprocess.run(command + file + options, input=lines.encode(), capture_output=True)
        for file in ([str(tmp_path / "lines")], [])
    ]
    for output in outputs:
        assert (output.returncode, output.stderr) == (0, b"")
        metrics = json.loads(output.stdout)
        assert {*metrics} == KEYS
        assert (metrics["texts"], metrics["beam_size"]) == (3, 2)


def test_the_program_waits_for_its_turns(bundle, tmp_path):
    (tmp_path / "lines").write_text("\n".join(sentences(2)))
    module = "tfcompress.runtime.benchmark"
    command = [sys.executable, "-m", module, str(bundle), str(tmp_path / "lines"), "--in-turns"]
    # One turn up to each of the passes, and one for the rest.
    done = subprocess.run(
        [*command, "--warmup", "1", "--runs", "2"], input="\n" * 4, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.startswith("\n\n\n\n{")
    assert {*json.loads(done.stdout)} == KEYS
    done = subprocess.run(command, input="\n", capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: The process must be told when to go on. Received: no line.\n"


def test_the_program_and_wrong_input(bundle, tmp_path, capsys):
    (tmp_path / "latin").write_bytes(b"zw\xf6lf\n")
    for arguments, message in {
        (str(tmp_path), str(tmp_path / "latin")): "latin, line 1. Convert",
        (str(bundle), str(tmp_path / "missing")): "missing. Check the path",
        (str(tmp_path), str(bundle / "manifest.json")): "must have a manifest.json",
    }.items():
        assert main(arguments) == 2
        errors = capsys.readouterr().err
        assert message in errors
        assert errors.count("\n") == 1
