"""What is wrong with single examples of a corpus."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tfcompress.errors import InputError
from tfcompress.schema import type_problems
from tfcompress.text.characters import is_blank

# Faults in the order in which an example is blamed for one of them.
FAULTS = {
    "encoding": "not UTF-8",
    "columns": "not the columns of the file",
    "control": "holds NUL or another control character, or U+FFFD, or half a surrogate pair",
    "empty": "a side is blank",
    "too_long": "a side has too many words or characters",
    "ratio": "one side is too long for the other",
    "script": "a side is in another script than its language",
    "copied": "source and target are the same",
    "label": "the same text has another label above",
    "duplicate": "stands above already",
    "in_test": "a training text that stands in validation or test",
}
# Scripts that one language mixes.
_ALIASES = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "KATAKANA-HIRAGANA": "CJK", "BOPOMOFO": "CJK"}
# Beginnings of names that are no scripts.
_ALIASES |= dict.fromkeys(("FULLWIDTH", "HALFWIDTH", "MODIFIER", "MATHEMATICAL"), "")
_FEW_LETTERS = 5
_FEW_WORDS = 4
# Characters by which short sides may differ whatever the ratio is.
_SLACK = 15


@dataclass(frozen=True, kw_only=True)
class CorpusRules:
    """What counts as a fault.

    Attributes:
        max_words: The most words between spaces that a side may have.
        max_characters: The most characters of a side.
        max_ratio: The most that one side may be longer than the other, in characters, after the
            median of the corpus is taken out. Sides that differ by up to 15 characters are fine.
        scripts: Whether a side must be in the script that most of its letters are in.

    Raises:
        InputError: If a limit is impossible, or of the wrong type.
    """

    max_words: int = 200
    max_characters: int = 2000
    max_ratio: float = 3.0
    scripts: bool = True

    def __post_init__(self):
        if problems := type_problems(self):
            raise InputError(f"The rules must be of other types. Received: {'; '.join(problems)}.")
        for name in ("max_words", "max_characters"):
            if getattr(self, name) < 1:
                raise InputError(f"`{name}` must be at least 1. Received: {getattr(self, name)}.")
        if not self.max_ratio >= 1:
            raise InputError(f"`max_ratio` must be at least 1. Received: {self.max_ratio}.")


@dataclass(frozen=True)
class Sides:
    """What the sides of a corpus are like.

    Attributes:
        scripts: The script of each side, "" where it has no letters.
        factor: The median of the second side's length by the first one's.
    """

    scripts: tuple[str, ...]
    factor: float = 1.0


# What no split may have; the others count in training only, since a test set is what it is.
BROKEN = ("encoding", "columns", "control", "empty")


def text_fault(text: str, rules: CorpusRules) -> str | None:
    """Returns what is wrong with a text by itself, one of `FAULTS`, or None.

    Args:
        text: The text.
        rules: What counts.

    Example:

    >>> text_fault("a\\0b", CorpusRules())
    'control'
    """
    # A tab separates columns; in plain files it is white space.
    if any(c == "\ufffd" or (c != "\t" and unicodedata.category(c) in ("Cc", "Cs")) for c in text):
        return "control"
    if is_blank(text):
        return "empty"
    if len(text) > rules.max_characters or len(text.split()) > rules.max_words:
        return "too_long"
    return None


def example_fault(texts: tuple[str, ...], sides: Sides, rules: CorpusRules) -> str | None:
    """Returns what is wrong with an example, but for repetitions, or None.

    Args:
        texts: A text, or a source and its translation.
        sides: What the corpus is like.
        rules: What counts.

    Example:

    >>> example_fault(("Guten Tag", "Добрый день"), Sides(("LATIN", "LATIN")), CorpusRules())
    'script'
    """
    faults = {fault for text in texts if (fault := text_fault(text, rules))}
    if not faults:
        faults = set(_relations(texts, sides, rules))
    return next((fault for fault in FAULTS if fault in faults), None)


def _relations(texts, sides, rules) -> Iterator[str]:
    if rules.scripts:
        for text, expected in zip(texts, sides.scripts):
            letters = scripts(text)
            known = expected and sum(letters.values()) >= _FEW_LETTERS
            if known and letters.most_common(1)[0][0] != expected:
                yield "script"
    if len(texts) == 2:
        lengths = len(texts[0]) * sides.factor, len(texts[1])
        shorter, longer = sorted(lengths)
        if longer > rules.max_ratio * shorter and longer - shorter > _SLACK:
            yield "ratio"
        words = texts[0].split()
        worded = [word for word in words if any(map(str.isalpha, word))]
        if words == texts[1].split() and len(worded) >= _FEW_WORDS:
            yield "copied"


def scripts(text: str) -> Counter[str]:
    """Counts the letters of a text by script.

    Args:
        text: The text.

    Example:

    >>> scripts("да, ok")
    Counter({'CYRILLIC': 2, 'LATIN': 2})
    """
    counts = Counter(map(_script, text))
    counts.pop("", None)
    return counts


@lru_cache(maxsize=20_000)
def _script(character):
    if not character.isalpha():
        return ""
    first = unicodedata.name(character, "").split(" ")[0]
    return _ALIASES.get(first, first)
