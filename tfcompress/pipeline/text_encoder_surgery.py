"""Surgery on text encoders: what decides which parts can go."""

import numpy as np
import tensorflow as tf

from tfcompress.errors import InputError
from tfcompress.models import HeadConfig
from tfcompress.models.classes import match_classes
from tfcompress.pipeline.surgery_context import SurgeryContext
from tfcompress.text.labelled_texts import LabelledTexts
from tfcompress.text.text_stream import in_parts
from tfcompress.text.text_tokenizers import encode_ragged
from tfcompress.training import LabelSmoothedCrossentropy

_BATCH_TOKENS = 2048


class TextEncoderSurgery(SurgeryContext):
    """A text encoder with a head for classification, and its tokenizer."""

    def batches(self, count):
        return self._texts("train", count).evaluation_dataset(batch_tokens=_BATCH_TOKENS)

    def loss(self):
        self._check_classes()
        loss = LabelSmoothedCrossentropy(0.0, pad_id=-1)
        return lambda labels, outputs: tf.reduce_mean(loss.call(labels, outputs["logits"]))

    def query_mask(self):
        pad_id = self.model.config.pad_id
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
        counts = np.zeros(self.model.config.vocabulary_size, np.int64)
        for texts in in_parts(self.corpus.splits["train"][0]):
            ids, _ = encode_ragged(self.tokenizers, texts)
            counts += np.bincount(ids, minlength=len(counts))
        return counts

    def _check_classes(self):
        labels = self.corpus.labels
        match = match_classes(self.model.config.head, HeadConfig(labels=labels))
        if match.order != tuple(range(len(labels))):
            raise InputError(
                "Surgery that measures the model needs one with the corpus' classes in their order."
                f" Received: a corpus with {', '.join(labels)}. Train the model on it first."
            )

    def _texts(self, split, count):
        texts, labels = self.corpus.splits[split]
        return LabelledTexts(
            self.tokenizers,
            texts[:count],
            labels[:count],
            max_length=self.model.config.max_length,
            token_types=self.model.config.token_types,
        )
