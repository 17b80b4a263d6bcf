"""What stands in the place of a layer that was dropped."""

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.serialization import register


@register
class PassThrough(Layer):
    """Gives its input, whatever else it is called with."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, **kwargs):
        return inputs

    def init_cache(self, *args, **kwargs) -> dict:
        """Returns an empty cache, as there is nothing to keep between steps."""
        return {}

    def step(self, inputs, position, cache, **kwargs):
        """Gives its input and the cache."""
        return inputs, cache

    def compute_output_shape(self, input_shape):
        return input_shape
