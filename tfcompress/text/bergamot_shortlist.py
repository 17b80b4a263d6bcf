"""Lexical shortlists in the binary form of Bergamot's engines.

Numbers are little-endian: six of 64 bits (magic number, checksum, how many of the first ids every
sentence may use, how many translations a piece has at most, and the lengths of what follows), the
offsets of 64 bits and the target ids of 32 bits.
"""

import os
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfcompress.errors import InputError
from tfcompress.files import read_regular, replace_file
from tfcompress.text.shortlist import Shortlist
from tfcompress.text.tokenizer import Tokenizer

MAGIC = 0xF11A48D5013417F5
_HEADER = struct.Struct("<6Q")
_OFFSETS, _TARGETS = np.dtype("<u8"), np.dtype("<u4")
_CHECKED_FROM = 16
_MOST_BYTES = 2**32
_BITS = 2**64 - 1


def read_bergamot_shortlist(
    path: str | os.PathLike, source_tokenizer: Tokenizer, target_tokenizer: Tokenizer
) -> Shortlist:
    """Reads the shortlist of a model that `tfcompress.models.from_bergamot` reads.

    Every sentence may use the first ids and, with one vocabulary, those of the source itself, as
    in Bergamot's engines, which add further ids up to a multiple of 8.

    Args:
        path: The file, as `lex.50.50.ende.s2t.bin`.
        source_tokenizer: The model's tokenizer of the source.
        target_tokenizer: That of the target.

    Returns:
        The shortlist, for the model's ids.

    Raises:
        InputError: If it cannot be read, is damaged or of other vocabularies.

    Example:

    >>> shortlist = tfc.text.read_bergamot_shortlist("lex.s2t.bin", source, target)
    >>> shortlist.target_vocabulary_size == target.vocabulary_size
    True
    """
    path = Path(path)
    first, offsets, targets = _read(path)
    # Padding is the last id, which files have not.
    sources = source_tokenizer.vocabulary_size - 1
    size = target_tokenizer.vocabulary_size - 1
    if len(offsets) != sources + 1 or targets.max(initial=first - 1) >= size:
        raise InputError(
            "The shortlist must be for the model's vocabularies. Received: "
            f"{path} for {len(offsets) - 1} source ids and target ids up to "
            f"{targets.max(initial=first - 1)}, where the model has {sources} and {size}. Give the "
            "one that was published with the model."
        )
    lists = np.split(targets.astype(np.int32), offsets[1:-1].astype(np.int64))
    if source_tokenizer is target_tokenizer:
        lists = [np.append(one, np.int32(id)) for id, one in enumerate(lists)]
    lists = [np.unique(one[one >= first]) for one in lists] + [np.zeros(0, np.int32)]
    return Shortlist(
        frequent=np.arange(first, dtype=np.int32),
        offsets=np.cumsum([0, *map(len, lists)], dtype=np.int32),
        targets=np.concatenate(lists).astype(np.int32),
        target_vocabulary_size=size + 1,
    )


def _read(path):
    try:
        data = read_regular(path, most_bytes=_MOST_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"The file cannot be read ({reason}). Received: {path}. Give the file of a shortlist."
        ) from None
    if len(data) < _HEADER.size or _HEADER.unpack_from(data)[0] != MAGIC:
        raise InputError(
            f"The file is no binary shortlist of Bergamot's. Received: {path}, {len(data)} bytes. "
            "Download it again."
        )
    _, checksum, first, _, num_offsets, num_targets = _HEADER.unpack_from(data)
    expected = _HEADER.size + num_offsets * _OFFSETS.itemsize + num_targets * _TARGETS.itemsize
    problem = None
    if expected != len(data):
        problem = f"{len(data)} bytes where its header tells of {expected}"
    elif checksum != _checksum(data[_CHECKED_FROM:]):
        problem = "its checksum is another"
    else:
        offsets = np.frombuffer(data, _OFFSETS, num_offsets, _HEADER.size)
        targets = np.frombuffer(data, _TARGETS, num_targets, _HEADER.size + offsets.nbytes)
        if num_offsets < 2 or offsets[0] != 0 or offsets[-1] != num_targets:
            problem = f"its offsets do not run from 0 to its {num_targets} targets"
        elif (offsets[:-1] > offsets[1:]).any():
            problem = "its offsets do not rise"
        elif not 0 < first < 2**31:
            problem = f"it begins with {first} ids"
        else:
            return first, offsets, targets
    raise InputError(
        f"The shortlist is truncated or altered. Received: {path}, {problem}. Download it again."
    )


def _checksum(data: bytes) -> int:
    """Marian's hash of 64-bit numbers; bytes beyond the last of them do not count."""
    seed = 0
    for value in np.frombuffer(data, _OFFSETS, len(data) // _OFFSETS.itemsize).tolist():
        seed ^= (value + 0x9E3779B9 + (seed << 6) + (seed >> 2)) & _BITS
    return seed


def write_bergamot_shortlist(
    path: str | os.PathLike,
    shortlist: Shortlist,
    source_ids: Sequence[int],
    target_ids: Sequence[int],
) -> None:
    """Writes a shortlist for Bergamot's engines.

    Of what every sentence may use they know only the first ids; the others become translations of
    the end mark, which every sentence has.

    Args:
        path: The file; it appears complete or not at all.
        shortlist: The shortlist.
        source_ids: The shortlist's id of each source id in the file, that of the end mark first.
        target_ids: The same of the target.

    Raises:
        InputError: If the file cannot be written.

    Example:

    >>> shortlist = tfc.text.build_shortlist(pairs, 500, 500, always=[2, 3])
    >>> ids = [2, 3, *range(4, 500)]
    >>> write_bergamot_shortlist("lex.bin", shortlist, ids, ids)
    """
    places = np.full(shortlist.target_vocabulary_size, -1, np.int64)
    places[list(target_ids)] = np.arange(len(target_ids))
    frequent = places[shortlist.frequent]
    frequent = np.unique(frequent[frequent >= 0])
    # At least the end mark and what is unknown.
    first = max(2, _run_length(frequent))
    lists = []
    for number, id in enumerate(source_ids):
        one = places[shortlist.targets[shortlist.offsets[id] : shortlist.offsets[id + 1]]]
        one = np.concatenate([one, frequent]) if number == 0 else one
        lists.append(np.unique(one[one >= first]))
    offsets = np.cumsum([0, *map(len, lists)])
    targets = np.concatenate(lists)
    numbers = first, max(map(len, lists)), len(offsets), len(targets)
    body = struct.pack("<4Q", *numbers)
    body += offsets.astype(_OFFSETS).tobytes() + targets.astype(_TARGETS).tobytes()
    replace_file(path, struct.pack("<2Q", MAGIC, _checksum(body)) + body)


def _run_length(ids) -> int:
    """How many ids from 0 on are all there."""
    gaps = np.flatnonzero(ids != np.arange(len(ids)))
    return int(gaps[0]) if len(gaps) else len(ids)
