"""Tokenized pairs on the disk: the batches of those in memory, whatever the number of windows."""

import itertools

import numpy as np
import pytest
from flavours import one_flavour

from tfcompress.errors import InputError
from tfcompress.text import (
    CachedPairs,
    Mixture,
    TokenizedPairs,
    Tokenizer,
    cache_pairs,
    phrase_corpus,
    text_stream,
    token_cache,
    train_tokenizer,
    training_dataset,
)
from tfcompress.text.token_cache import TokenCache, part_path

pytestmark = one_flavour

OPTIONS = {"batch_tokens": 256, "seed": 3, "max_length": (18, 22)}


@pytest.fixture(scope="module")
def corpus():
    return phrase_corpus(pairs=700, valid=10, test=10).splits["train"]


@pytest.fixture(scope="module")
def tokenizer(corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "joint.model"
    return train_tokenizer([*corpus[0], *corpus[1]], vocabulary_size=400, path=path)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Chunks of 64 pairs, so that small corpora have many."""
    monkeypatch.setattr(text_stream, "CHUNK", 64)
    monkeypatch.setattr(token_cache, "_PART", 4)


@pytest.fixture
def folder(tmp_path, corpus, tokenizer):
    cache_pairs(tmp_path / "cache", *corpus, tokenizer)
    return tmp_path / "cache"


def windowed(folder, windows):
    cache = TokenCache(folder)
    ids = sum(chunk.ids for chunk in cache.content.chunks)
    return CachedPairs(cache, window_ids=-(-ids // windows))


def content(pairs, indices):
    """The ids of some pairs, as bytes."""
    return [tuple(side.astype(np.int32).tobytes() for side in pairs[i]) for i in indices]


def batches_of(source, **options):
    return itertools.starmap(content, source.endless_batches(**{**OPTIONS, **options})())


def taken(source, count, **options):
    return [*itertools.islice(batches_of(source, **options), count)]


def test_one_window_has_the_batches_of_memory(folder, corpus, tokenizer):
    pairs = TokenizedPairs.from_corpus(tokenizer, *corpus)
    cached = windowed(folder, 1)
    assert len(cached) == len(pairs)
    assert cached.left_out((18, 22)) == pairs.left_out((18, 22)) > 0
    assert taken(cached, 200) == taken(pairs, 200)
    whole = cached.in_memory()
    assert (whole.source_ids == pairs.source_ids).all()
    assert (whole.target_row_splits == pairs.target_row_splits).all()


@pytest.mark.parametrize("windows", [2, 3, 7])
def test_every_epoch_has_every_pair_once(folder, corpus, tokenizer, windows):
    pairs = TokenizedPairs.from_corpus(tokenizer, *corpus)
    cached = windowed(folder, windows)
    fit = pairs.fits((18, 22))
    expected = sorted(content(pairs, np.flatnonzero(fit)))
    rows = batches_of(cached)
    orders = []
    for _ in range(3):
        epoch = []
        while len(epoch) < len(expected):
            epoch += next(rows)
        assert sorted(epoch) == expected
        orders.append(epoch)
    assert orders[0] != orders[1] != orders[2]


@pytest.mark.parametrize("windows", [1, 2, 5])
@pytest.mark.parametrize("mixed", [False, True])
def test_resumed_training_sees_the_batches_of_uninterrupted_training(folder, windows, mixed):
    source = windowed(folder, windows)
    if mixed:
        source = Mixture([source, source], [3, 1])
    whole = taken(source, 120)
    for step, accumulate in [(0, 1), (1, 1), (17, 2), (28, 4), (116, 1)]:
        first = step * accumulate
        again = taken(source, 4, start_step=step, accumulate=accumulate)
        assert again == whole[first : first + 4]


def test_batches_keep_to_the_limits(folder):
    for inputs, labels in training_dataset(windowed(folder, 3), **OPTIONS).take(100):
        source, target = inputs["source_token_ids"], inputs["target_token_ids"]
        assert labels.shape == target.shape
        assert source.shape[0] * max(source.shape[1], target.shape[1]) <= 256
        assert source.shape[1] <= 18
        assert target.shape[1] <= 22


@pytest.mark.parametrize("windows", [1, 3])
def test_impossible_batches_are_refused(folder, windows):
    cached = windowed(folder, windows)
    with pytest.raises(InputError, match="No pair is short enough"):
        cached.endless_batches(batch_tokens=256, seed=0, max_length=1)
    with pytest.raises(InputError, match="does not hold the longest pair"):
        cached.endless_batches(batch_tokens=8, seed=0)


def test_shares_of_a_mixture(folder, corpus, tokenizer, tmp_path):
    other = cache_pairs(tmp_path / "other", ["two dogs"] * 40, ["zwei hunde"] * 40, tokenizer)
    mixture = Mixture([windowed(folder, 2), other], weights=[1, 3])
    assert len(mixture) == len(corpus[0]) + 40
    two_dogs = np.array(tokenizer.encode(["two dogs"])[0], np.int32).tobytes()
    count = sum(batch[0][0] == two_dogs for batch in taken(mixture, 1000))
    assert 700 < count < 800


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, float("inf")], [1, -2]])
def test_impossible_weights_are_refused(folder, weights):
    with pytest.raises(InputError, match="eights"):
        Mixture([windowed(folder, 2)] * 2, weights)


def test_an_interrupted_cache_goes_on(tmp_path, corpus, tokenizer, monkeypatch):
    whole, folder = tmp_path / "whole", tmp_path / "cache"
    cache_pairs(whole, *corpus, tokenizer)

    def stop(pairs):
        if pairs > 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache_pairs(folder, *corpus, tokenizer, progress=stop)
    encoded = []
    encode = Tokenizer.encode_corpus
    monkeypatch.setattr(
        Tokenizer, "encode_corpus", lambda self, s: encoded.append(len(s)) or encode(self, s)
    )
    cache_pairs(folder, *corpus, tokenizer)
    assert sum(encoded) == 2 * (len(corpus[0]) - 512)
    for path in whole.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()


@pytest.mark.parametrize("damage", ["removed", "emptied", "cut"])
def test_a_damaged_part_is_made_again(folder, corpus, tokenizer, damage):
    part = part_path(folder, 1)
    whole = part.read_bytes()
    changed = {"emptied": b"", "cut": whole[: len(whole) // 2]}
    part.unlink() if damage == "removed" else part.write_bytes(changed[damage])
    with pytest.raises(InputError, match=r"cache is damaged.*Received: .*part-00001.*Remove"):
        TokenCache(folder)
    cache_pairs(folder, *corpus, tokenizer)
    assert part.read_bytes() == whole


def test_a_part_that_is_cut_while_it_is_used_ends_in_one_line(folder):
    cached = windowed(folder, 7)
    batches = cached.endless_batches(**OPTIONS)()
    for part in folder.glob("*.arrow"):
        part.write_bytes(part.read_bytes()[:1000])
    with pytest.raises(InputError, match="cache is damaged"):
        next(batches)


def test_no_flipped_byte_changes_what_is_read(tmp_path, corpus, tokenizer):
    pairs = cache_pairs(tmp_path, corpus[0][:64], corpus[1][:64], tokenizer).in_memory()
    part, changed = part_path(tmp_path, 0), 0
    whole = part.read_bytes()
    for place in range(0, len(whole), 97):
        part.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            again = CachedPairs(TokenCache(tmp_path)).in_memory()
        except InputError:
            changed += 1
        else:
            assert content(again, range(64)) == content(pairs, range(64))
    assert changed > 20
    part.unlink()
    cache_pairs(tmp_path, corpus[0][:64], corpus[1][:64], tokenizer)
    assert part.read_bytes() == whole


def test_a_damaged_manifest_is_made_again(folder, corpus, tokenizer):
    path = folder / token_cache.MANIFEST
    text = path.read_text()
    for damage in ["", "{}", text[: len(text) // 2], text.replace("1", "9", 1)]:
        path.write_text(damage)
        with pytest.raises(InputError, match="cache is damaged"):
            TokenCache(folder)
        cache_pairs(folder, *corpus, tokenizer)
        assert path.read_text() == text


def test_other_tokenizers_and_texts_are_refused(folder, corpus, tmp_path):
    other = train_tokenizer(corpus[1], vocabulary_size=300, path=tmp_path / "other.model")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match=r"of another tokenizer\. Received: .*Remove"):
        cache_pairs(folder, *corpus, other)
    digest = TokenCache(folder).content.tokenizers[0]
    assert len(digest) == 16
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_another_text_is_refused(folder, corpus, tokenizer):
    sources, targets = corpus
    for changed in (sources[:-1], [*sources[:-1], "something else"]):
        with pytest.raises(InputError, match="of another text"):
            cache_pairs(folder, changed, targets[: len(changed)], tokenizer)
    with pytest.raises(InputError, match="not as many"):
        cache_pairs(folder, sources, targets[:-1], tokenizer)


def test_a_full_disk_leaves_what_is_finished(tmp_path, corpus, tokenizer, monkeypatch):
    folder = tmp_path / "cache"
    replace_file = token_cache.replace_file

    def full(path, content):
        if path == part_path(folder, 2):
            content = no_space
        replace_file(path, content)

    def no_space(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(token_cache, "replace_file", full)
    with pytest.raises(InputError, match="No space left on device"):
        cache_pairs(folder, *corpus, tokenizer)
    assert sorted(path.name for path in folder.iterdir()) == [
        "part-00000.arrow",
        "part-00001.arrow",
    ]
    monkeypatch.setattr(token_cache, "replace_file", replace_file)
    assert len(cache_pairs(folder, *corpus, tokenizer)) == len(corpus[0])
