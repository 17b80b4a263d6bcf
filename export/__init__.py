"""Conversion to LiteRT bundles, and the runtime that runs them.

`convert` needs TensorFlow, which loads when it is first used; `tfcompress.export.runtime` does
not.
"""

import importlib

_MODULES = {
    "ExportError": "errors",
    "MixedPlan": "mixed_plan",
    "QUANTIZATIONS": "kinds",
    "Variants": "variants",
    "WeightNames": "mixed_plan",
    "benchmark_on": "devices",
    "build_native": "building",
    "convert": "conversion",
    "convert_keras": "keras_conversion",
}

__all__ = [
    "QUANTIZATIONS",
    "ExportError",
    "MixedPlan",
    "Variants",
    "WeightNames",
    "benchmark_on",
    "build_native",
    "convert",
    "convert_keras",
]


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
