"""The recurrent unit SSRU, alone and as a decoder's mixer through all that a model goes through."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from export.export_harness import assert_export_parity, make_transformer
from flavours import legacy_only, one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.harness import (
    assert_close,
    lengths_mask,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
    run_step_test,
)

from tfcompress.analysis import describe
from tfcompress.decoder_state import StateSpec
from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.layers import SSRU, TransformerDecoderLayer
from tfcompress.models import (
    FeedForwardConfig,
    LayerDropConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SharingConfig,
    SSRUConfig,
    StackConfig,
)
from tfcompress.models.decoding import beam_decode
from tfcompress.runtime import open_bundle, open_engine

OPTIONS = [{}, {"use_projection": True, "dropout": 0.3}, {"use_bias": False}]


def parameters(width, use_projection=False, use_bias=True, **_):
    """The closed formula of the docstring."""
    denses = 2 + use_projection
    return denses * width * width + (denses - 1) * width * use_bias


def make(**options):
    layer = SSRU(**options)
    layer(normal(1, 2, 8))
    randomize(layer)
    return layer


@pytest.fixture(scope="module")
def unit():
    """One unit, and its call for any batch and length."""
    layer = make(use_projection=True)
    vectors, mask = tf.TensorSpec([None, None, 8]), tf.TensorSpec([None, None], tf.bool)
    call = tf.function(lambda x, mask: layer(x, padding_mask=mask), input_signature=[vectors, mask])
    return layer, call


def marian(x, w, wf, bf, wo=None, bo=0.0):
    """The equations of Marian's cell, one position after another."""
    cell, outputs = np.zeros(x.shape[-1]), []
    for row in x:
        forget = 1 / (1 + np.exp(-(row @ wf + bf)))
        cell = forget * cell + (1 - forget) * (row @ w)
        y = np.maximum(cell, 0)
        outputs.append(y if wo is None else y @ wo + bo)
    return np.array(outputs)


@pytest.mark.costly
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_contract(options):
    run_layer_test(
        lambda: SSRU(**options),
        normal(2, 5, 8),
        call_kwargs={"padding_mask": lengths_mask([3, 5], 5)},
        output_shape=(2, 5, 8),
        parameters=parameters(8, **options),
        random_in_training="dropout" in options,
    )


@settings(deadline=None, max_examples=40)
@given(data=st.data(), length=st.integers(1, 40))
def test_equations_of_the_positions_that_are_tokens(unit, data, length):
    layer, call = unit
    x = np.random.default_rng(length).normal(size=(2, length, 8)).astype("float32")
    masks = st.lists(st.booleans(), min_size=length, max_size=length)
    mask = np.array([data.draw(masks), data.draw(masks)])
    outputs = call(x, mask).numpy()
    for i in range(2):
        expected = marian(x[i, mask[i]], *layer.get_weights())
        assert_close(outputs[i, mask[i]], expected.reshape(-1, 8), 1e-5)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 9, 300])
def test_equations_at_known_lengths(length):
    layer, x = make(), normal(1, length, 8)
    assert_close(layer(x)[0], marian(x[0], *layer.get_weights()), 1e-5)


def test_a_gate_of_one_keeps_and_a_gate_of_zero_forgets():
    layer, x = make(), normal(2, 9, 8)
    candidate, forget, _ = layer.get_weights()
    layer.set_weights([candidate, 0 * forget, np.full(8, -200)])
    # Of the gate nothing is left, and products of it are zero: nothing may be divided by them.
    np.testing.assert_array_equal(layer(x), tf.nn.relu(layer.candidate(x)))
    layer.set_weights([candidate, 0 * forget, np.full(8, 200)])
    np.testing.assert_array_equal(layer(x), np.zeros((2, 9, 8)))
    cache = {"cell": tf.constant(normal(2, 8))}
    y, new = layer.step(x[:, 0], 5, cache)
    np.testing.assert_array_equal(new["cell"], cache["cell"])
    np.testing.assert_array_equal(y, tf.nn.relu(cache["cell"]))


def test_gradients_are_those_of_one_step_after_another(unit):
    layer, call = unit
    x = tf.constant(normal(2, 6, 8))

    def by_steps(x):
        cache, outputs = layer.init_cache(2, 6), []
        for t in range(6):
            y, cache = layer.step(x[:, t], t, cache)
            outputs.append(y)
        return tf.stack(outputs, axis=1)

    variables = [x, *layer.trainable_variables]
    variables = [v if tf.is_tensor(v) else v.value for v in variables]
    gradients = []
    for function in (lambda x: call(x, tf.ones([2, 6], tf.bool)), by_steps, layer):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(function(x)))
        gradients.append(tape.gradient(loss, variables))
    for expected, *others in zip(gradients[1], gradients[0], gradients[2]):
        for actual in others:
            assert_close(actual, expected, 1e-5)


def test_dropout_takes_the_same_channels_from_all_positions():
    layer = make(dropout=0.5)
    layer.set_weights([np.eye(8), np.zeros((8, 8)), np.full(8, -200)])
    outputs = layer(np.ones((2, 6, 8), "float32"), training=True).numpy()
    assert set(np.unique(outputs)) == {0.0, 2.0}
    np.testing.assert_array_equal(outputs, np.repeat(outputs[:, :1], 6, axis=1))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_step(options):
    layer = make(**options)
    assert layer.state_spec() == {"cell": StateSpec((8,))}
    run_step_test(layer, normal(2, 6, 8), cache_kwargs={"batch_size": 2, "max_length": 6})


def test_export_of_a_decoder_layer():
    run_export_test(TransformerDecoderLayer(SSRU()), normal(2, 5, 8))


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"in \[0, 1\). Received: dropout=1.0"):
        SSRU(dropout=1.0)


def transformer(mixer=None, **stack):
    mixer = SSRUConfig(2) if mixer is None else mixer
    return make_transformer(
        decoder=StackConfig(2, attention=mixer, feed_forward=FeedForwardConfig(48), **stack)
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"num_heads": 3}, "must be divisible by `decoder.attention.num_heads`"),
        ({"use_projection": "yes"}, "`decoder.attention.use_projection` must be true or false"),
        ({"input_dropout": 2.0}, "`decoder.attention.input_dropout` must lie in"),
        ({"intermediate_dim": 9}, "unknown key `decoder.attention.intermediate_dim`"),
    ],
)
def test_impossible_configurations(changes, problem):
    stack = {"num_layers": 2, "attention": {"mixer": "ssru", "num_heads": 2, **changes}}
    with pytest.raises(InputError, match=problem):
        Seq2SeqConfig.from_mapping(
            {"source_vocabulary_size": 60, "hidden_dim": 32, "decoder": stack}
        )


def test_encoders_look_ahead():
    stack = StackConfig(attention=SSRUConfig())
    with pytest.raises(InputError, match="ssru is for the decoder only"):
        Seq2SeqConfig(60, encoder=stack)


MODELS = {
    "plain": {},
    "projected": {"mixer": SSRUConfig(2, use_projection=True, input_dropout=0.1)},
    "shared": {"sharing": SharingConfig("all")},
    "dropped": {"layer_drop": LayerDropConfig(0.2, learned=True)},
}


@pytest.mark.costly
@pytest.mark.parametrize("name", MODELS)
def test_models_are_described_decoded_and_exported(name):
    model = transformer(**MODELS[name])
    assert describe(model.config).total.parameters == model.model.count_params()
    assert Seq2SeqConfig.from_mapping(model.config.to_mapping()) == model.config
    manifest = assert_export_parity(model)
    cells = [entry["shape"] for entry in manifest["state"] if entry["name"].startswith("cell_")]
    assert cells == [[32], [32]]
    # Of the Python runtime, whose rows are reordered while it searches.
    assert manifest["parity"]["beam_identical"] == manifest["parity"]["beam_samples"] > 0


@one_flavour
@pytest.mark.parametrize("custom_ops", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_native_runtime_translates_alike(custom_ops, built, tmp_path, monkeypatch):
    model, sources = transformer(), [[4, 6, 8, 9], [5] * 11, [7]]
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    options = {"quantization": "float32", "custom_ops": custom_ops, "samples": [[5, 2]]}
    manifest = convert(model, tmp_path / "bundle", **options)
    assert ("tfc.RecurrentDecoder" in manifest["custom_ops"]) == custom_ops
    engine = open_engine(open_bundle(tmp_path / "bundle"), native=True)
    for source, beam_size in itertools.product(sources, (1, 4)):
        actual = engine.search(source, beam_size=beam_size)[0].ids
        assert actual == beam_decode(model, [*source, 2], beam_size=beam_size)[0].token_ids
    engine.close()


@pytest.mark.slow
@legacy_only
def test_it_is_trained_on_a_grid(tmp_path):
    from tfcompress.optimization import quantize_aware, strip_quantization

    model = transformer(SSRUConfig(2, use_projection=True))
    quantized = quantize_aware(model.model, bits=8)
    grids = quantized.quantizer_assignment.grids("decoder_layer_0")
    for matrix in ("candidate", "forget_gate", "output_projection"):
        assert f"self_attention/{matrix}/kernel" in grids
    plain = Seq2SeqTransformer(model.config, model=strip_quantization(quantized))
    manifest = convert(plain, tmp_path / "bundle", samples=[[5, 9, 2]])
    assert manifest["parity"]["mean_log_probability_difference"] < 0.05


@pytest.mark.parametrize("length", [1, 2, 7, 8])
def test_a_bound_takes_the_place_of_the_loop(length):
    layer = SSRU(max_length=8)
    x = np.random.normal(size=(2, length, 6)).astype("float32")
    expected = layer(x)
    call = tf.function(layer, input_signature=[tf.TensorSpec([None, None, 6])])
    np.testing.assert_allclose(call(x), expected, atol=1e-6)
    operations = {
        operation.type for operation in call.get_concrete_function().graph.get_operations()
    }
    assert not operations & {"While", "StatelessWhile"}
    with pytest.raises(tf.errors.InvalidArgumentError, match="must not be longer"):
        call(np.zeros([1, 9, 6], "float32"))


@pytest.mark.parametrize("max_length", [0, "8", 2.5])
def test_impossible_bounds(max_length):
    with pytest.raises(ValueError, match="`max_length` must be at least 1"):
        SSRU(max_length=max_length)
