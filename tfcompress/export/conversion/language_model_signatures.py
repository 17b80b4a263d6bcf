"""The two signatures of an exported language model."""

import tensorflow as tf

from tfcompress.export.conversion.signatures import Signatures, log_sum_exp


class LanguageModelSignatures(Signatures):
    """The functions `score` and `step` of a language model.

    `score` takes `ids` `[T]`, a row after its begin id, and `labels` `[T]`, the row itself, and
    gives `log_probabilities` `[T]`, of each label. `step` is that of `Signatures`, without what is
    per sentence.

    Arguments and attributes are those of `Signatures`.
    """

    names = ("score", "step")

    def _whole_sequences(self):
        row = [tf.TensorSpec([None], tf.int32, name) for name in ("ids", "labels")]
        return {"score": (self._score, row)}

    def _score(self, ids, labels):
        logits = self._transformer.forward(tf.expand_dims(ids, 0), training=False).logits
        logits = tf.reshape(logits, [-1, logits.shape[2]])
        largest = tf.reduce_max(logits, axis=1, keepdims=True)
        # Of all logits in one row, as LiteRT's plain look-up takes one index.
        places = tf.range(tf.shape(labels)[0]) * logits.shape[1] + labels
        chosen = tf.gather(tf.reshape(logits, [-1]), places)
        return {"log_probabilities": chosen - tf.reshape(log_sum_exp(logits, largest), [-1])}
