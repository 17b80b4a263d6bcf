import numpy as np
import pytest
from flavours import LEGACY, legacy_only
from optimization.families import FAMILIES, batch, make_family, slow_but, trained
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.grids import MIN_ELEMENTS
from tfcompress.layers import FeedForward, TransformerEncoderLayer
from tfcompress.layers.common.weight_slots import weight_slots
from tfcompress.optimization import prune, strip_pruning


def schedule(begin=0, end=4, sparsity=0.75):
    from tensorflow_model_optimization.sparsity import keras as sparsity_api

    return sparsity_api.PolynomialDecay(0.0, sparsity, begin, end, frequency=1)


def pruned(transformer, **options):
    from tensorflow_model_optimization.sparsity import keras as sparsity_api

    model = prune(transformer.model, schedule(), **options)
    trained(model, learning_rate=0.01, steps=7, callbacks=[sparsity_api.UpdatePruningStep()])
    return model


def large_weights(model):
    return {
        f"{layer.name}/{slot.path}": slot
        for layer in model.layers
        for slot in weight_slots(layer)
        if slot.get().shape.num_elements() >= MIN_ELEMENTS
    }


@legacy_only
@pytest.mark.parametrize("family", slow_but({"plain"}, FAMILIES))
def test_weights_become_zero(family):
    transformer = make_family(family)
    before = transformer.model.get_weights()
    model = pruned(transformer)
    plain = strip_pruning(model)
    weights = large_weights(plain)
    assert len(weights) > 10
    for slot in weights.values():
        assert np.mean(slot.get().numpy() == 0) == pytest.approx(0.75, abs=0.01)
    inputs, _ = batch()
    np.testing.assert_array_equal(model(inputs, training=False), plain(inputs, training=False))
    for was, weight in zip(before, transformer.model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, weight)
    assert [layer.name for layer in plain.layers] == [x.name for x in transformer.model.layers]


@pytest.mark.slow
@legacy_only
def test_two_of_four_inputs():
    plain = strip_pruning(pruned(make_family("plain"), sparsity="2:4"))
    for name, slot in large_weights(plain).items():
        zeros = slot.get().numpy() == 0
        if slot.channels == (0,):
            assert not zeros.any(), name
        else:
            assert (zeros.reshape(-1, 4, zeros.shape[1]).sum(axis=1) == 2).all(), name


@pytest.mark.slow
@legacy_only
def test_four_inputs_at_once():
    plain = strip_pruning(pruned(make_family("plain"), sparsity="block_1x4"))
    for name, slot in large_weights(plain).items():
        zeros = slot.get().numpy() == 0
        rows = zeros if slot.channels == (0,) else zeros.T
        blocks = rows.reshape(len(rows), -1, 4).sum(axis=2)
        assert np.isin(blocks, (0, 4)).all(), name
        assert np.mean(blocks == 4) == pytest.approx(0.75, abs=0.02), name


@pytest.mark.slow
@legacy_only
def test_scope():
    plain = strip_pruning(pruned(make_family("plain"), scope="feed_forward/"))
    for name, slot in large_weights(plain).items():
        assert (slot.get().numpy() == 0).any() == ("feed_forward/" in name), name


@legacy_only
def test_layers_declare_what_can_be_pruned():
    from tensorflow_model_optimization.sparsity import keras as sparsity_api

    layer = TransformerEncoderLayer(None, feed_forward=FeedForward(64))
    inputs = keras.Input((5, 32))
    wrapped = sparsity_api.prune_low_magnitude(layer, sparsity_api.ConstantSparsity(0.5, 0))
    wrapped(inputs)
    assert [w.shape for w in layer.get_prunable_weights()] == [(32, 64), (64, 32)]
    assert len(wrapped.pruning_vars) == 2


@legacy_only
def test_wrong_arguments():
    model = make_family("plain").model
    for options, message in [
        ({"sparsity": "3:4"}, "`sparsity` must be one of unstructured, 2:4, block_1x4"),
        ({"scope": "nothing_like_this"}, "`scope` must match a weight"),
        ({"scope": "["}, "regular expression"),
    ]:
        with pytest.raises(InputError, match=message):
            prune(model, schedule(), **options)
    with pytest.raises(InputError, match=r"end after it begins.*=9, end_step=5"):
        prune(model, schedule_of(9, 5))
    with pytest.raises(InputError, match="Received: float"):
        prune(model, 0.5)
    with pytest.raises(InputError, match="that prune made"):
        strip_pruning(model)


def schedule_of(begin, end):
    """A schedule that tf-model-optimization itself would refuse."""
    changed = schedule()
    changed.begin_step, changed.end_step = begin, end
    return changed


@pytest.mark.skipif(LEGACY, reason="Keras 3 only")
def test_keras_3_says_what_to_do():
    with pytest.raises(InputError, match="Set TF_USE_LEGACY_KERAS=1"):
        prune(make_family("plain").model, None)
