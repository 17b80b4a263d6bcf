"""How pairs become the batches of a translation model."""

from typing import Any

from tfcompress.models.config import Seq2SeqConfig


def batch_options(config: Seq2SeqConfig) -> dict[str, Any]:
    """Returns what `tfcompress.text.batching.make_batch` is told of a model.

    Args:
        config: The model's configuration.

    Example:
        >>> batch_options(Seq2SeqConfig(64, hidden_dim=32, target_prefix=(5,)))["max_length"]
        (256, 255)
    """
    names = ("bos_id", "eos_id", "pad_id", "target_prefix")
    limits = config.max_source_length, config.max_target_length - len(config.target_prefix)
    return {"max_length": limits, **{name: getattr(config, name) for name in names}}
