"""Tokenizers of text encoders: made from settings, folders and keras-nlp, and put to use."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.byte_pair import BytePairTokenizer, read_merges, read_vocabulary
from tfcompress.text.pieces import read_text
from tfcompress.text.tokenizer import SentencePieceTokenizer
from tfcompress.text.wordpiece import WordPieceTokenizer, read_pieces

TextTokenizer = WordPieceTokenizer | BytePairTokenizer | SentencePieceTokenizer

_OPTIONS = {
    "wordpiece": ("lowercase", "strip_accents", "split_on_cjk", "special_in_text"),
    "byte_pair": ("add_prefix_space", "special_in_text"),
    "sentencepiece": (),
}
_FILES = {
    "wordpiece": ("vocabulary.txt",),
    "byte_pair": ("vocabulary.json", "merges.txt"),
    "sentencepiece": ("tokenizer.model",),
}
_ROLES = ("pad", "unk", "start", "end")
_TOO_LONG = ("cut", "error")

# What holds a vocabulary: files of published models, and then of keras-nlp's presets.
_WORDPIECE_FILES = ("vocab.txt", "assets/tokenizer/vocabulary.txt")
_BYTE_PAIR_FILES = (
    ("vocab.json", "merges.txt"),
    ("assets/tokenizer/vocabulary.json", "assets/tokenizer/merges.txt"),
)
_SENTENCEPIECE_FILES = ("spiece.model", "assets/tokenizer/vocabulary.spm")
# The names of special pieces in published configurations.
_PUBLISHED = {"pad": "pad_token", "unk": "unk_token", "start": "cls_token", "end": "sep_token"}


def text_tokenizer(settings: Mapping[str, Any], files: Mapping[str, bytes]) -> TextTokenizer:
    """Makes a tokenizer again from what its `settings` and `files` returned.

    Args:
        settings: The settings, as JSON holds them.
        files: The contents of its files by name.

    Returns:
        A tokenizer with the same ids.

    Raises:
        InputError: A setting or file is missing or wrong.

    Example:
        >>> again = text_tokenizer(tokenizer.settings(), tokenizer.files())
    """
    if not isinstance(settings, Mapping):
        raise InputError(f"tokenizer settings {settings!r}; give what settings() returned")
    kind = settings.get("kind")
    if kind not in [*_OPTIONS]:
        raise InputError(f"tokenizer kind {kind!r}; choose one of {', '.join(_OPTIONS)}")
    needed = (*_OPTIONS[kind], *(f"{role}_id" for role in _ROLES), "special_ids")
    missing = [name for name in needed if name not in settings]
    missing += [name for name in _FILES[kind] if name not in files]
    if missing:
        raise InputError(
            f"the {kind} tokenizer lacks {', '.join(missing)}; give what settings() and files() "
            "returned"
        )
    contents = [files[name] for name in _FILES[kind]]
    options = {name: settings[name] for name in _OPTIONS[kind]}
    for name, value in options.items():
        if not isinstance(value, bool):
            raise InputError(f"tokenizer setting {name}={value!r}; give true or false")
    if not isinstance(settings["special_ids"], list | tuple):
        raise InputError(
            f"tokenizer setting special_ids={settings['special_ids']!r}; give a list of ids"
        )
    if kind == "sentencepiece":
        return _with_specials(SentencePieceTokenizer.piece_list(*contents), settings)(
            SentencePieceTokenizer, *contents
        )
    try:
        texts = [content.decode() for content in contents]
    except UnicodeDecodeError as error:
        raise InputError(
            f"a file of the {kind} tokenizer is not UTF-8 at byte {error.start}; copy it again"
        ) from None
    if kind == "wordpiece":
        pieces = read_pieces(texts[0])
        return _with_specials(pieces, settings)(WordPieceTokenizer, pieces, **options)
    vocabulary = read_vocabulary(texts[0])
    pieces = {number: piece for piece, number in vocabulary.items()}
    pieces = [pieces.get(number) for number in range(len(vocabulary))]
    return _with_specials(pieces, settings)(
        BytePairTokenizer, vocabulary, read_merges(texts[1]), **options
    )


def load_text_tokenizer(folder: str | os.PathLike) -> TextTokenizer:
    """Reads the tokenizer of a published model, or of a preset that keras-nlp saved.

    Args:
        folder: It has `vocab.txt` (WordPiece), `vocab.json` and `merges.txt` (byte pairs) or
            `spiece.model` (SentencePiece), and `tokenizer_config.json`; or `tokenizer.json` and
            `assets/tokenizer` of a preset.

    Returns:
        The tokenizer.

    Raises:
        InputError: A file is missing or cannot be used.

    Example:
        >>> tokenizer = load_text_tokenizer("all-MiniLM-L6-v2")
        >>> tokenizer.kind
        'wordpiece'
    """
    folder = Path(folder)
    config = _folder_config(folder)
    for name in _WORDPIECE_FILES:
        if (folder / name).is_file():
            return _load_wordpiece(folder / name, config)
    for names in _BYTE_PAIR_FILES:
        if all((folder / name).is_file() for name in names):
            return _load_byte_pair([folder / name for name in names], config)
    for name in _SENTENCEPIECE_FILES:
        if (folder / name).is_file():
            return SentencePieceTokenizer(folder / name, **_specials(config, _PUBLISHED))
    raise InputError(
        f"{folder} has no tokenizer; give a folder with vocab.txt, with vocab.json and merges.txt, "
        "or with spiece.model"
    )


def tokenizer_from_keras_nlp(tokenizer: Any) -> TextTokenizer:
    """Makes a tokenizer with the ids of one of keras-nlp.

    Args:
        tokenizer: A WordPiece, byte-pair or SentencePiece tokenizer of keras-nlp, as
            `BertTokenizer`, `RobertaTokenizer` or `AlbertTokenizer`.

    Returns:
        The tokenizer.

    Raises:
        InputError: It is another object, has no vocabulary or no special pieces, or has an option
            that this package does not know.

    Example:
        >>> bert = keras_nlp.tokenizers.BertTokenizer.from_preset("bert_tiny_en_uncased")
        >>> tokenizer = tokenizer_from_keras_nlp(bert)
    """
    names = {"pad": "pad_token", "start": "start_token", "end": "end_token"}
    special = {role: getattr(tokenizer, name, None) for role, name in names.items()}
    special = {role: piece for role, piece in special.items() if piece is not None}
    more = [getattr(tokenizer, "mask_token", None)]
    more = [piece for piece in more if piece is not None]
    kind = type(tokenizer).__name__
    if hasattr(tokenizer, "suffix_indicator"):
        _check_option(kind, "suffix_indicator", tokenizer.suffix_indicator, "##")
        _check_option(kind, "split", tokenizer.split, True)
        more += tokenizer.get_config().get("special_tokens") or []
        return WordPieceTokenizer(
            _vocabulary(tokenizer, "vocabulary"),
            lowercase=tokenizer.lowercase,
            strip_accents=tokenizer.strip_accents,
            split_on_cjk=tokenizer.split_on_cjk,
            special_in_text=tokenizer.special_tokens_in_strings,
            unk=tokenizer.oov_token,
            special=_without(special.values(), more),
            **special,
        )
    if hasattr(tokenizer, "merges"):
        vocabulary = _vocabulary(tokenizer, "vocabulary")
        more += tokenizer.unsplittable_tokens or []
        unk = "<unk>" if "<unk>" in vocabulary else None
        return BytePairTokenizer(
            vocabulary,
            tokenizer.merges,
            add_prefix_space=tokenizer.add_prefix_space,
            special_in_text=bool(tokenizer.unsplittable_tokens),
            unk=unk,
            special=_without([*special.values(), unk], more),
            **special,
        )
    if hasattr(tokenizer, "proto"):
        return SentencePieceTokenizer(_vocabulary(tokenizer, "proto"), **special)
    raise InputError(
        f"{kind} is no tokenizer that can be taken over; give a WordPiece, byte-pair or "
        "SentencePiece tokenizer of keras-nlp"
    )


def encode_texts(
    tokenizer: TextTokenizer,
    texts: Sequence[str],
    *,
    max_length: int,
    too_long: str = "cut",
) -> tuple[np.ndarray, np.ndarray]:
    """Tokenizes texts for a text encoder: the begin id, the pieces, the end id, padding.

    Args:
        tokenizer: The tokenizer.
        texts: Plain texts.
        max_length: The most ids of a text, begin and end included.
        too_long: What happens to longer texts: "cut" drops their last pieces, "error" refuses.

    Returns:
        `(ids, lengths)`: int32 ids `[texts, longest]`, and each text's int32 number of ids.

    Raises:
        InputError: An argument is wrong, or a text is too long and `too_long` is "error".

    Example:
        >>> ids, lengths = encode_texts(tokenizer, ["It runs", "It"], max_length=128)
        >>> ids
        array([[ 101, 2009, 3216,  102],
               [ 101, 2009,  102,    0]], dtype=int32)
    """
    if too_long not in _TOO_LONG:
        raise InputError(f"too_long={too_long!r}; choose one of {', '.join(_TOO_LONG)}")
    if not isinstance(max_length, int | np.integer) or max_length < 2:
        raise InputError(
            f"max_length={max_length!r} has no room for begin and end; give a whole number, at "
            "least 2"
        )
    rows = tokenizer.encode(texts)
    for number, row in enumerate(rows):
        if len(row) > max_length - 2 and too_long == "error":
            raise InputError(
                f"text {number} has {len(row) + 2} ids, begin and end included, but the limit is "
                f'{max_length}; shorten it, or pass too_long="cut"'
            )
    rows = [[tokenizer.start_id, *row[: max_length - 2], tokenizer.end_id] for row in rows]
    lengths = np.array([len(row) for row in rows], np.int32)
    ids = np.full((len(rows), lengths.max(initial=0)), tokenizer.pad_id, np.int32)
    for place, row in zip(ids, rows):
        place[: len(row)] = row
    return ids, lengths


def _with_specials(pieces, settings):
    """Returns a call of a constructor that passes the special pieces of settings' ids."""

    def piece(number):
        is_id = isinstance(number, int) and not isinstance(number, bool)
        if not is_id or not 0 <= number < len(pieces):
            raise InputError(
                f"the tokenizer's settings name the special id {number!r}, but its vocabulary has "
                f"{len(pieces)} pieces; give the files that belong to the settings"
            )
        return pieces[number]

    special = {role: settings[f"{role}_id"] for role in _ROLES}
    may_lack = settings["kind"] == "byte_pair"
    special = {
        role: None if number is None and role == "unk" and may_lack else piece(number)
        for role, number in special.items()
    }
    more = [piece(number) for number in settings["special_ids"]]
    if more:
        special["special"] = more
    return lambda make, *args, **options: make(*args, **options, **special)


def _folder_config(folder):
    """Returns a folder's settings under the names of published configurations."""
    for name in ("tokenizer_config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            continue
        try:
            config = json.loads(read_text(folder / name))
        except ValueError as error:
            raise InputError(f"{folder / name} is no JSON: {error}; copy it again") from None
        if not isinstance(config, dict):
            raise InputError(f"{folder / name} is no JSON object; copy it again")
        if name == "tokenizer_config.json":
            return config
        saved = config.get("config")
        if isinstance(saved, dict):
            renamed = {"do_lower_case": "lowercase", "unk_token": "oov_token"}
            found = {new: saved[old] for new, old in renamed.items() if old in saved}
            return {"strip_accents": False, "special_in_text": False} | saved | found
    return {}


def _specials(config, names):
    """Returns the special pieces that a configuration names, by what they are for."""
    found = {role: config.get(name) for role, name in names.items()}
    contents = {role: p["content"] if isinstance(p, dict) else p for role, p in found.items()}
    return {role: piece for role, piece in contents.items() if piece is not None}


def _load_wordpiece(path, config):
    special = _specials(config, _PUBLISHED)
    pieces = read_pieces(read_text(path))
    more = _specials(config, {"mask": "mask_token"}) or {"mask": "[MASK]"}
    return WordPieceTokenizer(
        pieces,
        lowercase=config.get("do_lower_case", True),
        strip_accents=config.get("strip_accents"),
        split_on_cjk=config.get("tokenize_chinese_chars", True),
        special_in_text=config.get("special_tokens_in_strings", False),
        special=[piece for piece in more.values() if piece in pieces],
        **special,
    )


def _load_byte_pair(paths, config):
    special = _specials(config, _PUBLISHED)
    more = _specials(config, {"mask": "mask_token"}) or {"mask": "<mask>"}
    vocabulary, merges = map(read_text, paths)
    vocabulary = read_vocabulary(vocabulary)
    if "unk" not in special and "<unk>" not in vocabulary:
        special["unk"] = None
    return BytePairTokenizer(
        vocabulary,
        read_merges(merges),
        add_prefix_space=config.get("add_prefix_space", False),
        special=[piece for piece in more.values() if piece in vocabulary],
        **special,
    )


def _vocabulary(tokenizer, name):
    found = getattr(tokenizer, name)
    if found is None:
        raise InputError(
            f"the {type(tokenizer).__name__} has no {name} yet; give one that was made with it"
        )
    return found


def _check_option(kind, name, value, known):
    if value != known:
        raise InputError(
            f"the {kind} has {name}={value!r}, which cannot be taken over; make it with "
            f"{name}={known!r}"
        )


def _without(known, pieces):
    return [piece for piece in dict.fromkeys(pieces) if piece not in [*known]]
