"""tf-model-optimization's clustering of weights anywhere inside a layer."""

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
from tensorflow import keras
from tensorflow_model_optimization.python.core.clustering.keras import (
    cluster_config,
    cluster_wrapper,
)

from tfcompress.optimization.layer_wrapper import LayerWrapper, put_cast, slots_at


@keras.utils.register_keras_serializable("tfcompress")
class ClusterSlots(LayerWrapper, cluster_wrapper.ClusterWeights):
    """Clusters the weights in given places of a layer.

    Args:
        layer: The layer.
        paths: The paths of the weights to cluster within it.
        **options: Arguments of `ClusterWeights`.
    """

    wrapped_by = "cluster_weights"

    def __init__(self, layer: keras.layers.Layer, *, paths: Iterable[str], **options):
        self._paths = list(paths)
        # tf-model-optimization asks the layer itself for names and weights.
        clusterable: Any = tfmot.clustering.keras.ClusterableLayer
        clusterable.register(type(layer))
        layer.get_clusterable_weights = lambda: [
            (path, slot.get()) for path, slot in self._slots_by_path.items()
        ]
        layer.get_clusterable_algorithm = None
        super().__init__(layer, **options)

    @functools.cached_property
    def _slots_by_path(self):
        return slots_at(self.layer, self._paths)

    def get_config(self):
        return {
            **super().get_config(),
            "paths": list(self._paths),
            "cluster_centroids_init": self.cluster_centroids_init.value,
            "cluster_gradient_aggregation": self.cluster_gradient_aggregation.value,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        aggregation = cluster_config.GradientAggregation(config["cluster_gradient_aggregation"])
        config = {**config, "cluster_gradient_aggregation": aggregation}
        return super().from_config(config, custom_objects)

    def own_variables(self):
        return [
            variable
            for path, weight in self.original_clusterable_weights.items()
            for variable in (weight, self.cluster_centroids[path], self.pulling_indices[path])
        ]

    def save_own_variables(self, store):
        self.update_clustered_weights_associations()
        super().save_own_variables(store)

    def load_own_variables(self, store):
        super().load_own_variables(store)
        # What tf-model-optimization notes of the weights that it begins with.
        for path, centroids in self.cluster_centroids.items() if self.preserve_sparsity else ():
            self.zero_idx[path] = tf.argmin(tf.abs(centroids), axis=-1)
            values = self._values(path, self.original_clusterable_weights[path])
            self.sparsity_masks[path] = tf.cast(values != 0, tf.float32)

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
