"""The bundle of a translation model."""

from dataclasses import dataclass
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
        return {
            **read_decoder(manifest, take("vocabulary", "target")),
            "max_source_length": take("limits", "max_source_length"),
            "max_target_length": take("limits", "max_target_length"),
            "source_vocabulary": take("vocabulary", "source"),
            "source_tokenizer": tokenizer_file(manifest, "source"),
            "target_tokenizer": tokenizer_file(manifest, "target"),
        }
