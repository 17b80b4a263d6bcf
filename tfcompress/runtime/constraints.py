"""What translations must begin with, and what they must not have; the native runtime has the same.

A banned word is looked for in the text that the tokens make, so that no segmentation of it passes.
It stands there between the text's ends, spaces, punctuation or characters of scripts without
spaces; the token that would complete it is never taken, even where more letters might follow.
"""

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tfcompress.errors import InputError
from tfcompress.text.characters import is_mark, is_unspaced
from tfcompress.text.unicode import character_class

Forbids = Callable[[int], bool]
# The longest character in UTF-8.
_CHARACTER = 4


@dataclass(frozen=True)
class Constraints:
    """What a search must heed.

    Attributes:
        target_prefix: Ids that every hypothesis begins with.
        banned_ids: Sequences of ids that no hypothesis has.
        banned_words: Words that the text of no hypothesis has.
    """

    target_prefix: Sequence[int] = ()
    banned_ids: Sequence[Sequence[int]] = ()
    banned_words: Sequence[str] = ()


NO_CONSTRAINTS = Constraints()


class Bans:
    """The tokens that may not follow what a hypothesis has.

    Args:
        constraints: What is banned.
        surfaces: The bytes of text of each token; needed for words.
        normalize: Returns a word as a target tokenizer spells it, or None where it cannot.
    """

    def __init__(
        self,
        constraints: Constraints,
        surfaces: Sequence[bytes] = (),
        normalize: Callable[[str], str | None] = str,
    ):
        self._sequences = [tuple(ids) for ids in constraints.banned_ids]
        spelled = map(normalize, constraints.banned_words)
        self._words = [_Word(word) for word in spelled if word]
        self._surfaces = surfaces
        longest = max((len(word.text) for word in self._words), default=0)
        self._tail = longest + _CHARACTER

    def after(self, ids: Sequence[int]) -> Forbids:
        """Returns whether each token is forbidden after some ids.

        Args:
            ids: A hypothesis so far.
        """
        ids = tuple(ids)
        last = {
            sequence[-1]
            for sequence in self._sequences
            if len(sequence) <= len(ids) + 1
            and ids[len(ids) + 1 - len(sequence) :] == sequence[:-1]
        }
        if not self._words:
            return last.__contains__
        before = b""
        for token in reversed(ids):
            if len(before) >= self._tail:
                break
            before = self._surface(token) + before

        def forbids(token):
            piece = self._surface(token)
            text = before + piece
            return token in last or (
                piece != b"" and any(word.is_completed(text, len(before)) for word in self._words)
            )

        return forbids

    def check_prefix(self, prefix: Sequence[int]) -> None:
        """Makes sure that what hypotheses begin with is not banned.

        Args:
            prefix: The ids.

        Raises:
            InputError: It is.
        """
        for count, token in enumerate(prefix):
            if self.after(prefix[:count])(token):
                raise InputError(
                    "`target_prefix` must have none of `banned_words`. Received: one at token "
                    f"{count}. Change one of them."
                )

    def _surface(self, token):
        # A model's vocabulary may be padded beyond the tokenizer's.
        return self._surfaces[token] if token < len(self._surfaces) else b""


def checked_bans(constraints: Constraints, surfaces: "Callable[[], Surfaces]") -> Bans | None:
    """Returns what is banned, or None where nothing is.

    Args:
        constraints: What translations heed.
        surfaces: Makes the texts of the target tokenizer's pieces; called for words only.

    Raises:
        InputError: What translations begin with has something banned.
    """
    if not constraints.banned_ids and not constraints.banned_words:
        return None
    if constraints.banned_words:
        known = surfaces()
        bans = Bans(constraints, known.texts, known.spell)
    else:
        bans = Bans(constraints)
    bans.check_prefix(constraints.target_prefix)
    return bans


class _Word:
    """A banned word."""

    def __init__(self, word):
        self.text = word.encode()
        self._first, self._last = word[0], word[-1]

    def is_completed(self, text, known):
        """Returns whether the word ends in a text behind the bytes that are known."""
        begin = max(0, known + 1 - len(self.text))
        while (begin := text.find(self.text, begin)) >= 0:
            end = begin + len(self.text)
            before = text[max(0, begin - _CHARACTER) : begin].decode(errors="replace")[-1:]
            after = text[end : end + _CHARACTER].decode(errors="replace")[:1]
            if not _is_joined(before, self._first) and not _is_joined(self._last, after):
                return True
            begin += 1
        return False


def _is_joined(one, other):
    """Returns whether two characters, of which there may be none, stand within one word."""
    return all(c and not is_unspaced(c) and _is_of_word(c) for c in (one, other))


@functools.lru_cache(maxsize=1 << 14)
def _is_of_word(character):
    return is_mark(character) or re.match(f"[{character_class('L', 'N')}]", character) is not None


class Surfaces:
    """The text of each piece of a SentencePiece model.

    Args:
        processor: The model.
        vocabulary: How many ids the bundle's model has; pieces beyond are unknown.

    Attributes:
        texts: The bytes of each, its space included.
    """

    def __init__(self, processor: Any, vocabulary: int):
        self._processor = processor
        self._count = min(processor.get_piece_size(), vocabulary)
        self.texts = [self._text(id) for id in range(self._count)]

    def spell(self, word: str) -> str | None:
        """Returns a word as it stands in translations, or None where they cannot have it."""
        ids = self._processor.encode(word)
        is_known = all(id < self._count and not self._processor.is_unknown(id) for id in ids)
        return self._processor.decode(ids) if is_known else None

    def _text(self, id):
        piece = self._processor.id_to_piece(id)
        if self._processor.is_byte(id):
            return bytes([int(piece[1:-1], 16)])
        if self._processor.is_control(id):
            return b""
        return b" " if self._processor.is_unknown(id) else piece.replace("\u2581", " ").encode()


def check_room(prefix: Sequence[int], limit: int) -> None:
    """Makes sure that what a translation begins with fits.

    Args:
        prefix: Its ids.
        limit: Most tokens of the translation, the end id included.

    Raises:
        InputError: It does not.
    """
    if len(prefix) >= limit:
        raise InputError(
            f"`target_prefix` must leave room for the end mark. Received: {len(prefix)} tokens, "
            f"limit={limit}. Shorten it."
        )
