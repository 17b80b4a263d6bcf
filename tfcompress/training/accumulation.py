"""Updates from the gradients of several batches, towards any objective."""

from collections.abc import Callable, Sequence

import tensorflow as tf
from tensorflow import keras


class AccumulatingModel(keras.Model):
    """Trains a model with one update for several batches, as if they were one large batch.

    Compile it with an optimizer only, and fit it on a dataset whose elements are tuples of
    batches (see `grouped`).

    Args:
        model: The model to train.
        objective: Called as `objective(inputs, labels)`, it gives what to minimize, an average over
            the labels that are not `pad_id`.
        pad_id: Label of positions that do not count.
        helpers: Layers that only the objective needs; they are trained too.

    Example:

    >>> accumulating = AccumulatingModel(model, crossentropy(model, LabelSmoothedCrossentropy(0.1)))
    >>> accumulating.compile(optimizer="adam")
    >>> accumulating.fit(grouped(dataset, 4))
    """

    def __init__(
        self,
        model: keras.Model,
        objective: Callable[[dict, tf.Tensor], tf.Tensor],
        pad_id: int = 0,
        helpers: Sequence[keras.layers.Layer] = (),
    ):
        super().__init__()
        self.inner = model
        self.objective = objective
        self.pad_id = pad_id
        self.helpers = list(helpers)
        self.tracker = keras.metrics.Mean(name="loss")
        self.built = True

    @property
    def metrics(self):
        return [self.tracker]

    def call(self, inputs, training=None):
        return self.inner(inputs, training=training)

    def train_step(self, data):
        variables = self.trainable_variables
        sums = None
        total_loss, total_tokens = 0.0, 0.0
        for inputs, labels in data:
            tokens = tf.math.count_nonzero(labels != self.pad_id, dtype=tf.float32)
            with tf.GradientTape() as tape:
                loss = self.objective(inputs, labels) * tokens
            gradients = tape.gradient(
                loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
            sums = gradients if sums is None else [a + b for a, b in zip(sums, gradients)]
            total_loss += loss
            total_tokens += tokens
        self.optimizer.apply_gradients(
            [(total / total_tokens, variable) for total, variable in zip(sums, variables)]
        )
        self.tracker.update_state(total_loss / total_tokens, sample_weight=total_tokens)
        return {"loss": self.tracker.result()}


def crossentropy(
    model: keras.Model, loss: keras.losses.Loss
) -> Callable[[dict, tf.Tensor], tf.Tensor]:
    """Returns the objective of ordinary training.

    Args:
        model: The model.
        loss: Its loss.
    """

    def objective(inputs, labels):
        return loss.call(labels, model(inputs, training=True))

    return objective


def grouped(dataset: tf.data.Dataset, count: int) -> tf.data.Dataset:
    """Turns every `count` consecutive elements of a dataset into one tuple."""
    return tf.data.Dataset.zip(tuple(dataset.shard(count, i) for i in range(count)))
