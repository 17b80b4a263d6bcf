"""A scheme for tf-model-optimization that quantizes what is annotated and nothing else."""

import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.quantization.keras import quantize_layout_transform


class PlainScheme(tfmot.quantization.keras.QuantizeScheme):
    """No transformation of the graph, no default for layers that are not annotated."""

    def get_layout_transformer(self):
        return _Identity()

    def get_quantize_registry(self):
        return _Nothing()


class _Identity(quantize_layout_transform.QuantizeLayoutTransform):
    def apply(self, model, layer_quantize_map):
        return model, layer_quantize_map


class _Nothing(tfmot.quantization.keras.QuantizeRegistry):
    def supports(self, layer):
        return False

    def get_quantize_config(self, layer):
        return None
