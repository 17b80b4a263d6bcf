"""Words that translate each other, found by a library and kept in a file."""

from types import SimpleNamespace

import pytest
from flavours import one_flavour

from tfcompress.errors import InputError
from tfcompress.text import align_corpus, split_words, word_alignment

pytestmark = one_flavour

WORDS = {"dog": "hund", "cat": "katze", "house": "haus", "tree": "baum", "car": "auto"}
ADJECTIVES = {"big": "groß", "small": "klein", "old": "alt", "red": "rot"}
PAIRS = [
    (f"The {noun} is {one} and {other}.", f"{WORDS[noun]} ist {ADJECTIVES[one]} "
     f"und {ADJECTIVES[other]} .")
    for noun in WORDS
    for one in ADJECTIVES
    for other in ADJECTIVES
    if one != other
]  # fmt: skip
SOURCES, TARGETS = map(list, zip(*PAIRS))


def linked(line, source, target):
    links = [tuple(map(int, link.split("-"))) for link in line.split()]
    source, target = split_words(source), split_words(target)
    return {(source[s], target[t]) for s, t in links}


def test_words_that_translate_each_other(tmp_path):
    lines = align_corpus(SOURCES, TARGETS, tmp_path / "words.align")
    assert len(lines) == len(SOURCES)
    right = 0
    for line, *pair in zip(lines, SOURCES, TARGETS):
        links = linked(line, *pair)
        right += {(one, WORDS[one]) for one in WORDS if one in pair[0]} <= links
        right += {(one, ADJECTIVES[one]) for one in ADJECTIVES if one in pair[0]} <= links
    assert right >= 0.9 * 2 * len(SOURCES)
    again = align_corpus(SOURCES, TARGETS, tmp_path / "again.align")
    assert [*again] == [*lines]
    fewer = align_corpus(SOURCES, TARGETS, tmp_path / "few", symmetrization="intersection")
    for line, other in zip(fewer, lines):
        assert {*line.split()} <= {*other.split()}


def test_passes_become_fewer_as_the_corpus_grows(tmp_path, monkeypatch):
    library = word_alignment.check_aligner()
    passes = []

    class Counting(library.EflomalAlignmentModel):
        def train(self):
            passes[-1] += 1
            super().train()

    counting = SimpleNamespace(**{**vars(library), "EflomalAlignmentModel": Counting})
    monkeypatch.setattr(word_alignment, "check_aligner", lambda: counting)
    for copies in (1, 20):
        passes.append(0)
        align_corpus(SOURCES * copies, TARGETS * copies, tmp_path / str(copies))
    assert 0 < passes[1] < passes[0]


def test_sides_without_words(tmp_path):
    sources, targets = ["", " ", "dog", *SOURCES], ["hund", "", "", *TARGETS]
    lines = [*align_corpus(sources, targets, tmp_path / "a")]
    assert lines[:3] == ["", "", ""]
    assert lines[3:] == [*align_corpus(SOURCES, TARGETS, tmp_path / "b")]


def test_an_interrupted_alignment_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(word_alignment, "_SHARD", 20)
    whole = [*align_corpus(SOURCES, TARGETS, tmp_path / "whole")]

    def stop(done, total):
        assert total == len(SOURCES)
        if done >= 40:
            raise KeyboardInterrupt

    path = tmp_path / "words.align"
    with pytest.raises(KeyboardInterrupt):
        align_corpus(SOURCES, TARGETS, path, progress=stop)
    assert not path.exists()
    journal = tmp_path / "words.align.journal"
    journal.write_bytes(journal.read_bytes()[:-30])
    done = []
    lines = align_corpus(SOURCES, TARGETS, path, progress=lambda count, _: done.append(count))
    assert [*lines] == whole
    assert done == [40, 60]
    monkeypatch.setattr(word_alignment, "check_aligner", None)
    assert [*align_corpus(SOURCES, TARGETS, path)] == whole  # finished: nothing to align


def test_impossible(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="2 sources, 1 targets"):
        align_corpus(["a", "b"], ["c"], tmp_path / "a")
    with pytest.raises(InputError, match="0 sources"):
        align_corpus([], [], tmp_path / "a")
    with pytest.raises(InputError, match="`symmetrization` must be one of"):
        align_corpus(["a"], ["b"], tmp_path / "a", symmetrization="both")
    align_corpus(["dog"], ["hund"], tmp_path / "a")
    with pytest.raises(InputError, match="begun with other sentences"):
        align_corpus(["cat"], ["katze"], tmp_path / "a")

    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(word_alignment.importlib, "import_module", missing)
    with pytest.raises(InputError, match=r"sil-thot.*tfcompress\[align\]"):
        align_corpus(["dog"], ["hund"], tmp_path / "b")
