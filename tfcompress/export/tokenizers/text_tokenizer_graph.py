"""The tokenizer of a text encoder as a LiteRT graph, for apps that have tensorflow-text."""

import sys
import tempfile

import flatbuffers
import numpy as np
import tensorflow as tf

from tfcompress.export.tokenizers.character_trie import build_trie
from tfcompress.export.tokenizers.tokenizer_graph import DIFFICULT_TEXTS, open_tokenizer_graph
from tfcompress.text import TextTokenizer, WordPieceTokenizer
from tfcompress.text.unicode import CHINESE, fold_case, has_category, remove_accents
from tfcompress.text.wordpiece import SUFFIX

_RANDOM_TEXTS, _LONGEST = 64, 24
_MORE_TEXTS = (
    "İstanbul\u2019s ＣＡＦÉ",
    "한국어 텍스트",
    "wait… what?! ½ 2²",
    "non\u00a0breaking\u2009spaces\u3000here",
    "so\u00adft hy\u2010phen",
    "x" * 101,
    "line\u2028break\x07bell",
)
# tensorflow-text's normalizer keeps for each character that changes: this bit, the place of the new
# text in a pool, and in the lowest bits its size.
_CHANGES, _SIZE_BITS = 1 << 30, 6
_PRIVATE = range(0xE000, 0xF900)


def make_text_tokenizer_graph(tokenizer: TextTokenizer) -> tuple[bytes | None, str | None]:
    """Converts a WordPiece tokenizer with tensorflow-text, and compares it with the original.

    The graph has the signature `tokenize`: it takes `text`, strings `[batch]`, and gives `ids` and
    `row_splits`, int32, of all texts together, without begin and end ids. It needs the custom
    operations of tensorflow-text, in Python `tensorflow_text.tflite_registrar.SELECT_TFTEXT_OPS`,
    and no Flex operation.

    Args:
        tokenizer: The tokenizer.

    Returns:
        The graph and None; or None and the reason, where there is no such graph or it gives other
        results. Characters are normalized one by one: where case is folded, characters that only
        together make one (jamo; with accents kept, letters and marks) stay apart.

    Example:
        >>> tokenizer = tfc.text.WordPieceTokenizer.load("vocab.txt")
        >>> graph, reason = make_text_tokenizer_graph(tokenizer)
    """
    if not isinstance(tokenizer, WordPieceTokenizer):
        return None, (
            f"tensorflow-text converts no {tokenizer.tokenizer_type} tokenizer of a text encoder "
            "to LiteRT"
        )
    if tokenizer.special_in_text or not tokenizer.split_on_cjk:
        return None, (
            "tensorflow-text's WordPiece always splits Chinese characters and never recognizes "
            "special pieces in texts, unlike this tokenizer"
        )
    try:
        graph = _convert(tokenizer)
    except (RuntimeError, ValueError) as error:
        return None, f"tensorflow-text takes no such vocabulary: {str(error).splitlines()[0]}"
    texts = _sample_texts(tokenizer)
    run = open_tokenizer_graph(graph).get_signature_runner("tokenize")
    results = run(text=np.array([text.encode() for text in texts]))
    rows = [row.tolist() for row in np.split(results["ids"], results["row_splits"][1:-1])]
    different = [text for text, row, ids in zip(texts, rows, tokenizer.encode(texts)) if row != ids]
    if different:
        return None, (
            f"tensorflow-text's graph tokenizes {len(different)} of {len(texts)} sample texts "
            f"unlike this tokenizer, as {different[0]!r}"
        )
    return graph, None


def _sample_texts(tokenizer):
    rng = np.random.default_rng(0)
    ids = [
        rng.integers(tokenizer.vocabulary_size, size=rng.integers(1, _LONGEST)).tolist()
        for _ in range(_RANDOM_TEXTS)
    ]
    return [*tokenizer.decode(ids), *DIFFICULT_TEXTS, *_MORE_TEXTS]


def _convert(tokenizer):
    import tensorflow_text as tf_text

    model, characters = _normalizer(tokenizer)
    pieces, ids = _respelled(tokenizer.pieces, characters)
    split = tf_text.FastWordpieceTokenizer(
        vocab=pieces, unknown_token=pieces[tokenizer.unk_id], token_out_type=tf.int32
    )
    normalizer = tf_text.FastBertNormalizer(model_buffer=model)

    def tokenize(text):
        tokens = split.tokenize(normalizer.normalize(text))
        return {"ids": tf.gather(ids, tokens.flat_values), "row_splits": tokens.row_splits}

    spec = tf.TensorSpec([None], tf.string, "text")
    traced = tf.function(tokenize, input_signature=[spec]).get_concrete_function()
    module = tf.Module()
    module.parts = [split, normalizer]
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(module, saved, {"tokenize": traced})
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=["tokenize"])
        converter.allow_custom_ops = True
        return converter.convert()


def _respelled(pieces, characters):
    """Adds pieces as they are within words; returns all, and which piece each stands for."""
    marks = [SUFFIX if piece.startswith(SUFFIX) else "" for piece in pieces]
    spelled = [mark + characters.spell(piece[len(mark) :]) for mark, piece in zip(marks, pieces)]
    ids = [number for number, piece in enumerate(pieces) if spelled[number] != piece]
    return [*pieces, *(spelled[number] for number in ids)], [*range(len(pieces)), *ids]


def _normalizer(tokenizer):
    """Returns a model of tensorflow-text's normalizer that does what this tokenizer does."""
    changes, zero = {}, 0
    pool, places = bytearray(), {}
    characters = _Characters(tokenizer)
    for code in range(sys.maxunicode + 1):
        if 0xD800 <= code < 0xE000:
            continue
        new = characters(chr(code))
        if new == chr(code):
            continue
        text = new.encode()
        if text not in places:
            places[text] = len(pool)
            pool += text
        value = _CHANGES | places[text] << _SIZE_BITS | len(text)
        if code:
            changes[chr(code)] = value
        else:
            zero = value
    return _serialize(build_trie(changes), zero, bytes(pool)), characters


class _Characters:
    """What each character becomes before tensorflow-text splits a text.

    Its WordPiece splits at Unicode's white space and punctuation, even where we keep such a
    character within a word, as the dots that case folding makes of an ellipsis. There it is
    replaced by one of a private area, which splits nothing, and so it is in further pieces.

    Attributes:
        substitutes: The characters that were replaced, and by what.
    """

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        used = set("".join(tokenizer.pieces))
        self._private = {chr(code) for code in _PRIVATE} - used
        self._unused = iter(sorted(self._private))
        self._unknown = next(self._unused)
        self._chinese = _chinese()
        self.substitutes = {}

    def __call__(self, character):
        if has_category(character, "Cc", "Cf"):
            return " "
        if character in self._private:
            return self._unknown
        text = remove_accents(character) if self._tokenizer.strip_accents else character
        is_alone = len(text) == 1 and self._is_alone(text)
        if text == " " or (is_alone and self._fold(text) == text):
            return text
        word = "".join(map(self._substitute, self._fold(text)))
        return f" {word} " if is_alone else word

    def spell(self, piece):
        """Returns a piece as it is within words of tensorflow-text."""
        return "".join(self.substitutes.get(character, character) for character in piece)

    def _fold(self, text):
        return fold_case(text) if self._tokenizer.lowercase else text

    def _substitute(self, character):
        if not self._is_alone(character) and not character.isspace():
            return character
        if character not in self.substitutes:
            self.substitutes[character] = next(self._unused)
        return self.substitutes[character]

    def _is_alone(self, character):
        is_ascii_mark = "!" <= character <= "~" and not character.isalnum()
        return is_ascii_mark or has_category(character, "P") or ord(character) in self._chinese


def _chinese():
    ranges = zip(CHINESE[::3], CHINESE[2::3])
    return {code for first, last in ranges for code in range(ord(first), ord(last) + 1)}


def _serialize(trie, zero, pool):
    """Writes the flatbuffer: a flag, the trie, the value of character 0, and the pool."""
    builder = flatbuffers.Builder(trie.nbytes + len(pool) + 1024)
    texts = builder.CreateByteVector(pool)
    units = builder.CreateNumpyVector(trie)
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(3, texts, 0)
    builder.PrependInt32Slot(2, zero, 0)
    builder.PrependUOffsetTRelativeSlot(1, units, 0)
    builder.PrependBoolSlot(0, True, False)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())
