"""Small random translators, and what surgery leaves alone."""

import numpy as np

from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    StackConfig,
)

VOCABULARY = 30
RNG = np.random.default_rng(5)
INPUTS = {
    "source_token_ids": np.concatenate([RNG.integers(3, VOCABULARY, (3, 5)), [[2], [2], [2]]], 1),
    "target_token_ids": np.concatenate([[[1], [1], [1]], RNG.integers(3, VOCABULARY, (3, 4))], 1),
}


def make_transformer(*, stack=None, seed=0, **settings) -> Seq2SeqTransformer:
    """A translator whose weights are all random."""
    stack = stack or StackConfig(
        4, attention=AttentionConfig(4), feed_forward=FeedForwardConfig(24)
    )
    defaults = {"encoder": stack, "decoder": stack, "embedding": EmbeddingConfig(share=True)}
    transformer = Seq2SeqTransformer(
        Seq2SeqConfig(VOCABULARY, hidden_dim=16, dropout=0.0, **(defaults | settings))
    )
    rng = np.random.default_rng(seed)
    for weight in transformer.model.weights:
        if "gates" not in weight.name:
            weight.assign(weight + rng.normal(0, 0.2, weight.shape))
    return transformer


def logits(transformer, inputs=INPUTS) -> np.ndarray:
    """What the training graph gives."""
    return np.asarray(transformer.model(inputs, training=False))


def snapshot(transformer) -> list[np.ndarray]:
    """All weights."""
    return [np.array(w) for w in transformer.model.get_weights()]


def assert_untouched(transformer, before) -> None:
    """Fails unless the weights are what they were."""
    for weight, old in zip(transformer.model.get_weights(), before):
        np.testing.assert_array_equal(weight, old)


def assert_describes(transformer) -> None:
    """Fails unless the configuration says what the model is."""
    from tfcompress.analysis import describe

    total = describe(transformer).to_dict()["parameters"]["total"]
    assert total == transformer.model.count_params()
