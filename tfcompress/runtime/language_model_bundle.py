"""The bundle of a language model."""

from dataclasses import dataclass
from pathlib import Path

from tfcompress.runtime.decoder_bundle import DecoderBundle, read_decoder, tokenizer_file


@dataclass(frozen=True, kw_only=True)
class LanguageModelBundle(DecoderBundle):
    """An opened bundle of a language model; its target is the text.

    Attributes:
        tokenizer: The SentencePiece model, or None.

    The others are those of `DecoderBundle`.
    """

    tokenizer: Path | None

    model_type = "language_model"

    @property
    def max_length(self) -> int:
        """Longest text in tokens, end mark included."""
        return self.max_target_length

    @property
    def vocabulary(self) -> int:
        """Number of ids."""
        return self.target_vocabulary

    @classmethod
    def _read(cls, manifest):
        return {
            **read_decoder(manifest, manifest.take("vocabulary")),
            "max_target_length": manifest.take("limits", "max_length"),
            "tokenizer": tokenizer_file(manifest, "text"),
        }
