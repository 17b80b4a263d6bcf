"""tf-model-optimization for Transformers: quantization-aware training that ends in the bundle."""

from tfcompress.optimization.clustering import (
    cluster_weights,
    copy_clustered,
    strip_clustering,
)
from tfcompress.optimization.pruning import prune, strip_pruning
from tfcompress.optimization.quantize_aware import copy_rounded, quantize_aware, strip_quantization
from tfcompress.optimization.quantizer_assignment import QuantizerAssignment, assign_quantizers

__all__ = [
    "QuantizerAssignment",
    "assign_quantizers",
    "cluster_weights",
    "copy_clustered",
    "copy_rounded",
    "prune",
    "quantize_aware",
    "strip_clustering",
    "strip_pruning",
    "strip_quantization",
]
