"""Small random models, and the Keras originals as steppers."""

import dataclasses
import random

import numpy as np
import tensorflow as tf

from tfcompress import models
from tfcompress.runtime import StepOutput

MAX_SOURCE, MAX_TARGET = 40, 70
END_BIAS = 1.25
TEXT = "two dogs play with a red ball the man sees an old woman in park who runs here"


def sentences(count, seed=0):
    generator = random.Random(seed)
    lengths = [generator.randint(1, 9) for _ in range(count)]
    return [" ".join(generator.choices(TEXT.split(), k=length)) + " ." for length in lengths]


def make_transformer(vocabulary_size, num_layers=2, mixer=None):
    """Random weights, strong enough that translations differ and end at different lengths."""
    tf.keras.utils.set_random_seed(0)
    stack = models.StackConfig(
        num_layers,
        attention=models.AttentionConfig(4),
        feed_forward=models.FeedForwardConfig(64),
        sharing=models.SharingConfig(),
    )
    config = models.Seq2SeqConfig(
        vocabulary_size,
        hidden_dim=32,
        encoder=stack,
        decoder=stack if mixer is None else dataclasses.replace(stack, attention=mixer),
        embedding=models.EmbeddingConfig(share=True, tie="none", use_output_bias=True),
        max_source_length=MAX_SOURCE,
        max_target_length=MAX_TARGET,
    )
    transformer = models.Seq2SeqTransformer(config)
    generator = np.random.default_rng(1)
    for weight in transformer.model.weights:
        weight.assign(weight + 0.15 * generator.standard_normal(weight.shape))
    bias = np.zeros(vocabulary_size)
    bias[config.eos_id] = END_BIAS
    transformer.layer("output_projection").bias.assign(bias)
    return transformer


def make_language_model(vocabulary_size, max_length=24):
    """Random weights, strong enough that texts differ and end at different lengths."""
    tf.keras.utils.set_random_seed(0)
    stack = models.StackConfig(
        2, attention=models.AttentionConfig(2), feed_forward=models.FeedForwardConfig(32)
    )
    config = models.LanguageModelConfig(
        vocabulary_size,
        hidden_dim=16,
        decoder=stack,
        embedding=models.EmbeddingConfig(tie="none", use_output_bias=True),
        max_length=max_length,
    )
    model = models.LanguageModel(config)
    generator = np.random.default_rng(1)
    for weight in model.model.weights:
        weight.assign(weight + 0.15 * generator.standard_normal(weight.shape))
    bias = np.zeros(vocabulary_size)
    bias[config.eos_id] = 0.95
    model.layer("output_projection").bias.assign(bias)
    return model


class KerasStepper:
    """The original model behind the searches."""

    def __init__(self, transformer):
        self._transformer = transformer
        self._step = tf.function(transformer.step, reduce_retracing=True)

    def encode(self, ids):
        self._memory = self._transformer.encode_with_mask(tf.constant([ids]), None)

    def start(self, rows):
        self._cache = self._transformer.init_cache(
            tf.repeat(self._memory, rows, axis=0), MAX_TARGET
        )
        self._rows, self._position = rows, 0

    def step(self, token_ids):
        tokens = tf.constant(np.broadcast_to(token_ids, self._rows), tf.int32)
        logits, self._cache = self._step(tokens, tf.constant(self._position), self._cache)
        self._position += 1
        return StepOutput(logits.numpy())

    def reorder(self, parents):
        self._cache = tf.nest.map_structure(lambda cache: tf.gather(cache, parents), self._cache)
