"""Conversion to LiteRT bundles, which `tfcompress.runtime` runs.

Modules load when they are first used: the names of quantizations need no TensorFlow.
"""

import importlib

_MODULES = {
    "ExportError": "errors",
    "ExportOptions": "options",
    "QuantizationScheme": "quantization.quantization_scheme",
    "QUANTIZATIONS": "quantization.schemes",
    "Signature": "conversion.keras_signatures",
    "Variants": "conversion.variants",
    "WeightNames": "quantization.quantization_scheme",
    "benchmark_on": "devices.benchmarking",
    "build_native": "devices.building",
    "convert": "conversion.convert",
    "to_marian": "marian.writing",
}

__all__ = [
    "QUANTIZATIONS",
    "ExportError",
    "ExportOptions",
    "QuantizationScheme",
    "Signature",
    "Variants",
    "WeightNames",
    "benchmark_on",
    "build_native",
    "convert",
    "to_marian",
]


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
