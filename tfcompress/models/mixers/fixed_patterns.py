"""Fixed attention patterns as a mixer."""

from dataclasses import dataclass, field

from tfcompress.constants import PATTERNS
from tfcompress.cost import Cost, dense
from tfcompress.models.mixers.base import MixerConfig, register_mixer
from tfcompress.models.rules import at_layer, divisor_problems, listed, option_problems

# Each value of a sentence is added to a running sum forwards and backwards.
_RUNNING = ("left_context", "right_context", "sentence_end", "sentence_start")


@register_mixer
@dataclass(frozen=True, kw_only=True)
class FixedPatternConfig(MixerConfig):
    """Heads of fixed patterns beside learned ones; for encoders only.

    Attributes:
        mixer: "fixed".
        num_heads: Number of heads, those of fixed patterns included; one number, or one for each
            layer.
        head_dim: Width of a head; None for the width divided by `num_heads`.
        dropout: Dropout rate on the attention probabilities of the learned heads.
        patterns: The patterns.
        edges: What a pattern without a target at a position attends to: "zero" (nothing) or
            "self".
        words: Whether the patterns hold between words instead of tokens.
    """

    mixer: str = field(init=False, default="fixed")
    patterns: tuple[str, ...] = ()
    edges: str = "zero"
    words: bool = False

    def problems(self, where, *, side, width, num_layers):
        if side == "decoder":
            yield f"`{where}.mixer` fixed is for the encoder only: its patterns look ahead"
        for pattern in self.patterns:
            yield from option_problems(f"{where}.patterns", pattern, PATTERNS)
        if not self.patterns:
            yield (
                f"`{where}.patterns` must name at least one of {', '.join(PATTERNS)} (received "
                "none)"
            )
        yield from option_problems(f"{where}.edges", self.edges, ("zero", "self"))
        if min(listed(self.num_heads)) < len(self.patterns):
            yield (
                f"`{where}.num_heads` counts fixed and learned heads, so there must be one for "
                f"each pattern (received {self.num_heads} for {len(self.patterns)} patterns)"
            )
        if self.head_dim is None:
            yield from divisor_problems(where, "`hidden_dim`", width, self.num_heads)

    def build(self, site):
        from tfcompress.layers import FixedPatternAttention

        return FixedPatternAttention(
            self.patterns,
            num_learned_heads=at_layer(self.num_heads, site.layer_index) - len(self.patterns),
            head_dim=self.head_dim,
            edges=self.edges,
            dropout=self.dropout,
            name=site.name,
        )

    def cost(self, site, *, length):
        """Fixed heads have values only; shifts cost nothing, running sums a product a value."""
        width, heads = site.width, at_layer(self.num_heads, site.layer_index)
        head_dim = self.head_dim or width // heads
        learned = (heads - len(self.patterns)) * head_dim
        cost = dense(width, heads * head_dim, tokens=length) + dense(
            heads * head_dim, width, tokens=length
        )
        if learned:
            cost += dense(width, learned, tokens=length, num_layers=0) + dense(
                width, learned, tokens=length, num_layers=0
            )
        running = sum(pattern in _RUNNING for pattern in self.patterns)
        return cost + Cost(
            multiply_adds=2 * length * length * learned + 2 * length * running * head_dim
        )
