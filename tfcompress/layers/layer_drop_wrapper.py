"""LayerDrop: whole layers are left out at random in training."""

from collections.abc import Sequence

import tensorflow as tf
from tensorflow import keras

from tfcompress.layer_selection import drop_rates
from tfcompress.layers.common.random_branch import RandomBranch, build_inner, check_layer
from tfcompress.layers.common.serialization import pack, register, unpack


@register
class LayerDropWrapper(RandomBranch):
    """Leaves a layer out at random in training, so that a model of fewer layers can be cut out.

    One number u is drawn from (0, 1] for each call, so for the whole batch: the layer runs if
    u > rate, and passes its input on otherwise. Outputs are not rescaled. In inference the layer
    always runs. A layer that is left out costs no computation, and its weights get gradients of
    zero. With a rate of 0 the wrapper gives exactly what the layer gives.

    Everything else that is asked of the wrapper, such as `init_cache` and `step`, is the layer's.

    Number of parameters: those of the layer, and 1 more if `learned`. The rate is not among them.

    Args:
        layer: The layer, called as `layer(x, ...)`, with an output of its input's shape. It must
            not add losses of its own, as an activity regularizer does.
        rate: Probability that the layer is left out, in [0, 1]; 0.2 for good models of all layers,
            0.5 to drop half of the layers later. Assign `wrapper.rate`, or use
            `LayerDropSchedule`, to change it during training.
        learned: Whether the wrapper has a trainable `score`, a scalar, from which
            `LayerDropSchedule` sets the drop rates of a stack: `learned_drop_rates` of its
            wrappers. When the layer runs, the score's gradient is straight-through: as if the
            output were `x + (1 - rate)*(layer(x) - x)` with a rate proportional to `exp(-score)`.
        **kwargs: Keyword arguments of `keras.layers.Layer`; the data type is the layer's by
            default.

    Call arguments:
        inputs: A tensor.
        training: Whether the layer may be left out.
        **kwargs: Keyword tensors, passed on to the layer.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: If `rate` lies outside [0, 1], or `layer` is no Keras layer or known to change
            the shape.

    Example:

    >>> layer = tfc.layers.LayerDropWrapper(tfc.layers.FeedForward(64), rate=0.2)
    >>> layer(np.random.rand(2, 5, 16).astype("float32"), training=True).shape
    TensorShape([2, 5, 16])

    Reference: Fan et al., 2020, arXiv:1909.11556. For its learned rates the paper gives no more
    than that they are a softmax over layers with the target as its mean, and there is no reference
    code; a scalar for each layer, which like the paper's draw of layers does not depend on the
    input, is this library's reading.
    """

    _stands_for = "layer"

    def __init__(
        self, layer: keras.layers.Layer, *, rate: float = 0.0, learned: bool = False, **kwargs
    ):
        check_layer("layer", layer)
        kwargs.setdefault("dtype", layer.dtype_policy)
        super().__init__(rate, **kwargs)
        self.layer = layer
        self.learned = learned
        self.supports_masking = layer.supports_masking

    def build(self, input_shape):
        shape = build_inner(self.layer, input_shape)
        if shape is not None:
            self._finish(shape, input_shape)
        if self.learned:
            self.score = self.add_weight(name="score", shape=(), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs, training=None, **kwargs):
        def run(training):
            y = tf.cast(self.layer(inputs, training=training, **kwargs), self.compute_dtype)
            return y + self._straight_through(y - inputs) if self.learned and training else y

        def skip(training):
            return tf.cast(inputs, self.compute_dtype)

        return self._choose(training, lambda: self._draw() > self._rate(), run, skip)

    def _straight_through(self, difference):
        """Zero, whose gradient is that of `(1 - rate) * difference` for the score."""
        score = tf.cast(self.score, tf.float32)
        keep = 1.0 - self._rate() * tf.exp(tf.stop_gradient(score) - score)
        zero = tf.cast(keep - tf.stop_gradient(keep), difference.dtype)
        return zero * tf.stop_gradient(difference)

    def _finish(self, output, inputs):
        if not tf.TensorShape(output).is_compatible_with(inputs):
            raise ValueError(
                "A layer that may be left out must keep the shape of its input. Received: "
                f"{self.layer.name} with input shape={tuple(inputs)} and output "
                f"shape={tuple(output)}. Wrap a residual layer."
            )

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "layer": pack(self.layer), "learned": self.learned}

    @classmethod
    def from_config(cls, config):
        return cls(**unpack(config, "layer"))


def learned_drop_rates(
    wrappers: Sequence[LayerDropWrapper], rate: float | None = None
) -> list[float]:
    """Returns the drop rates that the scores of a stack of wrappers stand for.

    They are a softmax over the stack: proportional to `exp(-score)`, with the given mean, and at
    most 1 each. Keep the layers with the lowest rates: `tfcompress.layer_selection.top_layers` of
    the scores.

    Args:
        wrappers: The wrappers of one stack, made with `learned=True` and built.
        rate: The mean; that of the wrappers' rates by default.

    Raises:
        ValueError: If a wrapper has no score or there are none.

    Example:

    >>> layers = [
    ...     tfc.layers.LayerDropWrapper(tfc.layers.FeedForward(8), rate=0.2, learned=True)
    ...     for _ in "ab"
    ... ]
    >>> for layer in layers:
    ...     layer.build((None, 4))
    >>> tfc.layers.learned_drop_rates(layers)
    [0.2, 0.2]
    """
    for wrapper in wrappers:
        if not (wrapper.learned and wrapper.built):
            raise ValueError(
                "Learned drop rates need scores. Received: "
                f"{wrapper.name} with learned={wrapper.learned}, built={wrapper.built}. Make it "
                "with learned=True, and call the model first."
            )
    if rate is None:
        rate = sum(wrapper.rate for wrapper in wrappers) / max(len(wrappers), 1)
    return drop_rates([float(wrapper.score.numpy()) for wrapper in wrappers], rate)
