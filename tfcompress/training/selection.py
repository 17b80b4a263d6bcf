"""Which evaluations make the trained model, and when training has come to its end."""

import dataclasses
from collections.abc import Mapping, Sequence

from tfcompress.errors import InputError
from tfcompress.training.config import TrainingConfig

# What a figure must improve by, in parts of itself, to be better for certain.
_TOLERANCE = 1e-4
LOWER_IS_BETTER = ("val_loss", "val_perplexity")


@dataclasses.dataclass(frozen=True)
class Selection:
    """Compares the evaluations of a training.

    Attributes:
        weights: "best", "last" or "average": whose weights the trained model has.
        metric: The figure that evaluations are compared by: the higher the better, but for those
            of `LOWER_IS_BETTER`.
        average: How many of the last evaluations "average" takes.
        patience: Evaluations in a row, without a better metric or validation loss, after which
            training ends; None for no end.
    """

    weights: str
    metric: str
    average: int
    patience: int | None

    def chosen(self, history: Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
        """Returns the evaluations whose mean weights the trained model has.

        Args:
            history: The metrics of all evaluations.
        """
        if self.weights == "best":
            # The earlier of two that are alike.
            return sorted(history, key=self._badness)[:1]
        return list(history[-self.average if self.weights == "average" else -1 :])

    def is_over(self, history: Sequence[Mapping[str, float]]) -> bool:
        """Returns whether patience has run out.

        Args:
            history: The metrics of all evaluations.
        """
        if self.patience is None or not history:
            return False
        last = max(_last_progress(history, name) for name in (self.metric, "val_loss"))
        return len(history) - 1 - last >= self.patience

    def words(self, history: Sequence[Mapping[str, float]]) -> str:
        """Says whose weights the trained model has.

        Args:
            history: The metrics of all evaluations.
        """
        updates = ", ".join(str(entry["update"]) for entry in self.chosen(history))
        if self.weights == "average":
            return f"the weights are the mean of those of updates {updates}"
        whose = "the last"
        if self.weights == "best":
            (best,) = self.chosen(history)
            whose = f"the best by {self.metric} ({best[self.metric]:.4g})"
        return f"the weights are those of update {updates}, {whose}"

    def _badness(self, entry):
        return -_goodness(entry, self.metric), entry["val_loss"]


def selection(config: TrainingConfig, metrics: Sequence[str]) -> Selection:
    """Returns how the evaluations of a training are compared.

    Args:
        config: How to train.
        metrics: What an evaluation measures, the first by default.

    Raises:
        InputError: If `config.metric` is not measured.
    """
    metric = metrics[0] if config.metric is None else config.metric
    if metric not in metrics:
        raise InputError(
            f"`metric` must be one that is measured: {', '.join(metrics)}. Received: {metric!r}."
        )
    weights = config.weights
    if weights is None:
        only_last = config.pruning is not None or config.clustering is not None
        weights = "average" if config.average > 1 else "last" if only_last else "best"
    return Selection(weights, metric, config.average, config.patience)


def _goodness(entry, metric):
    return -entry[metric] if metric in LOWER_IS_BETTER else entry[metric]


def _last_progress(history, metric):
    """The index of the last evaluation that was better than all before."""
    best, last = None, 0
    for index, entry in enumerate(history):
        value = _goodness(entry, metric)
        if best is None or value > best + _TOLERANCE * abs(best):
            best, last = value, index
    return last
