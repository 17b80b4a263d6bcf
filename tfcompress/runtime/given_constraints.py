"""Checks the constraints that callers give."""

from collections.abc import Iterable, Sequence
from typing import Any

from tfcompress.errors import InputError
from tfcompress.runtime.constraints import Constraints
from tfcompress.runtime.ids import check_range, refuse_id, whole_numbers
from tfcompress.runtime.model import check_text
from tfcompress.runtime.translation_bundle import TranslationBundle
from tfcompress.text.characters import is_blank


def text_constraints(
    bundle: TranslationBundle, tokenizer: Any, prefix: str, words: Sequence[str]
) -> Constraints:
    """Returns constraints that are given as text.

    Args:
        bundle: The bundle.
        tokenizer: Its target tokenizer.
        prefix: What translations begin with.
        words: What they do not have.

    Raises:
        InputError: They are no texts or have a NUL, a word is blank, or the tokenizer lacks
            characters of the prefix.
    """
    _check_text("target_prefix", prefix)
    limit, unknown = bundle.target_vocabulary, tokenizer.unk_id()
    ids = tokenizer.encode(prefix)
    if any(id >= limit or id == unknown for id in ids):
        raise InputError(
            "`target_prefix` must have characters of the bundle's target tokenizer. Received: "
            f"{prefix!r:.60}. Spell it otherwise."
        )
    words = _listed(words, "words")
    for number, word in enumerate(words):
        _check_text(f"banned word {number}", word)
        if is_blank(word):
            raise _empty(number)
    return Constraints(ids, banned_words=words)


def id_constraints(
    bundle: TranslationBundle, prefix: Sequence[int], words: Sequence[Sequence[int]]
) -> Constraints:
    """Returns constraints that are given as ids.

    Args:
        bundle: The bundle.
        prefix: What translations begin with.
        words: What they do not have.

    Raises:
        InputError: They are no ids of text, or there are none in a word.
    """
    rows = [
        _target_ids(bundle, f"banned word {number}", row)
        for number, row in enumerate(_listed(words, "lists of ids"))
    ]
    if [] in rows:
        raise _empty(rows.index([]))
    return Constraints(_target_ids(bundle, "target_prefix", prefix), rows)


def _check_text(name, text):
    check_text(name, text)
    if "\0" in text:
        raise InputError(
            f"A prefix or banned word must have no NUL character. Received: one in {name}. Leave "
            "it out."
        )


def _listed(words, what):
    if isinstance(words, str | bytes) or not isinstance(words, Iterable):
        raise InputError(
            f"`banned_words` must be a list of {what}. Received: {type(words).__name__}."
        )
    return list(words)


def _empty(number):
    return InputError(
        f"A banned word must have text. Received: none in banned word {number}. Leave it out."
    )


def _target_ids(bundle, name, row):
    ids, special = whole_numbers(name, row), bundle.ids
    check_range(name, ids, bundle.target_vocabulary)
    refuse_id(name, ids, special.eos, "the end id")
    refuse_id(name, ids, special.bos, "the begin id")
    refuse_id(name, ids, special.pad, "padding")
    return ids
