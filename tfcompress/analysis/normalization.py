"""The cost of a normalization."""

from tfcompress.analysis.cost import Cost


def normalization(width: int) -> Cost:
    """Returns the cost of a layer normalization: a gain and a shift, no multiply-adds counted."""
    return Cost(vector_values=2 * width)
