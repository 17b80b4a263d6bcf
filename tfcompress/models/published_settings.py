"""Settings of published configurations: activations by name, and what is not supported."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError

# The published names of activations, and the names here.
ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
# What settings must be where they are given: there is nothing here that does otherwise.
_REQUIRED: dict[str, tuple[Any, ...]] = {
    "is_decoder": (None, False),
    "is_encoder_decoder": (None, False),
    "add_cross_attention": (None, False),
    "position_embedding_type": (None, "absolute"),
    "pruned_heads": (None, {}, []),
    "inner_group_num": (None, 1),
    "use_bottleneck": (None, False),
    # Code of the publisher's own, which may compute anything.
    "auto_map": (None, {}),
    "quantization_config": (None, {}),
}


def check_settings(path: Path, settings: Mapping[str, Any], *, shares_layers: bool) -> None:
    """Makes sure that a published model computes what we do.

    Args:
        path: The configuration's file, for messages.
        settings: The configuration.
        shares_layers: Whether its family has groups of layers and embeddings of another width.

    Raises:
        InputError: If it does not, naming all settings in the way.
    """
    required = dict(_REQUIRED)
    if not shares_layers:
        required["embedding_size"] = (None, settings.get("hidden_size", settings.get("dim")))
        required["num_hidden_groups"] = (None, 1)
    wrong = [
        f"{name} {settings[name]!r}"
        for name, values in required.items()
        if settings.get(name) not in values
    ]
    if wrong:
        raise InputError(
            f"Some settings are not supported. Received: {', '.join(wrong)} in {path}. Give an "
            "encoder as BERT, RoBERTa, DistilBERT and ALBERT were published."
        )
