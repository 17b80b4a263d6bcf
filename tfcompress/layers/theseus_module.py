"""BERT-of-Theseus: modules replaced at random by smaller successors in training."""

from collections.abc import Sequence

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.random_branch import (
    RandomBranch,
    build_inner,
    check_layer,
    inner_shape,
)
from tfcompress.layers.common.serialization import pack, register, unpack
from tfcompress.layers.common.thawing import thawed


@register
class TheseusModule(RandomBranch):
    """Some layers of a trained model and the one layer that learns to replace them.

    In training, one number is drawn for each call, so for the whole batch: with probability `rate`
    the successor runs, and the predecessors otherwise. Nothing is rescaled. In inference the
    successor always runs. The predecessors are frozen, and gradients pass through them to the
    modules before; the part that does not run costs no computation. `TheseusReplacer` changes the
    rate during training.

    Freeze what else the model has, such as embeddings, by `trainable = False`, as the reference
    code does. Assigning `trainable = True` to the whole model thaws the predecessors.

    Everything else that is asked of the module, such as `init_cache` and `step`, is the
    successor's.

    Number of parameters: those of the predecessors and of the successor. The rate is not among
    them.

    Args:
        predecessors: Layers in order of application, each called as `layer(x, ...)`.
        successor: The layer that replaces them. `initialize_successors` gives it its first
            weights.
        rate: Probability of the successor, in [0, 1].
        **kwargs: Keyword arguments of `keras.layers.Layer`; the data type is the successor's by
            default.

    Call arguments:
        inputs: A tensor.
        training: Whether predecessors may run.
        **kwargs: Keyword tensors, passed on to every layer.

    Returns:
        What the successor or the last predecessor gives.

    Raises:
        ValueError: If `rate` lies outside [0, 1], there are no predecessors, one of the parts is
            no Keras layer, or their outputs have different shapes.

    Example:

    >>> module = tfc.layers.TheseusModule(
    ...     [tfc.layers.FeedForward(64), tfc.layers.FeedForward(64)],
    ...     successor=tfc.layers.FeedForward(64),
    ... )
    >>> module(np.random.rand(2, 5, 16).astype("float32"), training=True).shape
    TensorShape([2, 5, 16])

    Reference: Xu et al., 2020, arXiv:2002.02925.
    """

    _stands_for = "successor"

    def __init__(
        self,
        predecessors: Sequence[keras.layers.Layer],
        *,
        successor: keras.layers.Layer,
        rate: float = 0.5,
        **kwargs,
    ):
        if not isinstance(predecessors, Sequence) or not predecessors:
            raise ValueError(
                "`predecessors` must be a list of at least one layer. "
                f"Received: predecessors={predecessors!r}."
            )
        for i, layer in enumerate(predecessors):
            check_layer(f"predecessors[{i}]", layer)
        check_layer("successor", successor)
        kwargs.setdefault("dtype", successor.dtype_policy)
        super().__init__(rate, **kwargs)
        self.predecessors = list(predecessors)
        self.successor = successor
        parts = [*self.predecessors, successor]
        self.supports_masking = all(layer.supports_masking for layer in parts)
        self._freeze()

    def _freeze(self):
        # Again whenever weights were added: under Keras 3 each has a mark of its own, which only a
        # change of the layer's reaches.
        for layer in self.predecessors:
            layer.trainable = True
            layer.trainable = False

    def build(self, input_shape):
        shape = input_shape
        for layer in self.predecessors:
            shape = None if shape is None else build_inner(layer, shape)
        successor_shape = build_inner(self.successor, input_shape)
        if shape is not None and successor_shape is not None:
            self._check_shapes(successor_shape, shape)
        self._freeze()
        super().build(input_shape)

    def _finish(self, successor, predecessors):
        self._freeze()
        self._check_shapes(successor, predecessors)

    def call(self, inputs, training=None, **kwargs):
        def succeed(training):
            y = self.successor(inputs, training=training, **kwargs)
            return tf.cast(y, self.compute_dtype)

        def precede(training):
            x = inputs
            for layer in self.predecessors:
                x = layer(x, training=training, **kwargs)
            return tf.cast(x, self.compute_dtype)

        return self._choose(training, lambda: self._draw() <= self._rate(), succeed, precede)

    def _check_shapes(self, successor, predecessors):
        if not tf.TensorShape(successor).is_compatible_with(predecessors):
            raise ValueError(
                "A successor must give the shape that its predecessors give. Received: "
                f"{self.name} with successor shape={tuple(successor)} and predecessor "
                f"shape={tuple(predecessors)}. Give both the same width."
            )

    def compute_output_shape(self, input_shape):
        shape = inner_shape(self.successor, input_shape)
        return super().compute_output_shape(input_shape) if shape is None else shape

    def get_config(self):
        return {
            **super().get_config(),
            "predecessors": [pack(layer) for layer in self.predecessors],
            "successor": pack(self.successor),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**unpack(config, "predecessors", "successor"))


def initialize_successors(modules: Sequence[TheseusModule]) -> None:
    """Gives successor i the weights of layer i of the whole stack of predecessors.

    So the successors begin as the stack's first layers, not as the first of each module.

    Args:
        modules: The modules of one stack, in order of application and built.

    Raises:
        ValueError: If a module has no weights yet, or a successor's differ in shape from the
            layer's.

    Example:

    >>> layers = [tfc.layers.FeedForward(8) for _ in range(6)]
    >>> modules = [
    ...     tfc.layers.TheseusModule(layers[2 * i : 2 * i + 2], successor=tfc.layers.FeedForward(8))
    ...     for i in range(3)
    ... ]
    >>> model = keras.Sequential([keras.Input((4,)), *modules])
    >>> tfc.layers.initialize_successors(modules)
    """
    stack = [layer for module in modules for layer in module.predecessors]
    for module, layer in zip(modules, stack):
        if not module.built:
            raise ValueError(
                "Successors need weights to be given others. Received: "
                f"{module.name}, not built. Call the model first."
            )
        with thawed(layer), thawed(module.successor):
            weights = layer.get_weights()
            shapes = [weight.shape for weight in module.successor.get_weights()]
            if shapes != [weight.shape for weight in weights]:
                raise ValueError(
                    "A successor must have the weights of the predecessor that it begins as. "
                    f"Received: {module.successor.name} and {layer.name} with different shapes of "
                    "weights. Make them alike, or leave the successor as it is."
                )
            module.successor.set_weights(weights)
