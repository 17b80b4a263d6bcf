"""The way in which tf-model-optimization quantizes a layer of any class."""

import tensorflow_model_optimization as tfmot
from tensorflow import keras

from tfcompress.grids import Grid
from tfcompress.layers.common.weight_slots import weight_slots
from tfcompress.optimization.grid_quantizer import GridQuantizer
from tfcompress.optimization.layer_wrapper import put_cast

_quantization = tfmot.quantization.keras


@keras.utils.register_keras_serializable("tfcompress")
class WeightQuantizeConfig(_quantization.QuantizeConfig):
    """Quantizes matrices and tables anywhere inside a layer.

    Args:
        grids: Grids by the paths of the weights within the layer.
        quantize_output: Whether the layer's output is quantized to 8 bits as well, with a range
            that follows a moving average.
        preserve_sparsity: Whether weights that are zero at the beginning stay zero.
        clusters: How many values weights have that shall not get more, by path.
    """

    def __init__(
        self,
        grids: dict[str, Grid],
        *,
        quantize_output: bool = False,
        preserve_sparsity: bool = False,
        clusters: dict[str, int] | None = None,
    ):
        self.grids = grids
        self.clusters = clusters or {}
        self.preserve_sparsity = preserve_sparsity
        self.quantize_output = quantize_output
        self._slots = None

    def slots(self, layer: keras.layers.Layer) -> list:
        """Returns the places of the quantized weights; those listed first stay.

        Args:
            layer: The layer that is quantized.
        """
        if self._slots is None:
            self._slots = [slot for slot in weight_slots(layer) if slot.path in self.grids]
        return self._slots

    def get_weights_and_quantizers(self, layer):
        return [
            (
                slot.get(),
                GridQuantizer(
                    self.grids[slot.path],
                    masked=self.preserve_sparsity,
                    clusters=self.clusters.get(slot.path),
                ),
            )
            for slot in self.slots(layer)
        ]

    def set_quantize_weights(self, layer, quantize_weights):
        for slot, weight in zip(self.slots(layer), quantize_weights, strict=True):
            put_cast(slot, weight)

    def get_activations_and_quantizers(self, layer):
        return []

    def set_quantize_activations(self, layer, quantize_activations):
        pass

    def get_output_quantizers(self, layer):
        # The wrapper quantizes outputs itself: tf-model-optimization takes a single tensor whose
        # shape follows from that of a single input.
        return []

    def get_config(self):
        grids = {path: GridQuantizer(grid).get_config() for path, grid in self.grids.items()}
        return {
            "grids": grids,
            "quantize_output": self.quantize_output,
            "preserve_sparsity": self.preserve_sparsity,
            "clusters": self.clusters,
        }

    @classmethod
    def from_config(cls, config):
        grids = {
            path: GridQuantizer.from_config(grid).grid for path, grid in config["grids"].items()
        }
        return cls(
            grids,
            quantize_output=config["quantize_output"],
            preserve_sparsity=config["preserve_sparsity"],
            clusters=config["clusters"],
        )
