import functools
import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.runtime import SpecialIds
from tfcompress.runtime.constraints import Bans, Constraints
from tfcompress.runtime.search import StepOutput, beam_search, greedy_search

SPECIAL = SpecialIds(pad=0, bos=1, eos=2)


class ToyStepper:
    """Logits that depend on the whole prefix of a row, so that a wrong reorder shows."""

    def __init__(self, vocabulary, seed, *, block=None, levels=None, statistics=True):
        self.vocabulary = vocabulary
        self.seed = seed
        self.block = block
        self.levels = levels
        self.statistics = statistics
        self.prefixes = []
        self.logits = functools.cache(self.make_logits)

    def start(self, rows):
        self.prefixes = [()] * rows

    def step(self, token_ids):
        tokens = np.broadcast_to(token_ids, len(self.prefixes)).tolist()
        self.prefixes = [(*prefix, token) for prefix, token in zip(self.prefixes, tokens)]
        logits = np.stack([self.logits(prefix) for prefix in self.prefixes])
        if not self.statistics:
            return StepOutput(logits)
        blocks = logits.reshape(len(logits), -1, self.block or 1)
        return StepOutput(logits, blocks.max(axis=2), log_sum_exp(logits))

    def reorder(self, parents):
        self.prefixes = [self.prefixes[parent] for parent in parents]

    def make_logits(self, prefix):
        generator = np.random.default_rng([self.seed, *prefix])
        if self.levels:  # few distinct values, so many ties
            return generator.integers(0, self.levels, self.vocabulary).astype(np.float32)
        return generator.normal(0, 2, self.vocabulary).astype(np.float32)

    def log_probability(self, ids):
        """Scores a sequence on its own: the sum over its tokens and the end id."""
        return sum(self.token_scores(ids))

    def token_scores(self, ids):
        scores, prefix = [], (SPECIAL.bos,)
        for token in (*ids, SPECIAL.eos):
            logits = self.logits(prefix)
            scores.append(float(logits[token] - log_sum_exp(logits[np.newaxis])[0, 0]))
            prefix = (*prefix, token)
        return scores


def log_sum_exp(logits):
    largest = logits.max(axis=1, keepdims=True)
    return largest + np.log(np.exp(logits - largest).sum(axis=1, keepdims=True))


def every_sequence(vocabulary, limit):
    words = [token for token in range(vocabulary) if token not in (0, 1, 2)]
    for length in range(limit):
        yield from itertools.product(words, repeat=length)


def reference_beam(stepper, limit, beam_size, length_penalty, prefix=(), banned=()):
    """The search written plainly: all continuations in one sorted list."""
    alive, finished = [((), 0.0)], []
    for length in range(1, limit + 1):
        candidates = []
        for ids, total in alive:
            logits = stepper.logits((SPECIAL.bos, *ids))
            gains = (logits - log_sum_exp(logits[np.newaxis])[0]).astype(float)
            candidates += [
                (total + gain, ids, token)
                for token, gain in enumerate(gains)
                if token not in (SPECIAL.pad, SPECIAL.bos)
                and (length < limit or token == SPECIAL.eos)
                and (length > len(prefix) or token == prefix[length - 1])
                and not any((*ids, token)[-len(row) :] == row for row in banned)
            ]
        best = sorted(candidates, key=lambda candidate: -candidate[0])[: 2 * beam_size]
        finished += [
            (total / length**length_penalty, ids, total)
            for total, ids, token in best[:beam_size]
            if token == SPECIAL.eos
        ]
        alive = [((*ids, token), total) for total, ids, token in best if token != SPECIAL.eos]
        alive = alive[:beam_size]
        finished = sorted(finished, key=lambda item: -item[0])[:beam_size]
        if not alive or (
            len(finished) == beam_size and alive[0][1] / length**length_penalty <= finished[-1][0]
        ):
            break
    return finished


steppers = st.builds(
    ToyStepper,
    st.integers(3, 9),
    st.integers(0, 10**6),
    levels=st.sampled_from([None, 2, 3]),
    statistics=st.booleans(),
)
limits = st.integers(1, 6)
beams = st.integers(1, 6)
penalties = st.sampled_from([0.0, 0.6, 1.0, 2.0])


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 5), st.integers(0, 10**6), st.integers(1, 4), penalties)
def test_a_wide_beam_finds_the_best_of_all_sequences(vocabulary, seed, limit, length_penalty):
    stepper = ToyStepper(vocabulary, seed)
    sequences = list(every_sequence(vocabulary, limit))
    actual = beam_search(
        stepper, SPECIAL, limit, beam_size=len(sequences) + 1, length_penalty=length_penalty
    )
    scored = {
        ids: stepper.log_probability(ids) / (len(ids) + 1) ** length_penalty for ids in sequences
    }
    assert {tuple(hypothesis.ids) for hypothesis in actual} == set(sequences)
    best = max(scored.values())
    assert actual[0].score == pytest.approx(best, abs=1e-4)
    for hypothesis in actual:
        assert hypothesis.score == pytest.approx(scored[tuple(hypothesis.ids)], abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(steppers, limits, beams, penalties)
def test_beam_search_is_the_plain_search(stepper, limit, beam_size, length_penalty):
    actual = beam_search(
        stepper, SPECIAL, limit, beam_size=beam_size, length_penalty=length_penalty
    )
    expected = reference_beam(stepper, limit, beam_size, length_penalty)
    assert [tuple(hypothesis.ids) for hypothesis in actual] == [ids for _, ids, _ in expected]
    assert [h.score for h in actual] == pytest.approx([score for score, _, _ in expected], abs=1e-5)


@settings(max_examples=50, deadline=None)
@given(steppers, limits, penalties)
def test_a_beam_of_one_is_greedy(stepper, limit, length_penalty):
    actual = beam_search(stepper, SPECIAL, limit, beam_size=1, length_penalty=length_penalty)
    assert actual[0].ids == greedy_search(stepper, SPECIAL, limit)


@settings(max_examples=50, deadline=None)
@given(steppers, limits, beams)
def test_hypotheses_are_sorted_distinct_and_scored_right(stepper, limit, beam_size):
    actual = beam_search(stepper, SPECIAL, limit, beam_size=beam_size)
    scores = [hypothesis.score for hypothesis in actual]
    assert scores == sorted(scores, reverse=True)
    assert len({tuple(hypothesis.ids) for hypothesis in actual}) == len(actual)
    for hypothesis in actual:
        expected = stepper.log_probability(hypothesis.ids)
        assert hypothesis.log_probability == pytest.approx(expected, abs=1e-4)
        assert hypothesis.score == pytest.approx(expected / (len(hypothesis.ids) + 1), abs=1e-4)
        assert len(hypothesis.ids) < limit
        assert not {SPECIAL.pad, SPECIAL.bos, SPECIAL.eos} & {*hypothesis.ids}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([(24, 4), (64, 16), (60, 1), (64, 64), (1200, 60)]),
    st.integers(0, 10**6),
    st.sampled_from([None, 2, 50]),
    beams,
)
def test_blocks_change_nothing(sizes, seed, levels, beam_size):
    vocabulary, block = sizes
    blocked = ToyStepper(vocabulary, seed, block=block, levels=levels)
    plain = ToyStepper(vocabulary, seed, levels=levels, statistics=False)
    assert greedy_search(blocked, SPECIAL, 5) == greedy_search(plain, SPECIAL, 5)
    actual, expected = (
        beam_search(stepper, SPECIAL, 5, beam_size=beam_size) for stepper in (blocked, plain)
    )
    assert [hypothesis.ids for hypothesis in actual] == [hypothesis.ids for hypothesis in expected]


def test_special_ids_may_lie_in_any_block():
    special = SpecialIds(pad=21, bos=9, eos=14)
    stepper = ToyStepper(24, 4, block=4)
    stepper.logits = lambda prefix: np.where(
        np.isin(np.arange(24), [21, 9]), 50, stepper.make_logits(prefix)
    ).astype(np.float32)
    actual = beam_search(stepper, special, 8, beam_size=3)
    ids = [greedy_search(stepper, special, 8), *(hypothesis.ids for hypothesis in actual)]
    assert any(ids)
    assert not {21, 9} & {token for sequence in ids for token in sequence}


class EndlessStepper(ToyStepper):
    """Never ends of its own accord."""

    def make_logits(self, prefix):
        logits = super().make_logits(prefix)
        logits[SPECIAL.eos] = -60
        return logits


@pytest.mark.parametrize("beam_size", [1, 3])
def test_the_end_is_forced_at_the_limit_and_counted(beam_size):
    stepper = EndlessStepper(8, 5)
    assert len(greedy_search(stepper, SPECIAL, 7)) == 6
    actual = beam_search(stepper, SPECIAL, 7, beam_size=beam_size)
    assert len(actual) == beam_size
    for hypothesis in actual:
        assert len(hypothesis.ids) == 6
        assert hypothesis.log_probability < -50
        expected = stepper.log_probability(hypothesis.ids)
        assert hypothesis.log_probability == pytest.approx(expected, abs=1e-3)


def test_rows_are_not_copied_when_every_hypothesis_has_one_child():
    stepper = EndlessStepper(12, 1)
    orders = []
    reorder = stepper.reorder
    stepper.reorder = lambda parents: (orders.append(parents.copy()), reorder(parents))
    beam_search(stepper, SPECIAL, 12, beam_size=4)
    assert orders
    for parents in orders:
        moved = parents != np.arange(4)
        assert moved.any()
        # A row that is continued elsewhere keeps its own child too.
        assert not {*parents[moved].tolist()} & {*np.flatnonzero(moved).tolist()}


def test_logits_that_are_no_numbers():
    stepper = ToyStepper(8, 0)
    stepper.logits = lambda prefix: np.full(8, np.nan, np.float32)
    with pytest.raises(RuntimeError, match="finite"):
        beam_search(stepper, SPECIAL, 5, beam_size=2)


prefixes = st.lists(st.integers(3, 8), max_size=4).map(tuple)
rows_of_ids = st.lists(st.lists(st.integers(3, 8), min_size=1, max_size=3).map(tuple), max_size=5)


@settings(max_examples=80, deadline=None)
@given(steppers, st.integers(1, 6), beams, penalties, prefixes, rows_of_ids)
def test_constraints_are_those_of_the_plain_search(
    stepper, length, beam_size, length_penalty, prefix, banned
):
    prefix = tuple(token for token in prefix if token < stepper.vocabulary)
    limit = len(prefix) + length
    bans = Bans(Constraints(prefix, banned))
    if any(row == prefix[i : i + len(row)] for row in banned for i in range(len(prefix))):
        with pytest.raises(InputError, match="must have none of `banned_words`"):
            bans.check_prefix(prefix)
        return
    bans.check_prefix(prefix)
    options = {"prefix": prefix, "bans": bans}
    actual = beam_search(
        stepper, SPECIAL, limit, beam_size=beam_size, length_penalty=length_penalty, **options
    )
    expected = reference_beam(stepper, limit, beam_size, length_penalty, prefix, banned)
    assert [tuple(hypothesis.ids) for hypothesis in actual] == [ids for _, ids, _ in expected]
    assert [h.score for h in actual] == pytest.approx([score for score, _, _ in expected], abs=1e-5)
    for hypothesis in actual:
        assert hypothesis.token_scores == pytest.approx(
            stepper.token_scores(hypothesis.ids), abs=1e-4
        )
        assert sum(hypothesis.token_scores) == pytest.approx(hypothesis.log_probability)
        mean = hypothesis.log_probability / (len(hypothesis.ids) + 1)
        assert hypothesis.quality == pytest.approx(np.exp(mean))
    best = beam_search(stepper, SPECIAL, limit, beam_size=1, **options)[0]
    assert greedy_search(stepper, SPECIAL, limit, **options) == best.ids


class AlignedStepper(ToyStepper):
    """Aligns what follows a prefix with numbers that only that prefix has."""

    def step(self, token_ids):
        output = super().step(token_ids)
        self.buffer = np.array([self.aligned(prefix) for prefix in self.prefixes], np.float32)
        return output._replace(alignment=self.buffer)

    def aligned(self, prefix):
        return np.random.default_rng([self.seed, 1, *prefix]).random(3)

    def reorder(self, parents):
        super().reorder(parents)
        self.buffer[:] = -1


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 9), st.integers(0, 10**6), limits, beams, prefixes)
def test_alignments_follow_their_hypotheses(vocabulary, seed, limit, beam_size, prefix):
    stepper = AlignedStepper(vocabulary, seed)
    prefix = [token for token in prefix if token < vocabulary]
    for hypothesis in beam_search(
        stepper, SPECIAL, limit + len(prefix), beam_size=beam_size, prefix=prefix
    ):
        ids = hypothesis.ids
        expected = [stepper.aligned((SPECIAL.bos, *ids[:i])) for i in range(len(ids) + 1)]
        np.testing.assert_allclose(hypothesis.alignment, expected, rtol=1e-6)


PIECES = ["_dog", "_do", "g", "gs", "s", ".", "_hot", "-", "_", "(", "4", "_a", "b"]
PIECES += ["\u4e2d", "\u56fd", "_do\u0308"]
SURFACES = [b"", b"", b"", *(piece.replace("_", " ").encode() for piece in PIECES)]


def spelled(ids):
    return b"".join(SURFACES[token] for token in ids).decode()


@settings(max_examples=300)
@given(
    st.lists(st.integers(3, len(SURFACES) - 1), max_size=8),
    st.sampled_from(
        ["dog", "gs", "hot-dog", "g.", "\u4e2d", "\u56fd.", "do", "(", "a b", "4", "dog s"]
    ),
)
def test_no_text_has_a_banned_word(ids, word):
    """Whatever pieces it is made of; only a token that ends with it is forbidden too early."""
    bans = Bans(Constraints(banned_words=[word]), SURFACES)
    forbidden = [place for place in range(len(ids)) if bans.after(ids[:place])(ids[place])]
    apart = r"[^\w\u0308]|[\u4e2d\u56fd]"
    edge = f"(?:^|$|(?<={apart})|(?={apart}))"
    pattern = re.compile(f"{edge}{re.escape(word)}{edge}")
    has_word = [place for place in range(len(ids)) if pattern.search(spelled(ids[: place + 1]))]
    # From the first on, the text has it, or had it before more letters followed.
    assert forbidden[:1] == has_word[:1]


def test_words_of_bytes_and_padded_vocabularies():
    surfaces = [b"", b"", b"", b" ", b"\xc3", b"\xa4", b"x"]
    bans = Bans(Constraints(banned_words=["\u00e4"]), surfaces)
    assert not bans.after([3])(4)
    assert bans.after([3, 4])(5)
    assert not bans.after([3, 6, 4])(5)
    assert not bans.after([3])(99)
    assert bans.after([99, 4])(5)
