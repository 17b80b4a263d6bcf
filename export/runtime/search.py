"""Greedy and beam search, in numpy, over anything that decodes step by step."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from tfcompress.export.runtime.bundle import SpecialIds


class StepOutput(NamedTuple):
    """What a step gives. It is valid until the next step, and a search may write into it.

    Attributes:
        logits: `[rows, vocabulary]`, of the next token.
        block_max: `[rows, blocks]`, the maxima of equal blocks of logits, which spare a search
            most of the vocabulary; or None.
        log_sum_exp: `[rows, 1]`, of the logits; or None.
    """

    logits: np.ndarray
    block_max: np.ndarray | None = None
    log_sum_exp: np.ndarray | None = None


class Stepper(Protocol):
    """A decoder with one source sentence, such as `Session`."""

    def start(self, rows: int) -> None:
        """Begins again, with this many hypotheses side by side."""

    def step(self, token_ids: int | np.ndarray) -> StepOutput:
        """Appends a token to every row, `[rows]` or one for all."""

    def reorder(self, parents: np.ndarray) -> None:
        """Lets row `i` continue what row `parents[i]` began."""


@dataclass(frozen=True)
class Hypothesis:
    """A translation that a search found.

    Attributes:
        ids: Its ids, without the end id.
        log_probability: The sum of its tokens' log-probabilities, the end id's included.
        score: `log_probability / length**length_penalty`; the length counts the end id.
        text: The translation, where there is a tokenizer.
    """

    ids: list[int]
    log_probability: float
    score: float
    text: str | None = None


def greedy_search(stepper: Stepper, special: SpecialIds, limit: int) -> list[int]:
    """Takes the most probable token at each step.

    Padding and the begin id are never taken. Of equals, the lowest id is.

    Args:
        stepper: The decoder.
        special: The special ids.
        limit: Most tokens, the end id included, which is forced at the last.

    Returns:
        The ids, without the end id.
    """
    excluded = (special.pad, special.bos)
    stepper.start(1)
    token, ids = special.bos, []
    for _ in range(limit - 1):
        logits, block_max, _ = stepper.step(token)
        row = logits[0]
        if block_max is None:
            token = int(row.argmax())
        else:
            width = row.size // block_max.size
            first = int(block_max.argmax()) * width
            token = first + int(row[first : first + width].argmax())
        if token in excluded:
            row[list(excluded)] = -np.inf
            token = int(row.argmax())
        if token == special.eos:
            break
        ids.append(token)
    return ids


def beam_search(
    stepper: Stepper,
    special: SpecialIds,
    limit: int,
    *,
    beam_size: int,
    length_penalty: float = 1.0,
) -> list[Hypothesis]:
    """Keeps the `beam_size` best hypotheses at each step.

    Each step looks at the `2 * beam_size` best continuations. Those of the first `beam_size` that
    end are finished; the best `beam_size` of the others go on. The search stops when `beam_size`
    hypotheses are finished or the limit is reached. Padding and the begin id are never taken. Of
    equals, the one of the better hypothesis comes first, then the one of the lowest id. With a
    beam of 1 this is `greedy_search`.

    Args:
        stepper: The decoder.
        special: The special ids.
        limit: Most tokens, the end id included, which is forced at the last.
        beam_size: Hypotheses that are kept.
        length_penalty: The power of the length that a hypothesis' log-probability is divided by.

    Returns:
        The finished hypotheses, at least one, best first.

    Raises:
        RuntimeError: The model gives no finite logits.
    """
    stepper.start(beam_size)
    # Hypothesis `i`, in order of rank, is decoded in row `rows[i]`. So a hypothesis may stay in
    # its row while its rank changes, and hardly any row of the caches is ever copied.
    rows = np.zeros(1, np.intp)
    totals = np.zeros(1)
    prefixes: list[list[int]] = [[]]
    tokens = np.full(beam_size, special.bos, np.int32)
    finished: list[Hypothesis] = []

    def finish(ids, total):
        score = total / (len(ids) + 1) ** length_penalty
        finished.append(Hypothesis(ids, float(total), float(score)))

    for length in range(1, limit + 1):
        output = _complete(stepper.step(tokens))
        if length == limit:
            gains = (output.logits[rows, special.eos] - output.log_sum_exp[rows, 0]).astype(float)
            for ids, total in zip(prefixes, totals + gains):
                finish(ids, total)
            break
        _exclude(output, special)
        alive = []
        candidates = _best_continuations(output, rows, totals, 2 * beam_size)
        for place, (total, parent, token) in enumerate(zip(*candidates)):
            if token != special.eos:
                alive.append((total, parent, token))
            elif place < beam_size:
                finish(prefixes[parent], total)
        alive = alive[:beam_size]
        if len(finished) >= beam_size or not alive:
            break
        parents = [parent for _, parent, _ in alive]
        rows = _assign_rows(stepper, rows, parents, beam_size)
        totals = np.array([total for total, _, _ in alive])
        prefixes = [[*prefixes[parent], token] for _, parent, token in alive]
        tokens[rows] = [token for _, _, token in alive]
    if not finished:
        raise RuntimeError("the model gives no finite logits")
    return sorted(finished, key=lambda hypothesis: -hypothesis.score)


def _complete(output: StepOutput) -> StepOutput:
    """Computes what the model does not give."""
    logits, block_max, log_sum_exp = output
    if log_sum_exp is None:
        largest = logits.max(axis=1, keepdims=True)
        log_sum_exp = largest + np.log(np.exp(logits - largest).sum(axis=1, keepdims=True))
    return StepOutput(logits, logits if block_max is None else block_max, log_sum_exp)


def _exclude(output: StepOutput, special: SpecialIds) -> None:
    """Makes padding and the begin id impossible."""
    logits, block_max, _ = output
    width = logits.shape[1] // block_max.shape[1]
    excluded = [special.pad, special.bos]
    logits[:, excluded] = -np.inf
    for block in {token // width for token in excluded}:
        block_max[:, block] = logits[:, block * width : (block + 1) * width].max(axis=1)


def _best_continuations(output, rows, totals, count):
    """Returns `(totals, parents, tokens)` of the best continuations, best first."""
    logits, block_max, log_sum_exp = output
    vocabulary, blocks = logits.shape[1], block_max.shape[1]
    width = vocabulary // blocks
    # A token of the best `count` lies in a block of the best `count`.
    maxima = totals[:, np.newaxis] + (block_max[rows] - log_sum_exp[rows])
    parents, best = np.divmod(_at_least_best(maxima.reshape(-1), count), blocks)
    taken = rows[parents]
    values = logits.reshape(-1, blocks, width)[taken, best] - log_sum_exp[taken]
    values = (totals[parents, np.newaxis] + values).reshape(-1)
    chosen = _at_least_best(values, count)
    order = np.argsort(-values[chosen], kind="stable")[:count]
    order = chosen[order]
    order = order[values[order] > -np.inf]
    block, offset = np.divmod(order, width)
    return values[order], parents[block].tolist(), (best[block] * width + offset).tolist()


def _at_least_best(values: np.ndarray, count: int) -> np.ndarray:
    """Returns where the best `count` values are, and all that equal the last of them."""
    if values.size <= count:
        return np.arange(values.size)
    groups = 4 * count
    width = values.size // groups
    near = np.arange(values.size)
    if width > 8:
        # The maxima of some groups bound the result from below, which leaves few values to sort.
        maxima = values[: groups * width].reshape(groups, width).max(axis=1)
        near = np.flatnonzero(values >= np.partition(maxima, -count)[-count])
        values = values[near]
    return near[values >= np.partition(values, -count)[-count]]


def _assign_rows(stepper, rows, parents, beam_size):
    """Finds a row for every hypothesis, its parent's if it is the first of its children."""
    inherited = {int(rows[parent]) for parent in parents}
    free = [row for row in range(beam_size) if row not in inherited]
    origin = np.arange(beam_size)
    assigned = []
    for parent in parents:
        row = int(rows[parent])
        if row in inherited:
            inherited.remove(row)
        else:
            new = free.pop()
            origin[new] = row
            row = new
        assigned.append(row)
    if (origin != np.arange(beam_size)).any():
        stepper.reorder(origin)
    return np.array(assigned)
