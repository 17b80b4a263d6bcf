import struct
from collections import Counter, defaultdict

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.text import shortlist as module
from tfcompress.text.batching import TokenizedPairs
from tfcompress.text.shortlist import Shortlist, build_shortlist, coverage

pytestmark = one_flavour

SOURCES, TARGETS = 7, 9
PAIRS = st.lists(
    st.tuples(
        st.lists(st.integers(0, SOURCES - 1), max_size=6),
        st.lists(st.integers(0, TARGETS - 1), max_size=6),
    ),
    min_size=1,
    max_size=8,
).filter(lambda pairs: all(any(side) for side in zip(*pairs)))
SMALL = [([0, 1, 2], [0, 1]), ([1, 3], [2, 4]), ([4, 4], [5, 0])]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("shortlist") / "shortlist.bin"


def small(**options):
    return build_shortlist(SMALL, SOURCES, TARGETS, **options)


def arrays(shortlist):
    return [getattr(shortlist, name).tolist() for name in ("frequent", "offsets", "targets")]


def translations(pairs, iterations):
    """IBM Model 1 word by word: the probability of each target by its source; None is NULL."""
    table = defaultdict(lambda: 1.0)
    for _ in range(iterations):
        counts, totals = Counter(), Counter()
        for source, target in pairs:
            for t in target:
                weights = [table[s, t] for s in [None, *source]]
                for s, weight in zip([None, *source], weights):
                    counts[s, t] += weight / sum(weights)
                    totals[s] += weight / sum(weights)
        table = {(s, t): count / totals[s] for (s, t), count in counts.items()}
    return table


def test_learns_a_dictionary():
    rng = np.random.default_rng(0)
    words, the, dot = 40, 0, 1
    dictionary = rng.permutation(np.arange(2, words + 2))
    pairs = []
    for _ in range(400):
        source = rng.integers(words, size=rng.integers(3, 8))
        # Every translation has two words that come from nowhere, and an order of its own.
        pairs.append((source, rng.permutation([*dictionary[source], the, dot])))
    shortlist = build_shortlist(pairs, words, words + 2, frequent=2, per_source=1)
    assert shortlist.frequent.tolist() == [the, dot]
    for word in range(words):
        assert shortlist.candidates([word]).tolist() == [the, dot, dictionary[word]]
    assert coverage(shortlist, pairs) == 1


@given(pairs=PAIRS, iterations=st.integers(1, 4), per_source=st.integers(1, 4))
def test_keeps_the_likeliest_translations(pairs, iterations, per_source):
    shortlist = build_shortlist(
        pairs, SOURCES, TARGETS, frequent=1, per_source=per_source, iterations=iterations
    )
    counts = Counter(t for _, target in pairs for t in target)
    assert shortlist.frequent.tolist() == [min(counts, key=lambda t: (-counts[t], t))]
    table = translations(pairs, iterations)
    for source in range(SOURCES):
        known = {t: p for (s, t), p in table.items() if s == source and t != shortlist.frequent}
        kept = shortlist.targets[shortlist.offsets[source] : shortlist.offsets[source + 1]]
        assert len(kept) == min(per_source, len(known))
        left = [p for t, p in known.items() if t not in kept]
        assert min((known[t] for t in kept), default=1) >= max(left, default=0) - 1e-9


@given(pairs=PAIRS)
def test_parts_change_nothing(pairs):
    whole = build_shortlist(pairs, SOURCES, TARGETS, frequent=1, per_source=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PART", 1)
        parts = build_shortlist(pairs, SOURCES, TARGETS, frequent=1, per_source=2)
    assert arrays(parts) == arrays(whole)


@given(pairs=PAIRS, per_source=st.integers(1, 3), always=st.sets(st.integers(0, TARGETS - 1)))
def test_candidates_and_round_trip(path, pairs, per_source, always):
    built = build_shortlist(
        pairs, SOURCES, TARGETS, frequent=2, per_source=per_source, always=always
    )
    built.write(path)
    read = Shortlist.read(path)
    assert arrays(read) == arrays(built)
    assert {a.dtype for a in (read.frequent, read.offsets, read.targets)} == {np.dtype(np.int32)}
    assert (read.source_vocabulary_size, read.target_vocabulary_size) == (SOURCES, TARGETS)
    for source, _ in pairs:
        candidates = read.candidates(source)
        assert candidates.dtype == np.int32
        lists = [read.targets[read.offsets[s] : read.offsets[s + 1]] for s in source]
        assert candidates.tolist() == sorted({*read.frequent}.union(*lists))
    assert always <= set(read.candidates([]).tolist())


def test_takes_any_pairs_and_repeats():
    lists = arrays(small())
    tokenized = TokenizedPairs(
        [0, 1, 2, 1, 3, 4, 4], [0, 3, 5, 7], [0, 1, 2, 4, 5, 0], [0, 2, 4, 6]
    )
    assert arrays(build_shortlist(tokenized, SOURCES, TARGETS)) == lists
    assert arrays(build_shortlist(iter(SMALL), SOURCES, TARGETS)) == lists


def test_targets_that_never_occur_are_no_candidates():
    assert small().frequent.tolist() == [0, 1, 2, 4, 5]


def test_coverage():
    shortlist = Shortlist(np.array([0]), np.array([0, 1, 3]), np.array([2, 1, 3]), 5)
    assert coverage(shortlist, [([0], [0, 2, 3]), ([1, 1], [1, 3, 4]), ([0, 1], [])]) == 4 / 6
    with pytest.raises(InputError, match="no target piece"):
        coverage(shortlist, [([0], [])])


@pytest.mark.parametrize(
    ("pairs", "options", "message"),
    [
        ([], {}, "no text"),
        ([([], [1])], {}, "no text"),
        ([([1], []), ([2], [])], {}, "no text"),
        ([([SOURCES], [1])], {}, "source ids from 7 to 7"),
        ([([1], [-1])], {}, "target ids from -1 to -1"),
        (SMALL, {"always": [TARGETS]}, "always ids"),
        (SMALL, {"frequent": 0}, "frequent. must be at least 1"),
        (SMALL, {"per_source": 0}, "per_source=0"),
        (SMALL, {"iterations": 0}, "iterations=0"),
    ],
)
def test_refuses_what_cannot_be_learnt(pairs, options, message):
    with pytest.raises(InputError, match=message):
        build_shortlist(pairs, SOURCES, TARGETS, **options)


@pytest.mark.parametrize("sizes", [(0, TARGETS), (SOURCES, 0)])
def test_refuses_empty_vocabularies(sizes):
    with pytest.raises(InputError, match="vocabulary_size=0"):
        build_shortlist(SMALL, *sizes)


@pytest.mark.parametrize("ids", [[-1], [0, SOURCES]])
def test_refuses_ids_outside_the_vocabulary(ids):
    with pytest.raises(InputError, match="source ids"):
        small().candidates(ids)


def content(frequent=(1, 4), offsets=(0, 1, 1, 2), targets=(0, 3), *, target_size=5, version=1):
    header = [version, len(offsets) - 1, target_size, len(frequent), len(targets)]
    numbers = [*frequent, *offsets, *targets]
    return b"TFCSHORT" + struct.pack(f"<5I{len(numbers)}i", *header, *numbers)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no shortlist.*, 0 bytes"),
        (content()[:27], "no shortlist"),
        (b"TFCSHOES" + content()[8:], "no shortlist"),
        (content(version=2), "version 2 .* reads 1"),
        (content()[:-1], "truncated or altered"),
        (content() + b"\0", "truncated or altered"),
        (content(frequent=()), "ascend"),
        (content(frequent=(4, 1)), "ascend"),
        (content(frequent=(1, 1)), "ascend"),
        (content(frequent=(-1, 1)), "ids outside"),
        (content(frequent=(1, 5)), "ids outside"),
        (content(targets=(0, -1)), "ids outside"),
        (content(targets=(5, 0)), "ids outside"),
        (content(offsets=(0, 2, 1, 2)), "offsets"),
        (content(offsets=(1, 1, 1, 2)), "offsets"),
        (content(offsets=(0, 1, 1, 1)), "offsets"),
        (content(offsets=(0,), targets=()), "vocabulary without ids"),
        (content(target_size=0), "vocabulary without ids"),
    ],
)
def test_refuses_malformed_files(path, data, message):
    path.write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        Shortlist.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "again" in str(caught.value)


@given(data=st.data())
def test_altered_files_are_refused_or_whole(path, data):
    altered = bytearray(content())
    for _ in range(data.draw(st.integers(1, 3))):
        altered[data.draw(st.integers(0, len(altered) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(altered[: data.draw(st.integers(0, len(altered)))] + data.draw(st.binary()))
    try:
        shortlist, message = Shortlist.read(path), ""
    except InputError as error:
        shortlist, message = None, str(error)
    if shortlist is None:
        assert message.startswith(f"{path}: ")
    else:
        everything = shortlist.candidates(range(shortlist.source_vocabulary_size))
        assert everything.min() >= 0
        assert everything.max() < shortlist.target_vocabulary_size


def test_layout_of_the_file(path):
    path.write_bytes(content())
    shortlist = Shortlist.read(path)
    assert arrays(shortlist) == [[1, 4], [0, 1, 1, 2], [0, 3]]
    shortlist.write(path)
    assert path.read_bytes() == content()


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"none\.bin: No such file.*; give"):
        Shortlist.read(tmp_path / "none.bin")
