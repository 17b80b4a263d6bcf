"""How probable translations are, by a model that did not make them."""

import numpy as np
import tensorflow as tf

from tfcompress.models import Seq2SeqTransformer
from tfcompress.text.batching import TokenizedPairs, evaluation_batches, make_batch
from tfcompress.training.batch_options import batch_options
from tfcompress.training.losses import LabelSmoothedCrossentropy

_BATCH_TOKENS = 2048


def pair_crossentropies(transformer: Seq2SeqTransformer, pairs: TokenizedPairs) -> np.ndarray:
    """Returns the cross-entropy of each target given its source: the mean over its tokens, in nats.

    What every target begins with (`target_prefix`) is given, not scored.

    Of a model in the opposite direction, with sources and targets exchanged, it says how well the
    source can be told from a translation: what a teacher made up has a high one.

    Args:
        transformer: A trained model.
        pairs: The pairs, tokenized with the model's tokenizers.

    Returns:
        A number for each pair, float32; infinity for those longer than the model takes.

    Example:

    >>> pairs = tfc.text.TokenizedPairs.from_corpus(tokenizer, ["two dogs"], ["zwei hunde"])
    >>> pair_crossentropies(transformer, pairs).shape
    (1,)

    Reference: Behnke et al., 2021, Efficient machine translation with model pruning and
    quantization (cross-entropy filtering of distilled data).
    """
    config = transformer.config
    options = batch_options(config)
    limits = options["max_length"]
    scores = np.full(len(pairs), np.inf, np.float32)
    if not pairs.fits(limits).any():
        return scores
    loss = LabelSmoothedCrossentropy(0.0, config.pad_id)
    # One row at least.
    batch_tokens = max(_BATCH_TOKENS, *(limit + 4 for limit in limits))
    for rows in evaluation_batches(pairs, batch_tokens=batch_tokens, max_length=limits):
        inputs, labels = make_batch(pairs, rows, **options)
        labels[:, : len(config.target_prefix)] = config.pad_id
        losses = _losses(transformer.model, loss, inputs, labels)
        scores[rows] = losses.numpy()
    return scores


@tf.function(reduce_retracing=True)
def _losses(model, loss, inputs, labels):
    losses = loss.call(labels, model(inputs, training=False))
    counted = tf.cast(labels != loss.pad_id, tf.float32)
    return tf.reduce_sum(losses * counted, axis=1) / tf.reduce_sum(counted, axis=1)
