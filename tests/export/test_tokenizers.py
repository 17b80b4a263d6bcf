import numpy as np
import pytest
from export_harness import make_transformer
from flavours import one_flavour

from tfcompress.errors import InputError
from tfcompress.export import ExportOptions, convert
from tfcompress.export.tokenizers.tokenizer_files import check_tokenizers, write_tokenizers
from tfcompress.export.tokenizers.tokenizer_graph import make_tokenizer_graph, open_tokenizer_graph
from tfcompress.models import Seq2SeqConfig
from tfcompress.runtime import Translator
from tfcompress.text import train_tokenizer

SENTENCES = [
    f"{subject} {verb} {thing} ."
    for subject in ("a man", "two dogs", "die alte frau", "drei größere kinder")
    for verb in ("sees", "looks at", "sieht", "spielt mit")
    for thing in ("a red ball", "the old house", "einem roten ball", "dem alten haus")
]
SIZE = 44


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizers")
    sizes = {"unigram": SIZE, "bpe": 150, "other": 40}
    return {
        name: train_tokenizer(
            SENTENCES,
            vocabulary_size=size,
            path=folder / name,
            model_type="bpe" if name == "bpe" else "unigram",
        )
        for name, size in sizes.items()
    }


def config(source=SIZE, target=SIZE, **changes):
    return Seq2SeqConfig(source, target_vocabulary_size=target, hidden_dim=16, **changes)


def test_unigram_graph_is_sentencepiece(tokenizers):
    tokenizer = tokenizers["unigram"]
    graph, reason = make_tokenizer_graph(tokenizer)
    assert reason is None
    interpreter = open_tokenizer_graph(graph)
    texts = [*SENTENCES, "Unbekannte ßache 日本", ""]
    actual = interpreter.get_signature_runner("tokenize")(
        text=np.array([t.encode() for t in texts])
    )
    rows = [row.tolist() for row in np.split(actual["ids"], actual["row_splits"][1:-1])]
    assert rows == tokenizer.encode(texts)
    detokenize = interpreter.get_signature_runner("detokenize")
    for row in rows[:-1]:
        text = detokenize(ids=np.array([*row, tokenizer.eos_id], np.int32))["text"]
        assert [text[0].decode()] == tokenizer.decode([row])


def test_bpe_graph_is_refused(tokenizers):
    graph, reason = make_tokenizer_graph(tokenizers["bpe"])
    assert graph is None
    assert "unlike SentencePiece; it is exact for unigram models only" in reason


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_one_tokenizer_for_both_sides(tokenizers, tmp_path):
    tokenizer = tokenizers["unigram"]
    both = {"source": tokenizer, "target": tokenizer}
    entries = write_tokenizers(both, tmp_path, with_graphs=True)
    assert files(tmp_path) == ["tokenizer.model", "tokenizer.tflite"]
    assert entries["tokenizers"] == {"source": "tokenizer.model", "target": "tokenizer.model"}
    graph = "tokenizer.tflite"
    assert entries["tokenizer_graphs"] == {"source": graph, "target": graph}
    assert (tmp_path / "tokenizer.model").read_bytes() == tokenizer.proto


def test_two_tokenizers(tokenizers, tmp_path):
    both = {"source": tokenizers["unigram"], "target": tokenizers["bpe"]}
    entries = write_tokenizers(both, tmp_path)
    assert files(tmp_path) == ["source.model", "target.model"]
    assert entries["tokenizers"] == {"source": "source.model", "target": "target.model"}
    assert entries["tokenizer_graphs"] == {"source": None, "target": None}
    with_graphs = tmp_path / "with_graphs"
    with_graphs.mkdir()
    with pytest.raises(InputError, match=r"`tokenizer_graph` needs another tokenizer.*unigram"):
        write_tokenizers(both, with_graphs, with_graphs=True)


@one_flavour
def test_bundle_with_tokenizers_translates_text(tokenizers, tmp_path):
    tokenizer = tokenizers["unigram"]
    options = ExportOptions(source_tokenizer=tokenizer, target_tokenizer=tokenizer)
    transformer = make_transformer(depth=1, vocabulary=SIZE, max_source_length=40)
    manifest = convert(transformer, tmp_path / "bundle", options, samples=SENTENCES[:3])
    assert manifest["parity"]["samples"] == 3
    assert [*manifest["files"]] == ["model.tflite", "tokenizer.model"]
    with Translator(tmp_path / "bundle") as translator:
        (text,) = translator.translate(SENTENCES[:1])
        (ids,) = translator.translate_ids(tokenizer.encode(SENTENCES[:1]))
    assert [text] == tokenizer.decode([ids])


@pytest.mark.parametrize(
    ("side", "name", "changes", "message"),
    [
        ("source", "other", {}, "`source_tokenizer` must be .*40 pieces for a vocabulary of 44"),
        ("target", "other", {}, "`target_tokenizer` must be .*40 pieces for a vocabulary of 44"),
        (
            "target",
            "unigram",
            {"bos_id": 2, "eos_id": 1},
            "`target_tokenizer` must .*'bos_id': 1.* instead of .*'bos_id': 2",
        ),
    ],
)
def test_wrong_tokenizers(tokenizers, side, name, changes, message):
    both = {"source": None, "target": None, side: tokenizers[name]}
    with pytest.raises(InputError, match=message):
        check_tokenizers(both, config(**changes))
    check_tokenizers({"source": tokenizers["unigram"], "target": None}, config())
