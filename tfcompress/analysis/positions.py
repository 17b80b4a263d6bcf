"""The cost of positions."""

from tfcompress.analysis.cost import Cost, Matrix


def positions(kind: str, max_length: int, width: int) -> Cost:
    """Returns the cost of positions: a table if "learned", nothing if "sinusoidal".

    Args:
        kind: "learned" or "sinusoidal".
        max_length: Rows of the table.
        width: The model's width.
    """
    return Cost((Matrix(max_length, width),)) if kind == "learned" else Cost()
