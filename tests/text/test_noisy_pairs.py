"""Caches of sentence pairs with noise and alignments."""

import itertools

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.text import (
    CachedPairs,
    InputNoise,
    Mixture,
    TokenizedPairs,
    Tokenizer,
    cache_pairs,
    make_batch,
    open_corpus,
    phrase_corpus,
    split_words,
    text_stream,
    token_cache,
    train_tokenizer,
    training_dataset,
)
from tfcompress.text.affixes import with_affixes
from tfcompress.text.pair_encoder import PairChunk, PairEncoder
from tfcompress.text.phrases import write_corpus
from tfcompress.text.token_cache import TokenCache

pytestmark = one_flavour

OPTIONS = {"batch_tokens": 512, "seed": 3}
NOISE = InputNoise(upper_case=0.2, typos=0.5, no_full_stop=0.5, tags=0.3, variants=3)


@pytest.fixture(scope="module")
def corpus():
    return phrase_corpus(pairs=300, valid=10, test=10).splits["train"]


@pytest.fixture(scope="module")
def alignments(corpus):
    return [
        " ".join(f"{i}-{i}" for i in range(min(len(split_words(s)), len(split_words(t)))))
        for s, t in zip(*corpus)
    ]


@pytest.fixture(scope="module")
def tokenizer(corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "joint.model"
    return train_tokenizer([*corpus[0], *corpus[1]], vocabulary_size=400, path=path)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(text_stream, "CHUNK", 32)
    monkeypatch.setattr(token_cache, "_PART", 4)


@pytest.fixture
def noisy(tmp_path, corpus, tokenizer, alignments):
    folder = tmp_path / "cache"
    return cache_pairs(folder, *corpus, tokenizer, alignments=alignments, noise=NOISE)


def windowed(folder, windows):
    ids = sum(chunk.ids for chunk in TokenCache(folder).content.chunks) / NOISE.variants
    return CachedPairs(TokenCache(folder), window_ids=int(ids / windows) + 1, variants=3)


def content(pairs, indices):
    return [tuple(side.astype(np.int32).tobytes() for side in pairs[i]) for i in indices]


def epochs(pairs, count, **options):
    """The sources and targets of epochs, each sorted."""
    batches = itertools.starmap(content, pairs.endless_batches(**OPTIONS | options)())
    for _ in range(count):
        epoch = []
        while len(epoch) < len(pairs):
            epoch += next(batches)
        assert len(epoch) == len(pairs)
        yield sorted(epoch)


def expected(corpus, tokenizer, variant):
    sources = [NOISE.apply(text, line=n, variant=variant).text for n, text in enumerate(corpus[0])]
    pairs = TokenizedPairs.from_corpus(tokenizer, sources, corpus[1])
    return sorted(content(pairs, range(len(pairs))))


@pytest.mark.parametrize("windows", [1, 3])
def test_epochs_have_the_versions_in_turn(noisy, tmp_path, corpus, tokenizer, windows):
    pairs = windowed(tmp_path / "cache", windows)
    assert len(pairs) == len(corpus[0])
    for number, epoch in enumerate(epochs(pairs, 4)):
        assert epoch == expected(corpus, tokenizer, number % 3)


@pytest.mark.parametrize("windows", [1, 3])
def test_resumed_training_sees_the_same_noise(noisy, tmp_path, windows):
    def taken(count, **options):
        batches = windowed(tmp_path / "cache", windows).endless_batches(**OPTIONS | options)()
        return [*itertools.islice(itertools.starmap(content, batches), count)]

    whole = taken(220)
    for step in (1, 60, 130, 215):
        assert taken(4, start_step=step) == whole[step : step + 4]


def test_the_cache_is_found_again_and_made_in_any_process(noisy, tmp_path, corpus, tokenizer):
    again = cache_pairs(tmp_path / "plain", *corpus, tokenizer, noise=NOISE)
    one, other = noisy.in_memory(), again.in_memory()
    assert (one.source_ids == other.source_ids).all()
    assert noisy.is_aligned
    assert not again.is_aligned
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "plain").iterdir()}
    cache_pairs(tmp_path / "plain", *corpus, tokenizer, noise=NOISE)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "plain").iterdir()} == parts
    with pytest.raises(InputError, match="another tokenizer"):
        cache_pairs(tmp_path / "plain", *corpus, tokenizer, noise=InputNoise(typos=0.1))


def test_a_stream_keeps_its_groups(tmp_path, tokenizer):
    for name in ("train-a", "train-b"):
        write_corpus(tmp_path / name, pairs=200, valid=40, test=40)
        for language in ("en", "de"):
            (tmp_path / name / f"train.{language}").rename(tmp_path / f"{name}.{language}")
    for split in ("valid", "test"):
        for language in ("en", "de"):
            (tmp_path / "train-a" / f"{split}.{language}").rename(tmp_path / f"{split}.{language}")
    corpus = open_corpus(
        tmp_path, source_language="en", target_language="de", train=["train-a", "train-b"]
    )
    sources, targets = corpus.splits["train"]
    lines = ["0-0"] * len(sources)
    noise = InputNoise(upper_case=0.5, variants=2)
    pairs = cache_pairs(
        tmp_path / "cache", sources, targets, tokenizer, alignments=lines, noise=noise
    )
    groups = pairs.groups()
    assert [len(group) for group in groups] == [len(sources) // 2] * 2
    mixture = Mixture(groups, [1, 2])
    assert mixture.is_aligned
    inputs, _ = next(iter(training_dataset(mixture, alignment=True, **OPTIONS)))
    assert inputs["alignment"].shape[0] == inputs["source_token_ids"].shape[0]
    again = cache_pairs(
        tmp_path / "cache", sources, targets, tokenizer, alignments=lines, noise=noise
    )
    assert len(again) == len(pairs)


def test_alignments_of_pieces(tokenizer, tmp_path):
    source, target = "The dogs, they run!", "Die Hunde rennen!"
    lines = ["0-0 1-1 4-2 5-3"]
    pairs = cache_pairs(tmp_path, [source], [target], tokenizer, alignments=lines).in_memory()
    inputs, labels = make_batch(pairs, np.array([0, -1]), alignment=True)
    alignment = inputs["alignment"]
    assert alignment.shape == (2, labels.shape[1], inputs["source_token_ids"].shape[1])
    assert not alignment[1].any()

    def pieces_of(text, word):
        """The pieces with a character of a word."""
        ids, spans = tokenizer.encode_with_spans([text])[0]
        assert ids == tokenizer.encode([text])[0]
        begin = text.index(word)
        end = begin + len(word)
        return {n for n, span in enumerate(spans) if span[0] < end and span[1] > begin}

    partners = {"Die": "The", "Hunde": "dogs", "rennen": "run", "!": "!"}
    expected = np.zeros_like(alignment[0])
    for word, partner in partners.items():
        for row in pieces_of(target, word):
            expected[row, [*pieces_of(source, partner)]] = 1
    expected /= np.maximum(expected.sum(-1, keepdims=True), 1)
    np.testing.assert_allclose(alignment[0], expected, rtol=1e-6)
    # The comma and "they" are nobody's, as are the ends.
    assert not alignment[0][:, [*(pieces_of(source, ",") - pieces_of(source, "dogs"))]].any()


def test_what_stands_around_texts_is_aligned_with_nothing(tokenizer, tmp_path):
    coded = Tokenizer(with_affixes(tokenizer.proto, ["<unk>"], ["<s>"]))
    sides = ["The dogs run!"], ["Die Hunde rennen!"]
    batches = []
    for name, source in (("plain", tokenizer), ("coded", coded)):
        pairs = cache_pairs(
            tmp_path / name,
            *sides,
            source,
            target_tokenizer=tokenizer,
            alignments=["0-0 1-1 2-2 3-3"],
        ).in_memory()
        inputs, _ = make_batch(pairs, np.array([0]), alignment=True)
        length = int(pairs.source_row_splits[-1])
        assert inputs["source_token_ids"][0, :length].tolist() == source.encode(sides[0])[0]
        batches.append(inputs["alignment"][0, :, :length])
    plain, others = batches
    assert plain.any()
    np.testing.assert_array_equal(others[:, 1:-1], plain)
    assert not others[:, [0, -1]].any()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 99))
def test_any_text_has_an_alignment(tokenizer, source, target, line):
    counts = len(split_words(source)), len(split_words(target))
    lines = [" ".join(f"{s}-{t}" for s in range(counts[0]) for t in range(counts[1]))]
    encode = PairEncoder(tokenizer, tokenizer, noise=NOISE, aligned=True)
    source_column, target_column, links = encode(PairChunk(([source], [target], lines), line, 1))
    pairs = TokenizedPairs(*source_column, *target_column, alignment=links)
    text = NOISE.apply(source, line=line, variant=1).text
    assert pairs[0][0].tolist() == tokenizer.encode([text])[0]
    assert pairs[0][1].tolist() == tokenizer.encode([target])[0]
    make_batch(pairs, np.array([0]), alignment=True)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["0-0", "0:0"], r"pairs such as 0-0 1-2. Received: line 2, '0:0'"),
        (["0-0", "0-0 7-1"], r"line 2, 7-1, of 2 and 3 words"),
        (["0-0", "0-3"], "line 2, 0-3"),
        (["0-0"], "1 alignments of 2 pairs"),
        (["0-0", "-1-0"], "line 2"),
    ],
)
def test_alignments_that_do_not_match(tmp_path, tokenizer, lines, message):
    sources, targets = ["the dog", "the cat"], ["der Hund", "die kleine Katze"]
    with pytest.raises(InputError, match=message):
        cache_pairs(tmp_path, sources, targets, tokenizer, alignments=lines)


def test_pairs_without_alignments(noisy, tokenizer, tmp_path):
    plain = TokenizedPairs.from_corpus(tokenizer, ["the dog"], ["der Hund"])
    with pytest.raises(InputError, match="need an alignment"):
        training_dataset(plain, alignment=True, **OPTIONS)
    arrays = (plain.source_ids, plain.source_row_splits, plain.target_ids, plain.target_row_splits)
    for places, splits in [([0, 99], [0, 2]), ([0], [0, 1]), ([0, 0], [0, 2, 2])]:
        with pytest.raises(InputError, match="alignment must be that of its pairs"):
            TokenizedPairs(*arrays, alignment=(np.array(places), np.array(splits)))
    aligned = noisy.in_memory()
    aligned.save(tmp_path / "pairs.npz")
    again = TokenizedPairs.load(tmp_path / "pairs.npz")
    for one, other in zip(again.alignment, aligned.alignment):
        assert (one == other).all()
    plain.save(tmp_path / "plain.npz")
    assert not TokenizedPairs.load(tmp_path / "plain.npz").is_aligned
