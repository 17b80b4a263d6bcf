"""Surgery on language models: what decides which parts can go."""

import numpy as np
import tensorflow as tf

from tfcompress.pipeline.surgery_context import SurgeryContext
from tfcompress.text.plain_texts import TokenizedTexts
from tfcompress.text.text_stream import in_parts
from tfcompress.training import LabelSmoothedCrossentropy

_BATCH_TOKENS = 2048


class LanguageModelSurgery(SurgeryContext):
    """A language model and its tokenizer; its score is the negative loss on validation texts."""

    def batches(self, count):
        return self._texts("train", count).evaluation_dataset(batch_tokens=_BATCH_TOKENS)

    def loss(self):
        return LabelSmoothedCrossentropy(0.0, pad_id=self.model.config.pad_id)

    def score(self, count):
        pad_id = self.model.config.pad_id
        texts, loss = self._texts("valid", count), LabelSmoothedCrossentropy(0.0, pad_id=pad_id)

        def negative_loss(candidate):
            total = 0.0
            for token_ids, labels in texts.evaluation_dataset(batch_tokens=_BATCH_TOKENS):
                logits = candidate.forward(token_ids, training=False).logits
                total += float(tf.reduce_sum(loss.call(labels, logits)))
            return -total / len(texts.ids)

        return negative_loss

    def token_counts(self):
        counts = np.zeros(self.model.config.vocabulary_size, np.int64)
        for part in in_parts(self.corpus.splits["train"][0]):
            texts = self._rows(part)
            counts += np.bincount(texts.ids, minlength=len(counts))
            counts[self.model.config.bos_id] += len(texts)
        return {"target_embedding": counts}

    def _texts(self, split, count):
        texts, _ = self.corpus.splits[split]
        return self._rows(texts[:count])

    def _rows(self, texts):
        return TokenizedTexts.from_corpus(
            self.tokenizers, texts, max_length=self.model.config.max_length
        )
