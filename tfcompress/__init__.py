"""Small and fast Keras Transformers for phones.

Sub-modules load when they are first used, so that `import tfcompress` is quick and the runtime
(`tfcompress.runtime`) works on devices without TensorFlow. Keras knows the layers as soon as
it is imported too.
"""

import importlib

from tfcompress.registration import register_with_keras

__version__ = "0.1.0"

_SUBMODULES = (
    "analysis",
    "callbacks",
    "errors",
    "export",
    "layers",
    "models",
    "optimization",
    "pipeline",
    "reporting",
    "runtime",
    "scaling",
    "surgery",
    "text",
    "training",
)

__all__ = ["__version__", "load_model", *_SUBMODULES]


def __getattr__(name: str):
    if name == "load_model":
        from tfcompress.loading import load_model

        return load_model
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)


register_with_keras()
