import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tfcompress import surgery
from tfcompress.errors import InputError
from tfcompress.export import ExportOptions
from tfcompress.export.conversion.signatures import Signatures
from tfcompress.models import (
    AttentionConfig,
    AveragedAttentionConfig,
    ConvolutionConfig,
    DeLighTConfig,
    FeedForwardConfig,
    LayerDropConfig,
    LSRAConfig,
    ScalingConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SharingConfig,
    SSRUConfig,
    StackConfig,
)
from tfcompress.models.alignment import alignment_attention, alignment_of

SOURCE, TARGET = [5, 9, 6, 7, 2], [1, 8, 4, 4]
MIXERS = {
    "multi_head": AttentionConfig(2),
    "gated": AttentionConfig(2, gated=True),
    "ssru": SSRUConfig(2),
    "averaged": AveragedAttentionConfig(2),
    "lsra": LSRAConfig(2, convolution=ConvolutionConfig(num_heads=2)),
    "delight": DeLighTConfig(
        1, scaling=ScalingConfig(2, max_layers=3, width_multiplier=2.0, max_groups=2)
    ),
}
VARIANTS = {
    "head": {"alignment_head": 1},
    "pre_norm": {"normalize_first": True},
    "one_layer": {"sharing": SharingConfig("all")},
    "halves": {"sharing": SharingConfig("feed_forward")},
    "dropped": {"layer_drop": LayerDropConfig(0.5), "alignment_head": 0},
}


def make(mixer="multi_head", *, sharing=SharingConfig(), layer_drop=LayerDropConfig(), **changes):  # noqa: B008
    def stack(attention):
        feed = FeedForwardConfig(8)
        return StackConfig(
            2, attention=attention, feed_forward=feed, sharing=sharing, layer_drop=layer_drop
        )

    config = Seq2SeqConfig(
        12,
        hidden_dim=16,
        encoder=stack(AttentionConfig(2)),
        decoder=stack(MIXERS[mixer]),
        **changes,
    )
    keras.utils.set_random_seed(0)
    transformer = Seq2SeqTransformer(config)
    rng = np.random.default_rng(0)
    for weight in transformer.model.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.3, weight.shape))
    return transformer


def stepped(transformer):
    """The alignments that an export gives, and the decoder's cache is left out of."""
    signatures = Signatures(transformer, ExportOptions(alignments=True))
    encoded = signatures._encode(tf.constant(SOURCE))
    state = {
        name: encoded[name]
        if name in encoded
        else tf.fill(spec.sizes(1, len(TARGET)), tf.constant(spec.initial, tf.float32))
        for name, spec in signatures.state.items()
    }
    rows = []
    for position, token in enumerate(TARGET):
        mask = np.where(np.arange(len(TARGET)) <= position, 0, -30000).astype(np.float32)
        outputs = signatures._step(
            tf.constant([token]),
            tf.constant([position]),
            tf.constant(mask.reshape(1, 1, 1, -1)),
            [state[name] for name in signatures.state],
            [],
        )
        rows.append(outputs["alignment"].numpy()[0])
        state |= {name: outputs[f"new_{name}"] for name in state if f"new_{name}" in outputs}
    return np.array(rows), signatures


def called(transformer):
    with alignment_attention(transformer).recording("probabilities") as weights:
        transformer.forward(tf.constant([SOURCE]), tf.constant([TARGET]))
    return alignment_of(weights[-1], transformer.config.alignment_head).numpy()[0]


@pytest.mark.costly
@pytest.mark.parametrize("changes", [*VARIANTS.values(), *({"mixer": name} for name in MIXERS)])
def test_steps_align_as_the_training_graph_does(changes):
    transformer = make(**changes)
    actual, signatures = stepped(transformer)
    expected = called(transformer)
    assert expected.shape == (len(TARGET), len(SOURCE))
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-5)
    assert expected.std(axis=1).min() > 0
    head = transformer.config.alignment_head
    assert signatures.interface()["decoder"]["alignments"] == ("mean" if head is None else head)


def test_heads_differ_and_make_the_mean():
    transformer = make()
    heads = [
        called(Seq2SeqTransformer(transformer.config.replace(alignment_head=head), model=model))
        for model in [transformer.model]
        for head in (0, 1)
    ]
    assert np.abs(heads[0] - heads[1]).max() > 1e-3
    np.testing.assert_allclose(called(transformer), np.mean(heads, axis=0), atol=1e-6)


def test_decoders_without_attention_to_the_source():
    class Model:
        decoder_layers = (keras.layers.Dense(3, name="mine"),)

    with pytest.raises(InputError, match=r"need a decoder layer .* Received: mine\."):
        alignment_attention(Model())


@pytest.mark.parametrize("head", [2, -1, 1.5])
def test_heads_that_there_are_not(head):
    with pytest.raises(InputError, match="alignment_head"):
        make(alignment_head=head)


def test_surgery_keeps_the_head():
    transformer = make(alignment_head=1)
    name = alignment_attention(transformer).name
    smaller = surgery.prune_heads(transformer, drop={name: [0]})
    assert smaller.config.alignment_head == 0
    np.testing.assert_allclose(called(smaller), called(transformer), atol=1e-5)
    assert surgery.prune_heads(transformer, drop={name: [1]}).config.alignment_head is None
    assert surgery.drop_layers(transformer, keep={"decoder": [1]}).config.alignment_head == 1
    assert surgery.drop_layers(transformer, keep={"decoder": [0]}).config.alignment_head is None
