"""Every wrong argument raises ValueError with its cause, the value received and the remedy."""

import numpy as np
import pytest
import tensorflow as tf
from layers.harness import lengths_mask, normal
from tensorflow import keras

from tfcompress.layers import (
    LSRA,
    DeLighTEncoderLayer,
    DExTraBlock,
    FactorizedEmbedding,
    FeedForward,
    LayerDropWrapper,
    LayerNormalization,
    LearnedPosition,
    MultiHeadAttention,
    SinusoidalPosition,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)

X = normal(2, 5, 8)
IDS = np.array([[1, 2]])
SIZE = "must be at least 1"
RATE = "must lie in [0, 1)"


def attention(**options):
    layer = MultiHeadAttention(2, **options)
    layer(X)
    return layer


# What is done, and what the message must say.
CASES = {
    "num_heads": (lambda: MultiHeadAttention(0), ["`num_heads`", "num_heads=0", SIZE]),
    "head_dim": (lambda: MultiHeadAttention(2, head_dim=0), ["`head_dim`", "head_dim=0", SIZE]),
    "memory_dim": (
        lambda: MultiHeadAttention(2, memory_dim=-3),
        ["`memory_dim`", "memory_dim=-3", SIZE],
    ),
    "attention_dropout": (
        lambda: MultiHeadAttention(2, dropout=1.0),
        ["`dropout`", "dropout=1.0", RATE],
    ),
    "width_not_divisible": (
        lambda: MultiHeadAttention(3)(X),
        ["divisible by `num_heads`", "width=8, num_heads=3", "Pass `head_dim`"],
    ),
    "memory_of_another_width": (
        lambda: attention()(X, memory=normal(2, 4, 6)),
        ["as wide as the input", "width=6, expected=8", "Pass memory_dim=6"],
    ),
    "cached_memory_of_another_width": (
        lambda: attention().init_cache(memory=normal(2, 4, 6)),
        ["as wide as the input", "width=6, expected=8", "Pass memory_dim=6"],
    ),
    "causal_over_a_memory": (
        lambda: attention(causal=True)(X, memory=X),
        ["its own input only", "causal=True and a memory", "with causal=False"],
    ),
    "cache_of_no_size": (
        lambda: attention().init_cache(batch_size=2),
        ["needs its size", "batch_size=2, max_length=None", "Pass `batch_size` and `max_length`"],
    ),
    "cache_before_the_weights": (
        lambda: MultiHeadAttention(2).init_cache(2, 5),
        ["no weights yet", "init_cache before the first call", "Call the layer or its `build`"],
    ),
    "mask_of_rank_3": (
        lambda: attention()(X, padding_mask=lengths_mask([3, 5], 5)[:, np.newaxis]),
        ["padding mask must be", "shape=(2, 1, 5), dtype=bool", "Pass `token_ids != pad_id`"],
    ),
    "floating_mask_of_rank_2": (
        lambda: attention()(X, padding_mask=np.ones((2, 5), "float32")),
        ["padding mask must be", "shape=(2, 5), dtype=float32", "Pass `token_ids != pad_id`"],
    ),
    "mask_of_another_length": (
        lambda: attention()(X, padding_mask=lengths_mask([3, 4], 4)),
        ["a value for each position", "shape=(2, 4)", "shape=(2, 5, 8)"],
    ),
    "mask_of_another_batch": (
        lambda: TransformerEncoderLayer(MultiHeadAttention(2))(
            X, padding_mask=np.zeros((3, 1, 1, 5), "float32")
        ),
        ["a value for each position", "shape=(3, 1, 1, 5)", "shape=(2, 5, 8)"],
    ),
    "mask_of_the_input_for_a_memory": (
        lambda: attention()(X, memory=normal(2, 4, 8), padding_mask=lengths_mask([3, 5], 5)),
        ["a value for each position", "shape=(2, 5)", "shape=(2, 4, 8)"],
    ),
    "memory_of_rank_2": (
        lambda: attention()(X, memory=X[:, 0]),
        ["memory [batch, memory_length, memory_width]", "shape=(2, 8)"],
    ),
    "no_input": (lambda: attention()(None), ["takes one tensor", "None"]),
    "unknown_width": (
        lambda: FeedForward(4)(keras.Input((None, None))),
        ["must know the width", "shape=(None, None, None)"],
    ),
    "intermediate_dim": (
        lambda: FeedForward(0),
        ["`intermediate_dim`", "intermediate_dim=0", SIZE],
    ),
    "feed_forward_dropout": (
        lambda: FeedForward(8, dropout=-0.1),
        ["`dropout`", "dropout=-0.1", RATE],
    ),
    "dropout_is_no_number": (
        lambda: FeedForward(8, dropout=float("nan")),
        ["`dropout`", "dropout=nan", RATE],
    ),
    "epsilon": (
        lambda: LayerNormalization(0.0),
        ["`epsilon`", "epsilon=0.0", "must be positive"],
    ),
    "epsilon_of_a_layer": (
        lambda: TransformerEncoderLayer(feed_forward=FeedForward(4), epsilon=-1.0)(X),
        ["`epsilon`", "epsilon=-1.0", "must be positive"],
    ),
    "odd_width": (
        lambda: SinusoidalPosition()(X[..., :5]),
        ["SinusoidalPosition", "width=5", "even width of at least 4"],
    ),
    "narrow_width": (
        lambda: SinusoidalPosition()(X[..., :2]),
        ["SinusoidalPosition", "width=2", "even width of at least 4"],
    ),
    "max_length": (lambda: LearnedPosition(0), ["`max_length`", "max_length=0", SIZE]),
    "longer_than_the_table": (
        lambda: LearnedPosition(4)(X),
        ["more positions than the table", "length=5, max_length=4", "raise `max_length`"],
    ),
    "vocabulary_size": (
        lambda: FactorizedEmbedding(0, hidden_dim=8),
        ["`vocabulary_size`", "vocabulary_size=0", SIZE],
    ),
    "hidden_dim": (
        lambda: FactorizedEmbedding(9, hidden_dim=-1),
        ["`hidden_dim`", "hidden_dim=-1", SIZE],
    ),
    "embedding_dim": (
        lambda: FactorizedEmbedding(9, hidden_dim=8, embedding_dim=0),
        ["`embedding_dim`", "embedding_dim=0", SIZE],
    ),
    "token_types": (
        lambda: FactorizedEmbedding(9, hidden_dim=8, token_types=-1),
        ["`token_types`", "token_types=-1", "must not be negative"],
    ),
    "tie": (
        lambda: FactorizedEmbedding(9, hidden_dim=8, tie="both"),
        ["`tie`", "tie='both'", "one of shared, own, none"],
    ),
    "embedding_dropout": (
        lambda: FactorizedEmbedding(9, hidden_dim=8, dropout=2),
        ["`dropout`", "dropout=2", RATE],
    ),
    "not_tied": (
        lambda: FactorizedEmbedding(9, hidden_dim=8, tie="none")(X, reverse=True),
        ["not tied", "tie='none'", "Tie it"],
    ),
    "hidden_vectors_of_another_width": (
        lambda: FactorizedEmbedding(9, hidden_dim=4)(X, reverse=True),
        ["hidden vectors of width 4", "shape=(2, 5, 8)", "Project it to `hidden_dim`"],
    ),
    "types_without_types": (
        lambda: FactorizedEmbedding(9, hidden_dim=8)(IDS, token_type_ids=IDS),
        ["no token types", "token_types=0", "Pass the number of types"],
    ),
    "empty_encoder_layer": (
        lambda: TransformerEncoderLayer(),
        ["at least one sub-layer", "attention=None, feed_forward=None"],
    ),
    "empty_decoder_layer": (
        lambda: TransformerDecoderLayer(),
        ["at least one sub-layer", "self_attention=None, cross_attention=None"],
    ),
    "no_layer": (
        lambda: TransformerEncoderLayer(feed_forward=tf.nn.relu),
        ["`feed_forward`", "feed_forward=<function", "must be a Keras layer"],
    ),
    "keras_attention_in_an_encoder": (
        lambda: TransformerEncoderLayer(keras.layers.MultiHeadAttention(2, 4)),
        ["`attention(x, padding_mask=...)`", "MultiHeadAttention", "takes no padding_mask"],
    ),
    "keras_attention_in_a_decoder": (
        lambda: TransformerDecoderLayer(keras.layers.MultiHeadAttention(2, 4)),
        ["`self_attention(x)`", "MultiHeadAttention", "needs value"],
    ),
    "keras_attention_over_a_memory": (
        lambda: TransformerDecoderLayer(
            cross_attention=keras.layers.MultiHeadAttention(2, 4), feed_forward=FeedForward(4)
        ),
        ["`cross_attention(x, memory=..., padding_mask=...)`", "takes no memory, padding_mask"],
    ),
    "keras_attention_in_a_branch": (
        lambda: LSRA(keras.layers.MultiHeadAttention(2, 4)),
        ["`attention(x, padding_mask=...)`", "MultiHeadAttention", "takes no padding_mask"],
    ),
    "keras_attention_behind_a_transform": (
        lambda: DeLighTEncoderLayer(
            DExTraBlock(4, num_layers=2), attention=keras.layers.MultiHeadAttention(1, 4)
        ),
        ["`attention(x, padding_mask=...)`", "MultiHeadAttention", "takes no padding_mask"],
    ),
    "keras_attention_as_a_transform": (
        lambda: DeLighTEncoderLayer(
            keras.layers.MultiHeadAttention(1, 4), attention=MultiHeadAttention(1)
        ),
        ["`transform(x)`", "MultiHeadAttention", "needs value"],
    ),
    "keras_attention_as_a_feed_forward": (
        lambda: TransformerEncoderLayer(feed_forward=keras.layers.MultiHeadAttention(1, 4)),
        ["`feed_forward(x)`", "MultiHeadAttention", "needs value"],
    ),
    "mask_in_the_place_of_training": (
        lambda: LayerDropWrapper(TransformerEncoderLayer(MultiHeadAttention(2)))(
            X, lengths_mask([3, 5], 5)
        ),
        ["one positional tensor", "2 positional arguments", "by keyword"],
    ),
    "residual_dropout": (
        lambda: TransformerEncoderLayer(feed_forward=FeedForward(4), dropout=1),
        ["`dropout`", "dropout=1", RATE],
    ),
    "decoder_not_causal": (
        lambda: TransformerDecoderLayer(MultiHeadAttention(2)),
        ["must be causal", "causal=False", "Pass causal=True"],
    ),
    "causal_cross_attention": (
        lambda: TransformerDecoderLayer(cross_attention=attention(causal=True))(X, memory=X),
        ["its own input only", "causal=True", "with causal=False"],
    ),
    "no_memory": (
        lambda: TransformerDecoderLayer(cross_attention=MultiHeadAttention(2))(X),
        ["attends over a memory", "memory=None", "Pass the encoder's output"],
    ),
    "cache_without_memory": (
        lambda: TransformerDecoderLayer(cross_attention=attention()).init_cache(2, 5),
        ["attends over a memory", "memory=None", "Pass the encoder's output"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    action, fragments = CASES[name]
    with pytest.raises(ValueError) as caught:
        action()
    message = str(caught.value)
    for fragment in ("Received: ", *fragments):
        assert fragment in message


def test_layers_are_keras_layers():
    import tfcompress.layers as layers

    assert all(issubclass(getattr(layers, name), keras.layers.Layer) for name in layers.__all__)
