"""Byte-level byte-pair tokenizers, as GPT-2's and RoBERTa's."""

import heapq
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from tfcompress.errors import InputError
from tfcompress.text.pieces import (
    check_ids,
    check_pieces,
    check_texts,
    read_text,
    special_ids,
    split_at,
)
from tfcompress.text.tokenizer_settings import check_settings, decode_file, special_pieces
from tfcompress.text.unicode import WHITE_SPACE, character_class

_OPTIONS = ("add_prefix_space", "special_in_text")
_SPECIAL_PIECES = {"pad": "<pad>", "unk": "<unk>", "start": "<s>", "end": "</s>"}
_MOST_CACHED = 1 << 18


class BytePairTokenizer:
    """Turns texts into ids of a byte-level byte-pair vocabulary.

    A text is split as GPT-2 does: into contractions, and runs of letters, of digits or of other
    characters, each with one space before it. The bytes of each part are then merged, of all pairs
    that `merges` lists the earliest first, and of equal ones the leftmost.

    Args:
        vocabulary: The id of every piece, from 0 without a gap. Pieces are written with one
            printable character for each byte, as in the published `vocab.json`.
        merges: Pairs of pieces, with a space between them.
        add_prefix_space: Whether a text is read as if a space began it.
        special_in_text: Whether special pieces, except `unk`, are recognized where a text spells
            them out.
        pad: The piece that fills batches.
        unk: The piece for bytes that the vocabulary lacks; None if it lacks none.
        start: The piece that begins a text.
        end: The piece that ends a text.
        special: Further special pieces, as "<mask>".

    Attributes:
        tokenizer_type: "byte_pair".
        vocabulary: The id of every piece.
        merges: The pairs of pieces.
        vocabulary_size: How many pieces there are.
        pad_id: The id of `pad`.
        unk_id: The id of `unk`, or None.
        start_id: The id of `start`.
        end_id: The id of `end`.

    Raises:
        InputError: Ids have gaps, a merge names or makes a piece that is not in the vocabulary, or
            a special piece or, without `unk`, a byte is missing.

    Example:
        >>> tokenizer = BytePairTokenizer.load("vocab.json", "merges.txt")
        >>> tokenizer.decode(tokenizer.encode(["It runs!"]))
        ['It runs!']
    """

    tokenizer_type = "byte_pair"

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Iterable[str],
        *,
        add_prefix_space: bool = False,
        special_in_text: bool = True,
        pad: str = _SPECIAL_PIECES["pad"],
        unk: str | None = _SPECIAL_PIECES["unk"],
        start: str = _SPECIAL_PIECES["start"],
        end: str = _SPECIAL_PIECES["end"],
        special: Sequence[str] = (),
    ):
        self.vocabulary = _check_vocabulary(vocabulary)
        self.merges = [merge for merge in merges if not f"{merge}".startswith("#version:")]
        self.add_prefix_space = bool(add_prefix_space)
        self.special_in_text = bool(special_in_text)
        self.vocabulary_size = len(self.vocabulary)
        self._pieces = sorted(self.vocabulary, key=self.vocabulary.__getitem__)
        self._special = {"pad": pad, "start": start, "end": end, "unk": unk}
        used = {key: piece for key, piece in self._special.items() if piece is not None}
        ids = special_ids(self.vocabulary, used, "byte-pair vocabulary")
        self.pad_id, self.start_id, self.end_id, self.unk_id = (*ids, None)[:4]
        special_ids(self.vocabulary, dict.fromkeys(special), "byte-pair vocabulary")
        self._more_special = tuple(special)
        self._kept = (pad, start, end, *special) if self.special_in_text else ()
        self._ranks = self._rank_merges()
        letters = byte_letters()
        lost = [byte for byte in range(256) if letters[byte] not in self.vocabulary]
        if lost and self.unk_id is None:
            raise InputError(
                f"The byte-pair vocabulary lacks bytes. Received: {len(lost)} missing, the first "
                f"is {lost[0]:#04x}. Add them, or name the piece for unknown bytes as unk."
            )
        self._cache: dict[str, tuple[Any, ...]] = {}

    @classmethod
    def load(
        cls, vocabulary: str | os.PathLike, merges: str | os.PathLike, **options: Any
    ) -> "BytePairTokenizer":
        """Reads a `vocab.json` and a `merges.txt`.

        Args:
            vocabulary: The file of pieces.
            merges: The file of merges, one a line.
            **options: The constructor's.

        Returns:
            The tokenizer.

        Raises:
            InputError: A file cannot be read or used.

        Example:
            >>> files = "vocab.json", "merges.txt"
            >>> tokenizer = BytePairTokenizer.load(*files, add_prefix_space=True)
        """
        vocabulary, merges = (read_text(path) for path in (vocabulary, merges))
        return cls(read_vocabulary(vocabulary), read_merges(merges), **options)

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> "BytePairTokenizer":
        """Makes the tokenizer again from what `settings` and `files` returned.

        Args:
            settings: The settings, as JSON holds them.
            files: The contents of its files by name.

        Raises:
            InputError: A setting or file is missing or wrong.

        Example:
            >>> tokenizer = BytePairTokenizer.load("vocab.json", "merges.txt")
            >>> again = BytePairTokenizer.from_settings(tokenizer.settings(), tokenizer.files())
        """
        names = ["vocabulary.json", "merges.txt"]
        options = check_settings(cls.tokenizer_type, settings, files, names=names, options=_OPTIONS)
        vocabulary, merges = (decode_file(cls.tokenizer_type, files[name]) for name in names)
        vocabulary = read_vocabulary(vocabulary)
        pieces = {number: piece for piece, number in vocabulary.items()}
        pieces = [pieces.get(number) for number in range(len(vocabulary))]
        special = special_pieces(settings, pieces, may_lack_unk=True)
        return cls(vocabulary, read_merges(merges), **options, **special)

    def __reduce__(self):
        return type(self).from_settings, (self.settings(), self.files())

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokenizes texts, without begin and end ids.

        Args:
            texts: Plain texts.

        Returns:
            The ids of every text.

        Example:
            >>> tokenizer = BytePairTokenizer.load("vocab.json", "merges.txt")
            >>> tokenizer.encode(["It runs"])
            [[261, 262, 122, 115, 120]]
        """
        return [self._encode(text) for text in check_texts(texts)]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Joins pieces to texts; padding, begin and end ids leave no trace.

        Args:
            ids: The ids of every text, lists or arrays.

        Returns:
            The texts; bytes that are no UTF-8 become U+FFFD.

        Raises:
            InputError: An id is outside the vocabulary.

        Example:
            >>> tokenizer = BytePairTokenizer.load("vocab.json", "merges.txt")
            >>> tokenizer.decode([[0, 261, 262, 122, 115, 120, 2, 1]])
            ['It runs']
        """
        hidden = {self.pad_id, self.start_id, self.end_id}
        rows = check_ids(ids, self.vocabulary_size)
        return [
            b"".join(self._bytes(number) for number in row if number not in hidden).decode(
                errors="replace"
            )
            for row in rows
        ]

    def settings(self) -> dict[str, Any]:
        """Returns what, with `files`, makes this tokenizer again."""
        return {
            "tokenizer_type": self.tokenizer_type,
            "add_prefix_space": self.add_prefix_space,
            "special_in_text": self.special_in_text,
            "pad_id": self.pad_id,
            "unk_id": self.unk_id,
            "start_id": self.start_id,
            "end_id": self.end_id,
            "special_ids": [self.vocabulary[piece] for piece in self._more_special],
        }

    def files(self) -> dict[str, bytes]:
        """Returns the files of this tokenizer: its pieces and its merges."""
        vocabulary = {piece: number for number, piece in enumerate(self._pieces)}
        return {
            "vocabulary.json": json.dumps(vocabulary, ensure_ascii=False).encode(),
            "merges.txt": "".join(f"{merge}\n" for merge in self.merges).encode(),
        }

    def _rank_merges(self):
        ranks = {}
        for number, merge in enumerate(self.merges):
            pair = tuple(merge.split(" ")) if isinstance(merge, str) else ()
            if len(pair) != 2 or not all(pair):
                raise InputError(
                    f"A merge is two pieces with a space between them. Received: merge {number}, "
                    f"{merge!r}. Give two pieces."
                )
            for piece in (*pair, "".join(pair)):
                if piece not in self.vocabulary:
                    raise InputError(
                        "A merge names or makes a piece that the vocabulary lacks. Received: "
                        f"merge {number}, {merge!r}, with {piece!r}, and {self.vocabulary_size} "
                        "pieces. Give the merges that belong to the vocabulary."
                    )
            if pair in ranks:
                raise InputError(
                    f"A merge stands twice. Received: merge {number}, {merge!r}, which is also "
                    f"merge {ranks[pair]}. Give each once."
                )
            ranks[pair] = number
        return ranks

    def _encode(self, text):
        ids = []
        for part in split_at(self._kept, text):
            if part in self._kept:
                ids.append(self.vocabulary[part])
                continue
            if self.add_prefix_space and not part.startswith(" "):
                part = f" {part}"
            for word in _words().findall(part):
                word_ids = self._cache.get(word)
                if word_ids is None:
                    word_ids = self._remember(word)
                ids.extend(word_ids)
        return ids

    def _remember(self, word) -> tuple[Any, ...]:
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        ids = self._cache[word] = tuple(self._merge(word))
        return ids

    def _merge(self, word):
        letters = byte_letters()
        pieces: list[Any] = [letters[byte] for byte in word.encode()]
        # Neighbours in a linked list, and what may be merged: the rank, the place and both pieces.
        before, after = list(range(-1, len(pieces) - 1)), list(range(1, len(pieces) + 1))
        candidates = []

        def note(left, right):
            if left >= 0 and right < len(pieces):
                rank = self._ranks.get((pieces[left], pieces[right]))
                if rank is not None:
                    heapq.heappush(candidates, (rank, left, pieces[left], pieces[right]))

        for right in range(1, len(pieces)):
            note(right - 1, right)
        while candidates:
            _, left, *pair = heapq.heappop(candidates)
            right = after[left]
            if right == len(pieces) or [pieces[left], pieces[right]] != pair:
                continue
            pieces[left], pieces[right] = "".join(pair), None
            after[left] = after[right]
            if after[left] < len(pieces):
                before[after[left]] = left
            note(before[left], left)
            note(left, after[left])
        return [self.vocabulary.get(piece, self.unk_id) for piece in pieces if piece is not None]

    def _bytes(self, number):
        piece, values = self._pieces[number], _letter_bytes()
        if all(letter in values for letter in piece):
            return bytes(values[letter] for letter in piece)
        return piece.encode()


@cache
def byte_letters() -> tuple[str, ...]:
    """Returns the printable character that stands for each byte in published vocabularies.

    Example:
        >>> byte_letters()[ord(" ")]
        'Ġ'
    """
    shown = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in shown]
    return tuple(chr(byte if byte in shown else 256 + hidden.index(byte)) for byte in range(256))


def read_vocabulary(text: str) -> dict[str, int]:
    """Returns the pieces of a `vocab.json`.

    Raises:
        InputError: The text is no JSON object of ids from 0 without a gap, by piece.

    Example:
        >>> read_vocabulary('{"a": 0}')
        {'a': 0}
    """
    try:
        vocabulary = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The vocabulary is no JSON. Received: {error}. Give a vocab.json."
        ) from None
    if not isinstance(vocabulary, dict):
        raise InputError(
            "A vocabulary is an object of ids by piece. Received: a JSON "
            f"{type(vocabulary).__name__}. Give a vocab.json."
        )
    return _check_vocabulary(vocabulary)


def read_merges(text: str) -> list[str]:
    """Returns the merges of a `merges.txt`, one a line; a line `#version:` is skipped.

    Example:
        >>> read_merges("#version: 0.2\\nĠ t\\n")
        ['Ġ t']
    """
    lines = [line.rstrip() for line in re.split("\r\n|\r|\n", text)]
    return [line for line in lines if line and not line.startswith("#version:")]


@cache
def _words():
    letter, number = character_class("L"), character_class("N")
    space = WHITE_SPACE
    return re.compile(
        f"'s|'t|'re|'ve|'m|'ll|'d| ?[{letter}]+| ?[{number}]+| ?[^{space}{letter}{number}]+"
        f"|[{space}]+(?![^{space}])|[{space}]+"
    )


@cache
def _letter_bytes():
    return {letter: byte for byte, letter in enumerate(byte_letters())}


def _object(members):
    unique = dict(members)
    if len(unique) < len(members):
        raise ValueError("a piece is there twice")
    return unique


def _check_vocabulary(vocabulary):
    if not isinstance(vocabulary, Mapping):
        raise InputError(
            f"A vocabulary is a mapping of ids by piece. Received: {type(vocabulary).__name__}. "
            "Give the id of every piece, or paths to BytePairTokenizer.load."
        )
    vocabulary = dict(vocabulary)
    check_pieces([*vocabulary])
    for piece, number in vocabulary.items():
        is_id = isinstance(number, int) and not isinstance(number, bool)
        if not is_id:
            raise InputError(
                f"The vocabulary's ids are whole numbers. Received: {piece!r} with the id "
                f"{number!r}. Give pieces with whole numbers."
            )
    missing = set(range(len(vocabulary))) - set(vocabulary.values())
    if missing:
        raise InputError(
            f"The vocabulary's ids have a gap. Received: {len(vocabulary)} pieces, none with the "
            f"id {min(missing)}. Number them from 0 without a gap."
        )
    return vocabulary
