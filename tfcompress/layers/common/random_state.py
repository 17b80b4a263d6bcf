"""Random draws of layers."""

import random

import tensorflow as tf


class RandomState(tf.__internal__.tracking.AutoTrackable):
    """Seeds for stateless random operations, another in each call.

    The state is a variable that `tf.train.Checkpoint` carries and that is no weight: neither
    `count_params` nor saved weights know it, as a Keras layer does not take the variables of other
    objects for its own. It may be made anywhere: in graphs, strategies and Keras' symbolic calls.
    Initial states follow `keras.utils.set_random_seed`.
    """

    def __init__(self):
        super().__init__()
        with tf.init_scope():
            self.draws = tf.Variable(
                [random.getrandbits(63), 0],
                dtype=tf.int64,
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )

    def seed(self) -> tf.Tensor:
        """Returns a seed, the same in all replicas of a distribution strategy."""
        seed = tf.identity(self.draws)
        self.draws.assign_add([0, 1])
        return seed

    def seed_of_replica(self) -> tf.Tensor:
        """Returns a seed, another in each replica of a distribution strategy."""
        replica = tf.distribute.get_replica_context()
        number = 0 if replica is None else replica.replica_id_in_sync_group
        return self.seed() + tf.stack([tf.cast(number, tf.int64), 0])
