import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from flavours import LEGACY
from layers import subclassed_models as models
from layers.harness import assert_close
from tensorflow import keras

from tfcompress import layers

QUICK = ("DeFINEEmbedding", "LayerDropWrapper")
FORMATS = ["keras", *(["h5"] if LEGACY else [])]


def moved(model):
    rng = np.random.default_rng(1)
    model.set_weights(
        [w + 0.1 * rng.standard_normal(w.shape).astype(w.dtype) for w in model.get_weights()]
    )


@pytest.mark.parametrize(
    "names", [QUICK, pytest.param(tuple(models.LAYERS), marks=pytest.mark.slow)]
)
def test_subclassed_models_give_the_same_in_a_new_process(names, tmp_path):
    for name in names:
        model = models.Subclassed(name)
        models.compile_and_fit(model)
        moved(model)
        assert len(model.weights) == len({id(weight) for weight in model.weights})
        path = tmp_path / f"{name}.keras"
        output = model.predict(models.ids(), verbose=0)
        model.save(path)
        np.savez(path.with_suffix(".npz"), output=output, parameters=model.count_params())
    done = subprocess.run(
        [sys.executable, "-m", "layers.subclassed_models", str(tmp_path)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def around(name):
    """A functional model around a layer."""
    ids = keras.Input((models.LENGTH,), dtype="int32")
    x = ids if name in models.EMBEDDINGS else keras.layers.Embedding(30, models.WIDTH)(ids)
    options = {"memory": x} if "Decoder" in name else {}
    return keras.Model(ids, keras.layers.Dense(3)(models.LAYERS[name]()(x, **options)))


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", ["FactorizedEmbedding", "DeLighTDecoderLayer", "TheseusModule"])
def test_injected_layers_are_loaded(name, suffix, tmp_path):
    model = around(name)
    moved(model)
    model.save(tmp_path / f"model.{suffix}")
    loaded = keras.models.load_model(tmp_path / f"model.{suffix}")
    assert loaded.count_params() == model.count_params()
    assert_close(loaded(models.ids()), model(models.ids()), 1e-6)


def test_a_sublayer_of_two_layers_stays_one(tmp_path):
    feed_forward = models.feed_forward()
    x = inputs = keras.Input((models.LENGTH, models.WIDTH))
    for _ in range(2):
        x = layers.TransformerEncoderLayer(models.attention(), feed_forward=feed_forward)(x)
    model = keras.Model(inputs, x)
    moved(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.count_params() == model.count_params()
    data = np.ones((2, models.LENGTH, models.WIDTH), "float32")
    assert_close(loaded(data), model(data), 1e-6)


def test_a_rate_is_known_inside_a_graph():
    wrapper = layers.LayerDropWrapper(models.feed_forward(), rate=0.25)
    rates = []

    @tf.function
    def run():
        rates.append(wrapper.get_config()["rate"])

    run()
    assert rates == [0.25]


@pytest.mark.skipif(LEGACY, reason="Keras 2 has no `quantize`")
def test_keras_quantizes_its_own_layers_and_says_why_not_ours():
    model = around("DeFINEEmbedding")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        model.quantize("int8")
    assert model.layers[-1].dtype_policy.name == "int8_from_float32"
    assert sum("layers of tfcompress" in str(warning.message) for warning in caught) == 1
