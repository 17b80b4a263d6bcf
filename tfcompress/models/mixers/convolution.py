"""Lightweight and dynamic convolution as a mixer."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field

from tfcompress.cost import Cost, Matrix, dense
from tfcompress.models.mixers.base import MixerConfig, Site, register_mixer
from tfcompress.models.rules import at_layer, option_problems

_LAYERS = {"dynamic": "DynamicConv", "lightweight": "LightweightConv"}


@dataclass(frozen=True)
class ConvolutionConfig:
    """The convolution of the mixers "convolution" and "lsra".

    Attributes:
        layer_type: "dynamic" (kernels predicted at every position) or "lightweight" (fixed ones).
        kernel_size: Taps; one number, or one for each layer.
        num_heads: Groups of channels that share a kernel.
        gated: Whether a gated linear unit stands before the convolution.
        weight_softmax: Whether the taps are normalized by a softmax.
        weight_dropout: Dropout rate on the taps.
        mask_after_linear: Whether padding is cleared after the first dense layer. The reference
            code clears it before, so that the layer's bias leaks out of the padding and a sentence
            gets another translation in a batch than alone.
    """

    layer_type: str = "dynamic"
    _: KW_ONLY
    kernel_size: int | tuple[int, ...] = 3
    num_heads: int = 4
    gated: bool = True
    weight_softmax: bool = True
    weight_dropout: float = 0.0
    mask_after_linear: bool = True

    def problems(self, where: str, width: int) -> Iterator[str]:
        """Yields one line for each impossible setting.

        Args:
            where: What the settings are called.
            width: Its channels.
        """
        yield from option_problems(f"{where}.layer_type", self.layer_type, _LAYERS)
        if self.num_heads >= 1 and width % self.num_heads:
            yield (
                f"the channels of the convolution must be divisible by `{where}.num_heads` "
                f"(received {width} and {self.num_heads})"
            )

    def build(self, site: Site):
        """Returns the layer."""
        from tfcompress import layers

        return getattr(layers, _LAYERS[self.layer_type])(
            at_layer(self.kernel_size, site.layer_index),
            num_heads=self.num_heads,
            causal=site.causal,
            gated=self.gated,
            weight_softmax=self.weight_softmax,
            weight_dropout=self.weight_dropout,
            mask_after_linear=self.mask_after_linear,
            name=site.name,
        )

    def cost(self, site: Site, *, length: int) -> Cost:
        """Returns the cost of convolving `length` positions of `site.width` channels."""
        width, kernel_size = site.width, at_layer(self.kernel_size, site.layer_index)
        taps = self.num_heads * kernel_size
        applied = length * width * kernel_size
        cost = dense(width, 2 * width if self.gated else width, tokens=length)
        if self.layer_type == "dynamic":
            cost += dense(width, taps, tokens=length, use_bias=False, num_layers=0)
        else:
            cost += Cost((Matrix(self.num_heads, kernel_size),))
        cost += Cost(multiply_adds=applied, tap_multiply_adds=applied)
        return cost + dense(width, width, tokens=length)


@dataclass(frozen=True, kw_only=True)
class ConvolvingConfig(MixerConfig):
    """Base of mixers with a convolution.

    Attributes:
        mixer: The mixer's name.
        num_heads: Number of attention heads; one number, or one for each layer.
        head_dim: Width of a head; None for the width divided by `num_heads`.
        dropout: Dropout rate on the attention probabilities.
        convolution: The convolution.
    """

    convolution: ConvolutionConfig = field(default_factory=ConvolutionConfig)

    published_counting = "lite_transformer"

    def sizes(self):
        convolution = self.convolution
        return {
            **super().sizes(),
            "convolution.kernel_size": convolution.kernel_size,
            "convolution.num_heads": convolution.num_heads,
        }

    def rates(self):
        return {**super().rates(), "convolution.weight_dropout": self.convolution.weight_dropout}

    def per_layer(self):
        return {**super().per_layer(), "convolution.kernel_size": self.convolution.kernel_size}


@register_mixer
@dataclass(frozen=True, kw_only=True)
class ConvolutionMixerConfig(ConvolvingConfig):
    """A convolution in place of attention.

    Attributes:
        mixer: "convolution".
        num_heads: Heads of the decoder's attention to the encoder; one number, or one for each
            layer.
        head_dim: Their width; None for the width divided by `num_heads`.
        dropout: Dropout rate on their probabilities.
        convolution: The convolution.
    """

    mixer: str = field(init=False, default="convolution")

    def problems(self, where, *, side, width, num_layers):
        yield from self.convolution.problems(f"{where}.convolution", width)

    def build(self, site):
        return self.convolution.build(site)

    def cost(self, site, *, length):
        return self.convolution.cost(site, length=length)
