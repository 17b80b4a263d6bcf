"""Small vocabularies and texts on which tokenizers are known to differ."""

# ruff: noqa: RUF001, SIM905
import io
import itertools
import string

import sentencepiece
from hypothesis import strategies as st

WORDS = "the it un run runs be lie va naive cafe strasse".split()
ENDINGS = "##ning ##able ##lie ##va ##ff".split()
LETTERS = [*string.ascii_letters, *string.digits, *"äéßöüаяб日本中국한가"]
MARKS = [*string.punctuation, "…", "’", "«", "。", "½", "²"]
WORDPIECES = [
    *["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    *WORDS,
    *ENDINGS,
    *LETTERS,
    *[f"##{letter}" for letter in LETTERS],
    *MARKS,
]

DIFFICULT = [
    "",
    " ",
    "  two  spaces ",
    "\ttab and\nline\r\n",
    "Ünïcödé, naïve Straße CAFÉ",
    "e\u0301 u\u0308\u0323 decomposed",
    "İstanbul ıI ǅ ŉ",
    "ﬁ ligature, ①②, ﾊﾝｶｸ ½ H₂O",
    "日本語 and русский 한국어 \u1112\u1161\u11ab",
    "emoji 😀! 👩‍👩‍👧",
    "\u200bzero\u00ad width\ufeff \u2060",
    "non\u00a0breaking\u2009space\u3000here\u2028line\x85next",
    "control\x00\x01\x1b char \x1c\x1d\x1e\x1f",
    "1,234.5 % -- (a) [b] 'c' \"d\" $5 a+b <x> `^~|",
    "it's I'LL we've they're don't 'd",
    " 12345 1234abc ٣٤٥ Ⅷ",
    "wait… what?! «so» ’",
    "x" * 100,
    "x" * 101,
    "é" * 51,
    "a [MASK] b[CLS]x [UNK] <mask></s><s> <pad>",
    "豈 \U0002f800 ⼀",
    "\U0010ffff \ufffd \ue000",
    "unaffable unbelievable running",
]

_odd = (
    "\u0301\u0308\u0327\u0345\u20dd\u05b0 \t\n\u00a0\u2028'’-[]<>#$+=~"
    "ßẞİıſKÅﬁ½²…가각\u1100\u1161\u11a8"
)
_known = [*DIFFICULT, *WORDS, *LETTERS, *_odd, "[MASK]", "<s>", " the", "  "]
any_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cn"]), max_size=40)
likely_text = st.lists(
    st.sampled_from([*DIFFICULT, *WORDS, *LETTERS, *_odd, "[MASK]", "<s>", " the", "  "])
    | any_text,
    max_size=12,
).map("".join)


def byte_pairs():
    """A vocabulary and merges for byte pairs, with long merges of letters, digits and spaces."""
    from tfcompress.text.byte_pair import byte_letters

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    merges = []
    for word in ["Ġthe", "Ġrun", "ning", "able", "Ġ1234", "123", "ĠĠĠĠ", "Ã©", "Ã¤", "'s", "ĊĊ"]:
        for size in range(1, len(word)):
            merges.append(f"{word[:size]} {word[size]}")
    merges += ["Ġrun ning", "r un", "u n", "n un", "un un"]
    merges = [*dict.fromkeys(merges)]
    made = ["".join(merge.split()) for merge in merges]
    parts = itertools.chain.from_iterable(merge.split() for merge in merges)
    pieces = dict.fromkeys([*special, *byte_letters(), *made, *parts])
    return {piece: number for number, piece in enumerate(pieces)}, merges


def albert_sentencepiece(lines, vocabulary_size, normalization="nmt_nfkc"):
    """A SentencePiece model with ALBERT's special ids, trained on some lines."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=vocabulary_size,
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        normalization_rule_name=normalization,
        pad_id=0,
        unk_id=1,
        bos_id=2,
        eos_id=3,
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        user_defined_symbols=["[MASK]"],
    )
    return model.getvalue()
