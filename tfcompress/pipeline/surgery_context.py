"""What surgery needs beside a model."""

import abc
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, Self

from tfcompress.errors import InputError


@dataclasses.dataclass(frozen=True)
class SurgeryContext(abc.ABC):
    """A model with what decides which parts of it can go.

    Attributes:
        model: A `Seq2SeqTransformer` or `TextEncoder`.
        tokenizers: What makes its ids.
        corpus: Its training and validation examples.
    """

    model: Any
    tokenizers: Any
    corpus: Any

    def replace(self, model: Any) -> Self:
        """Returns the context of another model with the same tokenizers.

        Args:
            model: The model.
        """
        return dataclasses.replace(self, model=model)

    @abc.abstractmethod
    def batches(self, count: int) -> Iterable[tuple[Any, Any]]:
        """Returns inputs and labels of the first training examples.

        Args:
            count: How many.
        """

    @abc.abstractmethod
    def loss(self) -> Callable:
        """Returns the loss, a function of labels and outputs."""

    @abc.abstractmethod
    def score(self, count: int) -> Callable[[Any], float]:
        """Returns a function that gives a model's score on validation examples.

        Args:
            count: How many.
        """

    @abc.abstractmethod
    def token_counts(self) -> Any:
        """Returns how often the training examples have each token."""

    def query_mask(self) -> Callable | None:
        """Returns which query positions count for heads, as `head_importance` takes it."""
        return None

    def trim_vocabulary(self) -> Self:
        """Returns the context without the tokens that the training examples do not have."""
        raise InputError(
            "`trim_vocabulary` is for translation models only. Received: another model. Leave it "
            "out."
        )
