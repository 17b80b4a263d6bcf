"""tf-model-optimization's wrapper of a layer that is pruned while it trains."""

import tensorflow as tf
from tensorflow import keras
from tensorflow_model_optimization.python.core.keras import utils
from tensorflow_model_optimization.python.core.sparsity.keras import pruning_wrapper

from tfcompress.optimization.layer_wrapper import LayerWrapper


@keras.utils.register_keras_serializable("tfcompress")
class PrunedLayer(LayerWrapper, pruning_wrapper.PruneLowMagnitude):
    """Puts a layer's smallest weights to zero, as its schedule says."""

    wrapped_by = "prune"

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
