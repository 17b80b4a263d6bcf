"""What layers have in common that draw at random, once a call, which part of them trains."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.layer import Layer, accepts
from tfcompress.layers.common.random_state import RandomState
from tfcompress.layers.common.sublayers import build_sublayer


class RandomBranch(Layer):
    """Base of layers that run one of two parts in training and always the first in inference.

    The branch is an operation of the graph: one trace serves both, and the part that is not
    chosen costs no computation and gets gradients of zero. The rate and the state of the draws
    are variables that `tf.train.Checkpoint` carries and that are no weights: neither
    `count_params` nor saved weights know them. Initial states follow
    `keras.utils.set_random_seed`. All replicas of a distribution strategy draw the same.

    Subclasses define in `call` what the parts are, and in `_stands_for` which layer lends this one
    its other attributes, such as `step`, and defines what calls take.
    """

    _stands_for = ""

    def __init__(self, rate: float, **kwargs):
        check_rate(rate)
        super().__init__(**kwargs)
        self._complete = False
        self._state = RandomState()
        with tf.init_scope():
            self._state.rate = tf.Variable(rate, dtype=tf.float64, trainable=False)

    @property
    def _stand_in(self):
        return getattr(self, self._stands_for)

    def accepts(self, name):
        return super().accepts(name) if name == "training" else accepts(self._stand_in, name)

    def check_call(self, inputs, kwargs):
        layer = self._stand_in
        if isinstance(layer, Layer):
            layer.check_call(inputs, kwargs)
        else:
            super().check_call(inputs, kwargs)

    def compute_mask(self, inputs, mask=None):
        return self._stand_in.compute_mask(inputs, mask) if self.supports_masking else None

    def compute_output_spec(self, *args, **kwargs):
        # Keras 3 shall look into `call`, where parts may make their weights.
        return super(keras.layers.Layer, self).compute_output_spec(*args, **kwargs)

    @property
    def rate(self) -> float:
        """The rate now; assign another, in [0, 1], at any time without a new trace."""
        with tf.init_scope():
            return float(self._state.rate.numpy())

    @rate.setter
    def rate(self, value: float):
        check_rate(value)
        self._state.rate.assign(value)

    def _rate(self):
        return tf.cast(self._state.rate, tf.float32)

    def _draw(self):
        """Returns a random scalar in (0, 1], new for each call."""
        return 1.0 - tf.random.stateless_uniform([], seed=self._state.seed())

    def _choose(self, training, condition, first, second):
        """Runs a part.

        Args:
            training: Whether to choose; the first part runs otherwise.
            condition: Gives, when called, whether the first part is chosen.
            first: A function of `training`.
            second: Another, whose result has the same shape.
        """
        if not training or not self._complete:
            y = first(training=False)
            if not self._complete:
                # What a part makes in its first call cannot be made inside a branch.
                self._finish(y.shape, second(training=False).shape)
                self._complete = True
            if not training:
                return y
        y = tf.cond(condition(), lambda: first(training=True), lambda: second(training=True))
        return _with_zero_gradients(y, self.trainable_variables) if tf.executing_eagerly() else y

    def _finish(self, first, second):
        """Takes the shapes that the parts give, now that they have all their weights.

        Raises ValueError where two known sizes differ.
        """
        raise NotImplementedError

    def __getattr__(self, name):
        # Only for what is not found otherwise; private names are Keras' own.
        layer = None if name.startswith("_") else self.__dict__.get(self._stands_for)
        if layer is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(layer, name)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


def check_rate(rate: float) -> None:
    """Raises ValueError unless `rate` is a probability."""
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"`rate` must lie in [0, 1]. Received: rate={rate}.")


def check_layer(name: str, layer: keras.layers.Layer) -> None:
    """Raises ValueError unless `layer` is a Keras layer."""
    if not isinstance(layer, keras.layers.Layer):
        raise ValueError(f"`{name}` must be a Keras layer. Received: {name}={layer!r}.")


def build_inner(layer: keras.layers.Layer, input_shape) -> tuple | None:
    """Builds a layer inside another's `build`, unless only its first call can.

    Returns:
        The shape of its output, or None where the layer does not tell.
    """
    if not layer.built and type(layer).build is not keras.layers.Layer.build:
        build_sublayer(layer, input_shape)
    return inner_shape(layer, input_shape)


def inner_shape(layer: keras.layers.Layer, input_shape) -> tuple | None:
    """Returns the shape of a layer's output, or None where the layer does not tell."""
    if isinstance(layer, RandomBranch):
        return inner_shape(layer._stand_in, input_shape)
    if type(layer).compute_output_shape is keras.layers.Layer.compute_output_shape:
        return None
    return tuple(layer.compute_output_shape(input_shape))


def _with_zero_gradients(y, variables):
    """Passes `y` on, and a gradient of zero to every variable.

    In eager execution, those of the part that did not run would get none, while in a graph they
    get zeros.
    """

    @tf.custom_gradient
    def passed_on(y):
        for variable in variables:
            tf.convert_to_tensor(variable)

        def gradient(dy, variables=None):
            return (dy, [tf.zeros_like(v) for v in variables]) if variables else dy

        return tf.identity(y), gradient

    return passed_on(y)
