"""tf-model-optimization's wrapper of a layer that trains quantized."""

import tensorflow as tf
import tensorflow_model_optimization as tfmot
from tensorflow import keras
from tensorflow_model_optimization.python.core.keras import utils
from tensorflow_model_optimization.python.core.quantization.keras import quantize_wrapper

from tfcompress.optimization.layer_wrapper import LayerWrapper


@keras.utils.register_keras_serializable("tfcompress")
class QuantizedLayer(LayerWrapper, quantize_wrapper.QuantizeWrapperV2):
    """Rounds a layer's weights, and where asked for its output, in each forward pass."""

    wrapped_by = "quantize_aware"

    def build(self, input_shape):
        trained = {id(weight) for weight in self.layer.trainable_weights}
        super().build(input_shape)
        self.freeze(weight for weight, *_ in self._weight_vars if id(weight) not in trained)
        self._range = None
        if self.quantize_config.quantize_output:
            self._output_quantizer = tfmot.quantization.keras.quantizers.MovingAverageQuantizer(
                num_bits=8, per_axis=False, symmetric=False, narrow_range=False
            )
            self._range = self._output_quantizer.build(None, "output", self)

    def own_variables(self):
        weights = []
        for weight, _, own in self._weight_vars:
            weights += [weight, *own.values()]
        return [*weights, *(self._range or {}).values(), self.optimizer_step]

    def call(self, inputs, training=None, mask=None, **kwargs):
        weights = [quantizer(w, training, own) for w, quantizer, own in self._weight_vars]
        self.quantize_config.set_quantize_weights(self.layer, weights)
        outputs = self.call_layer(inputs, mask, kwargs)
        if self._range is None:
            return outputs
        if isinstance(outputs, (list, tuple)):
            # Beside the result there may be attention scores, which no layer goes on with.
            return type(outputs)([self._quantized(outputs[0], training), *outputs[1:]])
        return self._quantized(outputs, training)

    def _quantized(self, outputs, training):
        if training is None:
            training = keras.backend.learning_phase()
        x = tf.cast(outputs, tf.float32)
        quantized = utils.smart_cond(
            training,
            *(
                self._make_quantizer_fn(self._output_quantizer, x, is_training, self._range)
                for is_training in (True, False)
            ),
        )
        return tf.cast(quantized, outputs.dtype)
