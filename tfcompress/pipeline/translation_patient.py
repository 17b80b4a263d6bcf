"""Surgery on translation models: what decides which parts can go."""

from dataclasses import dataclass

import numpy as np

from tfcompress import surgery
from tfcompress.models import Seq2SeqTransformer
from tfcompress.models.decoding import greedy_translate
from tfcompress.text import TokenizedPairs, Tokenizer, corpus_bleu, evaluation_dataset
from tfcompress.text.corpora import Corpus
from tfcompress.training import LabelSmoothedCrossentropy

_BATCH_TOKENS = 2048


@dataclass(frozen=True)
class TranslationPatient:
    """A translation model; see `Patient`.

    Attributes:
        transformer: The model.
        tokenizers: Those of source and target, one object twice where they are one.
        data: The corpus.
    """

    transformer: Seq2SeqTransformer
    tokenizers: tuple[Tokenizer, Tokenizer]
    data: Corpus

    def batches(self, count):
        config = self.transformer.config
        return evaluation_dataset(
            self._pairs(count),
            batch_tokens=_BATCH_TOKENS,
            max_length=(config.max_source_length, config.max_target_length),
            bos_id=config.bos_id,
            eos_id=config.eos_id,
            pad_id=config.pad_id,
        )

    def loss(self):
        return LabelSmoothedCrossentropy(0.0, self.transformer.config.pad_id)

    def query_mask(self):
        return None

    def score(self, count):
        sources, references = self.data.splits["valid"]

        def bleu(candidate):
            translations = greedy_translate(candidate, *self.tokenizers, sources[:count])
            return corpus_bleu(translations, references[:count]).score

        return bleu

    def token_counts(self):
        pairs, config = self._pairs(None), self.transformer.config
        source = np.bincount(pairs.source_ids, minlength=config.source_vocabulary_size)
        target = np.bincount(pairs.target_ids, minlength=config.target_vocabulary_size)
        counts = {"source_embedding": source, "target_embedding": target}
        return counts | ({"embedding": source + target} if len(source) == len(target) else {})

    def trimmed(self):
        smaller, *tokenizers = surgery.trim_vocabulary(
            self.transformer, *self.tokenizers, *self.data.splits["train"]
        )
        return TranslationPatient(smaller, tuple(tokenizers), self.data)

    def _pairs(self, count):
        sources, targets = self.data.splits["train"]
        return TokenizedPairs.from_corpus(
            self.tokenizers[0],
            sources[:count],
            targets[:count],
            target_tokenizer=self.tokenizers[1],
        )
