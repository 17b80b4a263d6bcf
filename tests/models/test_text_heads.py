"""Heads on text encoders."""

import numpy as np
import pytest
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    HeadConfig,
    StackConfig,
    TextEncoder,
    TextEncoderConfig,
)

STACK = StackConfig(
    2, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(24, activation="gelu")
)
CONFIG = TextEncoderConfig(30, hidden_dim=16, encoder=STACK, max_length=12, dropout=0.0)
IDS = np.array([[5, 9, 4, 2], [7, 8, 2, 6]], "int32")
PADDED = np.pad(IDS, [(0, 0), (0, 3)])
HEADS = {
    "pooled": HeadConfig(num_classes=3, pooling="pooled"),
    "first": HeadConfig(labels=("no", "yes"), pooling="first", hidden_activation="tanh"),
    "mean": HeadConfig(num_classes=3, pooling="mean", hidden_activation="relu"),
    "several": HeadConfig("multi_label_classification", labels=("a", "b", "c"), pooling="mean"),
    "score": HeadConfig("regression"),
    "tokens": HeadConfig("token_classification", num_classes=5),
    "vector": HeadConfig("embedding", pooling="mean", normalize=True),
    "first_vector": HeadConfig("embedding", pooling="first"),
}
SHAPES = {
    "pooled": (2, 3),
    "first": (2, 2),
    "mean": (2, 3),
    "several": (2, 3),
    "score": (2, 1),
    "tokens": (2, 4, 5),
    "vector": (2, 16),
    "first_vector": (2, 16),
}


def inputs(ids):
    return {"token_ids": ids, "token_type_ids": np.zeros_like(ids)}


@pytest.mark.costly
@pytest.mark.parametrize("name", HEADS)
def test_shapes_padding_and_calls_without_mask(name):
    keras.utils.set_random_seed(0)
    encoder = TextEncoder(CONFIG.replace(head=HEADS[name]))
    ((key, actual),) = encoder.model(inputs(IDS)).items()
    assert key == ("embedding" if "vector" in name else "logits")
    assert actual.shape == SHAPES[name]
    padded = np.array(encoder.model(inputs(PADDED))[key])
    if name == "tokens":
        padded = padded[:, : IDS.shape[1]]
    np.testing.assert_allclose(padded, actual, atol=1e-5)
    np.testing.assert_allclose(encoder.call_without_mask(IDS)[key], actual, atol=1e-5)


def test_embeddings_have_length_one():
    encoder = TextEncoder(CONFIG.replace(head=HEADS["vector"]))
    actual = np.array(encoder.model(inputs(PADDED))["embedding"])
    np.testing.assert_allclose(np.linalg.norm(actual, axis=1), 1, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pooled", "tokens"])
def test_trains_with_fit(name):
    keras.utils.set_random_seed(0)
    encoder = TextEncoder(CONFIG.replace(head=HEADS[name]))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    encoder.model.compile("adam", {"logits": loss})
    labels = np.array([0, 2]) if name == "pooled" else IDS % 5
    history = encoder.model.fit(inputs(IDS), {"logits": labels}, epochs=15, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def test_only_what_a_head_reads_is_built():
    names = {layer.name for layer in TextEncoder(CONFIG.replace(head=HEADS["mean"])).model.layers}
    assert "pooler" not in names
    assert "head_output" in names


@pytest.mark.costly
@pytest.mark.parametrize("name", ["first", "vector"])
def test_saved_and_loaded(name, tmp_path):
    encoder = TextEncoder(CONFIG.replace(head=HEADS[name]))
    encoder.save_to_preset(tmp_path / "encoder")
    loaded = TextEncoder.from_preset(tmp_path / "encoder")
    assert loaded.config == encoder.config
    for key, value in encoder.model(inputs(IDS)).items():
        np.testing.assert_array_equal(loaded.model(inputs(IDS))[key], value)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"task": "ranking", "num_classes": 2}, "`head.task` must be one of classification"),
        ({"num_classes": 1}, "must be at least 2 for classification .received 1.; one output is a"),
        ({"labels": ("a",)}, "must be at least 2 for classification"),
        ({"task": "token_classification", "num_classes": 1}, "at least 2 for token_classification"),
        ({"task": "multi_label_classification"}, "`head` needs `num_classes` or `labels`"),
        ({"task": "regression", "normalize": True}, "`head.normalize` is for embeddings only"),
        ({}, "`head` needs `num_classes` or `labels`"),
        ({"num_classes": 0}, "`head.num_classes` must be at least 1"),
        ({"num_classes": 3, "labels": ("a", "b")}, "2 names for 3 classes"),
        ({"labels": ("a", "a")}, "must not repeat"),
        ({"num_classes": 2, "pooling": "max"}, "`head.pooling` must be one of pooled"),
        ({"num_classes": 2, "normalize": True}, "`head.normalize` is for embeddings only"),
        ({"num_classes": 2, "dropout": 1.0}, r"`head.dropout` must lie in \[0, 1\)"),
        ({"num_classes": 2, "hidden_activation": "step"}, "`head.hidden_activation` must be null"),
        ({"task": "embedding", "num_classes": 2}, "is not for embeddings"),
    ],
)
def test_impossible_heads(head, message):
    with pytest.raises(InputError, match=message):
        CONFIG.replace(head=HeadConfig(**head))


def test_a_pooled_head_needs_a_pooler():
    with pytest.raises(InputError, match=r"`head.pooling` pooled needs `pooler` true"):
        CONFIG.replace(pooler=False, head=HEADS["pooled"])
