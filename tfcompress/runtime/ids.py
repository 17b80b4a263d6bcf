"""Checks ids that callers give."""

from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.runtime.decoder_bundle import SpecialIds


def whole_numbers(name: str, row: Any) -> list[int]:
    """Returns a row of ids as a list.

    Args:
        name: What the row is called in messages.
        row: A sequence or array of whole numbers.

    Raises:
        InputError: It is something else.

    Example:

    >>> whole_numbers("text 0", np.array([2, 7, 3]))
    [2, 7, 3]
    """
    try:
        numbers = np.asarray(row)
    except (ValueError, TypeError):
        numbers = np.zeros([0, 0])
    # Among whole numbers, NumPy would take a truth value for one.
    has_truth = not isinstance(row, np.ndarray) and any(
        isinstance(one, bool | np.bool_) for one in (row if numbers.ndim == 1 else ())
    )
    if numbers.ndim != 1 or has_truth or (numbers.size and numbers.dtype.kind not in "iu"):
        raise InputError(
            f"Token ids must be a list of whole numbers. Received: {row!r:.60} as {name}."
        )
    return numbers.tolist()


def check_range(name: str, ids: list[int], vocabulary: int) -> None:
    """Makes sure that ids are in a vocabulary.

    Args:
        name: What they are called in messages.
        ids: The ids.
        vocabulary: How many there are.

    Raises:
        InputError: One is not.
    """
    if ids and not 0 <= min(ids) <= max(ids) < vocabulary:
        raise InputError(
            f"Ids of the vocabulary must be from 0 to {vocabulary - 1}. Received: {min(ids)} to "
            f"{max(ids)} in {name}. Use the tokenizer of this bundle."
        )


def without_padding(name: str, ids: list[int], pad: int) -> list[int]:
    """Returns ids without the padding at their end.

    Args:
        name: What they are called in messages.
        ids: The ids.
        pad: The id of padding.

    Raises:
        InputError: There is padding before other ids, which a bundle cannot leave out.

    Example:

    >>> without_padding("text 0", [2, 7, 3, 0, 0], 0)
    [2, 7, 3]
    """
    count = len(ids)
    while count and ids[count - 1] == pad:
        count -= 1
    refuse_id(name, ids[:count], pad, "padding")
    return ids[:count]


def source_ids(name: str, row: Any, special: SpecialIds, vocabulary: int) -> list[int]:
    """Returns the ids of a source sentence, without padding and end id at their end.

    Args:
        name: What the sentence is called in messages.
        row: What a caller gave.
        special: The special ids.
        vocabulary: How many ids there are.

    Raises:
        InputError: They are no ids, outside the vocabulary, or have special ids elsewhere.

    Example:

    >>> source_ids("sentence 0", [5, 9, 2, 0], SpecialIds(pad=0, bos=1, eos=2), 8000)
    [5, 9]
    """
    ids = whole_numbers(name, row)
    check_range(name, ids, vocabulary)
    ids = without_padding(name, ids, special.pad)
    if ids and ids[-1] == special.eos:
        ids = ids[:-1]
    refuse_id(name, ids, special.eos, "the end id")
    refuse_id(name, ids, special.bos, "the begin id")
    return ids


def refuse_id(name: str, ids: list[int], special: int, what: str) -> None:
    """Makes sure that a special id is not among ids.

    Args:
        name: What they are called in messages.
        ids: The ids.
        special: The special id.
        what: What that is called.

    Raises:
        InputError: It is.
    """
    if special in ids:
        raise InputError(
            "Ids must be those of text, with padding at their end only. Received: "
            f"{what} ({special}) at place {ids.index(special)} of {name}. Leave it out."
        )
