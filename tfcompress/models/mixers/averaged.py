"""Averaged attention as a mixer."""

from dataclasses import dataclass, field

from tfcompress.cost import Cost, dense
from tfcompress.models.mixers.base import MixerConfig, register_mixer
from tfcompress.models.rules import ACTIVATIONS, at_layer, divisor_problems, option_problems


@register_mixer
@dataclass(frozen=True, kw_only=True)
class AveragedAttentionConfig(MixerConfig):
    """The running mean of all earlier positions, for decoders only.

    Attributes:
        mixer: "averaged".
        num_heads: Heads of the decoder's attention to the encoder; one number, or one for each
            layer.
        head_dim: Their width; None for the width divided by `num_heads`.
        dropout: Dropout rate on their probabilities.
        intermediate_dim: Inner width of the feed-forward network behind the mean; one number, one
            for each layer, or None for no such network.
        activation: Its activation.
        feed_forward_dropout: Dropout rate after its activation.
        use_gates: Whether gates weigh the input and the mean.
    """

    mixer: str = field(init=False, default="averaged")
    intermediate_dim: int | tuple[int, ...] | None = 2048
    activation: str = "swish"
    feed_forward_dropout: float = 0.0
    use_gates: bool = True

    def sizes(self):
        return {**super().sizes(), "intermediate_dim": self.intermediate_dim}

    def rates(self):
        return {**super().rates(), "feed_forward_dropout": self.feed_forward_dropout}

    def per_layer(self):
        return {**super().per_layer(), "intermediate_dim": self.intermediate_dim}

    def problems(self, where, *, side, width, num_layers):
        if side == "encoder":
            yield f"`{where}.mixer` averaged is for the decoder only: it sees nothing ahead"
        yield from option_problems(f"{where}.activation", self.activation, ACTIVATIONS)
        if self.head_dim is None:
            yield from divisor_problems(where, "`hidden_dim`", width, self.num_heads)

    def build(self, site):
        from tfcompress.layers import AveragedAttention

        return AveragedAttention(
            at_layer(self.intermediate_dim, site.layer_index),
            activation=self.activation,
            use_gates=self.use_gates,
            dropout=self.feed_forward_dropout,
            name=site.name,
        )

    def cost(self, site, *, length):
        """A product for each value of the running mean, and the dense layers."""
        width, inner = site.width, at_layer(self.intermediate_dim, site.layer_index)
        cost = Cost(multiply_adds=length * width)
        if inner is not None:
            cost += dense(width, inner, tokens=length) + dense(inner, width, tokens=length)
        if self.use_gates:
            gate = dense(width, width, tokens=length, num_layers=0)
            cost += gate + dense(width, width, tokens=length)
        return cost
