"""Published folders all the way: the ids and vectors of the Keras model in both runtimes."""

import sys
from pathlib import Path

import numpy as np
import pytest
from flavours import one_flavour
from small_encoders import model_outputs

from tfcompress.export import convert
from tfcompress.models import from_safetensors
from tfcompress.runtime import TextModel
from tfcompress.text import encode_texts, load_text_tokenizer

sys.path += [str(Path(__file__).parents[1] / name) for name in ("models", "text")]
import published_folders
from published_tokenizers import BERT, added, sentencepiece_model, write
from text_vocabularies import WORDPIECES, byte_pairs

from tfcompress.text.published_definitions import wordpiece_definition

pytestmark = one_flavour

MAX_LENGTH = 24
SIZE = len(WORDPIECES)
TEXTS = [
    "The Quick Brown Fox",
    "Prix\u00a0: 25\u00a0€ par\u00a0personne",
    "Die Straße ist groß",
    "it[SEP]runs [MASK]</s> <mask> [pad]",
    "a new word, New Word and\u2009Größe\u3000",
    "i\u200bt\0 b\u00ade\ufeff",
    "日本中国 ½ ﬁne e\u0301té",
    "",
    "\u00a0\t",
    "run unaffable " * 20,
]


def _definition():
    more = [added("new word", SIZE, single_word=True), added("Größe", SIZE + 1)]
    definition = wordpiece_definition(WORDPIECES, BERT, {})
    return definition | {"added_tokens": [*definition["added_tokens"], *more]}


def _byte_pair_files():
    vocabulary, merges = byte_pairs()
    return {"vocab.json": vocabulary, "merges.txt": "\n".join(merges).encode()}


MODULES = [
    {"type": "x.Transformer", "path": ""},
    {"type": "x.Pooling", "path": "1_Pooling"},
    {"type": "x.Normalize", "path": "2_Normalize"},
]
SENTENCES = {
    "modules.json": MODULES,
    "1_Pooling/config.json": {"pooling_mode_mean_tokens": True},
    "sentence_bert_config.json": {"max_seq_length": MAX_LENGTH},
}
# By the kind of the model: its tokenizer and more files.
FILES = {
    "bert": lambda: {"tokenizer.json": _definition(), **SENTENCES},
    "roberta": _byte_pair_files,
    "albert": lambda: {
        "spiece.model": sentencepiece_model(),
        "added_tokens.json": {"new word": 151},
    },
}


@pytest.fixture(scope="module", params=FILES)
def published(request, built, tmp_path_factory):
    """The Keras model, its tokenizer and both runtimes."""
    folder = tmp_path_factory.mktemp(request.param)
    write(folder, FILES[request.param]())
    tokenizer = load_text_tokenizer(folder)
    # Some rows of the table are spare.
    rows = -(-tokenizer.vocabulary_size // 8) * 8
    positions = {"max_position_embeddings": MAX_LENGTH + 2}
    published_folders.write(folder, request.param, vocab_size=rows, **positions)
    encoder = from_safetensors(folder, max_length=MAX_LENGTH)
    convert(
        encoder, folder / "bundle", tokenizer=tokenizer, quantization="float32", samples=[[2, 3]]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
        with (
            TextModel(folder / "bundle") as native,
            TextModel(folder / "bundle", native=False) as python,
        ):
            assert (native.is_native, python.is_native) == (True, False)
            yield encoder, tokenizer, (native, python)


@pytest.mark.costly
def test_ids_and_vectors_are_those_of_the_keras_model(published):
    encoder, tokenizer, runtimes = published
    whole = encode_texts(tokenizer, TEXTS, max_length=1000)
    cut = encode_texts(tokenizer, TEXTS, max_length=MAX_LENGTH)
    whole, cut = ([row[:n].tolist() for row, n in zip(*rows)] for rows in (whole, cut))
    assert whole[-1] != cut[-1]
    expected = [model_outputs(encoder, ids) for ids in cut]
    for model in runtimes:
        assert model.tokenize(TEXTS) == whole
        for one, other in zip(model.encode(TEXTS, overlong="cut"), expected, strict=True):
            assert {*one} == {*other}
            for name, value in one.items():
                np.testing.assert_allclose(value, other[name], atol=2e-5, err_msg=name)
