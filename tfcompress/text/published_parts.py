"""Which parts of a `tokenizer.json` are supported, in Python and in the native runtime."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tfcompress.errors import InputError

# What a part may be, with a check of its settings that says what is not supported, or None.
_Check = Callable[[Mapping[str, Any]], str | None]


def check_parts(definition: Mapping[str, Any]) -> None:
    """Makes sure that every part of a tokenizer is one that all runtimes have.

    Args:
        definition: The content of a `tokenizer.json`, with its parts as tokenizers 0.23 spells
            them.

    Raises:
        InputError: It has others; the message names them.

    Example:
        >>> check_parts(json.loads(Path("tokenizer.json").read_text()))
    """
    problems = [
        *_problems("normalizer", definition.get("normalizer"), "normalizers", _NORMALIZERS),
        *_problems("pre_tokenizer", definition.get("pre_tokenizer"), "pretokenizers", _SPLITTERS),
        *_problems("model", definition["model"], "", _MODELS),
    ]
    if problems:
        raise InputError(
            f"The tokenizer.json has unsupported parts. Received: {', '.join(problems)}. Give a "
            "model with a tokenizer as BERT's, RoBERTa's or ALBERT's."
        )


def _problems(place, part, inner, known) -> Iterator[str]:
    if part is None:
        return
    part_type = part["type"]
    if part_type == "Sequence" and inner:
        for one in part[inner]:
            yield from _problems(place, one, inner, known)
    elif part_type not in known:
        yield f"the {place} {part_type}"
    else:
        problem = known[part_type] and known[part_type](part)
        if problem:
            yield f"{problem} of the {place} {part_type}"


def _replaced(part):
    pattern = part["pattern"]
    if pattern == {"Regex": SPACES} or pattern.get("String"):
        return None
    return f"pattern {pattern}"


def _metaspace(part):
    if part["prepend_scheme"] == "first":
        return "prepend_scheme 'first'"
    return None


def _bpe(part):
    plain = {
        "dropout": (None, 0.0),
        "continuing_subword_prefix": (None, ""),
        "end_of_word_suffix": (None, ""),
        "byte_fallback": (None, False),
    }
    return _first_other(part, plain)


def _unigram(part):
    if part.get("unk_id") is None:
        return "unk_id None"
    return _first_other(part, {"byte_fallback": (None, False)})


def _first_other(part, plain):
    for name, values in plain.items():
        if part.get(name) not in values:
            return f"{name} {part[name]!r}"
    return None


# The only regular expression of a Replace: some spaces, of which one stays.
SPACES = " {2,}"
_NORMALIZERS: dict[str, _Check | None] = {
    "BertNormalizer": None,
    "Lowercase": None,
    "NFC": None,
    "NFD": None,
    "NFKC": None,
    "NFKD": None,
    "Nmt": None,
    "Precompiled": None,
    "Prepend": None,
    "Replace": _replaced,
    "Strip": None,
    "StripAccents": None,
}
_SPLITTERS: dict[str, _Check | None] = {
    "BertPreTokenizer": None,
    "ByteLevel": None,
    "Metaspace": _metaspace,
    "Whitespace": None,
    "WhitespaceSplit": None,
}
_MODELS: dict[str, _Check | None] = {"BPE": _bpe, "Unigram": _unigram, "WordPiece": None}
