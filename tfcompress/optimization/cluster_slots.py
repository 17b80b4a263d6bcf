"""tf-model-optimization's clustering of weights anywhere inside a layer."""

import inspect

import numpy as np
import tensorflow_model_optimization as tfmot
from tensorflow import keras
from tensorflow_model_optimization.python.core.clustering.keras import cluster_wrapper

from tfcompress.layers.weight_slots import WeightSlot


class ClusterSlots(cluster_wrapper.ClusterWeights):
    """Clusters the weights in given places of a layer; made by `wrap`."""

    @classmethod
    def wrap(
        cls, layer: keras.layers.Layer, slots: dict[str, WeightSlot], **options
    ) -> "ClusterSlots":
        """Wraps a layer.

        Args:
            layer: A built layer.
            slots: The places of the weights to cluster, by path.
            **options: Arguments of `ClusterWeights`.
        """
        # tf-model-optimization asks the layer itself for names and weights.
        tfmot.clustering.keras.ClusterableLayer.register(type(layer))
        layer.get_clusterable_weights = lambda: [(path, slot.get()) for path, slot in slots.items()]
        layer.get_clusterable_algorithm = None
        wrapper = cls(layer, **options)
        wrapper._slots_by_path = slots
        return wrapper

    def get_weight_from_layer(self, weight_name):
        return self._slots_by_path[weight_name].get()

    def set_weight_to_layer(self, weight_name, new_weight):
        self._slots_by_path[weight_name].put(new_weight)

    def call(self, inputs, training=None, **kwargs):
        self.update_clustered_weights_associations()
        if "training" in inspect.signature(self.layer.call).parameters:
            kwargs["training"] = training
        return self.layer.call(inputs, **kwargs)

    def clustered(self) -> dict[str, tuple[object, np.ndarray]]:
        """Returns, by path, the variable of each clustered weight and its present values."""
        self.update_clustered_weights_associations()
        return {
            path: (variable, self.get_weight_from_layer(path).numpy())
            for path, variable in self.original_clusterable_weights.items()
        }
