"""Updates from the gradients of several batches, towards any objective."""

from collections.abc import Callable, Sequence

import tensorflow as tf
from tensorflow import keras

from tfcompress.training.losses import LabelSmoothedCrossentropy


class AccumulatingModel(keras.Model):
    """Trains a model with one update for several batches, as if they were one large batch.

    Compile it with an optimizer only, and fit it on a dataset whose elements are tuples of
    batches (see `grouped`), each of inputs and labels. In mixed_float16 the loss is scaled as in
    Keras' own `fit`.

    Args:
        model: The model to train.
        objective: Called as `objective(inputs, labels)`, it gives what to minimize, an average over
            the labels that are not `pad_id`.
        pad_id: Label of positions that do not count.
        helpers: Layers that only the objective needs; they are trained too.

    Example:

    >>> accumulating = AccumulatingModel(model, crossentropy(model, LabelSmoothedCrossentropy(0.1)))
    >>> accumulating.compile(optimizer="adam")
    >>> history = accumulating.fit(grouped(dataset, 4), verbose=0)
    """

    def __init__(
        self,
        model: keras.Model,
        objective: Callable[[dict, tf.Tensor], tf.Tensor],
        pad_id: int = 0,
        helpers: Sequence[keras.layers.Layer] = (),
    ):
        # What decides whether Keras scales the loss.
        super().__init__(dtype=model.dtype_policy)
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
        _check_batches(data)
        variables = self.trainable_variables
        counts = [
            tf.math.count_nonzero(labels != self.pad_id, dtype=tf.float32) for _, labels in data
        ]
        count = tf.add_n(counts)
        # Replicas add up their gradients.
        replicas = tf.distribute.get_replica_context()
        everywhere = replicas.all_reduce(tf.distribute.ReduceOp.SUM, count)
        gradients, total = [], 0.0
        for (inputs, labels), part in zip(data, counts):
            with tf.GradientTape() as tape:
                loss = self.objective(inputs, labels) * part
                scaled = _scaled(self.optimizer, tf.math.divide_no_nan(loss, everywhere))
            gradients.append(
                tape.gradient(scaled, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            )
            total += loss
        sums = _unscaled(self.optimizer, [_sum(parts) for parts in zip(*gradients)])
        self.optimizer.apply_gradients(zip(sums, variables))
        self.tracker.update_state(tf.math.divide_no_nan(total, count), sample_weight=count)
        return {"loss": self.tracker.result()}


def _scaled(optimizer, loss):
    """Keras 3 divides by the scale of the loss when it applies gradients, Keras 2 does not."""
    if hasattr(optimizer, "scale_loss"):
        return optimizer.scale_loss(loss)
    scale = getattr(optimizer, "get_scaled_loss", None)
    return loss if scale is None else scale(loss)


def _unscaled(optimizer, gradients):
    unscale = getattr(optimizer, "get_unscaled_gradients", None)
    return gradients if unscale is None else unscale(gradients)


def _sum(gradients):
    """Keeps gradients of looked-up rows as they are: Keras treats them in its own way."""
    if not all(isinstance(gradient, tf.IndexedSlices) for gradient in gradients):
        return tf.add_n([tf.convert_to_tensor(gradient) for gradient in gradients])
    values, indices = zip(*((gradient.values, gradient.indices) for gradient in gradients))
    return tf.IndexedSlices(
        tf.concat(values, axis=0), tf.concat(indices, axis=0), gradients[0].dense_shape
    )


def _check_batches(data):
    if not all(isinstance(batch, tuple) and len(batch) == 2 for batch in data):
        raise ValueError(
            "An element of the dataset must be a tuple of batches, each a tuple of inputs and "
            f"labels. Received: {tf.nest.map_structure(lambda x: tuple(x.shape), data)}. Make it "
            "with `grouped`, without sample weights."
        )


def crossentropy(
    model: keras.Model, loss: LabelSmoothedCrossentropy
) -> Callable[[dict, tf.Tensor], tf.Tensor]:
    """Returns the objective of ordinary training.

    Args:
        model: The model.
        loss: Its loss.
    """

    def objective(inputs, labels):
        return loss.mean(labels, model(inputs, training=True))

    return objective


def grouped(dataset: tf.data.Dataset, count: int) -> tf.data.Dataset:
    """Turns every `count` consecutive elements of a dataset into one tuple."""
    return tf.data.Dataset.zip(tuple(dataset.shard(count, i) for i in range(count)))
