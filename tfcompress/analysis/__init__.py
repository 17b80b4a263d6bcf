"""Counts by component, from the configuration alone: parameters, multiply-adds, bytes."""

from tfcompress.analysis.cost import Cost, Matrix
from tfcompress.analysis.describe import describe
from tfcompress.analysis.description import Description

__all__ = ["Cost", "Description", "Matrix", "describe"]
