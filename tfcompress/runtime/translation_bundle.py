"""The bundle of a translation model."""

from dataclasses import dataclass, replace
from pathlib import Path

from tfcompress.runtime.decoder_bundle import DecoderBundle, read_decoder, tokenizer_file


@dataclass(frozen=True, kw_only=True)
class TranslationBundle(DecoderBundle):
    """An opened bundle of a translation model.

    Attributes:
        max_source_length: Longest source in tokens, end mark included.
        source_vocabulary: Number of source ids.
        source_tokenizer: The SentencePiece model of the source, or None.
        target_tokenizer: The SentencePiece model of the target, or None.

    The others are those of `DecoderBundle`.
    """

    max_source_length: int
    source_vocabulary: int
    source_tokenizer: Path | None
    target_tokenizer: Path | None

    model_type = "translation"

    @classmethod
    def _read(cls, manifest):
        take = manifest.take
        decoder = read_decoder(manifest, take("vocabulary", "target"))
        prefix = _target_prefix(manifest, decoder)
        return {
            **decoder,
            "ids": replace(decoder["ids"], target_prefix=prefix),
            "max_source_length": take("limits", "max_source_length"),
            "max_target_length": take("limits", "max_target_length"),
            "source_vocabulary": take("vocabulary", "source"),
            "source_tokenizer": tokenizer_file(manifest, "source"),
            "target_tokenizer": tokenizer_file(manifest, "target"),
        }


def _target_prefix(manifest, decoder):
    """The ids that stand before every target; a bundle may have none."""
    if "target_prefix" not in manifest.take("ids", value_type=dict):
        return ()
    most = manifest.take("limits", "max_target_length")
    ids = decoder["ids"]

    def is_usable(prefix):
        return len(prefix) < most and all(
            type(token) is int
            and 0 <= token < decoder["target_vocabulary"]
            and token not in (ids.pad, ids.bos, ids.eos)
            for token in prefix
        )

    return tuple(manifest.take("ids", "target_prefix", value_type=list, check=is_usable))
