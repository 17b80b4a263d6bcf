"""Greedy and beam search, in numpy, over anything that decodes step by step."""

import functools
import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from tfcompress.runtime.constraints import Bans, Forbids
from tfcompress.runtime.decoder_bundle import SpecialIds


class StepOutput(NamedTuple):
    """What a step gives. It is valid until the next step, and a search may write into it.

    Attributes:
        logits: `[rows, vocabulary]`, of the next token.
        block_max: `[rows, blocks]`, the maxima of equal blocks of logits, which spare a search
            most of the vocabulary; or None.
        log_sum_exp: `[rows, 1]`, of the logits; or None.
        alignment: `[rows, source length]`, how much the next token looks at each token of the
            source; or None.
    """

    logits: np.ndarray
    block_max: np.ndarray | None = None
    log_sum_exp: np.ndarray | None = None
    alignment: np.ndarray | None = None


class StepRequest(NamedTuple):
    """What a search wants of the next step.

    Attributes:
        token_ids: The tokens that it appends, `[rows]`.
        parents: Before that, the row that each one continues, `[rows]`; or None, where all go on as
            they are.
    """

    token_ids: np.ndarray
    parents: np.ndarray | None = None


T = TypeVar("T")
# A search, which is sent what the step that it asks for gives, and returns what it found.
Search = Generator[StepRequest, StepOutput, T]


class Stepper(Protocol):
    """A decoder with one source sentence, such as `Session`."""

    def start(self, rows: int) -> None:
        """Begins again, with this many hypotheses side by side."""

    def step(self, token_ids: int | np.ndarray) -> StepOutput:
        """Appends a token to every row, `[rows]` or one for all."""
        ...

    def reorder(self, parents: np.ndarray) -> None:
        """Lets row `i` continue what row `parents[i]` began."""


@dataclass(frozen=True)
class Hypothesis:
    """A translation that a search returns.

    Attributes:
        ids: Its ids, without the end id.
        log_probability: The sum of its tokens' log-probabilities, the end id's included.
        score: `log_probability / length**length_penalty`; the length is that of `token_ids`.
        text: The translation, where there is a tokenizer.
        parts: How many parts the text was translated in: lines, with `split_sentences` sentences,
            with `markup` what of these is between blocks; and what such were split into where they
            are beyond the bundle's limit.
        token_ids: The ids with the end id; of a text that was translated in parts, with the end
            id of each part.
        token_scores: The log-probability of each of these.
        part_alignments: Where the bundle was exported with `alignments`, for each part the
            attention of each of its `token_ids` to each token of its source and the end id,
            float32 `[tokens, source tokens]`.
    """

    ids: list[int]
    log_probability: float
    score: float
    text: str | None = None
    parts: int = 1
    token_ids: list[int] = field(default_factory=list)
    token_scores: list[float] = field(default_factory=list)
    part_alignments: Sequence[np.ndarray] | None = field(default=None, compare=False)

    @property
    def quality(self) -> float:
        """The geometric mean of the tokens' probabilities, from 0 to 1, end ids included.

        That is the power of e of the mean of `token_scores`. Without any it is 1, as of a blank
        text; or 0 where a translator before gave no text to translate on.
        """
        if not self.token_scores:
            return float(self.log_probability == 0)
        return math.exp(sum(self.token_scores) / len(self.token_scores))

    @functools.cached_property
    def alignment(self) -> np.ndarray | None:
        """All `part_alignments` as one, each part with its own source: `[tokens, source tokens]`.

        It is made when it is asked for, and as large as both numbers are.
        """
        parts = self.part_alignments
        if parts is None:
            return None
        if len(parts) == 1:
            return parts[0]
        joined = np.zeros(np.sum([part.shape for part in parts], axis=0), np.float32)
        row, column = 0, 0
        for part in parts:
            rows, columns = part.shape
            joined[row : row + rows, column : column + columns] = part
            row, column = row + rows, column + columns
        return joined

    @property
    def hard_alignment(self) -> list[tuple[int, int]] | None:
        """For each of `token_ids`, the source token that it looks at most, and its own place."""
        if self.part_alignments is None:
            return None
        sources, begin = [], 0
        for part in self.part_alignments:
            sources += [begin + int(row.argmax()) for row in part]
            begin += part.shape[1]
        return [(source, place) for place, source in enumerate(sources)]


def score(log_probability: float, num_tokens: int, length_penalty: float) -> float:
    """Returns what translations are ordered by.

    Args:
        log_probability: The sum of the tokens' log-probabilities.
        num_tokens: How many these are, end ids included; 0 where they are not known.
        length_penalty: The power of the length that the sum is divided by.
    """
    return log_probability / max(num_tokens, 1) ** length_penalty


def run(search: Search[T], stepper: Stepper, rows: int) -> T:
    """Returns what a search finds with a stepper of its own.

    Args:
        search: The search.
        stepper: The decoder.
        rows: The hypotheses that the search has side by side.
    """
    stepper.start(rows)
    try:
        request = next(search)
        while True:
            if request.parents is not None:
                stepper.reorder(request.parents)
            request = search.send(stepper.step(request.token_ids))
    except StopIteration as stop:
        return stop.value


def greedy_search(
    stepper: Stepper,
    special: SpecialIds,
    limit: int,
    *,
    prefix: Sequence[int] = (),
    bans: Bans | None = None,
) -> list[int]:
    """Takes the most probable token at each step.

    Padding and the begin id are never taken. Of equals, the lowest id is.

    Args:
        stepper: The decoder.
        special: The special ids.
        limit: Most tokens, the end id included, which is forced at the last.
        prefix: The ids to begin with, fewer than `limit`.
        bans: What is not taken either; the end id always may be.

    Returns:
        The ids, without the end id.
    """
    return run(greedy_steps(special, limit, prefix=prefix, bans=bans), stepper, 1)


def greedy_steps(
    special: SpecialIds, limit: int, *, prefix: Sequence[int] = (), bans: Bans | None = None
) -> Search[list[int]]:
    """The steps of `greedy_search`, whose arguments these are."""
    token, ids = special.bos, []
    for _ in range(limit - 1):
        output = yield StepRequest(np.array([token]))
        if len(ids) < len(prefix):
            token = prefix[len(ids)]
        else:
            token = best_token(output, special, bans.after(ids) if bans else None)
        if token == special.eos:
            break
        ids.append(token)
    return ids


def best_token(output: StepOutput, special: SpecialIds, forbids: Forbids | None = None) -> int:
    """Returns the most probable token of the first row; see `greedy_search`.

    Args:
        output: What a step gave.
        special: The special ids.
        forbids: Whether a token may not be taken.
    """
    row = output.logits[0]
    while True:
        if output.block_max is None:
            token = int(row.argmax())
        else:
            width = row.size // output.block_max.shape[1]
            first = int(output.block_max[0].argmax()) * width
            token = first + int(row[first : first + width].argmax())
        if row[token] == -np.inf:
            return special.eos
        if token not in special.excluded and not (forbids and forbids(token)):
            return token
        _exclude(output, 0, token)


def _exclude(output: StepOutput, row: int, token: int) -> None:
    """Makes a token of a row impossible."""
    logits, block_max = output.logits[row], output.block_max
    logits[token] = -np.inf
    if block_max is not None:
        width = logits.size // block_max.shape[1]
        first = token - token % width
        block_max[row, first // width] = logits[first : first + width].max()


def log_sum_exp(output: StepOutput) -> np.ndarray:
    """Returns the logarithm of the sum of powers of e of each row's logits, `[rows, 1]`.

    Args:
        output: What a step gave.
    """
    if output.log_sum_exp is not None:
        return output.log_sum_exp
    largest = output.logits.max(axis=1, keepdims=True)
    return largest + np.log(np.exp(output.logits - largest).sum(axis=1, keepdims=True))


class _Chosen(NamedTuple):
    """A token of a hypothesis, its log-probability, and what it is aligned with."""

    token: int
    score: float
    alignment: np.ndarray | None


def beam_search(
    stepper: Stepper,
    special: SpecialIds,
    limit: int,
    *,
    beam_size: int,
    length_penalty: float = 1.0,
    prefix: Sequence[int] = (),
    bans: Bans | None = None,
) -> list[Hypothesis]:
    """Keeps the `beam_size` best hypotheses at each step.

    Each step looks at the `2 * beam_size` best continuations. Those of the first `beam_size` that
    end are finished; the best `beam_size` of the others go on. The search stops at the limit, or
    when `beam_size` hypotheses are finished whose scores the best of the others, as long as it is
    by then, does not exceed. Padding and the begin id are never taken. Of equals, the one of the
    better hypothesis comes first, then the one of the lowest id. With a beam of 1 this is
    `greedy_search`.

    Args:
        stepper: The decoder.
        special: The special ids.
        limit: Most tokens, the end id included, which is forced at the last.
        beam_size: Hypotheses that are kept.
        length_penalty: The power of the length that a hypothesis' log-probability is divided by.
        prefix: The ids to begin with, fewer than `limit`; their log-probabilities count.
        bans: What is not taken either, whose probability no other token gets; the end id always
            may be.

    Returns:
        The finished hypotheses, at least one, best first.

    Raises:
        RuntimeError: The model gives no finite logits.
    """
    search = beam_steps(
        special,
        limit,
        beam_size=beam_size,
        length_penalty=length_penalty,
        prefix=prefix,
        bans=bans,
    )
    return run(search, stepper, beam_size)


def beam_steps(
    special: SpecialIds,
    limit: int,
    *,
    beam_size: int,
    length_penalty: float = 1.0,
    prefix: Sequence[int] = (),
    bans: Bans | None = None,
) -> Search[list[Hypothesis]]:
    """The steps of `beam_search`, whose arguments these are."""
    # Hypotheses are kept by the row that decodes them. A row of -inf has none. So a hypothesis may
    # stay in its row while its rank changes, and few rows of the caches are ever copied.
    totals = np.full([beam_size, 1], -np.inf)
    totals[0] = 0
    ranks = [*range(beam_size)]
    hypotheses: list[list[_Chosen]] = [[]] * beam_size
    request = StepRequest(np.full(beam_size, special.bos, np.int32))
    finished: list[Hypothesis] = []

    def finish(chosen, total):
        finished.append(_hypothesis(chosen, total, score(total, len(chosen), length_penalty)))

    for length in range(1, limit + 1):
        output = _complete((yield request))
        # Before any is excluded.
        choose = _chooser(output)
        if length <= len(prefix):
            token = prefix[length - 1]
            request = StepRequest(np.full(beam_size, token, np.int32))
            hypotheses[0] = [*hypotheses[0], choose(0, token)]
            totals[0] += hypotheses[0][-1].score
            continue
        if length == limit:
            ends = totals + (output.logits[:, [special.eos]] - output.log_sum_exp)
            for row in sorted(np.flatnonzero(ends > -np.inf).tolist(), key=ranks.__getitem__):
                finish([*hypotheses[row], choose(row, special.eos)], float(ends[row, 0]))
            break
        forbids = _forbidden(special, bans, hypotheses)
        candidates = _best_continuations(output, totals, ranks, forbids, 2 * beam_size)
        alive = []
        for place, (total, parent, token) in enumerate(candidates):
            if token != special.eos:
                alive.append((total, parent, token))
            elif place < beam_size:
                finish([*hypotheses[parent], choose(parent, token)], total)
        alive = alive[:beam_size]
        finished = _best(finished)[:beam_size]
        if not alive or (
            len(finished) == beam_size
            and score(alive[0][0], length, length_penalty) <= finished[-1].score
        ):
            break
        rows, origin = _assign_rows([parent for _, parent, _ in alive], beam_size)
        grown = [[*hypotheses[parent], choose(parent, token)] for _, parent, token in alive]
        totals[:] = -np.inf
        request = StepRequest(request.token_ids.copy(), origin)
        for rank, (row, (total, _, token)) in enumerate(zip(rows, alive)):
            totals[row], request.token_ids[row] = total, token
            ranks[row], hypotheses[row] = rank, grown[rank]
    if not finished:
        raise RuntimeError(
            "The model must give finite logits. Received: none that is finite. Export an earlier "
            "checkpoint."
        )
    return _best(finished)[:beam_size]


def _best(hypotheses) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda hypothesis: -hypothesis.score)


def _hypothesis(chosen: list[_Chosen], total: float, score: float) -> Hypothesis:
    """The hypothesis of some tokens, whose last is the end id."""
    weights = [one.alignment for one in chosen if one.alignment is not None]
    alignments = [np.stack(weights)] if weights else None
    ids, scores = [one.token for one in chosen], [one.score for one in chosen]
    return Hypothesis(
        ids[:-1], total, score, token_ids=ids, token_scores=scores, part_alignments=alignments
    )


def _chooser(output: "_CompleteOutput") -> Callable[[int, int], _Chosen]:
    """Returns what makes a `_Chosen` of a row and a token."""
    # The next step overwrites it.
    alignment = None if output.alignment is None else output.alignment.copy()

    def choose(row, token):
        score = float(output.logits[row, token] - output.log_sum_exp[row, 0])
        return _Chosen(token, score, None if alignment is None else alignment[row])

    return choose


def _forbidden(special, bans, hypotheses) -> Callable[[int, int], bool]:
    """Returns whether a token may not continue the hypothesis of a row."""

    @functools.cache
    def after(row):
        return bans.after([one.token for one in hypotheses[row]])

    excluded = special.excluded
    return lambda row, token: token in excluded or (bans is not None and after(row)(token))


class _CompleteOutput(NamedTuple):
    logits: np.ndarray
    block_max: np.ndarray
    log_sum_exp: np.ndarray
    alignment: np.ndarray | None


def _complete(output: StepOutput) -> _CompleteOutput:
    """Computes what the model does not give."""
    block_max = output.logits if output.block_max is None else output.block_max
    return _CompleteOutput(output.logits, block_max, log_sum_exp(output), output.alignment)


def _best_continuations(output, totals, ranks, forbids, count):
    """Returns `(total, row, token)` of the best continuations, best first."""
    logits, block_max, log_sum_exp, _ = output
    blocks = block_max.shape[1]
    width = logits.shape[1] // blocks
    while True:
        # A token of the best `count` lies in a block of the best `count`.
        near = _at_least_best(((block_max - log_sum_exp) + totals).reshape(-1), count)
        rows = near // blocks
        values = (logits.reshape(-1, width)[near] - log_sum_exp[rows]) + totals[rows]
        values = values.reshape(-1)
        chosen = _at_least_best(values, count)
        best, is_final = [], True
        for total, place in zip(values[chosen].tolist(), chosen.tolist()):
            block, offset = divmod(place, width)
            row, block = divmod(int(near[block]), blocks)
            token = block * width + offset
            if total > -np.inf and forbids(row, token):
                _exclude(output, row, token)
                is_final = False
            best.append((-total, ranks[row], token, row))
        if is_final:
            best.sort()
            return [(-total, row, token) for total, _, token, row in best[:count] if total < np.inf]


def _at_least_best(values: np.ndarray, count: int) -> np.ndarray:
    """Returns where the best `count` values are, and all that equal the last of them."""
    if values.size <= count:
        return np.arange(values.size)
    groups = 4 * count
    width = values.size // groups
    if width < 16:
        return (values >= np.partition(values, -count)[-count]).nonzero()[0]
    # The maxima of some groups bound the result from below, which leaves few values to compare.
    maxima = values[: groups * width].reshape(groups, width).max(axis=1)
    near = (values >= np.partition(maxima, -count)[-count]).nonzero()[0]
    values = values[near]
    return near[values >= np.partition(values, -count)[-count]]


def _assign_rows(parents: list[int], beam_size: int) -> tuple[list[int], np.ndarray | None]:
    """Gives every hypothesis a row: its parent's if it is the first of its children.

    Returns:
        The rows; and the row that each one continues, if any continues another.
    """
    inherited = {*parents}
    free = [row for row in range(beam_size) if row not in inherited]
    origin = [*range(beam_size)]
    rows = []
    for parent in parents:
        row = parent
        if parent in inherited:
            inherited.remove(parent)
        else:
            row = free.pop()
            origin[row] = parent
        rows.append(row)
    return rows, np.array(origin) if origin != [*range(beam_size)] else None
