"""Keras models of a stranger's own with custom operations."""

import numpy as np
import pytest
import tensorflow as tf
from flavours import one_flavour
from tensorflow import keras

from tfcompress import layers
from tfcompress.custom_ops import names
from tfcompress.errors import InputError
from tfcompress.export import ExportError, Signature, convert
from tfcompress.runtime import KerasModel

pytestmark = one_flavour

WIDTH = 32


@pytest.fixture(autouse=True)
def native(built, monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))


@pytest.fixture(scope="module")
def model():
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(60, WIDTH)(ids)
    x = layers.HierarchicalGroupTransform((WIDTH, 64, WIDTH), num_groups=(2, 4, 2))(x)
    x = layers.TransformerEncoderLayer(
        layers.FixedPatternAttention(("previous", "next")), feed_forward=layers.FeedForward(48)
    )(x)
    x = layers.DynamicConv(3, num_heads=2)(x)
    return keras.Model(ids, {"hidden": x, "logits": layers.Dense(40)(x)})


def ids_of(batch, length):
    return np.random.default_rng(length).integers(0, 60, (batch, length)).astype("int32")


@pytest.mark.costly
@pytest.mark.parametrize("quantization", ["dynamic_int8", "float32", "int4"])
def test_computes_what_the_model_does(model, tmp_path, quantization):
    path, ids = tmp_path / "bundle", ids_of(3, 7)
    # The kernels of sequences take one at a time.
    signatures = {"one": Signature(inputs=tf.TensorSpec([1, None], tf.int32))}
    manifest = convert(
        model,
        path,
        signatures=signatures,
        quantization=quantization,
        custom_ops=True,
        samples=[ids[:1]],
    )
    expected_ops = [names.DYNAMIC_CONV, names.FIXED_PATTERNS, names.GROUP_TRANSFORM]
    assert manifest["custom_ops"] == sorted(expected_ops)
    with KerasModel(path) as bundle:
        for given in (ids[1:2], ids_of(1, 12), ids[:1]):
            actual = bundle.run({"ids": given}, outputs=["logits"])["logits"]
            expected = np.asarray(model(given)["logits"])
            limit = {"float32": 1e-5, "int4": 0.6}.get(quantization, 0.06)
            assert np.abs(actual - expected).max() < limit * np.abs(expected).max()
        with pytest.raises(InputError, match="must have the shape"):
            bundle.run({"ids": ids})


@pytest.mark.slow
def test_without_the_native_runtime(model, tmp_path, monkeypatch):
    path = tmp_path / "bundle"
    with pytest.raises(ExportError, match=r"one may be unknown, as in \[1, None\]"):
        convert(model, path, custom_ops=[names.GROUP_TRANSFORM], samples=[ids_of(2, 5)])
    signatures = {"one": Signature(inputs=tf.TensorSpec([1, None], tf.int32))}
    convert(model, path, signatures=signatures, custom_ops=[names.GROUP_TRANSFORM])
    with pytest.raises(InputError, match="no such custom operations"):
        convert(model, tmp_path / "other", custom_ops=[names.DECODER])
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")
    with pytest.raises(InputError, match=r"unavailable.* tfc"):
        KerasModel(path)
    with pytest.raises(InputError, match="Custom operations need the native runtime"):
        convert(model, tmp_path / "other", custom_ops=True)


def test_other_types_are_refused(model, tmp_path):
    signature = Signature(
        lambda ids: {"best": tf.argmax(model(ids)["logits"], -1)},
        tf.TensorSpec([None, None], tf.int32),
    )
    with pytest.raises(
        InputError, match=r"float32 and int32 only\. Received: best of main with int64"
    ):
        convert(model, tmp_path / "bundle", signatures={"main": signature}, custom_ops=True)
