"""Folders and definitions of published tokenizers, small ones of every kind."""

import base64
import functools
import itertools
import json

import sentencepiece
from text_vocabularies import WORDPIECES, albert_sentencepiece, byte_pairs

from tfcompress.text import PublishedTokenizer
from tfcompress.text.published_definitions import ROLES, byte_pair_definition, wordpiece_definition

BERT = dict(zip(ROLES, ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")))
ROBERTA = dict(zip(ROLES, ("<pad>", "<unk>", "<s>", "</s>", "<mask>")))
# What a user may type, and what is found in texts in spite of odd surroundings.
TOKENS = ("[SEP]", "[MASK]", "[UNK]", "<mask>", "<s>", "</s>", "new word", "Größe", "tok", "“q”")


def write(folder, files):
    """Writes the files of a folder: bytes, or what becomes JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder


@functools.cache
def every_character():
    """A vocabulary that spells every word, so that no difference hides behind an unknown word."""
    # Of characters that are alike to tokenizers a few will do.
    common = (range(0x1400), range(0x1E00, 0x3100), range(0xFB00, 0x10000), range(0x1F000, 0x1F700))
    codes = [*itertools.chain(*common), *range(0x3100, 0xD800, 97), *range(0x10000, 0x20000, 97)]
    characters = [chr(code) for code in codes]
    printed = [c for c in characters if c.strip() and c.isprintable()]
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *printed, *(f"##{c}" for c in printed)]


@functools.cache
def sentencepiece_model(normalization="nmt_nfkc"):
    """A SentencePiece model with ALBERT's special ids."""
    lines = [f"the man {word.lower()} runs, été" for word in WORDPIECES]
    return albert_sentencepiece(lines, 150, normalization)


def charsmap(model):
    """The compiled normalization of a SentencePiece model: field 2 of its normalizer."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    return base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()


def added(content, number, **attributes):
    """An added token as a `tokenizer.json` has it."""
    return {
        "id": number,
        "content": content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": True,
        "special": False,
    } | attributes


def unigram_definition(**parts):
    """A definition as XLM-R's and ALBERT's, with scores that are no round numbers."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=sentencepiece_model())
    pieces = [processor.id_to_piece(number) for number in range(processor.get_piece_size())]
    known = {*pieces}
    more = [c for c in every_character() if len(c) == 1 and c not in known and ord(c) % 3]
    vocabulary = [[piece, processor.get_score(number)] for number, piece in enumerate(pieces)]
    vocabulary += [[piece, -11.0 - number / 7e3] for number, piece in enumerate(more)]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            added(piece, pieces.index(piece), special=True, normalized=False)
            for piece in ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
        ],
        "normalizer": {
            "type": "Precompiled",
            "precompiled_charsmap": charsmap(sentencepiece_model()),
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace()],
        },
        "post_processor": None,
        "decoder": metaspace(),
        "model": {"type": "Unigram", "unk_id": 1, "vocab": vocabulary, "byte_fallback": False},
    } | parts


def metaspace(scheme="always"):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": True}


def _sequence(*normalizers):
    return {"type": "Sequence", "normalizers": [*normalizers]}


def _replace(old, new):
    return {"type": "Replace", "pattern": old, "content": new}


def _albert():
    quotes = (_replace({"String": quote}, '"') for quote in ("``", "''"))
    forms = ({"type": kind} for kind in ("NFKD", "StripAccents", "Lowercase"))
    last = {"type": "Precompiled", "precompiled_charsmap": charsmap(sentencepiece_model())}
    return unigram_definition(normalizer=_sequence(*quotes, *forms, last))


def _trained_unigram():
    spaces = _replace({"Regex": " {2,}"}, " ")
    normalizer = _sequence({"type": "Nmt"}, {"type": "NFKC"}, spaces)
    return unigram_definition(normalizer=normalizer, pre_tokenizer=metaspace("never"))


def _word_pairs():
    """Byte pairs' merges on characters, with unknown ones fused, after composing normalizers."""
    definition = byte_pair_definition(*byte_pairs(), ROBERTA, {})
    normalizer = _sequence(
        {"type": "NFC"},
        {"type": "Strip", "strip_left": True, "strip_right": True},
        {"type": "Prepend", "prepend": "Ġ"},
    )
    model = definition["model"] | {"unk_token": "<unk>", "fuse_unk": True, "ignore_merges": True}
    parts = {"normalizer": normalizer, "pre_tokenizer": {"type": "Whitespace"}, "decoder": None}
    return definition | parts | {"model": model}


def _wordpieces(vocabulary=WORDPIECES, *more, **config):
    definition = wordpiece_definition(vocabulary, BERT | config, {})
    definition["added_tokens"] += more
    return definition


def _decorated():
    size = len(WORDPIECES)
    return _wordpieces(
        WORDPIECES,
        added("new word", size, single_word=True),
        added("Größe", size + 1),
        added("tok", size + 2, lstrip=True, rstrip=True, normalized=False),
        added("“q”", size + 3, normalized=False, special=True, rstrip=True),
    )


DEFINITIONS = {
    "bert": lambda: _wordpieces(),
    "cased": lambda: _wordpieces(do_lower_case=False),
    "accents": lambda: _wordpieces(every_character(), strip_accents=False),
    "without-accents": lambda: _wordpieces(
        every_character(), do_lower_case=False, strip_accents=True, tokenize_chinese_chars=False
    ),
    "characters": lambda: _wordpieces(every_character()),
    "unclean": lambda: _wordpieces(every_character(), clean_text=False),
    "added": _decorated,
    "roberta": lambda: byte_pair_definition(*byte_pairs(), ROBERTA, {}),
    "roberta-prefix": lambda: byte_pair_definition(
        *byte_pairs(), ROBERTA | {"add_prefix_space": True}, {}
    ),
    "word-pairs": _word_pairs,
    "xlm-roberta": unigram_definition,
    "albert": _albert,
    "unigram": _trained_unigram,
}


@functools.cache
def published(name):
    """One of the tokenizers."""
    definition = DEFINITIONS[name]()
    pieces = {token["content"] for token in definition["added_tokens"]}
    roles = {"pad": ("[PAD]", "<pad>"), "start": ("[CLS]", "<s>"), "end": ("[SEP]", "</s>")}
    special = {
        role: next(name for name in names if name in pieces) for role, names in roles.items()
    }
    return PublishedTokenizer(definition, **special)
