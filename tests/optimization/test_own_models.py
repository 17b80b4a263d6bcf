"""Quantization-aware training, pruning and clustering of a stranger's own models."""

import numpy as np
import pytest
from flavours import legacy_only
from optimization.families import slow_but
from optimization.own_models import (
    MODELS,
    WIDTH,
    compiled,
    encoder,
    flat,
    inputs_of,
    named_outputs,
    nested,
    nested_twice,
    outputs_of,
    sequential,
    several_outputs,
    shared,
    targets_of,
)
from surgery import own_models
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.grids import MIN_ELEMENTS
from tfcompress.layers.common.weight_slots import weight_slots
from tfcompress.models.cloning import leaf_layers
from tfcompress.optimization import (
    assign_quantizers,
    cluster_weights,
    prune,
    quantize_aware,
    strip_clustering,
    strip_pruning,
    strip_quantization,
)
from tfcompress.surgery import attention_layers, narrow_feed_forward, prune_heads

pytestmark = legacy_only


def pruned(model, sparsity=0.5, **options):
    from tensorflow_model_optimization.sparsity import keras as sparsity_api

    return prune(model, sparsity_api.ConstantSparsity(sparsity, 0, frequency=1), **options)


WRAP = {
    "quantize": quantize_aware,
    "quantize_4": lambda model: quantize_aware(model, bits=4, block_size=32),
    "static": lambda model: quantize_aware(model, activations="static"),
    "prune": pruned,
    "cluster": lambda model: cluster_weights(model, 8),
}
STRIP = {"prune": strip_pruning, "cluster": strip_clustering}


def fitted(model, method=None, epochs=1):
    from tensorflow_model_optimization.sparsity import keras as sparsity_api

    callbacks = [sparsity_api.UpdatePruningStep()] if method == "prune" else []
    data = inputs_of(model), targets_of(model)
    compiled(model).fit(*data, epochs=epochs, verbose=0, callbacks=callbacks, batch_size=6)
    return model


def large(model):
    return {
        f"{name}/{slot.path}": slot.get().numpy()
        for name, layer in leaf_layers(model).items()
        for slot in weight_slots(layer)
        if slot.get().shape.num_elements() >= MIN_ELEMENTS
    }


QUICK = {
    (flat, "static"),
    (nested, "quantize"),
    (shared, "quantize_4"),
    (sequential, "cluster"),
    (shared, "prune"),
    (nested_twice, "cluster"),
    (several_outputs, "quantize"),
    (named_outputs, "prune"),
}


def assert_close_on_coarse_grids(wrapped, plain):
    """Ranges begin with 6 in either direction: steps of 0.05, which add up over the layers."""
    assert 0 < np.abs(outputs_of(wrapped) - outputs_of(plain)).mean(dtype="float64") < 0.25


@pytest.mark.costly
@pytest.mark.parametrize(("make", "method"), slow_but(QUICK, MODELS, WRAP))
def test_trains_and_is_stripped(make, method):
    """Padding is padding in training too; the stripped model is what was trained."""
    model = make()
    before = model.get_weights()
    wrapped = WRAP[method](model)
    assert wrapped.output_names == model.output_names
    fitted(wrapped, method)
    plain = STRIP.get(method, strip_quantization)(wrapped)
    for was, weight in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, weight)
    assert list(leaf_layers(plain)) == list(leaf_layers(model))
    assert plain.name == model.name
    assert plain.output_names == model.output_names
    assert [w.shape for w in plain.weights] == [w.shape for w in model.weights]
    assert not plain._is_compiled
    moved = [np.abs(was - now).max() for was, now in zip(before, plain.get_weights(), strict=True)]
    assert np.count_nonzero(moved) >= len(moved) - 3  # biases of keys have no gradient
    if method == "static":
        assert_close_on_coarse_grids(wrapped, plain)
    else:
        np.testing.assert_allclose(outputs_of(wrapped), outputs_of(plain), atol=1e-6)
    data = inputs_of(model), targets_of(model)
    losses = [compiled(m).evaluate(*data, verbose=0, batch_size=6) for m in (wrapped, plain)]
    np.testing.assert_allclose(*losses, rtol=0.1 if method == "static" else 1e-5)
    weights = large(plain)
    for name, values in weights.items():
        if method == "prune":
            assert np.mean(values == 0) == pytest.approx(0.5, abs=0.01), name
        elif method == "cluster":
            assert len(np.unique(values)) <= 8, name
    if hasattr(wrapped, "quantizer_assignment"):
        assigned = [weight for weight in wrapped.quantizer_assignment.weights if weight.grid]
        assert len(assigned) == len(weights)
        for weight in assigned:
            values = weights[f"{weight.layer}/{weight.path}"]
            np.testing.assert_array_equal(weight.grid.round(values), values)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("prune", "preserve_sparsity"),
        pytest.param("cluster", "preserve_clusters", marks=pytest.mark.slow),
    ],
)
def test_zeros_and_clusters_are_kept_in_models_within(method, options):
    model = nested()
    plain = STRIP[method](fitted(WRAP[method](model), method))
    before = large(plain)
    trained = fitted(quantize_aware(plain, **{options: True}))
    after = large(strip_quantization(trained))
    assert list(after) == list(before)
    for name, values in before.items():
        if method == "prune":
            assert (after[name][values == 0] == 0).all(), name
        else:
            assert len(np.unique(after[name])) <= 8, name
        assert not np.array_equal(after[name], values)


@pytest.mark.slow
def test_zeros_are_kept_by_clustering():
    plain = strip_pruning(fitted(pruned(nested()), "prune"))
    before = large(plain)
    after = large(strip_clustering(fitted(cluster_weights(plain, 8, preserve_sparsity=True))))
    for name, values in before.items():
        assert (after[name][values == 0] == 0).all(), name
        assert len(np.unique(after[name])) <= 8, name


@pytest.mark.parametrize("method", ["quantize", "prune"])
def test_a_step_is_that_of_the_model_alone(method):
    """Where rounding changes nothing yet, all weights move as they do without wrappers."""
    model = nested()
    if method == "quantize":
        alone, wrap = strip_quantization(quantize_aware(model)), quantize_aware
    else:
        alone, wrap = model, lambda model: pruned(model, 0.0)
    wrapped = fitted(wrap(alone), method)
    fitted(alone)
    assert len(alone.trainable_weights) == 9
    for one, other in zip(wrapped.trainable_weights, alone.trainable_weights, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_paths_in_plan_scope_and_skip():
    model = nested()
    assignment = assign_quantizers(model, skip="^encoder/.*outer")
    paths = {f"{weight.layer}/{weight.path}": weight for weight in assignment.weights}
    table = next(x.name for x in model.get_layer("encoder").layers if "embedding" in x.name)
    assert {"head/kernel", f"encoder/{table}/embeddings"} <= set(paths)
    assert sum(weight.reason == "skipped" for weight in paths.values()) == 1
    assert sum(w.size for w in assignment.weights) + assignment.others == model.count_params()
    zeros = large(strip_pruning(fitted(pruned(model, scope="^head/"), "prune")))
    assert {name for name, values in zeros.items() if (values == 0).any()} == {"head/kernel"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", slow_but({"quantize", "cluster"}, ["quantize", "static", "prune", "cluster"])
)
def test_frozen_layers_stay_frozen(method):
    """Whole layers, layers within layers, and models within; their flags outlive stripping."""
    model = nested()
    inner = model.get_layer("encoder")
    inner.layers[1].trainable = False
    own = next(layer for layer in inner.layers if hasattr(layer, "outer"))
    own.outer.trainable = False
    strip = STRIP.get(method, strip_quantization)
    untrained = strip(WRAP[method](model))
    plain = strip(fitted(WRAP[method](model), method))
    assert len(plain.non_trainable_weights) == len(model.non_trainable_weights) == 3
    if method != "prune":  # frozen weights become zero too
        for was, now in zip(untrained.non_trainable_weights, plain.non_trainable_weights):
            np.testing.assert_array_equal(was, now)
    inner.trainable = False
    wrapped = WRAP[method](model)
    # The head's kernel and bias, and its centroids.
    assert len(wrapped.trainable_weights) == (3 if method == "cluster" else 2)


@pytest.mark.parametrize(
    ("method", "policy"),
    slow_but(
        {("quantize", "mixed_float16"), ("cluster", "mixed_bfloat16")},
        ["quantize", "static", "prune", "cluster"],
        ["mixed_float16", "mixed_bfloat16"],
    ),
)
def test_precision_is_kept(method, policy):
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = flat()
        wrapped = WRAP[method](model)
        fitted(wrapped, method)
        plain = STRIP.get(method, strip_quantization)(wrapped)
        policies = [layer.dtype_policy.name for layer in leaf_layers(plain).values()]
        assert policies == [layer.dtype_policy.name for layer in leaf_layers(model).values()]
        assert policy in policies
        if method == "static":
            assert_close_on_coarse_grids(wrapped, plain)
        else:
            np.testing.assert_array_equal(outputs_of(wrapped), outputs_of(plain))
    finally:
        keras.mixed_precision.set_global_policy("float32")


class Scale(keras.layers.Layer):
    """A layer whose configuration has no name, as many have, with layers in a list."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.denses = [keras.layers.Dense(units) for _ in range(2)]

    def call(self, inputs):
        return self.denses[1](self.denses[0](inputs))

    def get_config(self):
        return {"units": self.units}


class NoConfig(Scale):
    def get_config(self):
        return {}


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(40)

    def call(self, inputs):
        return self.dense(inputs)


@pytest.mark.parametrize("method", slow_but({"quantize", "cluster"}, WRAP))
def test_configuration_without_a_name(method):
    inputs = keras.Input((WIDTH,))
    model = keras.Model(inputs, Scale(48)(Scale(40, name="mine")(inputs)))
    wrapped = WRAP[method](model)
    assert all(hasattr(layer, "layer") for layer in wrapped.layers[1:])
    plain = STRIP.get(method, strip_quantization)(wrapped)
    assert [layer.name for layer in plain.layers] == [layer.name for layer in model.layers]
    assert list(large(plain)) == list(large(model))
    x = np.random.default_rng(0).normal(size=(3, WIDTH)).astype("f")
    if method != "static":
        np.testing.assert_allclose(wrapped(x), plain(x), atol=1e-6)
    if method == "quantize":
        assert np.abs(plain(x) - model(x)).max() < 0.1 * np.abs(model(x)).max()


@pytest.mark.parametrize("method", WRAP)
def test_refusals_come_before_the_training(method):
    inputs = keras.Input((WIDTH,))
    model = keras.Model(inputs, NoConfig(40, name="mine")(inputs))
    with pytest.raises(InputError, match=r"mine cannot be made again .*get_config") as error:
        WRAP[method](model)
    assert "\n" not in str(error.value)
    model = keras.Model(inputs, keras.layers.Dense(40)(Subclassed()(inputs)))
    with pytest.raises(InputError, match="subclassed"):
        WRAP[method](model)
    inputs = keras.Input((WIDTH,))
    plain = keras.Model(inputs, keras.layers.Dense(40)(inputs))
    with pytest.raises(InputError, match="Strip it first"):
        WRAP[method](WRAP[method](plain))


@pytest.mark.parametrize("method", slow_but({"quantize"}, ["quantize", "prune", "cluster"]))
def test_what_surgery_left_is_kept(method):
    """A layer whose constructor makes its layers otherwise stays as surgery left it."""
    inputs = keras.Input((None, own_models.WIDTH))
    model = keras.Model(inputs, keras.layers.Dense(64)(own_models.Own()(inputs)))
    name = next(iter(attention_layers(model)))
    smaller = narrow_feed_forward(prune_heads(model, drop={name: [0, 2]}), 8)
    plain = STRIP.get(method, strip_quantization)(WRAP[method](smaller))
    assert [w.shape for w in plain.weights] == [w.shape for w in smaller.weights]
    assert plain.count_params() < model.count_params()
    x = np.random.default_rng(0).normal(size=(2, 5, own_models.WIDTH)).astype("f")
    if method == "quantize":
        assert np.abs(plain(x) - smaller(x)).max() < 0.05 * np.abs(smaller(x)).max()


def test_static_leaves_embeddings_alone():
    model = encoder()
    wrapped = quantize_aware(model, activations="static")
    for layer in model.layers:
        if layer.weights and not isinstance(layer, keras.layers.LayerNormalization):
            output = wrapped.get_layer(f"quant_{layer.name}").quantize_config.quantize_output
            assert output != isinstance(layer, keras.layers.Embedding), layer.name
