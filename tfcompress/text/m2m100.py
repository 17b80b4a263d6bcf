"""The tokenizers of M2M100 and NLLB models: one SentencePiece model and the codes of languages."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tfcompress.errors import InputError
from tfcompress.text.affixes import with_affixes
from tfcompress.text.m2m100_languages import M2M100, NLLB
from tfcompress.text.marian import ordered_model, ordered_pieces, read_settings, special_tokens
from tfcompress.text.nllb_definitions import bpe_model
from tfcompress.text.tokenizer import Tokenizer, open_model

MODEL, VOCABULARY, DEFINITION = "sentencepiece.bpe.model", "vocab.json", "tokenizer.json"
_SETTINGS = "tokenizer_config.json"
# Begin and mask, which fairseq's vocabularies have beside padding, end and unknown.
_BEGIN, _MASK = "<s>", "<mask>"


class M2M100Tokenizers(NamedTuple):
    """The tokenizers of a translator from one language to another.

    Attributes:
        source: The tokenizer of its source, which puts the language's code before texts.
        target: The tokenizer of its target.
        source_code: The id of the source's language.
        target_code: The id of the target's language, with which translations begin.
    """

    source: Tokenizer
    target: Tokenizer
    source_code: int
    target_code: int


class _Vocabulary(NamedTuple):
    """What a folder says: the id of each piece, the piece of each language, and the model."""

    path: Path
    ids: dict[str, Any]
    codes: dict[str, str]
    model: Path
    proto: bytes | None = None


def m2m100_tokenizers(
    folder: str | os.PathLike,
    *,
    source_language: str,
    target_language: str,
    vocabulary_size: int | None = None,
    start_id: int | None = None,
) -> M2M100Tokenizers:
    """Reads the tokenizers of a folder of an M2M100 or NLLB model, for one pair of languages.

    The pieces of its SentencePiece model are put in the order of the model's ids, so that they are
    ordinary tokenizers that give these ids, in training and on the device. No text is split into
    codes and other special pieces. The space around a text does not count, as in SentencePiece.

    Args:
        folder: It has `sentencepiece.bpe.model` (NLLB: or `tokenizer.json`), of M2M100 also
            `vocab.json`, and perhaps `tokenizer_config.json`.
        source_language: The source's language, as the model calls it: "en" in M2M100, "eng_Latn"
            in NLLB.
        target_language: The target's language.
        vocabulary_size: The number of the model's ids; None for the vocabulary's.
        start_id: The id that begins targets; None for that of the end mark.

    Returns:
        The tokenizers and the codes of their languages. The source's puts its code before texts,
        or after them, before the end, where the folder's settings say `legacy_behaviour`; there
        the code has the end's id and the end the code's.

    Raises:
        InputError: A file is missing or damaged, a language is unknown, or the vocabulary does not
            match the model.

    Example:

    >>> tokenizers = tfc.text.m2m100_tokenizers(
    ...     "nllb-200-distilled-600M", source_language="eng_Latn", target_language="deu_Latn"
    ... )
    >>> tokenizers.source.encode(["A dog."])[0][0] == tokenizers.source_code
    True
    """
    folder = Path(folder)
    settings = read_settings(folder / _SETTINGS, _KIND) if (folder / _SETTINGS).is_file() else {}
    special = special_tokens(settings)
    is_m2m100 = (folder / VOCABULARY).is_file()
    read = _read_m2m100 if is_m2m100 else _read_nllb
    vocabulary = read(folder, settings, special)
    languages = {"source": source_language, "target": target_language}
    source_code, target_code = (
        _code(f"{side}_language", language, vocabulary) for side, language in languages.items()
    )
    pieces = ordered_pieces(vocabulary.path, vocabulary.ids, special, vocabulary_size or 0)
    # Ids for the size's sake, and those of pieces that are no text.
    names = [name or f"<unused {id}>" for id, name in enumerate(pieces)]
    unused = {name for name, piece in zip(names, pieces) if piece is None}
    proto = ordered_model(
        vocabulary.model,
        names,
        {**special, "bos": special["eos"] if start_id is None else names[start_id]},
        controls={*vocabulary.codes.values(), *unused, _BEGIN, _MASK} & {*names},
        proto=vocabulary.proto,
    )
    is_legacy = not is_m2m100 and bool(settings.get("legacy_behaviour", False))
    affixes = ([], [source_code]) if is_legacy else ([source_code], [])
    ids = (vocabulary.ids[code] for code in (source_code, target_code))
    return M2M100Tokenizers(Tokenizer(with_affixes(proto, *affixes)), Tokenizer(proto), *ids)


_KIND = "M2M100 or NLLB"


def _code(option, language, vocabulary) -> str:
    """The piece of a language."""
    codes = vocabulary.codes
    known = {name: piece for name, piece in codes.items() if piece in vocabulary.ids}
    for name in (language, str(language).strip("_")):
        if name in known:
            return known[name]
    if not known:
        raise InputError(
            "An M2M100 or NLLB model needs codes of languages in its vocabulary. Received: "
            f"{vocabulary.path} without any. Download the model again."
        )
    begun = [name for name in known if name.startswith(str(language)[:2].lower())]
    near = difflib.get_close_matches(str(language), known, n=3, cutoff=0.5) or begun[:3] or [*known]
    raise InputError(
        f"`{option}` must be one of the model's {len(known)} languages. Received: "
        f"{option}={language!r}. Give one, such as {', '.join(near[:3])}."
    )


def _read_m2m100(folder, settings, special) -> _Vocabulary:
    path = folder / VOCABULARY
    ids = read_settings(path, _KIND)
    name = settings.get("language_codes", "m2m100")
    if not isinstance(name, str) or name not in M2M100:
        raise InputError(
            f"`language_codes` must be one of {', '.join(M2M100)}. Received: {folder / _SETTINGS} "
            f"with language_codes={name!r}. Give another model."
        )
    codes = {language: f"__{language}__" for language in M2M100[name]}
    places = {code: len(ids) + place for place, code in enumerate(codes.values())}
    return _Vocabulary(path, ids | places, codes, folder / MODEL)


def _read_nllb(folder, settings, special) -> _Vocabulary:
    model = folder / MODEL
    path = folder / DEFINITION
    if path.is_file():
        definition = read_settings(path, _KIND)
        proto = None if model.is_file() else bpe_model(path, definition)
        ids, added = _defined_ids(path, definition)
        return _Vocabulary(path, ids, _languages(added, special), model, proto)
    _, _, processor = open_model(model)
    own = [processor.id_to_piece(id) for id in range(processor.get_piece_size())]
    first = [_BEGIN, special["pad"], special["eos"], special["unk"]]
    ids = {piece: id for id, piece in enumerate(dict.fromkeys([*first, *own]))}
    added = _added_ids(folder / _SETTINGS, settings)
    if not _languages(added, special):
        added = {piece: len(ids) + place for place, piece in enumerate([*NLLB, _MASK])}
    return _Vocabulary(model, ids | added, _languages(added, special), model)


def _defined_ids(path, definition):
    try:
        ids = {str(piece): id for piece, id in definition["model"]["vocab"].items()}
        added = {token["content"]: token["id"] for token in definition["added_tokens"]}
    except (LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"The file must hold a vocabulary and added tokens ({error!r}). Received: {path}. "
            "Download it again."
        ) from None
    return ids | added, added


def _added_ids(path, settings) -> dict[str, Any]:
    try:
        tokens = settings.get("added_tokens_decoder") or {}
        return {token["content"]: int(id) for id, token in tokens.items()}
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"`added_tokens_decoder` must hold tokens by their ids ({error!r}). Received: {path}. "
            "Download it again."
        ) from None


def _languages(added: Mapping[str, Any], special: Mapping[str, str]) -> dict[str, str]:
    """The added tokens that are codes of languages."""
    others = {*special.values(), _BEGIN, _MASK}
    return {piece: piece for piece in added if piece not in others}
