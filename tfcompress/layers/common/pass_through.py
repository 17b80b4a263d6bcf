"""What stands in the place of a layer that was dropped."""

from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.state import IncrementalLayer


@register
class PassThrough(IncrementalLayer):
    """Gives its input, whatever else it is called with."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, **kwargs):
        return inputs

    def state_spec(self) -> dict:
        """Declares nothing, as there is nothing to keep between steps."""
        return {}

    def init_cache(self, *args, **kwargs) -> dict:
        """Returns an empty cache, also where a decoder layer is given a memory."""
        return {}

    def step(self, inputs, position, cache, **kwargs):
        """Gives its input and the cache."""
        return inputs, cache

    def compute_output_shape(self, input_shape):
        return input_shape
