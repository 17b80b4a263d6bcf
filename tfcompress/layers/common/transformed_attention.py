"""What DeLighT's encoder and decoder layers have in common."""

from tensorflow import keras

from tfcompress.layers.common.residual import ResidualLayer
from tfcompress.layers.common.serialization import pack, unpack
from tfcompress.layers.common.sublayers import build_sublayer, check_sublayer


class TransformedAttention(ResidualLayer):
    """Mixed into a residual layer, lets its self-attention see `transform(x)` instead of `x`.

    Sub-layers that are a connection of their own follow the self-attention in `sublayer_names`.
    """

    def _set_transform(self, transform):
        for name in ("transform", self.sublayer_names[0]):
            layer = transform if name == "transform" else getattr(self, name)
            if not isinstance(layer, keras.layers.Layer):
                raise ValueError(
                    f"`{name}` must be a Keras layer. Received: {name}={layer!r}. A layer without "
                    "self-attention has nothing to transform: use the ordinary one."
                )
        check_sublayer("transform", transform)
        self.transform = transform

    def build(self, input_shape):
        name = self.sublayer_names[0]
        attention = getattr(self, name)
        if not self.transform.built:
            build_sublayer(self.transform, input_shape)
        transformed = self.transform.compute_output_shape(input_shape)
        if not attention.built:
            build_sublayer(attention, transformed)
        width = attention.compute_output_shape(transformed)[-1]
        if width != input_shape[-1]:
            raise ValueError(
                f"`{name}` must give back the width of the layer's input. Received: input "
                f"width={input_shape[-1]}, transformed={transformed[-1]}, {name}={width}. Pass "
                f"output_dim={input_shape[-1]} to it."
            )
        super().build(input_shape)

    def _attention_input(self, x, training: bool | None = False):
        return self.transform(x, training=training)

    def get_config(self):
        return {**super().get_config(), "transform": pack(self.transform)}

    @classmethod
    def from_config(cls, config):
        return super().from_config(unpack(config, "transform"))
