"""Dropout whose random state belongs to the model's checkpoint."""

import tensorflow as tf

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.random_state import RandomState
from tfcompress.layers.common.serialization import register


@register
class Dropout(Layer):
    """Sets inputs to 0 at random and scales the others up, in training only.

    As `keras.layers.Dropout`, but under either Keras the state of the random generator is part of
    `tf.train.Checkpoint`, so that a resumed training draws what an uninterrupted one would have
    drawn. It is no weight: `count_params` and saved weights do not see it. Initial states follow
    `keras.utils.set_random_seed`.

    Args:
        rate: The part of the inputs that is dropped, in [0, 1).
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: A floating-point tensor.
        training: Whether dropout is active.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: If `rate` lies outside [0, 1).

    Example:

    >>> float(tfc.layers.Dropout(0.5)(np.ones((1, 4), "float32"))[0, 0])
    1.0

    Reference: Srivastava et al., 2014.
    """

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"`rate` must lie in [0, 1). Received: rate={rate}.")
        self.rate = rate
        self.supports_masking = True
        self._state = RandomState() if rate else None
        self.built = True

    def call(self, inputs, training=None):
        if not training or not self.rate or self._state is None:
            return inputs
        seed = self._state.seed_of_replica()
        return tf.nn.experimental.stateless_dropout(inputs, self.rate, seed=seed)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}
