"""Long-short range attention as a mixer."""

import dataclasses
from dataclasses import dataclass, field

from tfcompress.models.mixers.base import attention_cost, register_mixer
from tfcompress.models.mixers.convolution import ConvolvingConfig
from tfcompress.models.mixers.multi_head import multi_head
from tfcompress.models.rules import divisor_problems


@register_mixer
@dataclass(frozen=True, kw_only=True)
class LSRAConfig(ConvolvingConfig):
    """Attention on some channels, convolution on the others.

    Attributes:
        mixer: "lsra".
        num_heads: Number of attention heads; one number, or one for each layer.
        head_dim: Width of a head; None for the attention's channels divided by `num_heads`.
        dropout: Dropout rate on the attention probabilities.
        convolution: The convolution.
        attention_dim: Channels that the attention takes; None for half.
    """

    mixer: str = field(init=False, default="lsra")
    attention_dim: int | None = None

    def problems(self, where, *, side, width, num_layers):
        part = self.attention_dim
        if part is not None and not 1 <= part < width:
            yield (
                f"`{where}.attention_dim` must lie between 1 and `hidden_dim` - 1 (received {part})"
            )
            return
        part = self._attention_dim(width)
        yield from self.convolution.problems(f"{where}.convolution", width - part)
        if self.head_dim is None:
            name = "the attention's share of `hidden_dim`"
            yield from divisor_problems(where, name, part, self.num_heads)

    def build(self, site):
        from tfcompress.layers import LSRA

        beside = dataclasses.replace(site, name=f"{site.name}_convolution")
        return LSRA(
            multi_head(self, site),
            convolution=self.convolution.build(beside),
            attention_dim=self._attention_dim(site.width),
            name=f"{site.name}_split",
        )

    def cost(self, site, *, length):
        part = self._attention_dim(site.width)
        beside = dataclasses.replace(site, width=site.width - part)
        attending = attention_cost(
            self, part, layer_index=site.layer_index, queries=length, keys=length
        )
        return attending + self.convolution.cost(beside, length=length)

    def _attention_dim(self, width):
        return width // 2 if self.attention_dim is None else self.attention_dim
