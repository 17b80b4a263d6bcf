"""Configurations of fewer layers."""

import dataclasses

from tfcompress.models import StackConfig


def keep_layers(stack: StackConfig, kept: list[int]) -> StackConfig:
    """Returns a stack of some of its layers; what is set for each layer follows.

    Args:
        stack: The stack.
        kept: Indices of the layers to keep, ascending.
    """

    def chosen(value):
        return (
            tuple(value[layer_index] for layer_index in kept)
            if isinstance(value, tuple | list)
            else value
        )

    feed_forward = stack.feed_forward
    across = stack.cross_attention
    return dataclasses.replace(
        stack,
        num_layers=len(kept),
        attention=stack.attention.of_layers(kept),
        cross_attention=None if across is None else across.of_layers(kept),
        feed_forward=dataclasses.replace(
            feed_forward, intermediate_dim=chosen(feed_forward.intermediate_dim)
        ),
        layer_drop=dataclasses.replace(stack.layer_drop, rate=chosen(stack.layer_drop.rate)),
    )
