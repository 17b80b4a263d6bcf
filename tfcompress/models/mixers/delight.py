"""DeLighT's attention behind a group transform, as a mixer."""

from dataclasses import KW_ONLY, dataclass, field

from tfcompress.cost import group_transform
from tfcompress.models.mixers.base import MixerConfig, attention_cost, register_mixer
from tfcompress.models.mixers.multi_head import multi_head
from tfcompress.models.rules import divisor_problems
from tfcompress.scaling import block_wise_scaling, default_max_groups, dextra_schedule


@dataclass(frozen=True)
class ScalingConfig:
    """DeLighT's block-wise scaling: deeper and wider transforms towards the output.

    Attributes:
        min_layers: Group linear layers in the first layer's transform, at least 2.
        max_layers: The same in the last layer's.
        width_multiplier: Largest width of the first transform, in widths of the model.
        max_groups: Largest number of groups; None for the published rule.
        dropout: Dropout rate after each layer of a transform.
    """

    min_layers: int = 4
    _: KW_ONLY
    max_layers: int = 8
    width_multiplier: float = 2.0
    max_groups: int | None = None
    dropout: float = 0.0

    def blocks(self, num_layers: int):
        """Returns number of layers and width multiplier of the transform of each layer."""
        return block_wise_scaling(
            self.min_layers, self.max_layers, self.width_multiplier, num_layers
        )

    def schedule(self, width: int, num_layers: int, multiplier: float):
        """Returns the group linear layers of one transform."""
        groups = self.max_groups or default_max_groups(width)
        return dextra_schedule(width // 2, width // 2, multiplier * width, num_layers, groups)


@register_mixer
@dataclass(frozen=True, kw_only=True)
class DeLighTConfig(MixerConfig):
    """Attention of half the model's width, behind a group transform.

    Attributes:
        mixer: "delight".
        num_heads: Number of heads; one number, or one for each layer. DeLighT has one.
        head_dim: Width of a head; None for half the model's width divided by `num_heads`.
        dropout: Dropout rate on the attention probabilities.
        gated: Whether each head has a gate, which pruning closes.
        scaling: The transforms.
    """

    mixer: str = field(init=False, default="delight")
    gated: bool = False
    scaling: ScalingConfig = field(default_factory=ScalingConfig)

    published_counting = "delight"

    def rates(self):
        return {**super().rates(), "scaling.dropout": self.scaling.dropout}

    @property
    def layers_differ(self):
        return self.scaling.min_layers != self.scaling.max_layers

    def problems(self, where, *, side, width, num_layers):
        scaling = self.scaling
        if width % 2:
            yield f"`{where}.mixer` delight needs an even `hidden_dim` (received {width})"
            return
        if self.head_dim is None:
            name = "half of `hidden_dim`"
            yield from divisor_problems(where, name, width // 2, self.num_heads)
        if not 2 <= scaling.min_layers <= scaling.max_layers:
            yield (
                f"`{where}.scaling` needs 2 <= min_layers <= max_layers (received "
                f"{scaling.min_layers} and {scaling.max_layers})"
            )
        elif num_layers >= 1:
            try:
                for block in scaling.blocks(num_layers):
                    scaling.schedule(width, *block)
            except ValueError as error:
                yield f"`{where}.scaling` is impossible ({error})"

    def build(self, site):
        return multi_head(self, site, output_dim=site.width)

    def build_transform(self, site):
        from tfcompress.layers import DExTraBlock

        num_layers, width_multiplier = self.scaling.blocks(site.num_layers)[site.layer_index]
        return DExTraBlock(
            site.width // 2,
            num_layers=num_layers,
            width_multiplier=width_multiplier,
            max_groups=self.scaling.max_groups,
            dropout=self.scaling.dropout,
        )

    def cost(self, site, *, length):
        width, half = site.width, site.width // 2
        schedule = self.scaling.schedule(
            width, *self.scaling.blocks(site.num_layers)[site.layer_index]
        )
        transform = group_transform(schedule, width, half, half, tokens=length)
        return transform + attention_cost(
            self, half, layer_index=site.layer_index, queries=length, keys=length, output_dim=width
        )

    def memory_width(self, width):
        return width // 2
