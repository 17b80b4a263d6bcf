"""tf-model-optimization for Transformers: quantization-aware training that ends in the bundle."""

from tfcompress.optimization.quantization_plan import QuantizationPlan, plan_quantization
from tfcompress.optimization.quantize_aware import quantize_aware, strip_quantization

__all__ = ["QuantizationPlan", "plan_quantization", "quantize_aware", "strip_quantization"]
