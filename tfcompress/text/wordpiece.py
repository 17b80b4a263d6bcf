"""WordPiece tokenizers, as BERT's: words are split into the longest pieces of a vocabulary."""

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
from tfcompress.text.unicode import CHINESE, character_class, fold_case, remove_accents

SUFFIX = "##"
LONGEST_WORD = 100
_MOST_CACHED = 1 << 18
_OPTIONS = ("lowercase", "strip_accents", "split_on_cjk", "special_in_text")
_SPECIAL_PIECES = {"pad": "[PAD]", "unk": "[UNK]", "start": "[CLS]", "end": "[SEP]"}
_ASCII_PUNCTUATION = r"!-/:-@\[-`{-~"


class WordPieceTokenizer:
    """Turns texts into ids of a WordPiece vocabulary, with the ids of keras-nlp's tokenizer.

    A text loses its accents (where asked), is split at white space and control characters, and
    before and after every punctuation mark and Chinese character; then case is folded (Unicode's
    NFKC_Casefold, where asked), and each word becomes the longest pieces of the vocabulary from
    left to right. A word that cannot be spelled so, or of more than 100 bytes, is unknown.

    Args:
        vocabulary: The pieces in the order of their ids.
        lowercase: Whether case is folded.
        strip_accents: Whether accents are removed; None stands for `lowercase`.
        split_on_cjk: Whether every Chinese character is a word.
        special_in_text: Whether special pieces, except `unk`, are recognized where a text spells
            them out.
        pad: The piece that fills batches.
        unk: The piece for unknown words.
        start: The piece that begins a text.
        end: The piece that ends a text.
        special: Further special pieces, as "[MASK]".

    Attributes:
        tokenizer_type: "wordpiece".
        pieces: The pieces in the order of their ids.
        vocabulary_size: How many pieces there are.
        pad_id: The id of `pad`.
        unk_id: The id of `unk`.
        start_id: The id of `start`.
        end_id: The id of `end`.

    Raises:
        InputError: A piece is empty, twice there, has a line break or ends in white space, or the
            vocabulary lacks a special piece.

    Example:
        >>> tokenizer = WordPieceTokenizer.load("vocab.txt")
        >>> tokenizer.decode(tokenizer.encode(["It runs!"]))
        ['it runs !']
    """

    tokenizer_type = "wordpiece"

    def __init__(
        self,
        vocabulary: Iterable[str],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        split_on_cjk: bool = True,
        special_in_text: bool = False,
        pad: str = _SPECIAL_PIECES["pad"],
        unk: str = _SPECIAL_PIECES["unk"],
        start: str = _SPECIAL_PIECES["start"],
        end: str = _SPECIAL_PIECES["end"],
        special: Sequence[str] = (),
    ):
        if isinstance(vocabulary, str | bytes):
            raise InputError(
                "`vocabulary` must be a list of pieces. Received: one string. Give a list, or a "
                "path to WordPieceTokenizer.load."
            )
        self.pieces = list(vocabulary)
        self.lowercase = bool(lowercase)
        self.strip_accents = self.lowercase if strip_accents is None else bool(strip_accents)
        self.split_on_cjk = bool(split_on_cjk)
        self.special_in_text = bool(special_in_text)
        self._ids = _number(self.pieces)
        self.vocabulary_size = len(self.pieces)
        self._special = {"pad": pad, "unk": unk, "start": start, "end": end}
        ids = special_ids(self._ids, self._special, "WordPiece vocabulary")
        self.pad_id, self.unk_id, self.start_id, self.end_id = ids
        special_ids(self._ids, dict.fromkeys(special), "WordPiece vocabulary")
        self._more_special = tuple(special)
        self._kept = (pad, start, end, *special) if self.special_in_text else ()
        self._cache: dict[str, tuple[int, ...]] = {}

    @classmethod
    def load(cls, path: str | os.PathLike, **options: Any) -> "WordPieceTokenizer":
        """Reads a `vocab.txt`, one piece a line.

        Args:
            path: The file.
            **options: The constructor's.

        Returns:
            The tokenizer.

        Raises:
            InputError: The file cannot be read or used.

        Example:
            >>> tokenizer = WordPieceTokenizer.load("vocab.txt", lowercase=False)
        """
        return cls(read_pieces(read_text(path)), **options)

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> "WordPieceTokenizer":
        """Makes the tokenizer again from what `settings` and `files` returned.

        Args:
            settings: The settings, as JSON holds them.
            files: The contents of its files by name.

        Raises:
            InputError: A setting or file is missing or wrong.

        Example:
            >>> tokenizer = WordPieceTokenizer.load("vocab.txt")
            >>> again = WordPieceTokenizer.from_settings(tokenizer.settings(), tokenizer.files())
        """
        options = check_settings(
            cls.tokenizer_type, settings, files, names=["vocabulary.txt"], options=_OPTIONS
        )
        pieces = read_pieces(decode_file(cls.tokenizer_type, files["vocabulary.txt"]))
        return cls(pieces, **options, **special_pieces(settings, pieces))

    def __reduce__(self):
        return type(self).from_settings, (self.settings(), self.files())

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokenizes texts, without begin and end ids.

        Args:
            texts: Plain texts.

        Returns:
            The ids of every text.

        Example:
            >>> tokenizer = WordPieceTokenizer.load("vocab.txt")
            >>> tokenizer.encode(["it runs"])
            [[5, 6]]
        """
        return [self._encode(text) for text in check_texts(texts)]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Joins pieces to texts; padding, begin and end ids leave no trace.

        Args:
            ids: The ids of every text, lists or arrays.

        Returns:
            The texts: words with one space between them.

        Raises:
            InputError: An id is outside the vocabulary.

        Example:
            >>> tokenizer = WordPieceTokenizer.load("vocab.txt")
            >>> tokenizer.decode([[2, 5, 6, 3, 0]])
            ['it runs']
        """
        hidden = {self.pad_id, self.start_id, self.end_id}
        return [
            self._join([self.pieces[number] for number in row if number not in hidden])
            for row in check_ids(ids, self.vocabulary_size)
        ]

    def settings(self) -> dict[str, Any]:
        """Returns what, with `files`, makes this tokenizer again."""
        return {
            "tokenizer_type": self.tokenizer_type,
            "lowercase": self.lowercase,
            "strip_accents": self.strip_accents,
            "split_on_cjk": self.split_on_cjk,
            "special_in_text": self.special_in_text,
            "pad_id": self.pad_id,
            "unk_id": self.unk_id,
            "start_id": self.start_id,
            "end_id": self.end_id,
            "special_ids": [self._ids[piece] for piece in self._more_special],
        }

    def files(self) -> dict[str, bytes]:
        """Returns the files of this tokenizer: its pieces, one a line."""
        return {"vocabulary.txt": "".join(f"{piece}\n" for piece in self.pieces).encode()}

    def _encode(self, text):
        if self.strip_accents:
            text = remove_accents(text)
        ids = []
        for part in split_at(self._kept, text):
            if part in self._kept:
                ids.append(self._ids[part])
                continue
            for word in _words(self.split_on_cjk).findall(part):
                word_ids = self._cache.get(word)
                if word_ids is None:
                    word_ids = self._remember(word)
                ids.extend(word_ids)
        return ids

    def _remember(self, word):
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        ids = self._cache[word] = tuple(self._split(fold_case(word) if self.lowercase else word))
        return ids

    def _split(self, word):
        if len(word.encode()) > LONGEST_WORD:
            return [self.unk_id]
        ids, start = [], 0
        while start < len(word):
            prefix = SUFFIX if start else ""
            for end in range(len(word), start, -1):
                piece_id = self._ids.get(prefix + word[start:end])
                if piece_id is not None:
                    break
            else:
                return [self.unk_id]
            ids.append(piece_id)
            start = end
        return ids

    def _join(self, pieces):
        text = ""
        for piece in pieces:
            if text and piece.startswith(SUFFIX) and piece != SUFFIX:
                text += piece[len(SUFFIX) :]
            else:
                text += f" {piece}" if text else piece
        return text


def read_pieces(text: str) -> list[str]:
    """Returns the pieces of a vocabulary file, one a line, without white space at their ends.

    Example:
        >>> read_pieces("[PAD]\\nthe\\n")
        ['[PAD]', 'the']
    """
    lines = re.split("\r\n|\r|\n", text)
    if lines[-1] == "":
        lines.pop()
    return [line.rstrip() for line in lines]


def _number(pieces):
    check_pieces(pieces)
    ids = {}
    for number, piece in enumerate(pieces):
        if piece != piece.rstrip() or "\n" in piece or "\r" in piece:
            raise InputError(
                "A piece must have neither a line break nor white space at its end. Received: "
                f"piece {number}, {piece!r}."
            )
        if piece in ids:
            raise InputError(
                f"A piece stands twice. Received: piece {number}, {piece!r}, which is also piece "
                f"{ids[piece]}. Give each once."
            )
        ids[piece] = number
    return ids


@cache
def _words(split_on_cjk):
    alone = f"{_ASCII_PUNCTUATION}{character_class('P')}{CHINESE if split_on_cjk else ''}"
    skipped = f" {character_class('Cc', 'Cf')}"
    return re.compile(f"[{alone}]|[^{alone}{skipped}]+")
