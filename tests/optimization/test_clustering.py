import numpy as np
import pytest
from flavours import LEGACY, legacy_only
from optimization.families import batch, make_family, trained

from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.flatbuffer import schema
from tfcompress.grids import MIN_ELEMENTS
from tfcompress.layers.common.weight_slots import weight_slots
from tfcompress.models import Seq2SeqTransformer
from tfcompress.optimization import (
    cluster_weights,
    quantize_aware,
    strip_clustering,
    strip_quantization,
)

A_FEW_STEPS = {"learning_rate": 0.005, "steps": 4, "epochs": 3}


@pytest.mark.slow
@legacy_only
@pytest.mark.parametrize("family", ["plain", pytest.param("layer_drop", marks=pytest.mark.slow)])
def test_few_values_that_train(family):
    transformer = make_family(family)
    before = transformer.model.get_weights()
    model = cluster_weights(transformer.model, 8)
    losses = trained(model, **A_FEW_STEPS)
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


@pytest.mark.slow
@legacy_only
def test_zeros_stay():
    transformer = make_family("plain")
    kernel = transformer.layer("encoder_layer_0").feed_forward.inner.kernel
    zeros = np.random.default_rng(0).random(kernel.shape) < 0.6
    kernel.assign(np.where(zeros, 0, kernel.numpy()))
    model = cluster_weights(
        transformer.model, 8, scope="encoder_layer_0/feed_forward/inner", preserve_sparsity=True
    )
    trained(model, **A_FEW_STEPS)
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
    with pytest.raises(InputError, match="Set TF_USE_LEGACY_KERAS=1"):
        cluster_weights(make_family("plain").model)


@legacy_only
@pytest.mark.slow
def test_quantized_values_stay_as_few(tmp_path):
    """After training, each matrix of the bundle has no more integers than it had clusters."""
    transformer = make_family("plain")
    clustered = cluster_weights(transformer.model, 8)
    trained(clustered, **A_FEW_STEPS)
    model = quantize_aware(strip_clustering(clustered), preserve_clusters=True)
    assert "one scale (clustered: one scale)" in str(model.quantizer_assignment)
    losses = trained(model, **A_FEW_STEPS)
    assert losses[-1] < losses[0]
    plain = strip_quantization(model)
    inputs, _ = batch()
    np.testing.assert_array_equal(model(inputs, training=False), plain(inputs, training=False))
    before = [np.unique(s.get().numpy()) for x in transformer.model.layers for s in weight_slots(x)]
    after = [np.unique(s.get().numpy()) for x in plain.layers for s in weight_slots(x)]
    large = [len(values) <= 8 for values, was in zip(after, before) if len(was) >= MIN_ELEMENTS]
    assert len(large) > 5
    assert all(large)
    convert(
        Seq2SeqTransformer(transformer.config, model=plain), tmp_path / "bundle", samples=[[5, 2]]
    )
    bundle = flatbuffer.read((tmp_path / "bundle" / "model.tflite").read_bytes())
    stored = [
        np.unique(bundle.buffers[tensor.buffer].data.view(np.int8))
        for subgraph in bundle.subgraphs
        for tensor in subgraph.tensors
        if tensor.type == schema.TensorType.INT8
    ]
    assert len(stored) > 5
    assert all(len(values) <= 8 for values in stored)


@legacy_only
@pytest.mark.slow
def test_clusters_and_zeros_stay_together():
    transformer = make_family("plain")
    kernel = transformer.layer("encoder_layer_0").feed_forward.inner.kernel
    values = np.random.default_rng(0).choice([0.0, 0.0, -0.2, 0.1, 0.3], kernel.shape)
    kernel.assign(values)
    model = quantize_aware(transformer.model, preserve_sparsity=True, preserve_clusters=True)
    trained(model, **A_FEW_STEPS)
    plain = strip_quantization(model).get_layer("encoder_layer_0").feed_forward.inner.kernel.numpy()
    assert (plain[values == 0] == 0).all()
    assert len(np.unique(plain)) == 4
    for value in (-0.2, 0.1, 0.3):
        assert len(np.unique(plain[values == value])) == 1
        assert plain[values == value][0] != np.float32(value)


@legacy_only
@pytest.mark.parametrize(
    ("options", "message"),
    [({}, "which has none. Call cluster_weights first"), ({"bits": 4}, "needs 8 bits")],
)
def test_no_clusters_to_keep(options, message):
    with pytest.raises(InputError, match=message):
        quantize_aware(make_family("plain").model, preserve_clusters=True, **options)
