"""What published classifiers' outputs are, and weights in half precision."""

import json
import struct

import ml_dtypes
import numpy as np
import pytest
from models.published_folders import FAMILIES, dense, write
from safetensors.numpy import load_file

from tfcompress.errors import InputError, InputWarning
from tfcompress.models import from_safetensors
from tfcompress.models.encoder_weights import encoder_weights
from tfcompress.models.published_heads import published_labels, published_task

IDS = np.array([[5, 9, 4, 2], [7, 8, 2, 6]], "int32")


def classifier(folder, outputs, model_type="bert", **settings):
    more = {
        "bert": dense("classifier", outputs, 16),
        "roberta": dense("classifier.dense", 16, 16) | dense("classifier.out_proj", outputs, 16),
        "albert": dense("classifier", outputs, 16),
        "distilbert": dense("pre_classifier", 16, 16) | dense("classifier", outputs, 16),
    }[model_type]
    return write(folder / "published", model_type, more, **settings)


@pytest.mark.parametrize(
    ("outputs", "problem", "expected"),
    [
        (3, None, "classification"),
        (3, "single_label_classification", "classification"),
        (3, "multi_label_classification", "multi_label_classification"),
        (1, "multi_label_classification", "multi_label_classification"),
        (3, "regression", "regression"),
        (1, "regression", "regression"),
        (1, None, "regression"),
    ],
)
def test_problem_types(outputs, problem, expected):
    for settings in [{"problem_type": problem}, {"problem_type": problem, "architectures": None}]:
        assert published_task("config.json", settings, outputs) == expected
    assert published_task("config.json", {}, 2) == "classification"


@pytest.mark.costly
@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_cross_encoder_gives_scores(family, tmp_path):
    encoder = from_safetensors(classifier(tmp_path, 1, family, id2label={"0": "LABEL_0"}))
    head = encoder.config.head
    assert (head.task, head.classes) == ("regression", 1)
    assert head.pooling == ("pooled" if family == "bert" else "first")
    assert np.array(encoder.call_without_mask(IDS)["logits"]).shape == (2, 1)


@pytest.mark.parametrize(
    ("outputs", "settings", "message"),
    [
        (2, {"problem_type": "ranking"}, r"problem_type='ranking' in .*config\.json"),
        (1, {"problem_type": "single_label_classification"}, "A classification of one class"),
        (1, {"architectures": ["BertForTokenClassification"]}, "A token_classification of one"),
    ],
)
def test_what_has_no_meaning(outputs, settings, message, tmp_path):
    with pytest.raises(InputError, match=message):
        from_safetensors(classifier(tmp_path, outputs, **settings))


@pytest.mark.costly
@pytest.mark.parametrize("family", FAMILIES)
def test_other_heads_are_left_out_by_name(family, tmp_path):
    """Of several choices, each gets one score, which is no regression."""
    more = dense("classifier", 1, 16)
    if family == "distilbert":
        more |= dense("pre_classifier", 16, 16)
    name = f"{family}ForMultipleChoice"
    folder = write(tmp_path / "published", family, more, architectures=[name])
    with pytest.warns(InputWarning, match=rf"config\.json: the head of {name} is left out"):
        encoder = from_safetensors(folder)
    assert encoder.config.head is None
    for name in ("BertForQuestionAnswering", "BertForNextSentencePrediction", "BertForMaskedLM"):
        more = dense("qa_outputs", 2, 16) | dense("cls.seq_relationship", 2, 16)
        folder = write(tmp_path / "published", family, more, architectures=[name])
        assert from_safetensors(folder).config.head is None


def test_a_token_classifier_of_roberta(tmp_path):
    more = dense("classifier", 3, 16)
    names = {"architectures": ["RobertaForTokenClassification"]}
    encoder = from_safetensors(write(tmp_path / "a", "roberta", more, **names, id2label=None))
    assert (encoder.config.head.task, encoder.config.head.classes) == ("token_classification", 3)
    forward = encoder.forward(IDS)
    hidden = np.array(forward.encoder_states[-1])
    tensors = load_file(tmp_path / "a" / "model.safetensors")
    expected = hidden @ tensors["classifier.weight"].T + tensors["classifier.bias"]
    np.testing.assert_allclose(forward.outputs["logits"], expected, atol=1e-5)
    for names in (None, ["RobertaForSequenceClassification"]):
        folder = write(tmp_path / "b", "roberta", more, architectures=names)
        with pytest.raises(
            InputError, match=r"one layer must be one of tokens. Received: architectures="
        ):
            from_safetensors(folder)


@pytest.mark.parametrize(
    ("id2label", "labels"),
    [
        ({"0": "positive", "1": "negative"}, ("positive", "negative")),
        ({"1": "negative", "0": "positive"}, ("positive", "negative")),
        ({"0": "LABEL_0", "1": "LABEL_1"}, ("LABEL_0", "LABEL_1")),
        ({"0": 1, "1": 0}, ("1", "0")),
        # Not a name for each class.
        (None, ()),
        ({}, ()),
        (["a", "b"], ()),
        ({"0": "a", "2": "b"}, ()),
        ({"1": "a", "2": "b"}, ()),
        ({"0": "a", "1": "a"}, ()),
        ({"0": "a", "1": None}, ()),
    ],
)
def test_names_of_classes(id2label, labels):
    assert published_labels({"id2label": id2label}, 2) == labels
    assert published_labels({}, 2) == ()


def test_a_folder_of_several_classes(tmp_path):
    settings = {"problem_type": "multi_label_classification", "id2label": {"0": "a", "1": "b"}}
    head = from_safetensors(classifier(tmp_path, 2, **settings)).config.head
    assert (head.task, head.labels) == ("multi_label_classification", ("a", "b"))


def save_as(path, tensors, dtype):
    """Writes a safetensors file in half precision, as the format's description says."""
    name = {"bfloat16": "BF16", "float16": "F16"}[np.dtype(dtype).name]
    header, data = {}, b""
    for key, tensor in tensors.items():
        content = tensor.astype(dtype).tobytes()
        offsets = [len(data), len(data) + len(content)]
        header[key] = {"dtype": name, "shape": tensor.shape, "data_offsets": offsets}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.mark.costly
@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float16])
@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_is_added_up_in_float32(family, dtype, tmp_path):
    """As the same values published in float32."""
    folder = classifier(tmp_path, 2, family)
    path = folder / "model.safetensors"
    half = {name: tensor.astype(dtype) for name, tensor in load_file(path).items()}
    save_as(path, half, dtype)
    actual = encoder_weights(from_safetensors(folder))
    exact = {name: tensor.astype(np.float32) for name, tensor in half.items()}
    if family == "roberta":
        positions = exact["embeddings.position_embeddings.weight"][2:]
        positions = positions + exact["embeddings.token_type_embeddings.weight"][0]
        np.testing.assert_array_equal(actual["positions"], positions)
    tokens = exact["embeddings.word_embeddings.weight"]
    np.testing.assert_array_equal(actual["tokens"], tokens)
    assert all(np.asarray(value).dtype == np.float32 for value in actual.values())
