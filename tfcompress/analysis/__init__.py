"""Counts by component, from the configuration alone: parameters, multiply-adds, bytes."""

from tfcompress.analysis.describe import describe
from tfcompress.analysis.description import Description
from tfcompress.cost import Cost, Matrix

__all__ = ["Cost", "Description", "Matrix", "describe"]
