"""Tokenizers of text encoders: made from settings, folders and keras-nlp, and put to use."""

import os
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.digests import digest
from tfcompress.errors import InputError
from tfcompress.text.byte_pair import BytePairTokenizer, read_merges, read_vocabulary
from tfcompress.text.pieces import read_text
from tfcompress.text.published import FILE, PublishedTokenizer
from tfcompress.text.published_folders import load_published_tokenizer, read_object
from tfcompress.text.published_sentencepiece import PublishedSentencePieceTokenizer
from tfcompress.text.tokenizer import SentencePieceTokenizer
from tfcompress.text.wordpiece import WordPieceTokenizer, read_pieces

TextTokenizer = PublishedTokenizer | WordPieceTokenizer | BytePairTokenizer | SentencePieceTokenizer

_CLASSES = {
    tokenizer.tokenizer_type: tokenizer
    for tokenizer in (
        WordPieceTokenizer,
        BytePairTokenizer,
        SentencePieceTokenizer,
        PublishedTokenizer,
        PublishedSentencePieceTokenizer,
    )
}
# Those that need the package tokenizers.
PUBLISHED_TYPES = (
    PublishedTokenizer.tokenizer_type,
    PublishedSentencePieceTokenizer.tokenizer_type,
)
# Published tables are padded to a multiple of at most this many rows, or to another such size.
_SPARE_ROWS = 128
# Texts that are tokenized at a time.
_CHUNK = 1 << 14
_TOO_LONG = ("cut", "error")

# Where presets of keras-nlp have their vocabularies.
_ASSETS = "assets/tokenizer"


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
        >>> tokenizer = load_text_tokenizer("sentence-encoder")
        >>> again = text_tokenizer(tokenizer.settings(), tokenizer.files())
    """
    if not isinstance(settings, Mapping):
        raise InputError(
            f"Tokenizer settings are a mapping. Received: {settings!r}. Give what settings() "
            "returned."
        )
    tokenizer_type = settings.get("tokenizer_type")
    if tokenizer_type not in [*_CLASSES]:
        raise InputError(
            f"`tokenizer_type` must be one of {', '.join(_CLASSES)}. Received: {tokenizer_type!r}."
        )
    return _CLASSES[tokenizer_type].from_settings(settings, files)


def load_text_tokenizer(folder: str | os.PathLike) -> TextTokenizer:
    """Reads the tokenizer of a published model, or of a preset that keras-nlp saved.

    A published model's ids are its publisher's, by the rules of the package tokenizers; a preset's
    are keras-nlp's.

    Args:
        folder: It has `tokenizer.json`, or else `vocab.txt` (WordPiece), `vocab.json` and
            `merges.txt` (byte pairs) or `spiece.model` (SentencePiece), with or without
            `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json`; or it is a
            preset of keras-nlp, with `assets/tokenizer`.

    Returns:
        The tokenizer.

    Raises:
        InputError: A file is missing or cannot be used, or a setting is not supported.

    Example:
        >>> tokenizer = load_text_tokenizer("sentence-encoder")
        >>> tokenizer.tokenizer_type
        'published'
    """
    folder = Path(folder)
    tokenizer = load_published_tokenizer(folder) or _load_preset(folder)
    if tokenizer is None:
        raise InputError(
            f"The folder has no tokenizer. Received: {folder}. Give one with tokenizer.json, with "
            "vocab.txt, with vocab.json and merges.txt, or with spiece.model."
        )
    return tokenizer


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
        >>> bert = keras_nlp.tokenizers.BertTokenizer("vocab.txt", lowercase=True)
        >>> tokenizer_from_keras_nlp(bert).encode(["It runs"])
        [[5, 6]]
    """
    names = {"pad": "pad_token", "start": "start_token", "end": "end_token"}
    special = {role: getattr(tokenizer, name, None) for role, name in names.items()}
    special = {role: piece for role, piece in special.items() if piece is not None}
    more = [getattr(tokenizer, "mask_token", None)]
    more = [piece for piece in more if piece is not None]
    class_name = type(tokenizer).__name__
    if hasattr(tokenizer, "suffix_indicator"):
        _check_option(class_name, "suffix_indicator", tokenizer.suffix_indicator, "##")
        _check_option(class_name, "split", tokenizer.split, True)
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
        "Only a WordPiece, byte-pair or SentencePiece tokenizer of keras-nlp can be taken over. "
        f"Received: {class_name}. Give one of these."
    )


def fits_table(vocabulary_size: int, rows: int) -> bool:
    """Returns whether a table may be that of a tokenizer: its last rows may have no piece.

    Args:
        vocabulary_size: The tokenizer's.
        rows: How many rows the model's table has.

    Example:
        >>> fits_table(30522, rows=30528)  # padded to a multiple of 8
        True
    """
    return 0 <= rows - vocabulary_size < _SPARE_ROWS


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
        >>> tokenizer = load_text_tokenizer("sentence-encoder")
        >>> ids, lengths = encode_texts(tokenizer, ["It runs", "It"], max_length=128)
        >>> ids
        array([[2, 5, 6, 3],
               [2, 5, 3, 0]], dtype=int32)
    """
    if too_long not in _TOO_LONG:
        raise InputError(
            f"`too_long` must be one of {', '.join(_TOO_LONG)}. Received: {too_long!r}."
        )
    check_max_length(max_length)
    rows = tokenizer.encode(texts)
    for number, row in enumerate(rows):
        if len(row) > max_length - 2 and too_long == "error":
            raise InputError(
                f"A text is longer than {max_length} ids, begin and end included. Received: text "
                f"{number} with {len(row) + 2} ids. Shorten it, or pass too_long='cut'."
            )
    rows = [[tokenizer.start_id, *row[: max_length - 2], tokenizer.end_id] for row in rows]
    lengths = np.array([len(row) for row in rows], np.int32)
    ids = np.full((len(rows), lengths.max(initial=0)), tokenizer.pad_id, np.int32)
    for place, row in zip(ids, rows):
        place[: len(row)] = row
    return ids, lengths


def encode_ragged(tokenizer: TextTokenizer, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Tokenizes texts for a text encoder, whatever their lengths.

    Args:
        tokenizer: The tokenizer.
        texts: Plain texts.

    Returns:
        `(ids, row_splits)`: all ids in one int32 array, and row splits such that text `i`, begin
        and end included, is `ids[row_splits[i]:row_splits[i + 1]]`.

    Example:
        >>> tokenizer = load_text_tokenizer("sentence-encoder")
        >>> encode_ragged(tokenizer, ["It runs", "It"])
        (array([2, 5, 6, 3, 2, 5, 3], dtype=int32), array([0, 4, 7]))
    """
    parts, lengths = [np.zeros(0, np.int32)], [np.zeros(1, np.int64)]
    for first in range(0, len(texts), _CHUNK):
        rows = tokenizer.encode(texts[first : first + _CHUNK])
        rows = [[tokenizer.start_id, *row, tokenizer.end_id] for row in rows]
        lengths.append(np.fromiter(map(len, rows), np.int64, len(rows)))
        parts.append(np.fromiter(chain.from_iterable(rows), np.int32, int(lengths[-1].sum())))
    return np.concatenate(parts), np.cumsum(np.concatenate(lengths))


def tokenizer_digest(tokenizer: TextTokenizer) -> str:
    """Returns 16 hexadecimal digits that change when a tokenizer may give other ids.

    Args:
        tokenizer: The tokenizer.

    Example:
        >>> len(tokenizer_digest(load_text_tokenizer("sentence-encoder")))
        16
    """
    files = {name: content.hex() for name, content in tokenizer.files().items()}
    return digest([tokenizer.settings(), files])


def check_max_length(max_length: int) -> None:
    """Makes sure that a text of at most so many ids has room for begin and end.

    Raises:
        InputError: It has not.
    """
    if not isinstance(max_length, int | np.integer) or max_length < 2:
        raise InputError(
            f"`max_length` has no room for begin and end. Received: {max_length!r}. Give a whole "
            "number, at least 2."
        )


def _load_preset(folder):
    """The tokenizer of a preset that keras-nlp saved, or None."""
    assets = folder / _ASSETS
    config = read_object(folder / FILE).get("config")
    config = config if isinstance(config, dict) else {}
    if (assets / "vocabulary.txt").is_file():
        pieces = read_pieces(read_text(assets / "vocabulary.txt"))
        return WordPieceTokenizer(
            pieces,
            lowercase=config.get("lowercase", True),
            strip_accents=config.get("strip_accents", False),
            split_on_cjk=config.get("split_on_cjk", True),
            special_in_text=config.get("special_tokens_in_strings", False),
            special=[piece for piece in ["[MASK]"] if piece in pieces],
            **({"unk": config["oov_token"]} if config.get("oov_token") else {}),
        )
    names = ("vocabulary.json", "merges.txt")
    if all((assets / name).is_file() for name in names):
        vocabulary, merges = (read_text(assets / name) for name in names)
        vocabulary = read_vocabulary(vocabulary)
        return BytePairTokenizer(
            vocabulary,
            read_merges(merges),
            add_prefix_space=config.get("add_prefix_space", False),
            unk="<unk>" if "<unk>" in vocabulary else None,
            special=[piece for piece in ["<mask>"] if piece in vocabulary],
        )
    if (assets / "vocabulary.spm").is_file():
        return SentencePieceTokenizer(assets / "vocabulary.spm")
    return None


def _vocabulary(tokenizer, name):
    option = getattr(tokenizer, name)
    if option is None:
        raise InputError(
            f"The tokenizer has no {name} yet. Received: {type(tokenizer).__name__}. Give one "
            "that was made with it."
        )
    return option


def _check_option(class_name, name, value, known):
    if value != known:
        raise InputError(
            f"A tokenizer with this option cannot be taken over. Received: {class_name} with "
            f"{name}={value!r}. Make it with {name}={known!r}."
        )


def _without(known, pieces):
    return [piece for piece in dict.fromkeys(pieces) if piece not in [*known]]
