"""Lexical shortlists: the few target pieces that a translation of a sentence is likely to need.

The output layer of a translator computes a logit for every piece of the vocabulary, most of which
no translation of this sentence contains. A shortlist names those it may: the most frequent target
pieces, and the likeliest translations of each of its source pieces.
"""

import functools
import os
import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tfcompress.errors import InputError
from tfcompress.files import read_regular, replace_file

VERSION = 1
_MAGIC = b"TFCSHORT"
_HEADER = struct.Struct("<8s5I")
_NUMBERS = np.dtype("<i4")
_PART = 1 << 20
_MOST_BYTES = 1 << 32
_AGAIN = "Build the shortlist or copy its file again"


@dataclass(frozen=True, eq=False)
class Shortlist:
    """The target pieces that may translate each source piece.

    Attributes:
        frequent: Target ids that every sentence may need, ascending, int32.
        offsets: The translations of source id `i` are `targets[offsets[i]:offsets[i + 1]]`; int32,
            one more than source ids.
        targets: The translations of all source ids, int32, without those in `frequent`.
        target_vocabulary_size: The number of target ids.

    Example:

    >>> shortlist = build_shortlist(pairs, 500, 500, always=[tokenizer.eos_id, tokenizer.unk_id])
    >>> shortlist.candidates(tokenizer.encode(["two dogs play ."])[0]).size < 500
    True
    """

    frequent: np.ndarray
    offsets: np.ndarray
    targets: np.ndarray
    target_vocabulary_size: int

    @property
    def source_vocabulary_size(self) -> int:
        """The number of source ids."""
        return len(self.offsets) - 1

    def candidates(self, source_ids: Sequence[int]) -> np.ndarray:
        """Returns the target ids that a translation may use.

        Args:
            source_ids: The sentence; special ids add nothing.

        Returns:
            Distinct target ids, ascending, int32; never none.

        Raises:
            InputError: An id is outside the source vocabulary.

        Example:

        >>> shortlist = build_shortlist(pairs, 500, 500)
        >>> shortlist.candidates([37, 285]).size < 500
        True
        """
        ids = np.unique(np.asarray(source_ids, np.int64))
        _check_ids("source", ids, self.source_vocabulary_size)
        lists = [self.targets[self.offsets[id] : self.offsets[id + 1]] for id in ids]
        return np.unique(np.concatenate([self.frequent, *lists]))

    def write(self, path: str | os.PathLike) -> None:
        """Writes the shortlist to a file, which appears complete or not at all.

        Args:
            path: The file, in a bundle `shortlist.bin`.

        Raises:
            InputError: The file cannot be written.

        Example:

        >>> shortlist = build_shortlist(pairs, 500, 500)
        >>> shortlist.write("shortlist.bin")
        """
        arrays = self.frequent, self.offsets, self.targets
        sizes = self.source_vocabulary_size, self.target_vocabulary_size
        header = _HEADER.pack(_MAGIC, VERSION, *sizes, len(self.frequent), len(self.targets))
        replace_file(path, header + b"".join(a.astype(_NUMBERS).tobytes() for a in arrays))

    @classmethod
    def read(cls, path: str | os.PathLike) -> "Shortlist":
        """Reads a shortlist that `write` wrote.

        Args:
            path: The file.

        Returns:
            The shortlist.

        Raises:
            InputError: The file is missing, damaged, of a newer version or something else.

        Example:

        >>> build_shortlist(pairs, 500, 500).write("shortlist.bin")
        >>> shortlist = Shortlist.read("shortlist.bin")
        """
        try:
            data = read_regular(path, most_bytes=_MOST_BYTES)
        except OSError as error:
            raise InputError(
                f"{error.strerror}. Received: {path}. Give the file of a shortlist."
            ) from None
        if len(data) < _HEADER.size or not data.startswith(_MAGIC):
            raise InputError(
                f"The file is no shortlist. Received: {path}, {len(data)} bytes. {_AGAIN}."
            )
        _, version, sources, targets, *lengths = _HEADER.unpack_from(data)
        if version != VERSION:
            raise InputError(
                f"The shortlist's version is not {VERSION}, which this version reads. Received: "
                f"{path}, version {version}. Build it again with this version, or read it with "
                "the version that made it."
            )
        lengths.insert(1, sources + 1)
        expected = _HEADER.size + sum(lengths) * _NUMBERS.itemsize
        if len(data) != expected:
            raise InputError(
                f"The file is truncated or altered. Received: {path}, {len(data)} bytes where its "
                f"header tells of {expected}. {_AGAIN}."
            )
        numbers = np.frombuffer(data, _NUMBERS, offset=_HEADER.size).astype(np.int32)
        shortlist = cls(*np.split(numbers, np.cumsum(lengths[:2])), target_vocabulary_size=targets)
        problem = shortlist._problem()
        if problem:
            raise InputError(
                f"The shortlist cannot be used. Received: {path}: {problem}. {_AGAIN}."
            )
        return shortlist

    def _problem(self) -> str | None:
        """What is wrong with the numbers, if anything is."""
        if not self.source_vocabulary_size or not self.target_vocabulary_size:
            return "a vocabulary without ids"
        if not self.frequent.size or (self.frequent[:-1] >= self.frequent[1:]).any():
            return "its frequent targets do not ascend"
        ends = self.offsets[0] == 0 and self.offsets[-1] == len(self.targets)
        if not ends or (self.offsets[:-1] > self.offsets[1:]).any():
            return f"its offsets do not rise from 0 to its {len(self.targets)} targets"
        ids = np.concatenate([self.frequent, self.targets])
        if ids.min() < 0 or ids.max() >= self.target_vocabulary_size:
            return f"ids outside its target vocabulary of {self.target_vocabulary_size}"
        return None


def build_shortlist(
    pairs: Iterable[tuple[Sequence[int], Sequence[int]]],
    source_vocabulary_size: int,
    target_vocabulary_size: int,
    *,
    frequent: int = 100,
    per_source: int = 20,
    iterations: int = 5,
    always: Iterable[int] = (),
) -> Shortlist:
    """Learns from a parallel corpus which target pieces translate each source piece.

    Translation probabilities are those of IBM Model 1 (Brown et al., "The Mathematics of
    Statistical Machine Translation", Computational Linguistics 19(2), 1993): each target piece
    comes from one piece of its source or from the NULL word, whatever the order. Candidates of
    frequent pieces and likely translations together are those of Jean et al., "On Using Very
    Large Target Vocabulary for Neural Machine Translation", 2015, arXiv:1412.2007.

    Args:
        pairs: Source and target ids without begin and end ids, for instance `TokenizedPairs`.
        source_vocabulary_size: The number of source ids.
        target_vocabulary_size: The number of target ids.
        frequent: How many of the most frequent targets every sentence may use.
        per_source: How many of its likeliest translations a source piece adds to them at most.
        iterations: Rounds of expectation-maximization.
        always: Further target ids that every sentence may use, such as the end id.

    Returns:
        The shortlist; the same pairs give the same one.

    Raises:
        InputError: A size is below 1, there is no text, or an id is outside its vocabulary.

    Example:

    >>> size = tokenizer.vocabulary_size
    >>> shortlist = build_shortlist(pairs, size, size, always=[tokenizer.eos_id])
    """
    for name, value in {
        "source_vocabulary_size": source_vocabulary_size,
        "target_vocabulary_size": target_vocabulary_size,
        "frequent": frequent,
        "per_source": per_source,
        "iterations": iterations,
    }.items():
        if value < 1:
            raise InputError(f"`{name}` must be at least 1. Received: {name}={value}.")
    always = np.asarray(list(always), np.int64)
    _check_ids("always", always, target_vocabulary_size)
    corpus = _Corpus(pairs, source_vocabulary_size, target_vocabulary_size)
    counts = np.bincount(corpus.targets, minlength=target_vocabulary_size)
    most = np.argsort(-counts, kind="stable")[:frequent]
    common = np.union1d(most[counts[most] > 0], always)
    sources, targets, probabilities = corpus.translations(iterations)
    useful = (sources != corpus.null) & ~np.isin(targets, common)
    sources, targets = _likeliest(
        sources[useful], targets[useful], probabilities[useful], per_source
    )
    lengths = np.bincount(sources, minlength=source_vocabulary_size)
    return Shortlist(
        frequent=common.astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
        targets=targets.astype(np.int32),
        target_vocabulary_size=target_vocabulary_size,
    )


def coverage(shortlist: Shortlist, pairs: Iterable[tuple[Sequence[int], Sequence[int]]]) -> float:
    """Measures how much of the translations of a corpus a shortlist allows.

    Args:
        shortlist: The shortlist.
        pairs: Source and target ids, as for `build_shortlist`.

    Returns:
        The part of all target pieces that are among the candidates of their source.

    Raises:
        InputError: There is no target piece, or a source id is outside the vocabulary.

    Example:

    >>> shortlist = build_shortlist(pairs, 500, 500)
    >>> round(coverage(shortlist, pairs), 3)
    1.0
    """
    covered = total = 0
    for source, target in pairs:
        covered += int(np.isin(target, shortlist.candidates(source)).sum())
        total += len(target)
    if not total:
        raise InputError(
            "There is no target piece to cover. Received: pairs without one. Give at least one "
            "pair with a translation."
        )
    return covered / total


class _Corpus:
    """Sentence pairs in flat arrays, with the NULL word before each source."""

    def __init__(self, pairs, source_size, target_size):
        self.null = source_size
        self.target_size = target_size
        sources, source_lengths = array("q"), array("q")
        targets, target_lengths = array("q"), array("q")
        for source, target in pairs:
            sources.extend(source)
            source_lengths.append(len(source))
            targets.extend(target)
            target_lengths.append(len(target))
        if not sources or not targets:
            raise InputError(
                "There is no text to build a shortlist from. Received: no pairs. Give at least "
                "one sentence pair."
            )
        sources, source_lengths = np.asarray(sources), np.asarray(source_lengths)
        self.targets, self.target_lengths = np.asarray(targets), np.asarray(target_lengths)
        _check_ids("source", sources, source_size)
        _check_ids("target", self.targets, target_size)
        begins = np.cumsum(source_lengths) - source_lengths
        self.sources = np.insert(sources, begins, self.null)
        self.source_lengths = source_lengths + 1

    def translations(self, iterations):
        """Returns sources, targets and the probability that the one translates into the other."""
        parts = (keys for keys, _, _ in self._entries())
        keys = functools.reduce(np.union1d, parts, np.zeros(0, np.int64))
        sources, targets = np.divmod(keys, self.target_size)
        probabilities = np.ones(len(keys))
        for _ in range(iterations):
            counts = np.zeros(len(keys))
            for entries, begins, lengths in self._entries():
                places = np.searchsorted(keys, entries)
                shares = probabilities[places]
                shares /= np.repeat(np.add.reduceat(shares, begins), lengths)
                counts += np.bincount(places, shares, minlength=len(keys))
            probabilities = counts / np.bincount(sources, counts)[sources]
        return sources, targets, probabilities

    def _entries(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yields every target piece with all sources of its sentence, some sentences at a time.

        Of each part, the keys `source * target_size + target`, where those of each target piece
        begin, and how many they are.
        """
        source_ends, target_ends = np.cumsum(self.source_lengths), np.cumsum(self.target_lengths)
        entries = np.cumsum(self.source_lengths * self.target_lengths)
        cuts = np.flatnonzero(np.diff(entries // _PART)) + 1
        for first, end in zip([0, *cuts], [*cuts, len(entries)]):
            part = slice(first, end)
            heights = self.target_lengths[part]
            targets = self.targets[target_ends[first] - heights[0] : target_ends[end - 1]]
            lengths = np.repeat(self.source_lengths[part], heights)
            begins = np.cumsum(lengths) - lengths
            sources = np.repeat((source_ends - self.source_lengths)[part], heights)
            places = np.arange(lengths.sum()) + np.repeat(sources - begins, lengths)
            keys = self.sources[places] * self.target_size + np.repeat(targets, lengths)
            yield keys, begins, lengths


def _likeliest(sources, targets, probabilities, most):
    """Keeps the `most` likeliest targets of each source; the arrays ascend by source, target."""
    order = np.lexsort((-probabilities, sources))
    rank = np.arange(len(sources)) - np.searchsorted(sources, sources)
    kept = np.sort(order[rank < most])
    return sources[kept], targets[kept]


def _check_ids(name, ids, size):
    if ids.size and (ids.min() < 0 or ids.max() >= size):
        raise InputError(
            f"Ids are outside the vocabulary's 0 to {size - 1}. Received: {name} ids from "
            f"{ids.min()} to {ids.max()}. Use the tokenizer of this vocabulary."
        )
