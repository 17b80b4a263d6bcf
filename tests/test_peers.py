"""Comparisons with other engines begin, end, and go on where they were interrupted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flavours import one_flavour

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def compare(script, folder, native, *options):
    command = [sys.executable, BENCHMARKS / script, "--output", folder / "rows.json"]
    command += ["--files", folder / "files", "--vocabulary-size", "500", "--students", "tiny"]
    command += ["--rounds", "1", "--sentences", "2", *options]
    environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TFCOMPRESS_NATIVE": str(native)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads((folder / "rows.json").read_text())["rows"], run.stdout


@one_flavour
@pytest.mark.slow
def test_next_to_fxtranslate(tmp_path, built):
    pytest.importorskip("fxtranslate")
    rows, _ = compare("vs_fxtranslate.py", tmp_path, built)
    assert [(row["engine"], row["shortlist"]) for row in rows] == [
        (engine, shortlist)
        for shortlist in (False, True)
        for engine in ("tfcompress", "tfcompress_avx2", "fxtranslate")
    ]
    for row in rows:
        # Twice the source with its end mark, and four.
        assert row["tokens_per_sentence"] == 46
        assert row["peak_rss_bytes"] > row["rss_before_bytes"]
    # Rows that are there are kept, those that are not are measured.
    path = tmp_path / "rows.json"
    path.write_text(json.dumps({"rows": rows[:3]}))
    again, output = compare("vs_fxtranslate.py", tmp_path, built)
    assert again[:3] == rows[:3]
    assert [json.loads(line) for line in output.splitlines() if line[0] == "{"] == again[3:]


@one_flavour
@pytest.mark.slow
def test_engines_that_are_not_installed_are_left_out(tmp_path, built):
    rows, output = compare(
        "peers.py",
        tmp_path,
        built,
        "--batch-sizes",
        "2",
        "--bergamot-python",
        "/no/python",
    )
    assert "Left out: bergamot" in output
    assert "tfcompress" in {row["engine"] for row in rows}
    assert "bergamot" not in {row["engine"] for row in rows}
    assert {row["tokens_per_sentence"] for row in rows} == {46}
