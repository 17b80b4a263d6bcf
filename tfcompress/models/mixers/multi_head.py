"""Multi-head attention as a mixer."""

from dataclasses import dataclass, field

from tfcompress.cost import Cost
from tfcompress.models.mixers.base import MixerConfig, Site, attention_cost, register_mixer
from tfcompress.models.rules import at_layer, divisor_problems


@register_mixer
@dataclass(frozen=True, kw_only=True)
class AttentionConfig(MixerConfig):
    """Multi-head attention.

    Attributes:
        mixer: "multi_head".
        num_heads: Number of heads; one number, or one for each layer.
        head_dim: Width of a head; None for the width divided by `num_heads`.
        dropout: Dropout rate on the attention probabilities.
        gated: Whether each head has a gate, which pruning closes.
    """

    mixer: str = field(init=False, default="multi_head")
    gated: bool = False

    def problems(self, where, *, side, width, num_layers):
        if self.head_dim is None:
            yield from divisor_problems(where, "`hidden_dim`", width, self.num_heads)

    def build(self, site):
        return multi_head(self, site)

    def cost(self, site: Site, *, length: int) -> Cost:
        return attention_cost(
            self, site.width, layer_index=site.layer_index, queries=length, keys=length
        )


def multi_head(config: MixerConfig, site: Site, **options):
    """Returns a layer of multi-head attention.

    Args:
        config: The heads.
        site: Where the layer stands.
        **options: Other arguments of `MultiHeadAttention`, or ones to use instead.
    """
    from tfcompress.layers import MultiHeadAttention

    options = {"head_dim": config.head_dim, "causal": site.causal, **options}
    heads = at_layer(config.num_heads, site.layer_index)
    return MultiHeadAttention(
        heads, dropout=config.dropout, gated=config.gated, name=site.name, **options
    )
