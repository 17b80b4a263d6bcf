"""Configurations of fewer layers."""

import dataclasses

from tfcompress.models import StackConfig


def at_depths(stack: StackConfig, kept: list[int]) -> StackConfig:
    """Returns a stack of some of its depths; what is given for each depth follows.

    Args:
        stack: The stack.
        kept: Depths to keep, ascending.
    """

    def chosen(value):
        return tuple(value[depth] for depth in kept) if isinstance(value, tuple | list) else value

    feed_forward = stack.feed_forward
    across = stack.cross_attention
    return dataclasses.replace(
        stack,
        num_layers=len(kept),
        attention=stack.attention.at_depths(kept),
        cross_attention=None if across is None else across.at_depths(kept),
        feed_forward=dataclasses.replace(
            feed_forward, intermediate_dim=chosen(feed_forward.intermediate_dim)
        ),
        layer_drop=dataclasses.replace(stack.layer_drop, rate=chosen(stack.layer_drop.rate)),
    )
