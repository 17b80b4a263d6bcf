"""Training splits that stay in their files: shards, patterns, compression, and changes to files."""

import gzip
import os
import random

import pyarrow
import pytest
from flavours import one_flavour

from tfcompress.errors import InputError
from tfcompress.text import (
    cache_pairs,
    check_corpus,
    clean_corpus,
    load_corpus,
    open_corpus,
    open_text_corpus,
    phrase_corpus,
    read_lines,
    text_stream,
    train_tokenizer,
)
from tfcompress.text.lines import iterate_lines

pytestmark = one_flavour

LANGUAGES = {"source_language": "en", "target_language": "de"}


@pytest.fixture(scope="module")
def pairs():
    return phrase_corpus(pairs=400, valid=10, test=10).splits["train"]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(text_stream, "CHUNK", 50)


def write(path, lines):
    data = "".join(f"{line}\n" for line in lines).encode()
    if path.suffix == ".gz":
        # Two members, as tools that compress in parallel write them.
        data = gzip.compress(data[:999]) + gzip.compress(data[999:])
    if path.suffix == ".zst":
        codec = pyarrow.Codec("zstd")
        parts = [codec.compress(part, asbytes=True) for part in (data[:999], data[999:])]
        data = b"".join(parts)
    path.write_bytes(data)


def shards(folder, pairs, bounds, names, ending=""):
    """Writes training files, and a few lines for validation and test."""
    folder.mkdir(exist_ok=True)
    for language, side in zip(("en", "de"), pairs):
        for name, first, last in zip(names, bounds, bounds[1:]):
            write(folder / f"{name}.{language}{ending}", side[first:last])
        for split in ("valid", "test"):
            write(folder / f"{split}.{language}", side[:3])
    return folder


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
@pytest.mark.parametrize("names", ["train-*", ["train-1", "train-2"], ["train-[12]"]], ids=str)
def test_shards_are_one_corpus(tmp_path, pairs, ending, names):
    whole = shards(tmp_path / "whole", pairs, [0, 380], ["train"])
    cut = shards(tmp_path / "cut", pairs, [0, 123, 380], ["train-1", "train-2"], ending)
    expected = open_corpus(whole, **LANGUAGES)
    corpus = open_corpus(cut, train=names, **LANGUAGES)
    assert ([*corpus.splits["train"][0]], [*corpus.splits["train"][1]]) == tuple(pairs)
    assert load_corpus(cut, train=names, **LANGUAGES).splits["train"] == tuple(pairs)
    if not isinstance(names, list) or len(names) == 1:
        assert corpus.digest() == expected.digest()


def test_languages_are_those_of_a_pattern(tmp_path, pairs):
    folder = shards(tmp_path, pairs, [0, 123, 380], ["train-1", "train-2"])
    assert open_corpus(folder, train="train-*", source_language="en").target_language == "de"


def test_sides_are_sequences(tmp_path, pairs):
    corpus = open_corpus(shards(tmp_path, pairs, [0, 380], ["train"]), **LANGUAGES)
    for side, expected in zip(corpus.splits["train"], pairs):
        assert len(side) == 380
        assert side[:7] == expected[:7]
        assert side[40:120:3] == expected[40:120:3]
        assert (side[0], side[77], side[-1]) == (expected[0], expected[77], expected[-1])
        with pytest.raises(IndexError):
            side[380]


def test_tab_separated_shards(tmp_path, pairs):
    rows = [f"{source}\t{target}" for source, target in zip(*pairs)]
    write(tmp_path / "web.en-de.tsv", rows)
    write(tmp_path / "web.en-de.1.tsv.zst", rows[:100])
    write(tmp_path / "web.en-de.2.tsv.gz", rows[100:])
    whole = load_corpus(tmp_path / "web.en-de.tsv")
    for path in (tmp_path / "web.en-de.?.tsv", [*sorted(tmp_path.glob("web.en-de.?.tsv.*"))]):
        corpus = load_corpus(path, **LANGUAGES)
        assert corpus.splits == whole.splits
    count = sum(len(sources) for sources, _ in whole.splits.values())
    assert count == 380


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda f: write(f / "train-2.de", ["x"]),
            r"Line N of one.*train-2\.en with 257.*with 1\.",
        ),
        (lambda f: write(f / "train-2.de", ["x"] * 300), r"train-2\.en with 257.*de with 300"),
        (lambda f: (f / "train-2.de").unlink(), r"no train file train-2\.de"),
        (lambda f: write(f / "train-1.en", [" "] * 123), r"train-1\.en, of whose lines 123 are"),
        (
            lambda f: (f / "train-1.de").write_bytes(b"ok\n\xff\n"),
            r"not UTF-8.*train-1\.de, line 2",
        ),
        (lambda f: (f / "train-1.en").write_bytes(b""), "The file is empty"),
    ],
)
def test_shards_that_cannot_be_used(tmp_path, pairs, damage, message):
    folder = shards(tmp_path, pairs, [0, 123, 380], ["train-1", "train-2"])
    damage(folder)
    with pytest.raises(InputError, match=message):
        open_corpus(folder, train="train-*", **LANGUAGES).digest()


def test_damaged_zstd_is_reported(tmp_path):
    path = tmp_path / "a.zst"
    write(path, ["two dogs"] * 500)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match="zstd file is damaged"):
        read_lines(path)
    path.write_bytes(b"no zstd")
    with pytest.raises(InputError, match="zstd file is damaged"):
        read_lines(path)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 64])
def test_lines_do_not_depend_on_blocks(tmp_path, monkeypatch, block):
    monkeypatch.setattr("tfcompress.text.lines._BLOCK", block)
    rng = random.Random(block)
    text = "\ufeff" + "".join(
        rng.choice(["a", "\u00e9", "\u4e2d", "\r\n", "\n", "\u2028"]) for _ in range(300)
    )
    path = tmp_path / "a.en"
    for content in (text, f"{text}\n", "\ufeff", "", "\n", "a", "\ufeff\n\n"):
        path.write_bytes(content.encode())
        lines = content.removeprefix("\ufeff").split("\n")
        expected = [line.removesuffix("\r") for line in lines[: -1 if not lines[-1] else None]]
        assert [*iterate_lines(path)] == expected


def test_an_index_spares_reading(tmp_path, pairs, monkeypatch):
    folder = shards(tmp_path / "corpus", pairs, [0, 380], ["train"])
    corpus = open_corpus(folder, **LANGUAGES)
    digest = corpus.digest()
    corpus.save_index(tmp_path / "index.json")
    monkeypatch.setattr(text_stream.TextStream, "_scan", None)
    again = open_corpus(folder, index=tmp_path / "index.json", **LANGUAGES)
    assert (again.digest(), len(again.splits["train"][0])) == (digest, 380)


def test_unchanged_text_with_another_time_is_the_same(tmp_path, pairs):
    folder = shards(tmp_path / "corpus", pairs, [0, 380], ["train"])
    corpus = open_corpus(folder, **LANGUAGES)
    corpus.save_index(tmp_path / "index.json")
    os.utime(folder / "train.en", ns=(1, 1))
    again = open_corpus(folder, index=tmp_path / "index.json", **LANGUAGES)
    assert again.digest() == corpus.digest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda side: side[:-1], "379 pairs instead of 380"),
        (lambda side: [*side, "one more"], "381 pairs instead of 380"),
        (lambda side: [*side[:160], "other", *side[161:]], "other pairs from 151 on"),
    ],
)
def test_a_changed_corpus_is_refused(tmp_path, pairs, change, message):
    folder = shards(tmp_path / "corpus", pairs, [0, 380], ["train"])
    open_corpus(folder, **LANGUAGES).save_index(tmp_path / "index.json")
    before = (tmp_path / "index.json").read_bytes()
    for language, side in zip(("en", "de"), pairs):
        write(folder / f"train.{language}", change(side))
    changed = open_corpus(folder, index=tmp_path / "index.json", **LANGUAGES)
    with pytest.raises(InputError, match=f"no longer what.*Received: {message}.*Restore"):
        changed.digest()
    assert (tmp_path / "index.json").read_bytes() == before


@pytest.mark.parametrize("change", ["shorter", "other"])
def test_files_that_change_while_they_are_read(tmp_path, pairs, change):
    folder = shards(tmp_path / "corpus", pairs, [0, 380], ["train"])
    corpus = open_corpus(folder, **LANGUAGES)
    corpus.digest()
    tokenizer = train_tokenizer(pairs[0], vocabulary_size=200, path=tmp_path / "a.model")
    for language, side in zip(("en", "de"), pairs):
        other = side[:-1] if change == "shorter" else [*side[:-1], "other"]
        write(folder / f"train.{language}", other)
    with pytest.raises(InputError, match="The corpus changed while it was read"):
        cache_pairs(tmp_path / "cache", *corpus.splits["train"], tokenizer)


@pytest.mark.parametrize("content", ["", "{", "{}", '{"files": [], "rows": 3, "digests": []}'])
def test_a_damaged_index_is_reported(tmp_path, pairs, content):
    folder = shards(tmp_path / "corpus", pairs, [0, 380], ["train"])
    (tmp_path / "index.json").write_text(content)
    corpus = open_corpus(folder, index=tmp_path / "index.json", **LANGUAGES)
    with pytest.raises(InputError, match="index of the corpus is damaged"):
        corpus.digest()


def test_groups_are_those_of_a_list(tmp_path, pairs):
    folder = shards(tmp_path / "c", pairs, [0, 60, 123, 380], ["news-1", "news-2", "web"])
    corpus = open_corpus(folder, train=["news-*", "web"], **LANGUAGES)
    tokenizer = train_tokenizer(pairs[0] + pairs[1], vocabulary_size=300, path=tmp_path / "a")
    cached = cache_pairs(tmp_path / "cache", *corpus.splits["train"], tokenizer)
    assert [len(group) for group in cached.groups()] == [123, 257]
    web = cached.groups()[1].in_memory()
    assert tokenizer.decode([web[0][0], web[256][1]]) == [pairs[0][123], pairs[1][379]]


def test_groups_keep_the_targets_of_a_teacher(tmp_path, pairs):
    folder = shards(tmp_path / "c", pairs, [0, 123, 380], ["news", "web"])
    sources, _ = open_corpus(folder, train=["news", "web"], **LANGUAGES).splits["train"]
    tokenizer = train_tokenizer(pairs[0] + pairs[1], vocabulary_size=300, path=tmp_path / "a")
    cached = cache_pairs(tmp_path / "cache", sources, pairs[0], tokenizer)
    for group, first in zip(cached.groups(), (0, 123)):
        whole = group.in_memory()
        assert (whole.source_ids == whole.target_ids).all()
        assert tokenizer.decode([whole[0][0]]) == [pairs[0][first]]
    with pytest.raises(InputError, match="not as many"):
        cache_pairs(tmp_path / "other", sources, pairs[0][1:], tokenizer)


def test_a_corpus_compressed_with_zstd_is_checked_and_cleaned(tmp_path, pairs):
    folder = shards(tmp_path / "c", pairs, [0, 380], ["train"], ".zst")
    report = check_corpus(folder, **LANGUAGES)
    assert report.splits["train"].examples == 380
    assert "encoding" not in report.splits["train"].faults
    clean_corpus(folder, tmp_path / "clean", **LANGUAGES)
    good = len(load_corpus(tmp_path / "clean", **LANGUAGES).splits["train"][0])
    assert good == report.splits["train"].good > 300


def test_a_tokenizer_is_trained_on_a_sample(tmp_path, pairs):
    def train(size, name="a"):
        sentences = iter(pairs[0])
        options = {"vocabulary_size": 120, "input_sentence_size": size}
        return train_tokenizer(sentences, path=tmp_path / name, **options).proto

    assert train(380) == train(10**6)
    assert train(200) == train(200) != train(380)
    with pytest.raises(InputError, match="input_sentence_size"):
        train(0)


@pytest.mark.parametrize("open_file", [open_corpus, open_text_corpus])
def test_an_index_spares_the_reading_of_files_without_splits(tmp_path, pairs, open_file):
    path, index = tmp_path / "web.en-de.tsv", tmp_path / "index.json"
    write(path, [f"{source}\t{target}" for source, target in zip(*pairs)])
    first = open_file(path)
    splits = first.in_memory().splits
    first.save_index(index)
    status, size = path.stat(), path.stat().st_size
    path.write_bytes(b"\n" * size)  # Only what reads it would notice.
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    again = open_file(path, index=index)
    assert {**again.splits, "train": None} == {**splits, "train": None}
    assert again.digest() == first.digest()
    os.utime(path)
    with pytest.raises(InputError, match=r"blank|no pair|no text"):
        open_file(path, index=index).digest()


def test_files_without_splits_may_move_but_not_change(tmp_path, pairs):
    path, index = tmp_path / "web.en-de.tsv", tmp_path / "index.json"
    rows = [f"{source}\t{target}" for source, target in zip(*pairs)]
    write(path, rows)
    first = open_corpus(path)
    first.save_index(index)
    os.utime(path, ns=(0, 0))
    assert open_corpus(path, index=index).digest() == first.digest()
    write(path, rows[:-5])
    with pytest.raises(InputError, match="no longer what this run began with"):
        open_corpus(path, index=index).digest()
