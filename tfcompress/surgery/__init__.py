"""Surgery on trained models: finds what matters least, and returns smaller models without it.

Modules load when they are first used.
"""

import importlib
import sys
import types

_MODULES = {
    "HeadScorer": "head_importance",
    "attention_layers": "prune_heads",
    "cache_outputs": "cache_outputs",
    "drop_layers": "drop_layers",
    "every_other": "drop_layers",
    "factorize_embedding": "factorize_embedding",
    "head_importance": "head_importance",
    "heads_to_prune": "head_selection",
    "narrow_feed_forward": "narrow_feed_forward",
    "prune_heads": "prune_heads",
    "pruning_sequence": "head_selection",
    "search_layers": "drop_layers",
    "select_classes": "select_classes",
    "take_successors": "take_successors",
    "trim_vocabulary": "trim_vocabulary",
}

__all__ = sorted(_MODULES)


class _Package(types.ModuleType):
    """Lets a function keep its name when Python binds the module of the same name to it."""

    def __setattr__(self, name, value):
        if isinstance(value, types.ModuleType) and _MODULES.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
