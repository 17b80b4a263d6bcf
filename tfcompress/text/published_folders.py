"""Tokenizers from the folders that models of the BERT family are published in."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.text import published_definitions as definitions
from tfcompress.text.byte_pair import read_merges, read_vocabulary
from tfcompress.text.pieces import read_text
from tfcompress.text.published import FILE, PublishedTokenizer, json_object
from tfcompress.text.published_sentencepiece import PublishedSentencePieceTokenizer
from tfcompress.text.wordpiece import read_pieces

CONFIG, MODULES = "tokenizer_config.json", "modules.json"
# What sentence encoders ask for; the name may have that of the family.
_SENTENCE_CONFIG = "sentence_*_config.json"
_PROMPTS = "config_sentence_transformers.json"
_SPECIAL_TOKENS, _ADDED_TOKENS = "special_tokens_map.json", "added_tokens.json"
# The special pieces of a family, where a folder names none.
_BERT: dict[str, str] = dict(zip(definitions.ROLES, ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")))
_ROBERTA: dict[str, str] = dict(zip(definitions.ROLES, ("<pad>", "<unk>", "<s>", "</s>", "<mask>")))
_ALBERT = _BERT | {"pad_token": "<pad>", "unk_token": "<unk>"}
# What we call them.
_NAMES = {"pad": "pad_token", "unk": "unk_token", "start": "cls_token", "end": "sep_token"}
# What settings must be where they are given: there is nothing here that does otherwise.
_REQUIRED: dict[str, tuple[Any, ...]] = {
    "word_tokenizer_type": (None, "basic"),
    "subword_tokenizer_type": (None, "wordpiece"),
    "mecab_kwargs": (None,),
    "sudachi_kwargs": (None,),
    "jumanpp_kwargs": (None,),
    "never_split": (None, []),
    "do_basic_tokenize": (None, True),
    "split_special_tokens": (None, False),
    "remove_space": (None, True),
    "sp_model_kwargs": (None, {}),
    "truncation_side": (None, "right"),
}
# The settings of a configuration that change a part of a `tokenizer.json`, by that part's type.
_OVERRIDES = {
    "BertNormalizer": {
        "do_lower_case": "lowercase",
        "strip_accents": "strip_accents",
        "tokenize_chinese_chars": "handle_chinese_chars",
    },
    "ByteLevel": {"add_prefix_space": "add_prefix_space"},
}


def load_published_tokenizer(
    folder: Path,
) -> PublishedTokenizer | PublishedSentencePieceTokenizer | None:
    """Reads the tokenizer of a published model.

    Args:
        folder: It has `tokenizer.json`, or else `vocab.txt` (WordPiece), `vocab.json` and
            `merges.txt` (byte pairs) or `spiece.model` (SentencePiece); and, where they differ from
            the family's habits, settings in `tokenizer_config.json`, `special_tokens_map.json` and
            `added_tokens.json`.

    Returns:
        The tokenizer, or None where the folder has none of these.

    Raises:
        InputError: A file cannot be used, or a setting is not supported.

    Example:
        >>> load_published_tokenizer(Path("sentence-encoder")).tokenizer_type
        'published'
    """
    whole, folder = folder, transformer_folder(folder)
    tokenizer = _load(folder)
    if tokenizer:
        _check_prompt(whole / _PROMPTS)
    for path in sorted(folder.glob(_SENTENCE_CONFIG)):
        if tokenizer and read_object(path).get("do_lower_case") and not _folds_case(tokenizer):
            raise InputError(
                "do_lower_case is not supported beside a tokenizer that keeps case. Received: "
                f"{path}. Give a model whose tokenizer_config.json asks for lower case."
            )
    return tokenizer


def _load(folder):
    config = read_object(folder / _SPECIAL_TOKENS) | read_object(folder / CONFIG)
    definition = read_object(folder / FILE)
    if "model" in definition:
        _check_settings(folder, config, classes=None)
        try:
            return _from_definition(folder, config, definition)
        except (AttributeError, KeyError, TypeError) as error:
            raise InputError(
                f"The file cannot be used ({error!r}). Received: {folder / FILE}. Copy it again."
            ) from None
    for family in _FAMILIES:
        paths = [folder / name for name in family.files]
        if all(path.is_file() for path in paths):
            _check_settings(folder, config, family.classes)
            settings = {name: value for name, value in config.items() if value is not None}
            added = read_object(folder / _ADDED_TOKENS)
            try:
                return family.read(paths, family.special | settings, added)
            except InputError:
                raise
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"The tokenizer's settings cannot be used ({error!r}). Received: {folder}. "
                    "Copy them again."
                ) from None
    return None


def transformer_folder(folder: Path) -> Path:
    """Returns the part of a published folder that holds the Transformer and its tokenizer.

    Sentence encoders may keep it in a folder of its own, which their `modules.json` names.

    Example:
        >>> transformer_folder(Path("sentence-encoder"))
        PosixPath('sentence-encoder/0_Transformer')
    """
    path = folder / MODULES
    try:
        name = json.loads(read_text(path))[0]["path"] if path.is_file() else ""
        return folder / name
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise InputError(
            f"The file is no list of modules ({error!r}). Received: {path}. Download it again."
        ) from None


def read_object(path: Path) -> dict[str, Any]:
    """Returns the object in a JSON file, or an empty one where there is no such file.

    Raises:
        InputError: The file cannot be read, or holds something else.

    Example:
        >>> read_object(Path("tokenizer_config.json"))
        {'do_lower_case': True}
    """
    return json_object(read_text(path).encode(), f"{path}") if path.is_file() else {}


def _check_prompt(path):
    """Refuses a prompt that the publisher puts before every text."""
    config = read_object(path)
    name, prompts = config.get("default_prompt_name"), config.get("prompts")
    prompt = prompts.get(name) if isinstance(prompts, dict) else None
    if name is not None and prompt != "":
        raise InputError(
            f"A prompt before every text is not supported. Received: default_prompt_name {name!r}, "
            f"{prompt!r}, in {path}. Set it to null, and put the prompt before your texts yourself."
        )


def _folds_case(tokenizer):
    return tokenizer.encode(["ABC"]) == tokenizer.encode(["abc"])


def _check_settings(folder, config, classes):
    wrong = [
        f"{name} {config[name]!r}"
        for name, values in _REQUIRED.items()
        if config.get(name) not in values
    ]
    tokenizer_class = config.get("tokenizer_class")
    if classes is not None and tokenizer_class is not None:
        name = f"{tokenizer_class}".removesuffix("Fast").removesuffix("Tokenizer")
        if name not in classes:
            wrong.append(f"tokenizer_class {tokenizer_class!r} without {FILE}")
    if wrong:
        raise InputError(
            f"Some settings are not supported. Received: {folder / CONFIG} with "
            f"{', '.join(wrong)}. Give a model with BERT's, RoBERTa's or ALBERT's own tokenizer."
        )


def _from_definition(folder, config, definition):
    truncation = definition.get("truncation")
    if isinstance(truncation, dict) and truncation.get("direction", "Right") != "Right":
        raise InputError(
            f"Truncation at the {truncation['direction']} is not supported. Received: "
            f"{folder / FILE}. Give a model that reads the begin of long texts."
        )
    known = {token["content"] for token in definition.get("added_tokens") or ()}
    pad = (definition.get("padding") or {}).get("pad_token")
    config = ({"pad_token": pad} if pad in known else {}) | config

    def piece(role):
        """The piece of a role, or the usual one that the tokenizer has."""
        if config.get(role) is not None:
            return definitions.token_content(config[role])
        return _ROBERTA[role] if _ROBERTA[role] in known else _BERT[role]

    roles = {role: piece(name) for role, name in _NAMES.items()}
    return PublishedTokenizer(_overridden(definition, config), **roles)


def _overridden(definition, config):
    """A definition with the settings that a configuration gives anew, which then count."""
    merged = dict(definition)
    for place in ("normalizer", "pre_tokenizer"):
        part = merged.get(place)
        if not isinstance(part, dict):
            continue
        names = _OVERRIDES.get(f"{part.get('type')}", {})
        settings = {new: config[old] for old, new in names.items() if old in config}
        # To strip accents may depend on the case; nothing else can be left open.
        settings = {k: v for k, v in settings.items() if v is not None or k == "strip_accents"}
        merged[place] = part | settings
    return merged


def _from_wordpieces(paths, config, added):
    pieces = read_pieces(read_text(paths[0]))
    return _named(definitions.wordpiece_definition(pieces, config, added), config)


def _from_byte_pairs(paths, config, added):
    vocabulary, merges = map(read_text, paths)
    vocabulary, merges = read_vocabulary(vocabulary), read_merges(merges)
    return _named(definitions.byte_pair_definition(vocabulary, merges, config, added), config)


def _from_sentencepiece(paths, config, added):
    pieces = PublishedSentencePieceTokenizer.piece_list(paths[0].read_bytes())
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return PublishedSentencePieceTokenizer(
        paths[0],
        normalizer=definitions.albert_normalizer(config),
        added_tokens=definitions.added_tokens(vocabulary, config, added, mask_lstrip=True),
        **_roles(config),
    )


def _named(definition, config):
    return PublishedTokenizer(definition, **_roles(config))


def _roles(config):
    return {role: definitions.token_content(config[name]) for role, name in _NAMES.items()}


@dataclass(frozen=True)
class _Family:
    """A tokenizer that files older than `tokenizer.json` define.

    Attributes:
        files: Their names.
        classes: The classes that read them so, by what comes before `Tokenizer` in their names.
        special: The special pieces, where a folder names none.
        read: Makes the tokenizer of paths, settings and added tokens.
    """

    files: tuple[str, ...]
    classes: tuple[str, ...]
    special: dict[str, str]
    read: Callable


_FAMILIES = (
    _Family(
        ("vocab.txt",),
        ("Bert", "ConvBert", "DistilBert", "Electra", "MPNet", "MobileBert"),
        _BERT,
        _from_wordpieces,
    ),
    _Family(
        ("vocab.json", "merges.txt"), ("GPT2", "Longformer", "Roberta"), _ROBERTA, _from_byte_pairs
    ),
    _Family(("spiece.model",), ("Albert",), _ALBERT, _from_sentencepiece),
)
