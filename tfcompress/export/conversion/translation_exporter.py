"""Exports a translation model."""

from collections.abc import Sequence
from typing import Any

from tfcompress.errors import InputError
from tfcompress.export.conversion import translation_parity
from tfcompress.export.conversion.samples import check_ids, random_ids
from tfcompress.export.conversion.signatures import Signatures
from tfcompress.export.conversion.text_exporter import TextExporter
from tfcompress.export.tokenizers.tokenizer_files import check_tokenizers, write_tokenizers
from tfcompress.models import Seq2SeqConfig
from tfcompress.text import Shortlist, Tokenizer, build_shortlist
from tfcompress.text.text_stream import in_parts

SHORTLIST = "shortlist.bin"
_RANDOM_LENGTHS = (1, 2, 3, 5, 8, 13, 21)


class TranslationExporter(TextExporter):
    """Exports a `Seq2SeqTransformer`; see `Exporter`."""

    model_type = "translation"

    def check_options(self):
        self._tokenizers = {
            "source": self.options.source_tokenizer,
            "target": self.options.target_tokenizer,
        }
        check_tokenizers(self._tokenizers, self.config)
        self._shortlist: Any = self.options.shortlist
        if self._shortlist is None:
            return
        if not isinstance(self._shortlist, Shortlist):
            source, target = self._tokenizers.values()
            if source is None or target is None:
                raise InputError(
                    "`shortlist` of sentences needs both tokenizers. Received: others. Give them."
                )
            sources, targets = self._shortlist
            self._shortlist = learn_shortlist(source, target, sources, targets, self.config)
        check_shortlist(self._shortlist, self.config)

    def encode(self, texts):
        tokenizer = self._tokenizers["source"]
        return None if tokenizer is None else source_ids(tokenizer, texts, self.config)

    def check_ids(self, name, samples):
        samples = check_ids(
            name,
            samples,
            max_length=self.config.max_source_length,
            vocabulary_size=self.config.source_vocabulary_size,
        )
        for number, sample in enumerate(samples):
            if sample[-1] != self.config.eos_id:
                raise InputError(
                    f"`{name}` must end with `eos_id`={self.config.eos_id}. Received: {sample[-1]} "
                    f"at the end of sentence {number}."
                )
        return samples

    def random_samples(self):
        config, longest = self.config, self.config.max_source_length
        lengths = sorted({min(length, longest) - 1 for length in (*_RANDOM_LENGTHS, longest)})
        special = (config.pad_id, config.bos_id, config.eos_id)
        rows = random_ids(lengths, config.source_vocabulary_size, special)
        return [[*ids, config.eos_id] for ids in rows]

    def inputs(self, ids):
        return {"ids": ids}

    def signatures(self, model):
        signatures = Signatures(model, self.options)
        if self._shortlist is not None and not signatures.gives_top:
            raise InputError(
                "`shortlist` needs an output layer that is one matrix. Received: an adaptive one. "
                "Leave it out."
            )
        return signatures

    def interface(self, signatures):
        config = self.config
        return {
            "limits": {
                "max_source_length": config.max_source_length,
                "max_target_length": config.max_target_length,
            },
            "ids": {
                "pad": config.pad_id,
                "bos": config.bos_id,
                "eos": config.eos_id,
                **({"target_prefix": [*config.target_prefix]} if config.target_prefix else {}),
            },
            "vocabulary": {
                "source": config.source_vocabulary_size,
                "target": config.target_vocabulary_size,
            },
            **signatures.interface(),
        }

    def write_files(self, folder):
        with_graphs = self.options.tokenizer_graph
        files = write_tokenizers(self._tokenizers, folder, with_graphs=with_graphs)
        if self._shortlist is not None:
            self._shortlist.write(folder / SHORTLIST)
            files["shortlist"] = SHORTLIST
        return files

    def parity(self, model, folder, samples):
        return translation_parity.compare(model, folder, samples)

    def check_parity(self, metrics):
        translation_parity.check(metrics, self.options.quantization)


def source_ids(
    tokenizer: Tokenizer, sentences: Sequence[str], config: Seq2SeqConfig
) -> list[list[int]]:
    """Returns sentences as an encoder takes them: cut to its limit, each with its end mark.

    Args:
        tokenizer: The source's.
        sentences: The sentences.
        config: The model's.
    """
    limit = config.max_source_length - 1
    return [[*ids[:limit], config.eos_id] for ids in tokenizer.encode(list(sentences))]


def learn_shortlist(
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    sources: Sequence[str],
    targets: Sequence[str],
    config: Seq2SeqConfig,
) -> Shortlist:
    """Returns what target tokens the translations of a sentence choose from.

    Args:
        source_tokenizer: The source's.
        target_tokenizer: The target's.
        sources: Sentences.
        targets: Their translations.
        config: The model's.
    """
    tokenizers = source_tokenizer, target_tokenizer
    pairs = (
        pair
        for part in in_parts(zip(sources, targets))
        for pair in zip(*(one.encode(side) for one, side in zip(tokenizers, zip(*part))))
    )
    sizes = config.vocabulary_sizes
    return build_shortlist(
        pairs,
        sizes["source"],
        sizes["target"],
        always=[config.eos_id, target_tokenizer.unk_id],
    )


def check_shortlist(shortlist: Shortlist, config: Seq2SeqConfig) -> None:
    """Makes sure that a shortlist is for a model.

    Args:
        shortlist: The shortlist.
        config: The model's configuration.

    Raises:
        InputError: If it is for other vocabularies, or has no end id.
    """
    sizes = shortlist.source_vocabulary_size, shortlist.target_vocabulary_size
    expected = config.source_vocabulary_size, config.target_vocabulary_size
    if sizes != expected:
        raise InputError(
            "`shortlist` must be for the model's vocabularies. Received: one for "
            f"{sizes[0]} and {sizes[1]} ids instead of {expected[0]} and {expected[1]}. Build it "
            "with the model's tokenizers and sizes."
        )
    if config.eos_id not in shortlist.frequent:
        raise InputError(
            "`shortlist` must have the end id, without which no translation ends. Received: one "
            f"without. Build it with always=[{config.eos_id}]."
        )
