"""Exports a text encoder."""

from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.export.conversion import text_encoder_parity
from tfcompress.export.conversion.samples import check_ids, random_ids
from tfcompress.export.conversion.text_encoder_signature import TextEncoderSignature
from tfcompress.export.conversion.text_exporter import TextExporter
from tfcompress.export.tokenizers.text_tokenizer_graph import make_text_tokenizer_graph
from tfcompress.export.tokenizers.tokenizer_files import checked_graph
from tfcompress.models import TextEncoderConfig
from tfcompress.text import TextTokenizer, encode_texts
from tfcompress.text.text_tokenizers import fits_table

GRAPH = "tokenizer.tflite"
_RANDOM_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34)


class TextEncoderExporter(TextExporter):
    """Exports a `TextEncoder`; see `Exporter`."""

    model_type = "text_encoder"

    @property
    def tokenizer(self) -> Any:
        """The tokenizer, or None."""
        return self.options.tokenizer

    def check_options(self):
        _check_tokenizer(self.tokenizer, self.config)

    def encode(self, texts):
        tokenizer, limit = self.tokenizer, self.config.max_length
        if tokenizer is None:
            return None
        ids, lengths = encode_texts(tokenizer, texts, max_length=limit)
        return [row[:length].tolist() for row, length in zip(ids, lengths)]

    def check_ids(self, name, samples):
        limits = {
            "max_length": self.config.max_length,
            "vocabulary_size": self.config.vocabulary_size,
        }
        return check_ids(name, samples, **limits)

    def random_samples(self):
        config, longest = self.config, self.config.max_length
        lengths = sorted({min(length, longest) for length in (*_RANDOM_LENGTHS, longest)})
        return random_ids(lengths, config.vocabulary_size, [config.pad_id])

    def inputs(self, ids):
        types = {"token_type_ids": 0 * ids[None]} if self.config.token_types else {}
        return {"token_ids": ids[None], **types}

    def signatures(self, model):
        return TextEncoderSignature(model, self.options)

    def interface(self, signatures):
        config, tokenizer = self.config, self.tokenizer
        return {
            "head": config.to_mapping().get("head"),
            "limits": {"max_length": config.max_length},
            "ids": {
                "pad": config.pad_id,
                "start": None if tokenizer is None else tokenizer.start_id,
                "end": None if tokenizer is None else tokenizer.end_id,
            },
            "vocabulary": config.vocabulary_size,
            "token_types": config.token_types,
            "outputs": {
                name: {"width": output.width, "per_token": output.per_token}
                for name, output in signatures.outputs.items()
            },
        }

    def write_files(self, folder):
        return _write_tokenizer(self.tokenizer, self.options.tokenizer_graph, folder)

    def parity(self, model, folder, samples):
        return text_encoder_parity.compare(model, folder, samples)

    def check_parity(self, metrics):
        text_encoder_parity.check(metrics, self.options.quantization)


def _check_tokenizer(tokenizer: TextTokenizer | None, config: TextEncoderConfig) -> None:
    """Makes sure that tokenizer and model agree on every id."""
    if tokenizer is None:
        return
    if not isinstance(tokenizer, TextTokenizer):
        raise InputError(
            "`tokenizer` must be one of tfcompress.text for text encoders, such as "
            f"`load_text_tokenizer` returns. Received: {type(tokenizer).__name__}."
        )
    if not fits_table(tokenizer.vocabulary_size, config.vocabulary_size):
        raise InputError(
            "`tokenizer` must be that of the model. Received: "
            f"{tokenizer.vocabulary_size} pieces for {config.vocabulary_size} rows of the model's "
            "table. Give the one that it was trained with."
        )
    if tokenizer.pad_id != config.pad_id:
        raise InputError(
            "`tokenizer` must be that of the model. Received: "
            f"pad_id={tokenizer.pad_id} instead of {config.pad_id}. Give the one that it "
            "was trained with."
        )


def _write_tokenizer(
    tokenizer: TextTokenizer | None, with_graph: bool, folder: Path
) -> dict[str, Any]:
    """Writes the tokenizer's files and returns what the manifest says of them."""
    if tokenizer is None:
        return {"tokenizer": None, "tokenizer_graph": None}
    for name, content in tokenizer.files().items():
        (folder / name).write_bytes(content)
    if with_graph:
        (folder / GRAPH).write_bytes(checked_graph(*make_text_tokenizer_graph(tokenizer)))
    return {
        "tokenizer": tokenizer.settings(),
        "tokenizer_graph": GRAPH if with_graph else None,
    }
