"""Updates from the gradients of several batches, towards any objective."""

from collections.abc import Callable, Sequence
from typing import Any

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

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Keras 3 would add up batches of unlike shapes here; the model within is built."""

    def train_step(self, data):
        _check_batches(data)
        variables = self.trainable_variables
        counts = [
            tf.math.count_nonzero(labels != self.pad_id, dtype=tf.float32) for _, labels in data
        ]
        # Replicas add up their gradients, their losses and their labels.
        replicas: Any = tf.distribute.get_replica_context()
        everywhere = replicas.all_reduce(tf.distribute.ReduceOp.SUM, tf.add_n(counts))
        gradients, losses = [], []
        for (inputs, labels), part in zip(data, counts):
            with tf.GradientTape() as tape:
                loss = self.objective(inputs, _as_many(labels, inputs)) * part
                scaled = _scaled(self.optimizer, tf.math.divide_no_nan(loss, everywhere))
            gradients.append(
                tape.gradient(scaled, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            )
            losses.append(loss)
        sums = [_sum(parts) for parts in zip(*gradients)]
        if hasattr(keras, "ops") and replicas.num_replicas_in_sync > 1:
            # Keras 3 clips and checks a replica's gradients before it adds them up. Of the mean
            # each replica has the same, and their sum is what is wanted.
            sums = replicas.all_reduce(tf.distribute.ReduceOp.MEAN, sums)
        sums = _unscaled(self.optimizer, sums)
        self.optimizer.apply_gradients(zip(sums, variables))
        total = replicas.all_reduce(tf.distribute.ReduceOp.SUM, tf.add_n(losses))
        self.tracker.update_state(
            tf.math.divide_no_nan(total, everywhere), sample_weight=everywhere
        )
        return {"loss": _log(self.tracker.result())}


def _as_many(labels, inputs):
    """The labels of a replica; where it has no row of a batch (see `shared`), of another one."""
    missing = tf.shape(tf.nest.flatten(inputs)[0])[0] - tf.shape(labels)[0]
    return tf.pad(labels, [[0, missing], *[[0, 0]] * (len(labels.shape) - 1)])


def _log(value):
    """What every replica has alike; Keras 3 takes a mean over the first axis of several workers."""
    strategy = tf.distribute.get_strategy()
    workers = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return tf.reshape(value, [1]) if workers and hasattr(keras, "ops") else value


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


def shared(dataset: tf.data.Dataset, strategy: tf.distribute.Strategy) -> Any:
    """Divides the rows of every batch among the replicas of a strategy.

    Together the replicas see the batches that one would see. One for which a batch has no row gets
    inputs of another one, without labels.

    Args:
        dataset: Tuples of batches, as `grouped` gives them; the same in every process.
        strategy: The strategy.
    """
    count = strategy.num_replicas_in_sync

    def of_process(context):
        local = count // context.num_input_pipelines
        first = context.input_pipeline_id * local
        if count == 1:
            return dataset
        return dataset.flat_map(
            lambda *batches: tf.data.Dataset.range(first, first + local).map(
                lambda number: tuple(_share(batch, number, count) for batch in batches)
            )
        )

    return strategy.distribute_datasets_from_function(of_process)


def _share(batch, number, count):
    inputs, labels = batch
    rows = tf.range(tf.cast(number, tf.int32), tf.shape(labels)[0], count)
    some = tf.pad(rows, [[0, tf.maximum(0, 1 - tf.size(rows))]])
    return tf.nest.map_structure(lambda part: tf.gather(part, some), inputs), tf.gather(
        labels, rows
    )
