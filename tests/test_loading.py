import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from flavours import LEGACY, legacy_only
from tensorflow import keras

import tfcompress as tfc
from tfcompress import layers, optimization
from tfcompress.errors import InputError

IDS = np.random.default_rng(0).integers(1, 64, (8, 6))


def make_model(attends=True):
    keras.utils.set_random_seed(1)
    ids = keras.Input((6,), dtype="int32")
    x = keras.layers.Embedding(64, 32, mask_zero=True)(ids)
    if attends:
        x = keras.layers.MultiHeadAttention(2, 16)(x, x)
    x = layers.FeedForward(64)(x)
    return keras.Model(ids, keras.layers.Dense(48)(x))


def half_zero():
    from tensorflow_model_optimization.sparsity.keras import ConstantSparsity

    return ConstantSparsity(0.5, begin_step=0, frequency=1)


MAKERS = {
    "quantized": lambda model: optimization.quantize_aware(model, 4, block_size=32),
    "static": lambda model: optimization.quantize_aware(model, activations="static"),
    "pruned": lambda model: optimization.prune(
        model, half_zero(), sparsity="2:4", scope="feed_forward"
    ),
    "clustered": lambda model: optimization.cluster_weights(model, 8),
    "clustered_zeros": lambda model: optimization.cluster_weights(model, 8, preserve_sparsity=True),
}
STRIPS = {"quantized": "quantization", "static": "quantization", "pruned": "pruning"}


def trained(method):
    import tensorflow_model_optimization as tfmot

    model = MAKERS[method](make_model())
    callbacks = [tfmot.sparsity.keras.UpdatePruningStep()] if method == "pruned" else []
    model.compile("adam", "mse")
    model.fit(IDS, np.ones((8, 6, 48)), batch_size=4, verbose=0, callbacks=callbacks)
    return model


def in_new_process(code, *arguments, legacy=LEGACY):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=Path(__file__).parent,
        env={**os.environ, "TF_USE_LEGACY_KERAS": str(int(legacy))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LOAD = """
import sys
import numpy as np
import tfcompress as tfc
import test_loading
for path in sys.argv[1:]:
    np.save(path + ".npy", tfc.load_model(path).predict(test_loading.IDS, verbose=0))
"""


@pytest.mark.slow
@legacy_only
@pytest.mark.parametrize(
    "methods", [["quantized"], pytest.param([*MAKERS][1:], marks=pytest.mark.slow)], ids=len
)
def test_wrapped_models_give_the_same_in_a_new_process(methods, tmp_path):
    models = {tmp_path / f"{method}.keras": trained(method) for method in methods}
    for path, model in models.items():
        model.save(path)
    in_new_process(LOAD, *models)
    for path, model in models.items():
        np.testing.assert_allclose(
            np.load(f"{path}.npy"), model.predict(IDS, verbose=0), atol=1e-6, err_msg=path.stem
        )


@pytest.mark.slow
@legacy_only
@pytest.mark.parametrize("method", MAKERS)
def test_wrapped_models_train_on_and_are_stripped(method, tmp_path):
    model = trained(method)
    model.save(tmp_path / "model.keras")
    loaded = tfc.load_model(tmp_path / "model.keras")
    assert loaded.count_params() == model.count_params()
    strip = getattr(optimization, f"strip_{STRIPS.get(method, 'clustering')}")
    for plain, other in zip(strip(loaded).weights, strip(model).weights, strict=True):
        np.testing.assert_array_equal(plain, other)
    if method != "pruned":
        assert np.isfinite(loaded.fit(IDS, np.ones((8, 6, 48)), verbose=0).history["loss"]).all()


@pytest.mark.slow
@legacy_only
def test_pruned_models_keep_pattern_and_scope(tmp_path):
    import tensorflow_model_optimization as tfmot

    trained("pruned").save(tmp_path / "model.keras")
    loaded = tfc.load_model(tmp_path / "model.keras")
    loaded.fit(
        IDS, np.ones((8, 6, 48)), verbose=0, callbacks=[tfmot.sparsity.keras.UpdatePruningStep()]
    )
    plain = optimization.strip_pruning(loaded)
    kernel = plain.layers[-2].inner.kernel.numpy()
    assert ((kernel.T.reshape(64, -1, 4) == 0).sum(-1) == 2).all()
    assert (plain.layers[-1].kernel.numpy() != 0).all()


@pytest.mark.slow
@legacy_only
@pytest.mark.parametrize("method", ["quantized", "clustered_zeros"])
def test_weights_files_of_wrapped_models(method, tmp_path):
    model = trained(method)
    model.save_weights(tmp_path / "model.weights.h5")
    loaded = MAKERS[method](make_model())
    loaded.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(
        loaded.predict(IDS, verbose=0), model.predict(IDS, verbose=0), atol=1e-6
    )


@pytest.mark.slow
@legacy_only
@pytest.mark.parametrize("method", MAKERS)
def test_hdf5_files_of_wrapped_models(method, tmp_path):
    model = trained(method)
    model.save(tmp_path / "model.h5")
    if method == "clustered_zeros":
        with pytest.raises(InputError, match=r"\.h5 file does not hold.*as \.keras"):
            tfc.load_model(tmp_path / "model.h5")
        return
    loaded = tfc.load_model(tmp_path / "model.h5")
    np.testing.assert_allclose(
        loaded.predict(IDS, verbose=0), model.predict(IDS, verbose=0), atol=1e-6
    )


WRITE_OTHER = """
import sys
import numpy as np
import test_loading
for attends in False, True:
    model = test_loading.make_model(attends)
    np.save(sys.argv[1] + f"/{attends}.npy", model.predict(test_loading.IDS, verbose=0))
    if attends:
        np.savez(sys.argv[1] + "/model.npz", *model.get_weights())
    else:
        model.save(sys.argv[1] + "/model.keras")
        model.save_weights(sys.argv[1] + "/model.weights.h5")
"""


def test_files_of_the_other_keras(tmp_path):
    in_new_process(WRITE_OTHER, tmp_path, legacy=not LEGACY)
    with pytest.raises(InputError, match="TF_USE_LEGACY_KERAS"):
        tfc.load_model(tmp_path / "model.keras")
    for attends in False, True:
        model = make_model(attends)
        if attends:
            model.set_weights([*np.load(tmp_path / "model.npz").values()])
        else:
            model.load_weights(tmp_path / "model.weights.h5")
        expected = np.load(tmp_path / f"{attends}.npy")
        np.testing.assert_allclose(model.predict(IDS, verbose=0), expected, atol=1e-5)
