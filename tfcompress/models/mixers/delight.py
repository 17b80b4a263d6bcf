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
        min_depth: Group linear layers in the first layer's transform, at least 2.
        max_depth: The same in the last layer's.
        width_multiplier: Largest width of the first transform, in widths of the model.
        max_groups: Largest number of groups; None for the published rule.
        dropout: Dropout rate after each layer of a transform.
    """

    min_depth: int = 4
    _: KW_ONLY
    max_depth: int = 8
    width_multiplier: float = 2.0
    max_groups: int | None = None
    dropout: float = 0.0

    def blocks(self, num_layers: int):
        """Returns depth and width multiplier of the transform of each layer."""
        return block_wise_scaling(self.min_depth, self.max_depth, self.width_multiplier, num_layers)

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
        num_heads: Number of heads; one number, or one for each depth. DeLighT has one.
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
    def differs_by_depth(self):
        return self.scaling.min_depth != self.scaling.max_depth

    def problems(self, where, *, side, width, num_layers):
        scaling = self.scaling
        if width % 2:
            yield f"`{where}.mixer` delight needs an even `hidden_dim` (received {width})"
            return
        if self.head_dim is None:
            name = "half of `hidden_dim`"
            yield from divisor_problems(where, name, width // 2, self.num_heads)
        if not 2 <= scaling.min_depth <= scaling.max_depth:
            yield (
                f"`{where}.scaling` needs 2 <= min_depth <= max_depth (received "
                f"{scaling.min_depth} and {scaling.max_depth})"
            )
        elif num_layers >= 1:
            try:
                for depth, multiplier in scaling.blocks(num_layers):
                    scaling.schedule(width, depth, multiplier)
            except ValueError as error:
                yield f"`{where}.scaling` is impossible ({error})"

    def build(self, site):
        return multi_head(self, site, output_dim=site.width)

    def build_transform(self, site):
        from tfcompress.layers import DExTraBlock

        num_layers, width_multiplier = self.scaling.blocks(site.num_layers)[site.depth]
        return DExTraBlock(
            site.width // 2,
            depth=num_layers,
            width_multiplier=width_multiplier,
            max_groups=self.scaling.max_groups,
            dropout=self.scaling.dropout,
        )

    def cost(self, site, *, length):
        width, half = site.width, site.width // 2
        schedule = self.scaling.schedule(width, *self.scaling.blocks(site.num_layers)[site.depth])
        transform = group_transform(schedule, width, half, half, tokens=length)
        return transform + attention_cost(
            self, half, depth=site.depth, queries=length, keys=length, output_dim=width
        )

    def memory_width(self, width):
        return width // 2
