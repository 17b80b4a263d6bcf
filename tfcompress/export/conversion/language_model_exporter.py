"""Exports a language model."""

from typing import Any

from tfcompress.custom_ops.names import TOP_LOGITS
from tfcompress.errors import InputError
from tfcompress.export.conversion import language_model_parity
from tfcompress.export.conversion.language_model_signatures import LanguageModelSignatures
from tfcompress.export.conversion.samples import check_ids, random_ids
from tfcompress.export.conversion.text_exporter import TextExporter
from tfcompress.export.quantization.schemes import STATIC
from tfcompress.export.tokenizers.tokenizer_files import check_tokenizer, write_tokenizers

_RANDOM_LENGTHS = (1, 2, 3, 5, 8, 13, 21)
_CELLS = 1 << 24


class LanguageModelExporter(TextExporter):
    """Exports a `LanguageModel`; see `Exporter`."""

    model_type = "language_model"

    def check_options(self):
        if self.options.quantization in STATIC:
            raise InputError(
                "Static quantizations are for encoders. Received: "
                f"quantization={self.options.quantization!r} for a language model. Choose "
                "dynamic_int8."
            )
        if TOP_LOGITS in self.options.operations:
            raise InputError(
                f"The operation {TOP_LOGITS} is for translation models. Received: it among "
                "`custom_ops` for a language model, whose sampling needs all logits. Leave it out."
            )
        cells = self.config.max_length * self.config.vocabulary_size
        if cells >= 1 << 31:
            raise InputError(
                "The logits of a text of `max_length` tokens must be fewer than 2**31. Received: "
                f"{cells:,}. Lower max_length."
            )
        self._tokenizer: Any = self.options.tokenizer
        if self._tokenizer is not None:
            size = self.config.vocabulary_size
            check_tokenizer("tokenizer", self._tokenizer, self.config, size)

    def encode(self, texts):
        if self._tokenizer is None:
            return None
        rows = self._tokenizer.encode(list(texts))
        return [[*ids, self.config.eos_id][: self.config.max_length] for ids in rows]

    def check_ids(self, name, samples):
        config = self.config
        return check_ids(
            name, samples, max_length=config.max_length, vocabulary_size=config.vocabulary_size
        )

    def random_samples(self):
        config = self.config
        # All logits of a row are compared at once.
        longest = min(config.max_length, max(1, _CELLS // config.vocabulary_size))
        lengths = sorted({min(length, longest) for length in (*_RANDOM_LENGTHS, longest)})
        special = (config.pad_id, config.bos_id)
        return random_ids(lengths, config.vocabulary_size, special)

    def inputs(self, ids):
        raise AssertionError("no static quantization")

    def signatures(self, model):
        return LanguageModelSignatures(model, self.options)

    def interface(self, signatures):
        config = self.config
        return {
            "limits": {"max_length": config.max_length},
            "ids": {"pad": config.pad_id, "bos": config.bos_id, "eos": config.eos_id},
            "vocabulary": config.vocabulary_size,
            **signatures.interface(),
        }

    def write_files(self, folder):
        with_graphs = self.options.tokenizer_graph
        return write_tokenizers({"text": self._tokenizer}, folder, with_graphs=with_graphs)

    def parity(self, model, folder, samples):
        return language_model_parity.compare(model, folder, samples)

    def check_parity(self, metrics):
        language_model_parity.check(metrics, self.options.quantization)
