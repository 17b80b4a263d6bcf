"""Small random text encoders, their tokenizer and texts for them."""

import random

import numpy as np
import tensorflow as tf

from tfcompress import models
from tfcompress.text import WordPieceTokenizer

MAX_LENGTH = 24
TEXT = "two dogs play with a red ball the man sees an old woman in park who runs here"
WORDS = TEXT.split()
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, "##s", "##ing", ".", ","]
LABELS = ("bad", "good", "neither")
HEADS = {
    "classification": {"num_classes": 3, "labels": LABELS},
    "multi_label_classification": {"labels": LABELS},
    "regression": {},
    "token_classification": {"num_classes": 3},
    "embedding": {"pooling": "mean", "normalize": True},
    None: None,
}


def make_tokenizer():
    return WordPieceTokenizer(PIECES, lowercase=True)


def texts(count, seed=0):
    generator = random.Random(seed)
    lengths = [generator.randint(1, 9) for _ in range(count)]
    return [" ".join(generator.choices(WORDS, k=length)) + "." for length in lengths]


def make_encoder(head="classification", /, *, hidden_dim=32, **changes):
    """Random weights, strong enough that texts differ."""
    tf.keras.utils.set_random_seed(0)
    stack = models.StackConfig(
        2,
        attention=models.AttentionConfig(4),
        feed_forward=models.FeedForwardConfig(64, activation="gelu"),
        sharing=models.SharingConfig(),
    )
    if HEADS[head] is not None:
        changes["head"] = models.HeadConfig(head, **HEADS[head])
    settings = {"encoder": stack, "max_length": MAX_LENGTH} | changes
    config = models.TextEncoderConfig(len(PIECES), hidden_dim=hidden_dim, **settings)
    encoder = models.TextEncoder(config)
    generator = np.random.default_rng(1)
    for weight in encoder.model.weights:
        weight.assign(weight + 0.4 * generator.standard_normal(weight.shape))
    return encoder


def model_outputs(encoder, ids, types=None):
    """What the Keras model gives for one text."""
    inputs = {"token_ids": np.array([ids], np.int32)}
    if encoder.config.token_types:
        inputs["token_type_ids"] = np.array([types or [0] * len(ids)], np.int32)
    outputs = encoder.model(inputs, training=False)
    return {name: np.asarray(value)[0] for name, value in outputs.items()}
