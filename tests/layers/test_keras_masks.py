"""Padding under Keras' own masks, in whole models; each layer's is in the harness."""

import numpy as np
import pytest
import tensorflow as tf
from layers.harness import assert_close, lengths_mask, normal
from tensorflow import keras

from tfcompress.layers import (
    LSRA,
    AdaptiveEmbedding,
    DeFINEEmbedding,
    DeLighTDecoderLayer,
    DeLighTEncoderLayer,
    DExTraBlock,
    DExTraEmbedding,
    DynamicConv,
    FactorizedEmbedding,
    FeedForward,
    FirstToken,
    FixedPatternAttention,
    LayerDropWrapper,
    LayerNormalization,
    LearnedPosition,
    LightweightConv,
    MeanPooling,
    MultiHeadAttention,
    SinusoidalPosition,
    TheseusModule,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
    UnitNormalization,
)

V, D = 20, 8
ROW = np.array([[3, 4, 5, 6, 7]], "int32")
PADDED = [np.pad(ROW, ((0, 0), sides)) for sides in ((0, 3), (3, 0), (0, 20), (20, 0))]

EMBEDDINGS = {
    "keras": lambda: keras.layers.Embedding(V, D, mask_zero=True),
    "factorized": lambda: FactorizedEmbedding(
        V,
        hidden_dim=D,
        embedding_dim=4,
        normalize=True,
        positions=LearnedPosition(40),
        mask_zero=True,
    ),
    "adaptive": lambda: AdaptiveEmbedding(V, hidden_dim=D, cutoffs=[5], mask_zero=True),
    "define": lambda: DeFINEEmbedding(
        V, hidden_dim=D, embedding_dim=4, num_layers=2, mask_zero=True
    ),
    "dextra": lambda: DExTraEmbedding(
        V, hidden_dim=D, embedding_dim=4, num_layers=2, mask_zero=True
    ),
}


def encoder(attention=None):
    return TransformerEncoderLayer(attention or MultiHeadAttention(2), feed_forward=FeedForward(12))


STACKS = {
    "encoder": encoder,
    "fixed": lambda: encoder(
        FixedPatternAttention(["next", "sentence_end", "last_token"], num_learned_heads=1)
    ),
    "lsra": lambda: encoder(LSRA(MultiHeadAttention(2), convolution=DynamicConv(3, num_heads=2))),
    "lightweight": lambda: encoder(LightweightConv(3, num_heads=2)),
    "mixing_feed_forward": lambda: TransformerEncoderLayer(
        feed_forward=LightweightConv(3, num_heads=2)
    ),
    "delight": lambda: DeLighTEncoderLayer(
        DExTraBlock(4, num_layers=2),
        attention=MultiHeadAttention(1, output_dim=D),
        feed_forward=FeedForward(4),
    ),
    "layer_drop": lambda: LayerDropWrapper(encoder(), rate=0.2),
    "theseus": lambda: TheseusModule([encoder(), encoder()], successor=encoder()),
    "theseus_in_layer_drop": lambda: LayerDropWrapper(
        TheseusModule([encoder()], successor=encoder())
    ),
    "decoder_only": lambda: TransformerDecoderLayer(MultiHeadAttention(2, causal=True)),
}


def classifier(embedding="keras", stack="encoder", pooling=MeanPooling):
    return [
        EMBEDDINGS[embedding](),
        SinusoidalPosition(),
        STACKS[stack](),
        LayerNormalization(),
        pooling(),
        UnitNormalization(),
        keras.layers.Dense(3),
    ]


def randomized(model):
    model(ROW)
    rng = np.random.default_rng(0)
    model.set_weights([w + 0.3 * rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


def functional(layers):
    x = ids = keras.Input((None,), dtype="int32")
    for layer in layers:
        x = layer(x)
    return keras.Model(ids, x)


class Subclassed(keras.Model):
    def __init__(self, layers):
        super().__init__()
        self.parts = layers

    def call(self, inputs, training=None):
        for layer in self.parts:
            inputs = layer(inputs)
        return inputs


MODEL_TYPES = {"functional": functional, "subclassed": Subclassed, "sequential": keras.Sequential}


def check_padding(model):
    expected = model(ROW)
    for padded in PADDED:
        assert_close(model(padded), expected, 2e-5, f"{padded.shape}")


@pytest.mark.parametrize(
    ("model_type", "pooling"),
    [
        ("functional", MeanPooling),
        ("subclassed", MeanPooling),
        ("sequential", MeanPooling),
        ("functional", FirstToken),
    ],
)
def test_padding_changes_no_class(model_type, pooling):
    model = randomized(MODEL_TYPES[model_type](classifier(pooling=pooling)))
    check_padding(model)
    assert_close(model.predict(PADDED[0], verbose=0), model(ROW), 2e-5)


@pytest.mark.costly
@pytest.mark.parametrize("stack", STACKS)
def test_padding_changes_no_class_through_any_stack(stack):
    check_padding(randomized(functional(classifier(stack=stack))))


@pytest.mark.costly
@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_padding_changes_no_class_of_any_embedding(embedding, tmp_path):
    model = randomized(functional(classifier(embedding)))
    check_padding(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close(loaded(PADDED[0]), model(ROW), 2e-5)
    check_padding(loaded)


def test_padding_changes_no_training_step():
    losses = []
    for ids in (ROW, PADDED[3]):
        keras.utils.set_random_seed(0)
        model = functional(classifier(stack="lsra"))
        loss = keras.losses.SparseCategoricalCrossentropy(True)
        randomized(model).compile("sgd", loss, run_eagerly=True)
        history = model.fit(ids, np.ones(1), epochs=3, verbose=0)
        losses.append(history.history["loss"])
    assert losses[0][0] > losses[0][-1]
    assert_close(*losses, 2e-5)


def test_model_within_a_model_sees_the_mask():
    x = keras.Input((None, D))
    inner = keras.Model(x, STACKS["encoder"]()(x))
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, MeanPooling()(inner(EMBEDDINGS["keras"]()(ids))))
    check_padding(randomized(model))


@pytest.mark.parametrize(
    ("stack", "shape"),
    [
        ("encoder", {"shape": (None, None)}),
        ("lsra", {"batch_shape": (2, 2, 8)}),
        ("layer_drop", None),
        (None, {"shape": (2, None)}),
    ],
)
def test_masks_of_texts_in_time_distributed_layers(stack, shape):
    layers = [MeanPooling()] if stack is None else [STACKS[stack](), MeanPooling()]
    embedding = EMBEDDINGS["keras"]()
    parts = [embedding, *map(keras.layers.TimeDistributed, layers)]
    model = Subclassed(parts)
    if shape is not None:
        ids = keras.Input(**shape, dtype="int32")
        model = keras.Model(ids, model.call(ids))
    texts = np.stack([np.concatenate(PADDED[:2]), np.concatenate(PADDED[1::-1])])
    expected = embedding(ROW)
    y = model(texts)
    for layer in layers:
        expected = layer(expected)
    assert_close(y, np.tile(expected, [2, 2, 1]), 2e-5)


class Translator(keras.Model):
    def __init__(self, decoder):
        super().__init__()
        self.embedding = FactorizedEmbedding(V, hidden_dim=D, use_output_bias=True, mask_zero=True)
        self.encoder = encoder()
        self.decoder = decoder

    def call(self, inputs):
        source, target = inputs
        memory = self.encoder(self.embedding(source))
        x = self.decoder(self.embedding(target), memory=memory)
        return self.embedding(x, reverse=True)


DECODERS = {
    "transformer": lambda: TransformerDecoderLayer(
        MultiHeadAttention(2, causal=True),
        cross_attention=MultiHeadAttention(2),
        feed_forward=FeedForward(12),
    ),
    "convolution": lambda: TransformerDecoderLayer(
        LSRA(
            MultiHeadAttention(2, causal=True), convolution=DynamicConv(3, num_heads=2, causal=True)
        ),
        cross_attention=MultiHeadAttention(2),
    ),
    "delight": lambda: DeLighTDecoderLayer(
        DExTraBlock(4, num_layers=2),
        self_attention=MultiHeadAttention(1, causal=True, output_dim=D),
        cross_attention=MultiHeadAttention(1, head_dim=4),
        feed_forward=FeedForward(4),
    ),
    "layer_drop": lambda: LayerDropWrapper(DECODERS["transformer"]()),
}


@pytest.mark.costly
@pytest.mark.parametrize(
    ("decoder", "model_type"), zip(DECODERS, ["functional", "subclassed"] * 2, strict=True)
)
def test_padding_of_source_and_target_changes_no_logit(decoder, model_type):
    model = Translator(DECODERS[decoder]())
    target = ROW[:, :3] + 1
    model((ROW, target))
    rng = np.random.default_rng(0)
    model.set_weights([w + 0.3 * rng.standard_normal(w.shape) for w in model.get_weights()])
    run = model
    if model_type == "functional":
        ids = [keras.Input((None,), dtype="int32") for _ in range(2)]
        run = keras.Model(ids, model.call(ids))
    expected = run([ROW, target])
    for source, n in zip(PADDED, (3, 20, 20, 3)):
        assert_close(run([source, np.pad(target, ((0, 0), (0, n)))])[:, :3], expected, 2e-5)
        y = run([source, np.pad(target, ((0, 0), (n, 0)))])
        assert_close(y[:, n:], expected, 2e-5)
        # Keras leaves padding out of losses by the mask of what a model gives.
        assert np.array_equal(y._keras_mask[0], [False] * n + [True] * 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MultiHeadAttention(2),
        encoder,
        lambda: LayerDropWrapper(encoder()),
        lambda: LSRA(MultiHeadAttention(2), convolution=LightweightConv(3, num_heads=2)),
        MeanPooling,
    ],
)
def test_a_mask_that_is_given_comes_first(make):
    layer, embedding = make(), EMBEDDINGS["keras"]()
    x, mask = embedding(np.array([[3, 4, 5, 0, 0]])), lengths_mask([4], 5)
    expected = layer(x.numpy(), padding_mask=mask)
    assert_close(layer(x, padding_mask=mask), expected, 0)
    assert not np.allclose(layer(x), expected, atol=1e-6)


def test_the_mask_of_a_memory_counts_in_cross_attention():
    layer, embedding = MultiHeadAttention(2), EMBEDDINGS["keras"]()
    x, memory = embedding(PADDED[0]), embedding(PADDED[1])
    y = layer(x, memory=memory)
    assert_close(y, layer(x, memory=embedding(ROW)), 2e-5)
    assert_close(y, layer(x.numpy(), memory=memory), 0)
    assert_close(y._keras_mask, x._keras_mask, 0)


@pytest.mark.parametrize("make", [encoder, lambda: LayerDropWrapper(encoder()), MeanPooling])
def test_wrappers_that_use_call_itself_may_hand_a_mask_on(make):
    layer, embedding = make(), EMBEDDINGS["keras"]()
    x = embedding(PADDED[0])
    expected = layer(x)
    assert_close(layer.call(x), expected, 0)
    plain = tf.constant(x.numpy())
    assert_close(layer.call(plain, mask=x._keras_mask), expected, 0)
    assert not np.allclose(layer.call(plain), expected, atol=1e-4)


def test_wrapped_layers_of_keras_get_masks_too():
    lstm = keras.layers.LSTM(D, return_sequences=True)
    layer, embedding = LayerDropWrapper(lstm), EMBEDDINGS["keras"]()
    x = embedding(PADDED[1])
    assert_close(layer(x)[:, -1], lstm(embedding(ROW))[:, -1], 1e-5)
    mask = lengths_mask([2], 8)
    assert_close(layer(x.numpy(), mask=mask), lstm(x.numpy(), mask=tf.constant(mask)), 1e-6)
    with pytest.raises(ValueError, match=r"does not take `padding_mask`.*Received"):
        layer(x, padding_mask=mask)


class NoMasks(keras.layers.Layer):
    def call(self, inputs):
        return 2.0 * inputs


def test_who_claims_to_support_masks():
    assert not LayerDropWrapper(NoMasks()).supports_masking
    assert not TheseusModule([encoder()], successor=NoMasks()).supports_masking
    assert not TheseusModule([NoMasks()], successor=encoder()).supports_masking
    assert TheseusModule([encoder()], successor=encoder()).supports_masking
    x = EMBEDDINGS["keras"]()(ROW)
    assert getattr(LayerDropWrapper(NoMasks())(x), "_keras_mask", None) is None


@pytest.mark.parametrize("embedding", list(EMBEDDINGS)[1:])
def test_masks_of_embeddings(embedding):
    layer = EMBEDDINGS[embedding]()
    ids = np.array([[3, 0, 4], [0, 1, 0]], "int32")
    hidden = layer(ids)
    assert_close(hidden._keras_mask, ids != 0, 0)
    assert_close(layer(ids.astype("float32"))._keras_mask, ids != 0, 0)
    if layer.tie == "none":
        return
    logits = layer(hidden, reverse=True)
    assert_close(logits._keras_mask, ids != 0, 0)
    assert_close(layer.compute_mask(ids), ids != 0, 0)
    assert getattr(layer(hidden.numpy(), reverse=True), "_keras_mask", None) is None
    assert getattr(layer(hidden.numpy()[:, 0], reverse=True), "_keras_mask", None) is None
    config = layer.get_config() | {"mask_zero": False}
    unmasked = type(layer).from_config(config)
    assert getattr(unmasked(ids), "_keras_mask", None) is None
    assert unmasked.compute_mask(ids) is None


@pytest.mark.parametrize("embedding", list(EMBEDDINGS)[1:])
def test_hidden_vectors_are_no_ids(embedding):
    layer = EMBEDDINGS[embedding]()
    layer(ROW)
    symbolic = keras.Input((None, D))
    for hidden in (normal(2, 3, D), 2 + np.zeros((2, 3, D), "float16"), normal(2, D), symbolic):
        with pytest.raises(ValueError, match=r"integer token ids\. Received: .*reverse=True"):
            layer(hidden)
    floats = np.tile(np.arange(D, dtype="float32"), [2, 1])
    assert_close(layer(floats), layer(floats.astype("int32")), 0)
    ids = keras.Input((D,))
    model = keras.Model(ids, layer(ids))
    assert_close(model(floats), layer(floats.astype("int32")), 0)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=r"takes .*token ids"):
        model.predict(normal(2, D), verbose=0)


def test_positions_are_counted_from_the_first_token():
    x, mask = normal(1, 5, 8), np.array([[False, False, True, True, True]])
    for layer in (SinusoidalPosition(), LearnedPosition(5)):
        assert_close(layer(x, padding_mask=mask)[:, 2:], layer(x[:, 2:]), 0)
