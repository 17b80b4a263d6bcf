"""Joins the translations of a text's parts."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tfcompress.runtime.search import Hypothesis
from tfcompress.runtime.splitting import join_texts


def join_parts(
    parts: Sequence[Hypothesis],
    breaks: Sequence[str],
    length_penalty: float,
    decode: Callable[[Sequence[int]], str] | None,
) -> Hypothesis:
    """Returns one hypothesis of those of the parts.

    Args:
        parts: A translation of each part.
        breaks: The line breaks before each.
        length_penalty: The power of the length that a log-probability is divided by.
        decode: Returns the text of ids; None where there is no tokenizer.
    """
    text = None
    if decode is not None:
        text = join_texts(zip(breaks, (decode(part.ids) for part in parts)))
    if len(parts) == 1:
        return replace(parts[0], text=text)
    ids = [token for part in parts for token in part.ids]
    total = sum(part.log_probability for part in parts)
    score = total / (len(ids) + len(parts)) ** length_penalty
    return Hypothesis(
        ids,
        total,
        score,
        text,
        len(parts),
        [one for part in parts for one in part.token_ids],
        [one for part in parts for one in part.token_scores],
        _joined_alignment([part.alignment for part in parts]),
    )


def _joined_alignment(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """Joins the alignments of a sentence's parts, each with its own source."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    joined = np.zeros(np.sum([part.shape for part in known], axis=0), np.float32)
    row, column = 0, 0
    for part in known:
        rows, columns = part.shape
        joined[row : row + rows, column : column + columns] = part
        row, column = row + rows, column + columns
    return joined
