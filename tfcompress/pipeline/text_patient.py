"""Surgery on text encoders: what decides which parts can go."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfcompress.errors import InputError
from tfcompress.models import HeadConfig, TextEncoder
from tfcompress.models.classes import match_classes
from tfcompress.text.labelled_texts import LabelledCorpus, LabelledTexts
from tfcompress.text.text_tokenizers import TextTokenizer
from tfcompress.training import LabelSmoothedCrossentropy

_BATCH_TOKENS = 2048


@dataclass(frozen=True)
class TextPatient:
    """A text encoder with a head for classification; see `Patient`.

    Attributes:
        transformer: The model.
        tokenizer: Its tokenizer.
        data: The corpus.
    """

    transformer: TextEncoder
    tokenizer: TextTokenizer
    data: LabelledCorpus

    def batches(self, count):
        return self._texts("train", count).evaluation_dataset(batch_tokens=_BATCH_TOKENS)

    def loss(self):
        self._check_classes()
        loss = LabelSmoothedCrossentropy(0.0, pad_id=-1)
        return lambda labels, outputs: tf.reduce_mean(loss.call(labels, outputs["logits"]))

    def query_mask(self):
        pad_id = self.transformer.config.pad_id
        return lambda inputs, name: inputs["token_ids"] != pad_id

    def score(self, count):
        self._check_classes()
        texts = self._texts("valid", count)

        def accuracy(candidate):
            right = 0
            for inputs, labels in texts.evaluation_dataset(batch_tokens=_BATCH_TOKENS):
                logits = candidate.forward(**inputs, training=False).outputs["logits"]
                right += int(np.sum(np.argmax(logits, axis=-1) == labels.numpy()))
            return right / len(texts)

        return accuracy

    def token_counts(self):
        texts = self.data.splits["train"][0]
        ids = np.concatenate([np.asarray(row, np.int32) for row in self.tokenizer.encode(texts)])
        counts = np.bincount(ids, minlength=self.transformer.config.vocabulary_size)
        counts[[self.tokenizer.start_id, self.tokenizer.end_id]] += len(texts)
        return counts

    def trimmed(self):
        raise InputError("`trim_vocabulary` is for translation models; leave it out")

    def _check_classes(self):
        labels = self.data.labels
        match = match_classes(self.transformer.config.head, HeadConfig(labels=labels))
        if match.order != tuple(range(len(labels))):
            raise InputError(
                f"surgery that measures the model needs one with the classes {', '.join(labels)}, "
                "in this order; train it first"
            )

    def _texts(self, split, count):
        texts, labels = self.data.splits[split]
        return LabelledTexts(
            self.tokenizer,
            texts[:count],
            labels[:count],
            max_length=self.transformer.config.max_length,
            token_types=self.transformer.config.token_types,
        )
