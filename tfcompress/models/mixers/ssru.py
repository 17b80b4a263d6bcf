"""The simpler simple recurrent unit as a mixer."""

from dataclasses import dataclass, field

from tfcompress.cost import Cost, dense
from tfcompress.models.mixers.base import MixerConfig, register_mixer
from tfcompress.models.rules import divisor_problems


@register_mixer
@dataclass(frozen=True, kw_only=True)
class SSRUConfig(MixerConfig):
    """A recurrent unit, for decoders only.

    Attributes:
        mixer: "ssru".
        num_heads: Heads of the decoder's attention to the encoder; one number, or one for each
            layer.
        head_dim: Their width; None for the width divided by `num_heads`.
        dropout: Dropout rate on their probabilities.
        input_dropout: Dropout rate on the unit's input; all positions lose the same channels.
        use_projection: Whether a dense layer follows the unit.
    """

    mixer: str = field(init=False, default="ssru")
    input_dropout: float = 0.0
    use_projection: bool = False

    def rates(self):
        return {**super().rates(), "input_dropout": self.input_dropout}

    def problems(self, where, *, side, width, num_layers):
        if side == "encoder":
            yield f"`{where}.mixer` ssru is for the decoder only: it sees nothing ahead"
        if self.head_dim is None:
            yield from divisor_problems(where, "`hidden_dim`", width, self.num_heads)

    def build(self, site):
        from tfcompress.layers import SSRU

        return SSRU(
            self.use_projection,
            dropout=self.input_dropout,
            max_length=site.max_length,
            name=site.name,
        )

    def cost(self, site, *, length):
        """The two products, and two multiply-adds for each value of the cell."""
        gate = dense(site.width, site.width, tokens=length, num_layers=0)
        candidate = dense(site.width, site.width, tokens=length, use_bias=False)
        cost = gate + candidate + Cost(multiply_adds=2 * length * site.width)
        if self.use_projection:
            cost += dense(site.width, site.width, tokens=length)
        return cost
