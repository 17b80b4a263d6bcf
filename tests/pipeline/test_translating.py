"""Translating files with several processes."""

import io
import os
import sys

import pytest
from flavours import one_flavour

from tfcompress.commands import main
from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.pipeline import translating
from tfcompress.pipeline.progress import Progress

pytestmark = one_flavour
SENTENCES = ["I need a room.", "", "We are lost."] * 40


@pytest.fixture
def bundle(finished_run):
    return str(finished_run / "bundles" / "dynamic_int8")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.en"
    path.write_text("".join(f"{line}\n" for line in SENTENCES))
    return path


def test_order_is_kept_and_files_are_as_streams(bundle, source, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})
    target = tmp_path / "target.de"
    options = ["translate", bundle, "--beam-size", "2", "--n-best", "2"]
    files = ["--input", str(source), "--output", str(target)]
    assert main([*options, *files, "--workers", "2"]) == 0
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(source.read_bytes())))
    assert main(options) == 0
    lines = capsys.readouterr().out
    assert target.read_text() == lines
    assert lines.count("\n") == 2 * len(SENTENCES)
    assert lines.splitlines()[2:4] == ["", ""]


def test_nothing_is_written_where_a_sentence_is_refused(bundle, source, tmp_path, capsys):
    source.write_bytes(b"Hello.\n" * 3 + b"\xff\n")
    target = tmp_path / "target.de"
    arguments = ["translate", bundle, "--input", str(source), "--output", str(target)]
    assert main(arguments) == 2
    assert f"line 4 of {source}" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["source.en"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target-prefix", "\u65e5"], "`target_prefix` must have characters of"),
        (["--banned-words", " "], "A banned word must have text"),
        (["--target-prefix", "Wir", "--banned-words", "Wir"], "none of `banned_words`"),
        (["--markup"], "Markup needs a bundle with alignments"),
    ],
)
def test_wrong_options_are_no_fault_of_a_line(bundle, source, tmp_path, capsys, options, message):
    for text in (source.read_text(), ""):
        source.write_text(text)
        assert main(["translate", bundle, "--input", str(source), *options]) == 2
        written, error = capsys.readouterr()
        assert message in error
        assert written == ""
        assert "line" not in error


def test_workers_beyond_the_processors(bundle, capsys):
    assert main(["translate", bundle, "--workers", "4096"]) == 2
    assert "`workers` must be from 1 to" in capsys.readouterr().err
    with pytest.raises(InputError, match="Received: 0"):
        Engine(workers=0)


def test_sentences_come_as_they_are_read(bundle):
    read = []

    def sentences():
        for sentence in SENTENCES:
            read.append(sentence)
            yield sentence

    results = translating.translate_sentences(bundle, sentences())
    assert next(results).number == 1
    assert len(read) == 1
    results.close()


def test_progress_is_whole_lines_without_a_terminal(monkeypatch):
    times = iter([0.0, 10.0, 31.0, 31.0, 40.0])
    monkeypatch.setattr("tfcompress.pipeline.progress.time.monotonic", lambda: next(times))
    lines = []
    with Progress(100, "sentences", log=lines.append) as progress:
        for _ in range(3):
            progress.add(25)
    assert lines == ["50 of 100 sentences, 0:00:31 left"]
