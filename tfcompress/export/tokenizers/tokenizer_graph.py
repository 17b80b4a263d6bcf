"""The tokenizer as a LiteRT graph, for apps that have tensorflow-text's operations."""

import tempfile

import numpy as np
import tensorflow as tf

from tfcompress.text import Tokenizer

_RANDOM_TEXTS, _LONGEST = 64, 24
# What normalizers, piece markers and byte handling are known to stumble over.
DIFFICULT_TEXTS = (
    "",
    " ",
    "  two  spaces ",
    "\ttab and\nline",
    "Ünïcödé, naïve Straße",
    "e\u0301 decomposed",
    "ﬁ ligature, ①②, ﾊﾝｶｸ",
    "日本語 and русский",
    "emoji 😀!",
    "\u2581 marker",
    "\u200bzero width\ufeff",
    "1,234.5 % -- (a) [b] 'c' \"d\"",
)


def make_tokenizer_graph(tokenizer: Tokenizer) -> tuple[bytes | None, str | None]:
    """Converts a tokenizer with tensorflow-text, and compares it with SentencePiece.

    The graph has two signatures. `tokenize` takes `text`, strings `[batch]`, and gives `ids` and
    `row_splits`, int32, of all sentences together. `detokenize` takes the `ids` of one sentence
    and gives its `text` `[1]` (LiteRT's kernel crashes on more than one). It needs
    tensorflow-text's custom operations, in Python
    `tensorflow_text.tflite_registrar.SELECT_TFTEXT_OPS`.

    Args:
        tokenizer: The tokenizer.

    Returns:
        The graph and None; or None and the reason, where the graph gives other results:
        tensorflow-text's converter knows unigram models only, and nothing around texts.

    Example:

    >>> graph, reason = make_tokenizer_graph(tokenizer)
    """
    if not tokenizer.affixes.is_empty:
        return None, "tensorflow-text's graph puts no code of a language around a text"
    try:
        graph = _convert(tokenizer)
    except RuntimeError as error:
        return None, f"tensorflow-text takes no such model: {str(error).splitlines()[0]}"
    texts = sample_texts(tokenizer)
    expected = tokenizer.encode(texts)
    interpreter = open_tokenizer_graph(graph)
    wrong = sum(a != b for a, b in zip(_tokenize(interpreter, texts), expected))
    if wrong:
        return None, _reason("tokenizes", wrong, texts)
    wrong = sum(
        a != b for a, b in zip(_detokenize(interpreter, expected), tokenizer.decode(expected))
    )
    if wrong:
        return None, _reason("detokenizes", wrong, texts)
    return graph, None


def open_tokenizer_graph(graph: bytes):
    """Returns a LiteRT interpreter for a tokenizer's graph."""
    import tensorflow_text as tf_text
    from ai_edge_litert.interpreter import InterpreterWithCustomOps

    return InterpreterWithCustomOps(
        custom_op_registerers=tf_text.tflite_registrar.SELECT_TFTEXT_OPS, model_content=graph
    )


def sample_texts(tokenizer: Tokenizer) -> list[str]:
    """Returns texts of random pieces, and difficult ones."""
    rng = np.random.default_rng(0)
    ids = [
        rng.integers(tokenizer.vocabulary_size, size=rng.integers(1, _LONGEST)).tolist()
        for _ in range(_RANDOM_TEXTS)
    ]
    return [*tokenizer.decode(ids), *DIFFICULT_TEXTS]


def _convert(tokenizer):
    import tensorflow_text as tf_text

    fast = tf_text.FastSentencepieceTokenizer(tokenizer.proto)

    def tokenize(text):
        tokens = fast.tokenize(text)
        return {"ids": tokens.flat_values, "row_splits": tokens.row_splits}

    def detokenize(ids):
        row_splits = tf.stack([0, tf.size(ids)])
        rows = tf.RaggedTensor.from_row_splits(ids, row_splits, validate=False)
        return {"text": fast.detokenize(rows)}

    signatures = {
        tokenize: tf.TensorSpec([None], tf.string, "text"),
        detokenize: tf.TensorSpec([None], tf.int32, "ids"),
    }
    traced = {
        function.__name__: tf.function(function, input_signature=[spec]).get_concrete_function()
        for function, spec in signatures.items()
    }
    module = tf.Module()
    module.tokenizer = fast
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(module, saved, traced)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=[*traced])
        converter.allow_custom_ops = True
        return converter.convert()


def _tokenize(interpreter, texts):
    run = interpreter.get_signature_runner("tokenize")
    result = run(text=np.array([text.encode() for text in texts]))
    rows = np.split(result["ids"], result["row_splits"][1:-1])
    return [row.tolist() for row in rows]


def _detokenize(interpreter, ids):
    run = interpreter.get_signature_runner("detokenize")
    return [run(ids=np.array(row, np.int32))["text"][0].decode() if row else "" for row in ids]


def _reason(verb, wrong, texts):
    return (
        f"tensorflow-text's graph {verb} {wrong} of {len(texts)} sample texts unlike "
        "SentencePiece; it is exact for unigram models only"
    )
