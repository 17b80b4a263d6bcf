"""Averaged attention, alone and as the decoder's mixer through everything a model goes through."""

import dataclasses
import itertools

import numpy as np
import pytest
from export.export_harness import assert_export_parity, make_transformer
from flavours import legacy_only, one_flavour
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
from tfcompress.layers import AveragedAttention, TransformerDecoderLayer
from tfcompress.models import (
    AveragedAttentionConfig,
    FeedForwardConfig,
    LayerDropConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SharingConfig,
    StackConfig,
)
from tfcompress.models.decoding import beam_decode
from tfcompress.runtime import open_bundle, open_engine

PLAIN = {"intermediate_dim": None, "use_gates": False}
OPTIONS = [
    {"intermediate_dim": 12},
    {"intermediate_dim": 6, "use_gates": False, "activation": "relu", "dropout": 0.3},
    {"intermediate_dim": None, "use_bias": False},
    PLAIN,
]


def parameters(width, intermediate_dim=2048, use_gates=True, use_bias=True, **_):
    """The closed formula of the docstring."""
    inner = intermediate_dim or 0
    count = 2 * width * inner + 2 * width * width * use_gates
    return count + ((inner + width) * bool(inner) + 2 * width * use_gates) * use_bias


def make(**options):
    layer = AveragedAttention(**options)
    layer(normal(1, 2, 8))
    randomize(layer)
    return layer


@pytest.mark.costly
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_contract(options):
    run_layer_test(
        lambda: AveragedAttention(**options),
        normal(2, 5, 8),
        call_kwargs={"padding_mask": lengths_mask([3, 5], 5)},
        output_shape=(2, 5, 8),
        parameters=parameters(8, **options),
        random_in_training="dropout" in options,
    )


def marian(x, w1, b1, w2, b2, wi, bi, wf, bf):
    """The equations of Marian's layer, one position after another."""

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    mean, outputs = np.zeros(x.shape[-1]), []
    for t, row in enumerate(x):
        mean = (mean * t + row) / (t + 1)
        inner = mean @ w1 + b1
        y = (inner * sigmoid(inner)) @ w2 + b2
        outputs.append(sigmoid(row @ wi + bi) * row + sigmoid(y @ wf + bf) * y)
    return np.array(outputs)


def test_equations():
    layer, x = make(intermediate_dim=12), normal(1, 7, 8)
    assert_close(layer(x)[0], marian(x[0], *layer.get_weights()), 1e-5)
    means = np.cumsum(x[0], axis=0) / np.arange(1, 8)[:, np.newaxis]
    assert_close(make(**PLAIN)(x)[0], means, 1e-6)


def test_padding_in_front_changes_no_token():
    layer, x = make(intermediate_dim=12), normal(1, 6, 8)
    mask = np.array([[False, False, True, True, True, True]])
    assert_close(layer(x, padding_mask=mask)[:, 2:], layer(x[:, 2:]), 1e-5)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_step(options):
    layer = make(**options)
    assert layer.state_spec() == {"mean": StateSpec((8,))}
    run_step_test(layer, normal(2, 6, 8), cache_kwargs={"batch_size": 2, "max_length": 6})


def test_export_of_a_decoder_layer():
    layer = TransformerDecoderLayer(AveragedAttention(intermediate_dim=12))
    run_export_test(layer, normal(2, 5, 8))


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        ({"intermediate_dim": 0}, ["at least 1, or None", "intermediate_dim=0"]),
        ({"dropout": 1.0}, ["in [0, 1)", "dropout=1.0"]),
    ],
)
def test_wrong_arguments(arguments, fragments):
    with pytest.raises(ValueError) as caught:
        AveragedAttention(**arguments)
    assert all(fragment in str(caught.value) for fragment in ["Received: ", *fragments])


def transformer(mixer=None, **stack):
    mixer = AveragedAttentionConfig(2, intermediate_dim=24) if mixer is None else mixer
    return make_transformer(
        decoder=StackConfig(2, attention=mixer, feed_forward=FeedForwardConfig(48), **stack)
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"num_heads": 3}, "must be divisible by `decoder.attention.num_heads`"),
        ({"activation": "rellu"}, "`decoder.attention.activation` must be one of"),
        ({"intermediate_dim": 0}, "`decoder.attention.intermediate_dim` must be at least 1"),
        ({"intermediate_dim": [8, 9, 10]}, "must have one value for each"),
        ({"feed_forward_dropout": 2.0}, "`decoder.attention.feed_forward_dropout` must lie in"),
    ],
)
def test_impossible_configurations(changes, problem):
    stack = {"num_layers": 2, "attention": {"mixer": "averaged", "num_heads": 2, **changes}}
    with pytest.raises(InputError, match=problem):
        Seq2SeqConfig.from_mapping(
            {"source_vocabulary_size": 60, "hidden_dim": 32, "decoder": stack}
        )


def test_encoders_look_ahead():
    stack = StackConfig(attention=AveragedAttentionConfig())
    with pytest.raises(InputError, match="averaged is for the decoder only"):
        Seq2SeqConfig(60, encoder=stack)


MIXER = AveragedAttentionConfig(2, intermediate_dim=(24, 16))
MODELS = {
    "each_layer_its_width": {"mixer": MIXER},
    "plain": {"mixer": dataclasses.replace(MIXER, **PLAIN)},
    "shared": {"sharing": SharingConfig("all")},
    "dropped": {"layer_drop": LayerDropConfig(0.2, learned=True)},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_models_are_described_decoded_and_exported(name):
    model = transformer(**MODELS[name])
    described = describe(model.config)
    assert described.total.parameters == model.model.count_params()
    assert Seq2SeqConfig.from_mapping(model.config.to_mapping()) == model.config
    manifest = assert_export_parity(model)
    means = [entry for entry in manifest["state"] if entry["name"].startswith("mean_")]
    assert [entry["shape"] for entry in means] == [[32], [32]]
    # Of the Python runtime, whose rows are reordered while it searches.
    assert manifest["parity"]["beam_identical"] == manifest["parity"]["beam_samples"] > 0


@one_flavour
@pytest.mark.parametrize("custom_ops", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_native_runtime_translates_alike(custom_ops, built, tmp_path, monkeypatch):
    model, sources = transformer(), [[4, 6, 8, 9], [5] * 11, [7]]
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    options = {"quantization": "float32", "custom_ops": custom_ops, "samples": [[5, 2]]}
    convert(model, tmp_path / "bundle", **options)
    engine = open_engine(open_bundle(tmp_path / "bundle"), native=True)
    for source, beam_size in itertools.product(sources, (1, 4)):
        actual = engine.search(source, beam_size=beam_size)[0].ids
        assert actual == beam_decode(model, [*source, 2], beam_size=beam_size)[0].token_ids
    engine.close()


@pytest.mark.slow
@legacy_only
def test_it_is_trained_on_a_grid(tmp_path):
    from tfcompress.optimization import quantize_aware, strip_quantization

    model = transformer(AveragedAttentionConfig(2, intermediate_dim=40))
    quantized = quantize_aware(model.model, bits=8)
    grids = quantized.quantizer_assignment.grids("decoder_layer_0")
    for matrix in ("feed_forward/inner", "feed_forward/outer", "input_gate", "mean_gate"):
        assert f"self_attention/{matrix}/kernel" in grids
    plain = Seq2SeqTransformer(model.config, model=strip_quantization(quantized))
    manifest = convert(plain, tmp_path / "bundle", samples=[[5, 9, 2]])
    assert manifest["parity"]["mean_log_probability_difference"] < 0.05
