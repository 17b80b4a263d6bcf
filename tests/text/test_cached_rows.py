"""Rows of language models and labelled texts on the disk: the batches of those in memory."""

import gzip
import itertools

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from text.text_corpus import PIECES, examples

from tfcompress.errors import InputError
from tfcompress.text import (
    CachedLabelledTexts,
    CachedTexts,
    LabelledTexts,
    RowMixture,
    TokenizedTexts,
    WordPieceTokenizer,
    cache_labelled_texts,
    cache_texts,
    load_labelled_corpus,
    load_text_corpus,
    open_labelled_corpus,
    open_text_corpus,
    text_stream,
    token_cache,
    train_tokenizer,
)
from tfcompress.text.token_cache import TokenCache

pytestmark = one_flavour

LIMIT = 9
TOKENIZER = WordPieceTokenizer(PIECES)
TEXTS, LABELS = map(list, zip(*examples(300, seed=1)))
OPTIONS = {"batch_tokens": 96, "seed": 3}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(text_stream, "CHUNK", 32)
    monkeypatch.setattr(token_cache, "_PART", 3)


def window_ids(cache, windows):
    return -(-sum(chunk.ids for chunk in cache.content.chunks) // windows)


def language_rows(folder, texts, tokenizer, windows, join):
    options = {"max_length": LIMIT, "join": join}
    cache_texts(folder, texts, tokenizer, **options)
    cache = TokenCache(folder)
    cached = CachedTexts(cache, window_ids=window_ids(cache, windows), **options)
    return cached, TokenizedTexts.from_corpus(tokenizer, texts, **options)


def labelled_rows(folder, windows):
    cache_labelled_texts(folder, TEXTS, LABELS, TOKENIZER, max_length=8)
    cache = TokenCache(folder)
    cached = CachedLabelledTexts(cache, max_length=8, window_ids=window_ids(cache, windows))
    return cached, LabelledTexts(TOKENIZER, TEXTS, LABELS, max_length=8)


def rows_of(folder, sort, windows, texts, tokenizer):
    if sort == "labelled":
        return labelled_rows(folder, windows)
    return language_rows(folder, texts, tokenizer, windows, sort == "joined")


SORTS = pytest.mark.parametrize("sort", ["separate", "joined", "labelled"])


def plain(batch):
    """A batch as nested lists."""
    inputs, labels = batch
    ids = inputs["token_ids"] if isinstance(inputs, dict) else inputs
    return np.asarray(ids).tolist(), np.asarray(labels).tolist()


def taken(source, count, **options):
    batches = source.endless_batches(**{**OPTIONS, **options})()
    return [plain(rows.batch(indices)) for rows, indices in itertools.islice(batches, count)]


def single_rows(batches):
    """The rows of batches without their padding, sorted."""
    rows = (row for batch in batches for row in zip(*batch))
    # The labels of a language model are the row itself.
    return sorted(
        str(label if isinstance(label, list) else [label, *ids]).rstrip("0, ]")
        for ids, label in rows
    )


def epoch(source):
    """The batches of the first epoch."""
    number = 0
    for rows, indices in source.endless_batches(**OPTIONS)():
        if number >= len(source):
            return
        number += len(indices)
        yield plain(rows.batch(indices))


@SORTS
def test_one_window_has_the_batches_of_memory(tmp_path, texts, tokenizer, sort):
    cached, rows = rows_of(tmp_path, sort, 1, texts, tokenizer)
    assert (len(cached), cached.longest) == (len(rows), rows.longest)
    assert cached.left_out(6) == rows.left_out(6) > 0
    assert taken(cached, 200) == taken(rows, 200)


@SORTS
@pytest.mark.parametrize("windows", [2, 3, 6])
def test_an_epoch_has_every_row_once(tmp_path, texts, tokenizer, sort, windows):
    cached, rows = rows_of(tmp_path, sort, windows, texts, tokenizer)
    batches = [*epoch(cached)]
    assert single_rows(batches) == single_rows(epoch(rows))
    for ids, _ in batches:
        assert len(ids) * len(ids[0]) <= OPTIONS["batch_tokens"]


@SORTS
@pytest.mark.parametrize("windows", [1, 4])
def test_training_goes_on_with_the_same_batches(tmp_path, texts, tokenizer, sort, windows):
    cached, _ = rows_of(tmp_path, sort, windows, texts, tokenizer)
    whole = taken(cached, 130)
    for step, accumulate in [(1, 1), (17, 2), (126, 1)]:
        first = step * accumulate
        again = taken(cached, 4, start_step=step, accumulate=accumulate)
        assert again == whole[first : first + 4]


@SORTS
def test_mixtures(tmp_path, texts, tokenizer, sort):
    parts = [
        rows_of(tmp_path / name, sort, windows, texts, tokenizer)[0]
        for name, windows in (("one", 2), ("two", 1))
    ]
    mixture = RowMixture(parts, weights=[1, 2])
    assert len(mixture) == 2 * len(parts[0])
    assert mixture.longest == parts[0].longest
    assert mixture.left_out(6) == 2 * parts[0].left_out(6)
    if sort == "labelled":
        assert mixture.cut == 2 * parts[0].cut
        assert mixture.labels.tolist() == parts[0].labels.tolist()
        assert mixture.max_length == 8
    whole = taken(mixture, 130)
    assert taken(mixture, 9, start_step=60, accumulate=2) == whole[120:129]
    # In the order of each part, of which the second one is all in one window.
    own = [taken(part, 130) for part in parts]
    places = [0, 0]
    for batch in whole:
        number = next(n for n in (0, 1) if own[n][places[n]] == batch)
        places[number] += 1
    assert 25 < places[0] < 62
    batches = iter(mixture.training_dataset(**OPTIONS))
    inputs, labels = next(batches)
    assert plain((inputs, labels)) == whole[0]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=30),
    limit=st.integers(1, 9),
    chunk=st.integers(1, 7),
    windows=st.integers(1, 5),
    join=st.booleans(),
)
def test_rows_do_not_depend_on_chunks(
    tmp_path_factory, monkeypatch, lengths, limit, chunk, windows, join
):
    monkeypatch.setattr(text_stream, "CHUNK", chunk)
    numbers = itertools.cycle(range(3, 200))
    contents = [[next(numbers) for _ in range(length)] for length in lengths]

    class Ids:
        proto, vocabulary_size, bos_id, eos_id, pad_id = b"", 200, 1, 2, 0

        def encode_corpus(self, texts):
            rows = [contents[int(text)] for text in texts]
            ids = np.array([token for row in rows for token in row], np.int32)
            return ids, np.cumsum([0, *map(len, rows)])

    folder = tmp_path_factory.mktemp("rows")
    names = [*map(str, range(len(lengths)))]
    cache_texts(folder, names, Ids(), max_length=limit, join=join)
    cache = TokenCache(folder)
    options = {"max_length": limit, "join": join, "window_ids": window_ids(cache, windows)}
    cached = CachedTexts(cache, **options)
    rows = TokenizedTexts.from_corpus(Ids(), names, max_length=limit, join=join)
    whole = cached.in_memory()
    assert whole.ids.tolist() == rows.ids.tolist()
    assert whole.row_splits.tolist() == rows.row_splits.tolist()
    assert (len(cached), cached.longest) == (len(rows), rows.longest)
    assert single_rows(epoch(cached)) == single_rows(epoch(rows))


def test_datasets_have_the_batches(tmp_path, texts, tokenizer):
    for folder, (cached, rows) in {
        "texts": language_rows(tmp_path / "texts", texts, tokenizer, 1, True),
        "labels": labelled_rows(tmp_path / "labels", 1),
    }.items():
        datasets = [source.training_dataset(**OPTIONS).take(3) for source in (cached, rows)]
        one, other = ([*map(plain, dataset)] for dataset in datasets)
        assert one == other, folder


def test_what_training_asks_of_labelled_texts(tmp_path):
    cached, rows = labelled_rows(tmp_path, 3)
    assert cached.cut == rows.cut > 0
    assert cached.labels.tolist() == [0, 1]
    assert cached.max_length == 8
    with pytest.raises(InputError, match="not as many"):
        cache_labelled_texts(tmp_path, TEXTS, LABELS[1:], TOKENIZER, max_length=8)
    for wrong in ([0.5] * 300, [-1] * 300, [10_000] * 300):
        with pytest.raises(InputError, match="numbers of classes from 0 to 9,999"):
            cache_labelled_texts(tmp_path / "wrong", TEXTS, wrong, TOKENIZER, max_length=8)


def test_one_cache_serves_all_lengths(tmp_path, texts, tokenizer, monkeypatch):
    cache_texts(tmp_path, texts, tokenizer, max_length=4)
    monkeypatch.setattr(token_cache, "_write_part", None)
    assert cache_texts(tmp_path, texts, tokenizer, max_length=30, join=True).longest == 30


def test_caches_of_others_are_refused(tmp_path, texts, tokenizer):
    cache_texts(tmp_path / "texts", texts, tokenizer, max_length=9)
    other = train_tokenizer(texts, vocabulary_size=150, path=tmp_path / "other.model")
    with pytest.raises(InputError, match="of another tokenizer"):
        cache_texts(tmp_path / "texts", texts, other, max_length=9)
    with pytest.raises(InputError, match=r"of another text.*Remove"):
        cache_texts(tmp_path / "texts", texts[1:], tokenizer, max_length=9)
    labelled_rows(tmp_path / "labels", 1)
    other = WordPieceTokenizer(PIECES, lowercase=False)
    with pytest.raises(InputError, match="of another tokenizer"):
        cache_labelled_texts(tmp_path / "labels", TEXTS, LABELS, other, max_length=8)
    with pytest.raises(InputError, match="of another text"):
        cache_labelled_texts(tmp_path / "labels", TEXTS, LABELS[::-1], TOKENIZER, max_length=8)


def labelled_folder(folder, names=("train",), ending=""):
    """A corpus of labelled texts in shards, each with a heading."""
    folder.mkdir()
    for split, rows in (("valid", (0, 20)), ("test", (20, 40))):
        write(folder / f"{split}.tsv", TEXTS[slice(*rows)], LABELS[slice(*rows)])
    for name, first in zip(names, range(40, 300, 260 // len(names))):
        part = slice(first, first + 260 // len(names))
        write(folder / f"{name}.tsv{ending}", TEXTS[part], LABELS[part])
    return folder


def write(path, texts, labels):
    rows = (f"{text}\t{['bad', 'good'][label]}" for text, label in zip(texts, labels))
    data = "\n".join(["sentence\tlabel", *rows]).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_labelled_shards(tmp_path, ending):
    folder = labelled_folder(tmp_path / "corpus", ("train-1", "train-2"), ending)
    corpus = open_labelled_corpus(folder, train="train-*")
    assert corpus.labels == ("bad", "good")
    assert [[*column] for column in corpus.splits["train"]] == [TEXTS[40:], LABELS[40:]]
    assert corpus.splits["train"][1][3:6] == LABELS[43:46]
    loaded = load_labelled_corpus(folder, train=["train-1", "train-2"])
    assert loaded.splits["train"] == (TEXTS[40:], LABELS[40:])
    whole = open_labelled_corpus(labelled_folder(tmp_path / "whole"))
    assert whole.digest() == corpus.digest()
    assert (
        whole.digest() != open_labelled_corpus(tmp_path / "whole", labels=["good", "bad"]).digest()
    )


def test_an_index_has_the_classes(tmp_path, monkeypatch):
    folder = labelled_folder(tmp_path / "corpus")
    corpus = open_labelled_corpus(folder)
    corpus.save_index(tmp_path / "index.json")
    cached = cache_labelled_texts(
        tmp_path / "cache", *corpus.splits["train"], TOKENIZER, max_length=8
    )
    monkeypatch.setattr(text_stream.TextStream, "_scan", None)
    again = open_labelled_corpus(folder, index=tmp_path / "index.json")
    assert (again.labels, again.digest()) == (corpus.labels, corpus.digest())
    columns = again.splits["train"]
    reopened = cache_labelled_texts(tmp_path / "cache", *columns, TOKENIZER, max_length=8)
    assert taken(reopened, 20) == taken(cached, 20)
    # The same text, but classes of other numbers.
    columns = open_labelled_corpus(
        folder, labels=["good", "bad"], index=tmp_path / "index.json"
    ).splits["train"]
    with pytest.raises(InputError, match="another tokenizer"):
        cache_labelled_texts(tmp_path / "cache", *columns, TOKENIZER, max_length=8)


def test_text_shards(tmp_path, texts):
    for name, part in (("train-1.txt", texts[:150]), ("train-2.txt.gz", texts[150:])):
        data = "\n\n".join(part).encode() + b"\n \n"
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    (tmp_path / "valid.txt").write_text("one\n")
    corpus = open_text_corpus(tmp_path, train="train-*")
    assert [*corpus.splits["train"][0]] == [*corpus.splits["train"][1]] == texts
    loaded = load_text_corpus(tmp_path, train=["train-1", "train-2"])
    assert loaded.splits["train"][0] == texts
    first = open_text_corpus(tmp_path, train="train-1.txt")
    assert len(first.splits["train"][0]) == 150
    with pytest.raises(InputError, match=r"no train file web, web\.txt"):
        open_text_corpus(tmp_path, train=["train-*", "web"])


def test_files_of_texts_are_split_by_pattern(tmp_path, texts):
    (tmp_path / "all.txt").write_text("\n".join(texts))
    (tmp_path / "a-1.txt").write_text("\n".join(texts[:99]))
    (tmp_path / "a-2.txt.gz").write_bytes(gzip.compress("\n".join(texts[99:]).encode()))
    whole = load_text_corpus(tmp_path / "all.txt")
    assert load_text_corpus(tmp_path / "a-*.txt").splits == whole.splits
    assert sum(len(texts) for texts, _ in whole.splits.values()) == len(texts)


@pytest.mark.parametrize("sort", ["texts", "labels"])
def test_a_changed_corpus_is_refused(tmp_path, texts, sort):
    if sort == "texts":
        path, open_it = tmp_path / "train.txt", open_text_corpus
        path.write_text("\n".join(texts))
        (tmp_path / "valid.txt").write_text("one\n")
        folder = tmp_path
    else:
        folder = labelled_folder(tmp_path / "corpus")
        path, open_it = folder / "train.tsv", open_labelled_corpus
    index = tmp_path / "index.json"
    corpus = open_it(folder)
    corpus.save_index(index)
    lines = path.read_text().split("\n")
    path.write_text("\n".join(lines[:-1]))
    count = len(corpus.splits["train"][0])
    with pytest.raises(InputError, match=rf"no longer what.* {count - 1} texts instead of {count}"):
        open_it(folder, index=index).digest()
    path.write_text("\n".join([*lines[:-1], lines[1]]))
    with pytest.raises(InputError, match="other texts from"):
        open_it(folder, index=index).digest()
    with pytest.raises(InputError, match="changed while it was read"):
        [*corpus.splits["train"][0]]
