"""The two signatures of a language model, with their buffers."""

from collections.abc import Sequence

import numpy as np

from tfcompress.runtime.buffers import HostBuffer
from tfcompress.runtime.litert_model import Recent, Signature
from tfcompress.runtime.session import KEPT_LENGTHS, NoEncoder, Session


class LanguageModelSession(Session):
    """Runs a bundle's model: a text is scored at once, or decoded step by step.

    Arguments and errors are those of `Session`.
    """

    def _open_sequences(self, bundle):
        self._score = Signature(
            self._model, bundle, "score", {"ids", "labels"}, {"log_probabilities"}
        )
        self._rows = Recent(KEPT_LENGTHS)
        self._encoder = NoEncoder()

    def score(self, ids: Sequence[int], labels: Sequence[int]) -> np.ndarray:
        """Returns the log-probability of each label of a row, float32.

        Args:
            ids: The row after its begin id.
            labels: The row.
        """
        length = len(labels)
        for name in ("ids", "labels"):
            self._score.resize(name, (length,))
        row = self._rows.get_or_make(length, lambda: _Row(self._score, length))
        row.ids.array[:], row.labels.array[:] = ids, labels
        row.ids.upload()
        row.labels.upload()
        self._score.bind(
            {"ids": row.ids.tensor, "labels": row.labels.tensor},
            {"log_probabilities": row.scores.tensor},
        )
        self._score.run()
        row.scores.download()
        return row.scores.array.copy()


class _Row:
    """The buffers of `score` for one length."""

    def __init__(self, signature, length):
        self.ids = HostBuffer(signature.new_input("ids"), (length,), np.int32)
        self.labels = HostBuffer(signature.new_input("labels"), (length,), np.int32)
        self.scores = HostBuffer(signature.new_output("log_probabilities"), (length,), np.float32)
