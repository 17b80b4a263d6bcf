"""Compression methods on text encoders."""

import dataclasses

import numpy as np
import pytest
from tensorflow import keras

from tfcompress.analysis import describe
from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    HeadConfig,
    LayerDropConfig,
    StackConfig,
    TextEncoder,
    TextEncoderConfig,
)
from tfcompress.models.transfer import transfer_weights
from tfcompress.surgery import (
    attention_layers,
    drop_layers,
    factorize_embedding,
    head_importance,
    narrow_feed_forward,
    prune_heads,
    search_layers,
    take_successors,
)
from tfcompress.training.theseus_replacer import TheseusReplacer

STACK = StackConfig(
    4, attention=AttentionConfig(4), feed_forward=FeedForwardConfig(24, activation="gelu")
)
CONFIG = TextEncoderConfig(
    30,
    hidden_dim=16,
    encoder=STACK,
    max_length=12,
    dropout=0.0,
    head=HeadConfig(num_classes=2, pooling="first"),
)
RNG = np.random.default_rng(0)
IDS = RNG.integers(3, 30, (6, 5)).astype("int32")
INPUTS = {"token_ids": IDS, "token_type_ids": 0 * IDS}
LABELS = IDS[:, 0] % 2


def make(**changes):
    keras.utils.set_random_seed(0)
    encoder = TextEncoder(CONFIG.replace(**changes))
    for weight in encoder.model.trainable_weights:
        weight.assign(weight + 0.2 * RNG.standard_normal(weight.shape))
    return encoder


def logits(encoder):
    return np.array(encoder.model(INPUTS, training=False)["logits"])


def test_heads_are_pruned():
    encoder = make()
    names = list(attention_layers(encoder))
    assert len(names) == 4
    kernel = encoder.encoder_layers[1].attention.output_projection.kernel
    # A head that says nothing.
    kernel.assign(np.where(np.arange(16)[:, None] // 4 == 2, 0, kernel))
    smaller = prune_heads(encoder, drop={names[1]: [2]})
    assert smaller.config.encoder.attention.num_heads == (4, 3, 4, 4)
    assert smaller.model.count_params() < encoder.model.count_params()
    np.testing.assert_allclose(logits(smaller), logits(encoder), atol=1e-5)


def test_importance_of_heads():
    encoder = make()

    def loss(labels, outputs):
        cross_entropy = keras.losses.sparse_categorical_crossentropy
        return cross_entropy(labels, outputs["logits"], from_logits=True)

    scores = head_importance(encoder.model, [(INPUTS, LABELS)], loss)
    assert [len(values) for values in scores.values()] == [4] * 4


def test_layers_are_dropped():
    encoder = make(encoder=dataclasses.replace(STACK, layer_drop=LayerDropConfig(0.5)))
    smaller = drop_layers(encoder, keep={"encoder": [0, 2]})
    assert smaller.config.encoder.num_layers == 2
    assert smaller.config.encoder.layer_drop.rate == 0
    whole = drop_layers(encoder)
    np.testing.assert_allclose(logits(whole), logits(encoder), atol=1e-6)
    with pytest.raises(InputError, match="must name sides of the model, encoder"):
        drop_layers(encoder, keep={"decoder": [0]})


@pytest.mark.slow
def test_layers_are_searched():
    encoder = make()
    expected = logits(encoder)
    # The third layer does nothing.
    layer = encoder.encoder_layers[2]
    for dense in (layer.attention.output_projection, layer.feed_forward.outer):
        dense.set_weights([0 * weight for weight in dense.get_weights()])
    actual = search_layers(
        encoder, lambda other: -np.abs(logits(other) - logits(encoder)).sum(), encoder=3
    )
    assert len(actual["encoder"]) == 3
    assert list(actual) == ["encoder"]
    assert not np.allclose(expected, 0)


def test_feed_forwards_are_narrowed():
    encoder = make()
    smaller = narrow_feed_forward(encoder, 20, [INPUTS])
    assert smaller.config.encoder.feed_forward.intermediate_dim == 20
    np.testing.assert_allclose(logits(narrow_feed_forward(encoder, 24)), logits(encoder), atol=1e-6)
    with pytest.raises(InputError, match="must name sides of the model, encoder"):
        narrow_feed_forward(encoder, {"decoder": 8})


@pytest.mark.slow
def test_theseus_end_to_end():
    predecessor = make()
    stack = dataclasses.replace(STACK, successors=2)
    encoder = TextEncoder(CONFIG.replace(encoder=stack))
    assert transfer_weights(predecessor, encoder) == []
    # The successors begin as the first layers.
    first = encoder.encoder_layers[1].successor.get_weights()
    for one, other in zip(first, predecessor.encoder_layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for layer in encoder.encoder_layers:
        for replaced in layer.predecessors:
            replaced.trainable = False
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    encoder.model.compile("adam", {"logits": loss})
    callback = TheseusReplacer("constant", rate=0.5, steps=2)
    encoder.model.fit(
        INPUTS, {"logits": LABELS}, batch_size=2, epochs=2, verbose=0, callbacks=[callback]
    )
    smaller = take_successors(encoder)
    assert smaller.config.encoder.num_layers == 2
    np.testing.assert_allclose(logits(smaller), logits(encoder), atol=1e-6)
    with pytest.raises(InputError, match="none in the encoder"):
        take_successors(smaller)


HEADS = [
    None,
    HeadConfig(num_classes=3, pooling="pooled"),
    HeadConfig(num_classes=3, pooling="mean", hidden_activation="relu"),
    HeadConfig("token_classification", num_classes=5, pooling="pooled"),
    HeadConfig("embedding", pooling="mean", normalize=True),
]


@pytest.mark.costly
@pytest.mark.parametrize("head", HEADS, ids=lambda head: head and head.task)
def test_parameters_are_described(head):
    encoder = make(head=head, embedding_dim=8, project_first=True)
    total = describe(encoder).to_dict()["parameters"]["total"]
    assert total == encoder.model.count_params()


def test_tables_of_low_rank_are_factorized_exactly():
    encoder = make()
    table = encoder.layer("embedding").embeddings
    left, values, right = np.linalg.svd(np.asarray(table), full_matrices=False)
    table.assign(left[:, :5] * values[:5] @ right[:5])
    for counts in (None, np.arange(30)):
        smaller, errors = factorize_embedding(encoder, 5, token_counts=counts)
        assert smaller.config.project_first
        assert errors["embedding"] < 1e-5
        np.testing.assert_allclose(logits(smaller), logits(encoder), atol=1e-4)
    again, _ = factorize_embedding(smaller, 4)
    assert again.config.embedding_dim == 4


@pytest.mark.slow
def test_frequent_tokens_are_approximated_better():
    encoder = make()
    table = np.asarray(encoder.layer("embedding").embeddings)
    counts = np.zeros(30)
    counts[:6] = 1000

    def lost(counts):
        smaller, _ = factorize_embedding(encoder, 6, token_counts=counts)
        layer = smaller.layer("embedding")
        product = np.asarray(layer.embeddings) @ np.asarray(layer.projection.kernel)
        return np.linalg.norm((product - table)[:6])

    assert lost(counts) < 0.2 * lost(None)


@pytest.mark.slow
def test_tables_that_cannot_be_factorized():
    with pytest.raises(InputError, match="normalized before they are projected"):
        factorize_embedding(make(embedding_dim=8), 4)
    with pytest.raises(InputError, match="between 1 and 15"):
        factorize_embedding(make(), 16)
    for counts in (np.ones(29), -np.ones(30)):
        with pytest.raises(InputError, match="for each of 30 tokens"):
            factorize_embedding(make(), 4, token_counts=counts)
    with pytest.raises(InputError, match="`project_first` needs `embedding_dim`"):
        CONFIG.replace(project_first=True)
