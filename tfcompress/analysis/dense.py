"""The cost of a dense layer."""

from tfcompress.analysis.cost import Cost, Matrix


def dense(inputs: int, outputs: int, *, tokens: int, use_bias: bool = True) -> Cost:
    """Returns the cost of a dense layer applied to `tokens` positions.

    Args:
        inputs: Input width.
        outputs: Output width.
        tokens: Positions that it is applied to.
        use_bias: Whether it has a bias, whose additions are not counted.
    """
    return Cost((Matrix(outputs, inputs),), outputs if use_bias else 0, tokens * inputs * outputs)
