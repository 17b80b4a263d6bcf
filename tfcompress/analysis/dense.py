"""The cost of dense and group linear layers."""

from tfcompress.analysis.cost import Cost, Matrix


def dense(
    inputs: int,
    outputs: int,
    *,
    tokens: int,
    use_bias: bool = True,
    num_groups: int = 1,
    depth: int = 1,
) -> Cost:
    """Returns the cost of a dense layer applied to `tokens` positions.

    Args:
        inputs: Input width.
        outputs: Output width.
        tokens: Positions that it is applied to.
        use_bias: Whether it has a bias.
        num_groups: Groups of channels that do not mix; 1 for an ordinary dense layer.
        depth: Layers that it counts as in sequence; 0 where it stands beside another.
    """
    width = inputs // num_groups
    return Cost(
        (Matrix(outputs, width),),
        outputs if use_bias else 0,
        tokens * width * outputs,
        additions=tokens * outputs if use_bias else 0,
        depth=depth,
    )
