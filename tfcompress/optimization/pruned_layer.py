"""tf-model-optimization's wrapper of a layer that is pruned while it trains."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf
from tensorflow import keras
from tensorflow_model_optimization.python.core.keras import utils
from tensorflow_model_optimization.python.core.sparsity.keras import pruning_wrapper

from tfcompress.optimization.layer_wrapper import LayerWrapper, slots_at


@keras.utils.register_keras_serializable("tfcompress")
class PrunedLayer(LayerWrapper, pruning_wrapper.PruneLowMagnitude):
    """Puts a layer's smallest weights to zero, as its schedule says.

    Args:
        layer: The layer.
        paths: The paths of the weights to prune within it.
        **options: Arguments of `PruneLowMagnitude`.
    """

    wrapped_by = "prune"
    pruning_obj: Any

    def __init__(self, layer: keras.layers.Layer, *, paths: Iterable[str], **options):
        self._paths = list(paths)
        # tf-model-optimization asks the layer itself.
        layer.get_prunable_weights = lambda: [
            slot.get() for slot in slots_at(layer, self._paths).values()
        ]
        super().__init__(layer, **options)

    def add_weight(self, name, *args, **kwargs):
        # `.h5` files tell weights of a layer by their names.
        return super().add_weight(f"{name}_{len(self.weights)}", *args, **kwargs)

    def own_variables(self):
        return [*(v for _, *own in self.pruning_vars for v in own), self.pruning_step]

    def get_config(self):
        return {
            **super().get_config(),
            "paths": list(self._paths),
            "block_size": list(self.block_size),
            "sparsity_m_by_n": self.sparsity_m_by_n and list(self.sparsity_m_by_n),
        }

    def call(self, inputs, training=None, mask=None, **kwargs):
        if training is None:
            training = keras.backend.learning_phase()
        self.add_update(utils.smart_cond(training, self._count, tf.no_op))
        self.add_update(utils.smart_cond(training, self._update_masks, tf.no_op))
        self.add_update(self.pruning_obj.weight_mask_op())
        return self.call_layer(inputs, mask, kwargs)

    def _count(self):
        with tf.control_dependencies([self.pruning_step.assign_add(1)]):
            return tf.no_op()

    def _update_masks(self):
        counted = tf.debugging.assert_greater_equal(
            self.pruning_step, tf.constant(1, tf.int64), message=self._PRUNE_CALLBACK_ERROR_MSG
        )
        with tf.control_dependencies([counted] if counted is not None else []):
            update = self.pruning_obj.conditional_mask_update()
        with tf.control_dependencies([update]):
            return tf.no_op()
