"""The `tokenizer.json` that the older files of a published folder stand for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfcompress.errors import InputError

ROLES = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
_MORE = ("bos_token", "eos_token")
_LISTS = ("additional_special_tokens", "extra_special_tokens")
_TOKEN = {
    "single_word": False,
    "lstrip": False,
    "rstrip": False,
    "normalized": False,
    "special": True,
}


def wordpiece_definition(
    pieces: Sequence[str], config: Mapping[str, Any], added: Mapping[str, int]
) -> dict[str, Any]:
    """Returns the definition of BERT's tokenizer.

    Args:
        pieces: The pieces in the order of their ids; of equal ones, the last counts.
        config: Settings by their names in `tokenizer_config.json`, with all `ROLES`.
        added: The ids of pieces beside the vocabulary, as in `added_tokens.json`.

    Raises:
        InputError: A setting has a wrong type.

    Example:
        >>> special = dict(zip(ROLES, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
        >>> wordpiece_definition(["[UNK]", "a"], special, {})["model"]["vocab"]
        {'[UNK]': 0, 'a': 1}
    """
    vocabulary = {piece: number for number, piece in enumerate(pieces) if piece}
    suffix = config.get("wordpieces_prefix", "##")
    return _definition(
        vocabulary,
        config,
        added_tokens=added_tokens(vocabulary, config, added),
        normalizer={
            "type": "BertNormalizer",
            "clean_text": config.get("clean_text", True),
            "handle_chinese_chars": config.get("tokenize_chinese_chars", True),
            "strip_accents": config.get("strip_accents"),
            "lowercase": config.get("do_lower_case", True),
        },
        pre_tokenizer={"type": "BertPreTokenizer"},
        decoder={"type": "WordPiece", "prefix": suffix, "cleanup": True},
        model={
            "type": "WordPiece",
            "unk_token": token_content(config["unk_token"]),
            "continuing_subword_prefix": suffix,
            "max_input_chars_per_word": config.get("max_input_chars_per_word", 100),
        },
    )


def byte_pair_definition(
    vocabulary: Mapping[str, int],
    merges: Sequence[str],
    config: Mapping[str, Any],
    added: Mapping[str, int],
) -> dict[str, Any]:
    """Returns the definition of RoBERTa's tokenizer.

    Args:
        vocabulary: The id of every piece.
        merges: Pairs of pieces, with a space between them.
        config: As for `wordpiece_definition`.
        added: As for `wordpiece_definition`.

    Raises:
        InputError: A setting has a wrong type.

    Example:
        >>> special = dict(zip(ROLES, ["<pad>", "<unk>", "<s>", "</s>", "<mask>"]))
        >>> byte_pair_definition({"a": 0}, [], special, {})["pre_tokenizer"]["type"]
        'ByteLevel'
    """
    bytes_as_letters = {
        "type": "ByteLevel",
        "add_prefix_space": config.get("add_prefix_space", False),
        "trim_offsets": True,
        "use_regex": True,
    }
    return _definition(
        vocabulary,
        config,
        added_tokens=added_tokens(vocabulary, config, added, mask_lstrip=True),
        normalizer=None,
        pre_tokenizer=bytes_as_letters,
        decoder=bytes_as_letters,
        model={
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "merges": [*merges],
        },
    )


def albert_normalizer(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the normalizer that comes before ALBERT's SentencePiece model.

    Args:
        config: Settings by their names in `tokenizer_config.json`.

    Example:
        >>> len(albert_normalizer({"keep_accents": True})["normalizers"])
        3
    """
    quotes = ({"type": "Replace", "pattern": {"String": q}, "content": '"'} for q in ("``", "''"))
    parts = [*quotes]
    if not config.get("keep_accents", False):
        parts += [{"type": "NFKD"}, {"type": "StripAccents"}]
    if config.get("do_lower_case", True):
        parts.append({"type": "Lowercase"})
    return {"type": "Sequence", "normalizers": parts}


def added_tokens(
    vocabulary: Mapping[str, int],
    config: Mapping[str, Any],
    added: Mapping[str, int],
    *,
    mask_lstrip: bool = False,
) -> list[dict[str, Any]]:
    """Returns the tokens that are recognized where a text spells them out.

    Args:
        vocabulary: The id of every piece.
        config: As for `wordpiece_definition`.
        added: As for `wordpiece_definition`.
        mask_lstrip: Whether the mask takes the white space before it, where its settings are not
            given.

    Returns:
        The tokens as a `tokenizer.json` has them, by their ids.

    Raises:
        InputError: A setting has a wrong type.

    Example:
        >>> [token["content"] for token in added_tokens({"[CLS]": 0}, {"cls_token": "[CLS]"}, {})]
        ['[CLS]']
    """
    special = dict(_special(config, mask_lstrip))
    tokens: dict[str, dict[str, Any]] = {}
    for number, token in (config.get("added_tokens_decoder") or {}).items():
        content = token_content(token)
        plain = {"special": False, "normalized": content not in special}
        tokens[content] = _TOKEN | plain | token | {"id": int(number)}
    for content, number in added.items():
        plain = {"special": content in special, "normalized": content not in special}
        tokens.setdefault(content, _TOKEN | plain | {"id": number, "content": content})
    next_id = 1 + max(
        [*vocabulary.values(), *(token["id"] for token in tokens.values())], default=0
    )
    for content, token in special.items():
        if content in tokens:
            tokens[content]["special"] = True
        elif content in vocabulary:
            tokens[content] = token | {"id": vocabulary[content]}
        elif content in _listed(config):
            tokens[content] = token | {"id": next_id}
            next_id += 1
    return sorted(tokens.values(), key=lambda token: token["id"])


def token_content(token: Any) -> str:
    """Returns the piece of a special token, which settings give as a text or with attributes.

    Raises:
        InputError: It is neither.

    Example:
        >>> token_content({"content": "[MASK]", "lstrip": True})
        '[MASK]'
    """
    content = token.get("content") if isinstance(token, Mapping) else token
    if not isinstance(content, str) or not content:
        raise InputError(
            f"A special token is a text, or an object with its `content`. Received: {token!r}. "
            "Give one of these."
        )
    return content


def _definition(vocabulary, config, *, model, **parts):
    around = [token_content(config[name]) for name in ("sep_token", "cls_token")]
    processor = None
    if all(piece in vocabulary for piece in around):
        sep, cls = ([piece, vocabulary[piece]] for piece in around)
        processor = {"type": "BertProcessing", "sep": sep, "cls": cls}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        **parts,
        "post_processor": processor,
        "model": {**model, "vocab": {**vocabulary}},
    }


def _special(config, mask_lstrip) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in (*ROLES, *_MORE):
        value = config.get(name)
        if value is not None:
            content = token_content(value)
            more = value if isinstance(value, Mapping) else {}
            lstrip = {"lstrip": mask_lstrip and name == "mask_token"}
            yield (
                content,
                _TOKEN
                | lstrip
                | {k: more[k] for k in _TOKEN if k in more}
                | {
                    "content": content,
                    "special": True,
                },
            )
    for content in _listed(config):
        yield content, _TOKEN | {"content": content}


def _listed(config):
    tokens = []
    for name in _LISTS:
        value = config.get(name) or ()
        tokens += map(token_content, value.values() if isinstance(value, Mapping) else value)
    return tokens
