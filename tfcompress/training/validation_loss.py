"""The loss on held-out batches during training."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.training.losses import LabelSmoothedCrossentropy


class ValidationLoss(keras.callbacks.Callback):
    """Adds the unsmoothed loss a label to the logs, as `val_loss`.

    Args:
        model: What is trained.
        pad_id: Label of what does not count.
        dataset: Batches of inputs and labels.
    """

    def __init__(self, model: keras.Model, pad_id: int, dataset: tf.data.Dataset):
        super().__init__()
        loss = LabelSmoothedCrossentropy(0.0, pad_id)
        self.dataset = dataset

        @tf.function(input_signature=dataset.element_spec)
        def batch_loss(inputs, labels):
            tokens = tf.math.count_nonzero(labels != pad_id, dtype=tf.float32)
            logits = model(inputs, training=False)
            return tf.reduce_sum(loss.call(labels, logits)), tokens

        self.batch_loss = batch_loss

    def on_epoch_end(self, epoch, logs=None):
        sums = [self.batch_loss(*batch) for batch in self.dataset]
        total, tokens = np.sum([[float(a), float(b)] for a, b in sums], axis=0)
        if logs is not None:
            logs["val_loss"] = float(total / tokens)
