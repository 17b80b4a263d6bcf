"""Surgery on trained models: finds what matters least, and returns smaller models without it.

Modules load when they are first used.
"""

import importlib

_MODULES = {
    "HeadScorer": "head_scoring",
    "attention_layers": "head_pruning",
    "cache_outputs": "output_caching",
    "drop_layers": "layer_dropping",
    "every_other": "layer_dropping",
    "factorize_embedding": "embedding_factorization",
    "head_importance": "head_scoring",
    "heads_to_prune": "head_selection",
    "narrow_feed_forward": "feed_forward_narrowing",
    "prune_heads": "head_pruning",
    "pruning_sequence": "head_selection",
    "search_layers": "layer_dropping",
    "select_classes": "class_selection",
    "take_successors": "successors",
    "trim_vocabulary": "vocabulary_trimming",
}

__all__ = sorted(_MODULES)


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
