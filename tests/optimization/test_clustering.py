import numpy as np
import pytest
import tensorflow as tf
from optimization.families import batch, make_family
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.grids import MIN_ELEMENTS
from tfcompress.layers.weight_slots import weight_slots
from tfcompress.optimization import cluster_weights, strip_clustering
from tfcompress.training import LabelSmoothedCrossentropy

LEGACY = not hasattr(keras, "ops")
legacy_only = pytest.mark.skipif(not LEGACY, reason="tf-model-optimization takes Keras 2 only")


def trained(model, steps=4):
    model.compile(keras.optimizers.Adam(0.005), LabelSmoothedCrossentropy(0.0))
    data = tf.data.Dataset.from_tensors(batch()).repeat()
    return model.fit(data, steps_per_epoch=steps, epochs=3, verbose=0).history["loss"]


@legacy_only
@pytest.mark.parametrize("family", ["plain", pytest.param("layer_drop", marks=pytest.mark.slow)])
def test_few_values_that_train(family):
    transformer = make_family(family)
    before = transformer.model.get_weights()
    model = cluster_weights(transformer.model, 8)
    losses = trained(model)
    assert losses[-1] < losses[0]
    plain = strip_clustering(model)
    checked = 0
    for layer in plain.layers:
        for slot in weight_slots(layer):
            if slot.get().shape.num_elements() >= MIN_ELEMENTS:
                assert len(np.unique(slot.get().numpy())) <= 8
                checked += 1
    assert checked > 10
    inputs, _ = batch()
    np.testing.assert_allclose(
        model(inputs, training=False), plain(inputs, training=False), atol=1e-5
    )
    for was, weight in zip(before, transformer.model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, weight)


@legacy_only
def test_zeros_stay():
    transformer = make_family("plain")
    kernel = transformer.layer("encoder_layer_0").feed_forward.inner.kernel
    zeros = np.random.default_rng(0).random(kernel.shape) < 0.6
    kernel.assign(np.where(zeros, 0, kernel.numpy()))
    model = cluster_weights(
        transformer.model, 8, scope="encoder_layer_0/feed_forward/inner", preserve_sparsity=True
    )
    trained(model)
    values = strip_clustering(model).get_layer("encoder_layer_0").feed_forward.inner.kernel.numpy()
    assert (values[zeros] == 0).all()
    assert len(np.unique(values)) <= 8
    assert np.count_nonzero(values) > 0


@legacy_only
def test_wrong_arguments():
    model = make_family("plain").model
    for options, message in [
        ({"number_of_clusters": 1}, "at least 2"),
        ({"number_of_clusters": 2, "preserve_sparsity": True}, "at least 3"),
        ({"scope": "nothing_like_this"}, "`scope` must match"),
    ]:
        with pytest.raises(InputError, match=message):
            cluster_weights(model, **options)
    with pytest.raises(InputError, match="that cluster_weights made"):
        strip_clustering(model)


@pytest.mark.skipif(LEGACY, reason="Keras 3 only")
def test_keras_3_says_what_to_do():
    with pytest.raises(InputError, match="set TF_USE_LEGACY_KERAS=1"):
        cluster_weights(make_family("plain").model)
