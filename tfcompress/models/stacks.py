"""The encoder's and the decoder's layers, from the configuration."""

import dataclasses
from dataclasses import dataclass

from tensorflow import keras

from tfcompress import layers
from tfcompress.models.config import Seq2SeqConfig, StackConfig, layer_groups
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.mixers import Site
from tfcompress.models.mixers.multi_head import multi_head
from tfcompress.models.rules import at_layer
from tfcompress.models.text_encoder_config import TextEncoderConfig

Config = Seq2SeqConfig | LanguageModelConfig | TextEncoderConfig


@dataclass(frozen=True)
class Part:
    """A layer, or half of one, and the first place where it stands.

    Attributes:
        name: The layer's name.
        layer_index: The first place in the stack, from 0.
        attends: Whether it has the attention half.
        feeds: Whether it has the feed-forward half.
    """

    name: str
    layer_index: int
    attends: bool = True
    feeds: bool = True


class Stack:
    """Which layers the encoder or the decoder has, in which order.

    Args:
        config: The model.
        side: "encoder" or "decoder".

    Attributes:
        order: Names of the layers in order of application; shared ones repeat.
    """

    def __init__(self, config: Config, side: str):
        self._config = config
        self._side = side
        self._stack: StackConfig = getattr(config, side)
        self._parts = stack_parts(side, self._stack)
        successors = self._stack.successors
        if successors is None:
            self.order = [part.name for parts in self._parts for part in parts]
        else:
            self.order = [f"{side}_module_{i}" for i in range(successors)]

    def make(self) -> dict[str, keras.layers.Layer]:
        """Returns new layers by name."""
        parts = {part.name: part for parts in self._parts for part in parts}
        if self._stack.successors is None:
            layers_by_name = {
                name: self._layer(self._inner(name), part) for name, part in parts.items()
            }
            layer_indices = {name: part.layer_index for name, part in parts.items()}
        else:
            replaced = {name: self._layer(name, part) for name, part in parts.items()}
            ratio = self._stack.num_layers // self._stack.successors
            layers_by_name = {
                name: self._module(i, ratio, replaced) for i, name in enumerate(self.order)
            }
            layer_indices = {name: i * ratio for i, name in enumerate(self.order)}
        if not self._stack.drops_layers:
            return layers_by_name
        drop = self._stack.layer_drop
        return {
            name: layers.LayerDropWrapper(
                layer,
                rate=at_layer(drop.rate, layer_indices[name]),
                learned=drop.learned,
                name=name,
            )
            for name, layer in layers_by_name.items()
        }

    @property
    def uses_words(self) -> bool:
        """Whether its layers want to know which word each token belongs to."""
        return self._stack.attention.words

    def _inner(self, name):
        """The name of a layer that may stand inside a wrapper."""
        return f"{name}_kept" if self._stack.drops_layers else name

    def _module(self, index, ratio, replaced):
        chunk = self._parts[index * ratio : (index + 1) * ratio]
        successor = f"{self._side}_successor_{index}"
        return layers.TheseusModule(
            [replaced[part.name] for parts in chunk for part in parts],
            successor=self._layer(successor, Part(successor, index)),
            name=self._inner(f"{self._side}_module_{index}"),
        )

    def _layer(self, name, part):
        config, stack = self._config, self._stack
        options = {
            "normalize_first": config.normalize_first,
            "dropout": config.dropout,
            "epsilon": config.epsilon,
            "name": name,
        }
        feed_forward = _feed_forward(stack, part.layer_index) if part.feeds else None
        site = Site(config.hidden_dim, layer_index=part.layer_index, num_layers=stack.num_layers)
        attention = transform = None
        if part.attends:
            causal = self._side == "decoder"
            # Decoders of translators are exported step by step.
            max_length = getattr(config, "max_length", None)
            own = dataclasses.replace(
                site, causal=causal, max_length=max_length, name=f"{name}_self_attention"
            )
            attention = stack.attention.build(own)
            transform = stack.attention.build_transform(own)
        if self._side == "encoder":
            if transform is None:
                return layers.TransformerEncoderLayer(
                    attention, feed_forward=feed_forward, **options
                )
            return layers.DeLighTEncoderLayer(
                transform, attention=attention, feed_forward=feed_forward, **options
            )
        across = None
        if part.attends and hasattr(config, "encoder"):
            across = self._cross_attention(
                dataclasses.replace(site, name=f"{name}_cross_attention")
            )
        if transform is None:
            return layers.TransformerDecoderLayer(
                attention, cross_attention=across, feed_forward=feed_forward, **options
            )
        return layers.DeLighTDecoderLayer(
            transform,
            self_attention=attention,
            cross_attention=across,
            feed_forward=feed_forward,
            **options,
        )

    def _cross_attention(self, site):
        own, attention = self._stack.attention, self._stack.memory_attention
        head_dim, width = attention.head_dim, own.memory_width(site.width)
        if head_dim is None and width != site.width:
            head_dim = width // at_layer(attention.num_heads, site.layer_index)
        return multi_head(attention, site, head_dim=head_dim)


def stack_parts(side: str, stack: StackConfig) -> list[list[Part]]:
    """Returns the parts at each place of a stack; shared ones repeat.

    Args:
        side: "encoder" or "decoder".
        stack: Its configuration.
    """
    attention, feed_forward = layer_groups(stack)
    if attention == feed_forward:
        return [[Part(f"{side}_layer_{i}", attention.index(i))] for i in attention]
    return [
        [
            Part(f"{side}_attention_{i}", attention.index(i), feeds=False),
            Part(f"{side}_feed_forward_{j}", feed_forward.index(j), attends=False),
        ]
        for i, j in zip(attention, feed_forward)
    ]


def _feed_forward(stack, layer_index):
    feed_forward = stack.feed_forward
    return layers.FeedForward(
        at_layer(feed_forward.intermediate_dim, layer_index),
        activation=feed_forward.activation,
        dropout=feed_forward.dropout,
    )
