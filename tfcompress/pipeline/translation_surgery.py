"""Surgery on translation models: what decides which parts can go."""

import numpy as np

from tfcompress import surgery
from tfcompress.models.decoding import greedy_translate
from tfcompress.pipeline.surgery_context import SurgeryContext
from tfcompress.text import TokenizedPairs, corpus_bleu, evaluation_dataset
from tfcompress.text.text_stream import in_parts
from tfcompress.training import LabelSmoothedCrossentropy

_BATCH_TOKENS = 2048


class TranslationSurgery(SurgeryContext):
    """A translation model, with a pair of tokenizers: one object twice where they are one."""

    def batches(self, count):
        config = self.model.config
        return evaluation_dataset(
            self._pairs(count),
            batch_tokens=_BATCH_TOKENS,
            max_length=(
                config.max_source_length,
                config.max_target_length - len(config.target_prefix),
            ),
            bos_id=config.bos_id,
            eos_id=config.eos_id,
            pad_id=config.pad_id,
            target_prefix=config.target_prefix,
        )

    def loss(self):
        return LabelSmoothedCrossentropy(0.0, self.model.config.pad_id)

    def score(self, count):
        sources, references = self.corpus.splits["valid"]
        source, target = self.tokenizers

        def bleu(candidate):
            translations = greedy_translate(candidate, source, target, sources[:count])
            return corpus_bleu(translations, references[:count]).score

        return bleu

    def token_counts(self):
        config = self.model.config
        sizes = config.source_vocabulary_size, config.target_vocabulary_size
        sides = zip(self.tokenizers, self.corpus.splits["train"], sizes)
        source, target = (_token_counts(*side) for side in sides)
        counts = {"source_embedding": source, "target_embedding": target}
        return counts | ({"embedding": source + target} if len(source) == len(target) else {})

    def trim_vocabulary(self):
        smaller, *tokenizers = surgery.trim_vocabulary(
            self.model, *self.tokenizers, *self.corpus.splits["train"]
        )
        return TranslationSurgery(smaller, tuple(tokenizers), self.corpus)

    def _pairs(self, count):
        sources, targets = self.corpus.splits["train"]
        return TokenizedPairs.from_corpus(
            self.tokenizers[0],
            sources[:count],
            targets[:count],
            target_tokenizer=self.tokenizers[1],
        )


def _token_counts(tokenizer, sentences, size):
    counts = np.zeros(size, np.int64)
    for part in in_parts(sentences):
        counts += np.bincount(tokenizer.encode_corpus(part)[0], minlength=size)
    return counts
