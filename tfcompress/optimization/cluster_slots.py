"""tf-model-optimization's clustering of weights anywhere inside a layer."""

import numpy as np
import tensorflow_model_optimization as tfmot
from tensorflow import keras
from tensorflow_model_optimization.python.core.clustering.keras import cluster_wrapper

from tfcompress.layers.weight_slots import WeightSlot
from tfcompress.optimization.layer_wrapper import LayerWrapper, put_cast


class ClusterSlots(LayerWrapper, cluster_wrapper.ClusterWeights):
    """Clusters the weights in given places of a layer; made by `wrap`."""

    wrapped_by = "cluster_weights"

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
        put_cast(self._slots_by_path[weight_name], new_weight)

    def build(self, input_shape):
        trained = {id(weight) for weight in self.layer.trainable_weights}
        super().build(input_shape)
        for path, weight in self.original_clusterable_weights.items():
            if id(weight) not in trained:
                self.freeze([weight, self.cluster_centroids[path]])

    def call(self, inputs, training=None, mask=None, **kwargs):
        self.update_clustered_weights_associations()
        return self.call_layer(inputs, mask, kwargs)

    def clustered(self) -> dict[str, tuple[object, np.ndarray]]:
        """Returns, by path, the variable of each clustered weight and its present values."""
        self.update_clustered_weights_associations()
        return {
            path: (variable, self._values(path, variable).numpy())
            for path, variable in self.original_clusterable_weights.items()
        }

    def _values(self, path, variable):
        return self.clustering_algorithms[path].get_clustered_weight(
            self.pulling_indices[path], variable
        )
