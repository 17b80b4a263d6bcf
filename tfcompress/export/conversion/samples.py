"""Token ids that users give as examples."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfcompress.errors import InputError


def check_ids(name: str, samples: Any, *, max_length: int, vocabulary_size: int) -> list[list[int]]:
    """Returns sentences as lists of ids.

    Args:
        name: What the argument is called.
        samples: Token ids of each sentence.
        max_length: The most ids of one.
        vocabulary_size: Number of ids.

    Raises:
        InputError: If there is no sentence, or one is no list of ids, empty, too long or has ids
            outside the vocabulary.
    """
    samples = [_as_ids(name, number, sample) for number, sample in enumerate(samples)]
    if not samples:
        raise InputError(f"`{name}` must have sentences. Received: none. Give their token ids.")
    for number, sample in enumerate(samples):
        where = f"sentence {number} of `{name}`"
        if not 1 <= len(sample) <= max_length:
            raise InputError(
                f"A sentence must have from 1 to the model's {max_length} ids, begin and end marks "
                f"included. Received: {len(sample)} in {where}."
            )
        if not 0 <= min(sample) <= max(sample) < vocabulary_size:
            raise InputError(
                f"Ids of the vocabulary must be from 0 to {vocabulary_size - 1}. Received: "
                f"{min(sample)} to {max(sample)} in {where}. Use the model's tokenizer."
            )
    return samples


def random_ids(
    lengths: Sequence[int], vocabulary_size: int, special: Sequence[int]
) -> list[list[int]]:
    """Returns a random sentence of each length, always the same ones.

    Args:
        lengths: The lengths.
        vocabulary_size: Number of ids.
        special: Ids that are no words.
    """
    rng = np.random.default_rng(0)
    words = [i for i in range(min(vocabulary_size, 1 << 16)) if i not in special]
    return [rng.choice(words, length).tolist() for length in lengths]


def _as_ids(name, number, sample):
    """A sentence may be a list or an array of whole numbers."""
    try:
        ids = np.asarray(sample)
    except ValueError:
        ids = np.zeros([0, 0])
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise InputError(
            f"`{name}` must be lists of token ids. Received: {sample!r:.60} as sentence {number}. "
            "Give a list of lists of whole numbers."
        )
    return ids.tolist()
