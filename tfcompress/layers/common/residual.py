"""What encoder and decoder layers have in common: residual connections around sub-layers."""

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.serialization import pack, unpack
from tfcompress.layers.common.sublayers import build_sublayer, check_sublayer
from tfcompress.layers.dropout import Dropout
from tfcompress.layers.layer_normalization import LayerNormalization


class ResidualLayer(Layer):
    """Base of layers that are a chain of residual connections around injected sub-layers.

    Each connection is `norm(x + dropout(f(x)))`, or `x + dropout(f(norm(x)))` with
    `normalize_first`. A sub-layer given as None leaves its connection out.

    Subclasses name their sub-layers in `sublayer_names`, in order of application, and in
    `sublayer_keywords` what the calls of each must take.
    """

    input_axes = ("batch", "length", "width")

    sublayer_names: tuple[str, ...] = ()
    sublayer_keywords: dict[str, tuple[str, ...]] = {}

    def __init__(self, sublayers, *, normalize_first, dropout, epsilon, **kwargs):
        super().__init__(**kwargs)
        if all(layer is None for layer in sublayers):
            raise ValueError(
                f"{type(self).__name__} needs at least one sub-layer. "
                f"Received: {', '.join(f'{name}=None' for name in self.sublayer_names)}."
            )
        for name, layer in zip(self.sublayer_names, sublayers):
            if layer is not None:
                check_sublayer(name, layer, *self.sublayer_keywords.get(name, ()))
            setattr(self, name, layer)
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.normalize_first = normalize_first
        self.dropout = dropout
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, input_shape):
        for name in self.sublayer_names:
            layer = getattr(self, name)
            if layer is None:
                continue
            if not layer.built:
                build_sublayer(layer, input_shape)
            normalization = LayerNormalization(
                self.epsilon, dtype=self.dtype_policy, name=f"{name}_normalization"
            )
            build_sublayer(normalization, input_shape)
            setattr(self, f"{name}_normalization", normalization)
        self.residual_dropout = Dropout(self.dropout, dtype=self.dtype_policy)
        super().build(input_shape)

    def _residual(self, name, x, function, training: bool | None = False):
        """Applies the connection `name` around `function`, if that sub-layer is there."""
        if getattr(self, name) is None:
            return x
        normalization = getattr(self, f"{name}_normalization")
        y = function(normalization(x) if self.normalize_first else x)
        x = x + self.residual_dropout(y, training=training)
        return x if self.normalize_first else normalization(x)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            **{name: pack(getattr(self, name)) for name in self.sublayer_names},
            "normalize_first": self.normalize_first,
            "dropout": self.dropout,
            "epsilon": self.epsilon,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**unpack(config, *cls.sublayer_names))
