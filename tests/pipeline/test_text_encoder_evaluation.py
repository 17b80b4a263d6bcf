"""Scores of text encoders' bundles, from Python and from the command line."""

import gzip
import json

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given
from hypothesis import strategies as st
from runtime.small_encoders import LABELS, make_encoder, make_tokenizer, texts

from tfcompress.commands import main
from tfcompress.errors import InputError, InputWarning
from tfcompress.export import convert
from tfcompress.pipeline import evaluate_text_encoder
from tfcompress.pipeline.text_encoder_evaluation import classification_metrics, similarity_metrics
from tfcompress.runtime import TextModel

pytestmark = one_flavour


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    for head in ("classification", "token_classification", "embedding"):
        convert(make_encoder(head), folder / head, tokenizer=make_tokenizer(), samples=[[2, 3]])
    return folder


def write(path, rows):
    text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.slow
def test_accuracy(bundles, tmp_path):
    batch = texts(10)
    with TextModel(bundles / "classification") as model:
        found = [one.label for one in model.classify(batch)]
    right = found[:7]
    wrong = [LABELS[(LABELS.index(label) + 1) % 3] for label in found[7:]]
    rows = list(zip(batch, [*right, *wrong]))
    figures = evaluate_text_encoder(bundles / "classification", write(tmp_path / "a.tsv", rows))
    assert figures["examples"] == 10
    assert figures["accuracy"] == 0.7
    assert figures["labels"] == [LABELS.index(label) for label in found]
    low, high = figures["interval"]
    assert 0.39 < low < 0.4
    assert 0.89 < high < 0.9
    numbers = [("sentence", "label"), *((text, LABELS.index(label)) for text, label in rows)]
    again = evaluate_text_encoder(bundles / "classification", write(tmp_path / "b.tsv.gz", numbers))
    assert again == figures


def test_texts_that_are_cut_are_counted(bundles, tmp_path):
    rows = [("two dogs " * 30, "play", 1), ("play", "two dogs", 2), ("dogs " * 22, "dogs", 3)]
    with pytest.warns(InputWarning, match="1 of 3 examples are cut, as they have more"):
        figures = evaluate_text_encoder(bundles / "embedding", write(tmp_path / "a.tsv", rows))
    assert figures["overlong"] == [1]


def test_spearman(bundles, tmp_path):
    a, b = texts(6), texts(6, seed=1)
    with TextModel(bundles / "embedding") as model:
        cosines = np.sum(model.embed(a) * model.embed(b), axis=1)
    rows = list(zip(a, b, np.round(5 * cosines, 4)))
    figures = evaluate_text_encoder(bundles / "embedding", write(tmp_path / "a.tsv", rows))
    assert figures["spearman"] == pytest.approx(1)
    assert figures["mean_cosine"] == pytest.approx(cosines.mean(), abs=1e-5)
    rows = [(one, other, -score) for one, other, score in rows]
    figures = evaluate_text_encoder(bundles / "embedding", write(tmp_path / "b.tsv", rows))
    assert figures["spearman"] == pytest.approx(-1)


@pytest.mark.parametrize(
    ("head", "text", "message"),
    [
        ("classification", "", "a.tsv. Give text<TAB>label lines"),
        ("classification", "text\tlabel\n", "a.tsv. Give text<TAB>label lines"),
        ("classification", "a\t0\nb\n", "a.tsv, line 2 with 1. Give text<TAB>label"),
        ("classification", "a\tb\t0\n", "a.tsv, line 1 with 3. Give text<TAB>label"),
        ("classification", "a\t0\nb\t3\n", "0 to 2, or one of bad, good.*'3' in .*, line 2"),
        ("classification", "a\t0\nb\tfine\n", "must be 0 to 2.*Received: 'fine' in .*, line 2"),
        ("classification", "a\t0\n\n", "a.tsv, line 2 with 1. Give text<TAB>label"),
        ("embedding", "a\tb\n", "line 1 with 2. Give text<TAB>text<TAB>score"),
        ("embedding", "a\tb\tmuch\n", "must be a number. Received: 'much' in .*, line 1"),
        ("embedding", "a\tb\tnan\n", "must be a number. Received: 'nan' in .*, line 1"),
        ("token_classification", "a\t0\n", "needs a head for .*with one for token_classification"),
    ],
)
def test_wrong_files(bundles, tmp_path, head, text, message):
    (tmp_path / "a.tsv").write_text(text)
    with pytest.raises(InputError, match=message) as error:
        evaluate_text_encoder(bundles / head, tmp_path / "a.tsv")
    assert "\n" not in str(error.value)


def test_a_missing_file(bundles, tmp_path):
    with pytest.raises(InputError, match="No such file"):
        evaluate_text_encoder(bundles / "embedding", tmp_path / "none.tsv")


def test_f1():
    found, expected = [1, 1, 0, 0, 1], [1, 0, 0, 1, 1]
    figures = classification_metrics(found, expected, 2)
    assert figures["f1"] == pytest.approx(2 / 3)
    assert "macro_f1" not in figures
    figures = classification_metrics(found, expected, 3)
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert "f1" not in figures


@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=1, max_size=12))
def test_ranks(pairs):
    """Spearman's correlation is Pearson's of the mean ranks."""
    a, b = (np.array(values, float) for values in zip(*pairs))

    def ranks(x):
        return [np.sum(x < value) + (np.sum(x == value) - 1) / 2 for value in x]

    spearman = similarity_metrics(a, b)["spearman"]
    if len({*a}) == 1 or len({*b}) == 1:
        assert spearman == 0
    else:
        assert spearman == pytest.approx(np.corrcoef(ranks(a), ranks(b))[0, 1])


def test_the_commands(bundles, tmp_path, capsys):
    data = str(write(tmp_path / "a.tsv", [(text, 1) for text in texts(4)]))
    bundle = str(bundles / "classification")
    assert main(["evaluate", bundle, "--data", data, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    provenance = {"created", "command", "machine", "versions"}
    assert {*figures} == {"examples", "accuracy", "interval", "macro_f1", "overlong"} | provenance
    assert main(["evaluate", bundle, "--data", data]) == 0
    assert "accuracy" in capsys.readouterr().out
    (tmp_path / "texts").write_text("\n".join(texts(3)))
    command = ["benchmark", bundle, "--input", str(tmp_path / "texts"), "--runs", "1", "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["texts"] == 3
    assert main(["evaluate", bundle, "--source", data, "--reference", data]) == 2
    assert "A text encoder needs --data" in capsys.readouterr().err
    for device in ("local", "ssh:nowhere"):
        command = ["benchmark", bundle, "--input", str(tmp_path / "texts"), "--device", device]
        assert main([*command, "--beam-size", "1"]) == 2
        error = "A text encoder takes no --beam-size. Received: 1. Leave it out."
        assert error in capsys.readouterr().err
