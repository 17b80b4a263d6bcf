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
        raise InputError(f"`{name}` is empty; give the token ids of some sentences")
    for number, sample in enumerate(samples):
        where = f"sentence {number} of `{name}`"
        if not 1 <= len(sample) <= max_length:
            raise InputError(
                f"{where} has {len(sample)} ids; give from 1 to the model's {max_length}, begin "
                "and end marks included"
            )
        if not 0 <= min(sample) <= max(sample) < vocabulary_size:
            raise InputError(
                f"{where} has ids from {min(sample)} to {max(sample)}, outside the "
                f"vocabulary's 0 to {vocabulary_size - 1}; use the model's tokenizer"
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
            f"sentence {number} of `{name}` is no list of token ids (received {sample!r:.60}); "
            "give a list of lists of whole numbers"
        )
    return ids.tolist()
