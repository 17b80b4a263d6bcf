"""Joins the translations of a text's parts."""

from collections.abc import Sequence
from dataclasses import replace

from tfcompress.runtime.search import Hypothesis, score


def join_parts(parts: Sequence[Hypothesis], text: str | None, length_penalty: float) -> Hypothesis:
    """Returns one hypothesis of those of the parts.

    Args:
        parts: A translation of each part.
        text: Their texts, joined; None where there is no tokenizer.
        length_penalty: The power of the length that a log-probability is divided by.
    """
    if len(parts) == 1:
        return replace(parts[0], text=text)
    total = sum(part.log_probability for part in parts)
    tokens = [one for part in parts for one in part.token_ids]
    alignments = [part.part_alignments for part in parts if part.part_alignments is not None]
    return Hypothesis(
        [token for part in parts for token in part.ids],
        total,
        score(total, len(tokens), length_penalty),
        text,
        len(parts),
        tokens,
        [one for part in parts for one in part.token_scores],
        [one for row in alignments for one in row] if len(alignments) == len(parts) else None,
    )
