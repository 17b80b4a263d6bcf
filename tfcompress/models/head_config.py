"""The configuration of what stands on a text encoder."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass

CLASSIFICATION, MULTI_LABEL, REGRESSION = (
    "classification",
    "multi_label_classification",
    "regression",
)
TOKEN_CLASSIFICATION, EMBEDDING = "token_classification", "embedding"
HEAD_TASKS = (CLASSIFICATION, MULTI_LABEL, REGRESSION, TOKEN_CLASSIFICATION, EMBEDDING)
POOLINGS = ("pooled", "first", "mean")
HIDDEN_ACTIVATIONS = ("tanh", "relu", "gelu")


@dataclass(frozen=True)
class HeadConfig:
    """A head: what a text encoder says about a text.

    Attributes:
        task: What the outputs say. "classification": one class of each text is right, and the
            softmax of the logits is its probability. "multi_label_classification": any number of
            classes is, each with the sigmoid of its logit. "regression": the outputs are scores.
            "token_classification": one class of each token is right. "embedding": a vector of the
            text.
        num_classes: Number of classes, or of scores; that of `labels` by default, for a regression
            else 1. An embedding has none.
        labels: Names of the classes or scores, in the order of the outputs.
        pooling: What a text is read from: "pooled" (the encoder's pooler), "first" (the first
            token's state) or "mean" (the mean of all tokens). A classification of tokens has none.
        hidden_activation: Activation of a dense layer before the output layer; None for no such
            layer.
        normalize: Whether embeddings have length 1.
        dropout: Dropout rate before the output layer.
    """

    task: str = CLASSIFICATION
    _: KW_ONLY
    num_classes: int | None = None
    labels: tuple[str, ...] = ()
    pooling: str = "first"
    hidden_activation: str | None = None
    normalize: bool = False
    dropout: float = 0.1

    @property
    def classes(self) -> int | None:
        """The number of classes or scores, or None."""
        return self.num_classes or len(self.labels) or (1 if self.task == REGRESSION else None)

    @property
    def per_token(self) -> bool:
        """Whether there is a result for each token."""
        return self.task == TOKEN_CLASSIFICATION


def head_problems(head: HeadConfig, pooler: bool) -> Iterator[str]:
    """Yields what is impossible about a head.

    Args:
        head: The head.
        pooler: Whether the encoder has a pooler.
    """
    options = {"task": HEAD_TASKS, "pooling": POOLINGS}
    for name, allowed in options.items():
        if getattr(head, name) not in allowed:
            yield (
                f"`head.{name}` must be one of {', '.join(allowed)} (received "
                f"{getattr(head, name)!r})"
            )
    if head.hidden_activation not in (None, *HIDDEN_ACTIVATIONS):
        yield (
            f"`head.hidden_activation` must be null or one of {', '.join(HIDDEN_ACTIVATIONS)} "
            f"(received {head.hidden_activation!r})"
        )
    if head.pooling == "pooled" and not pooler and not head.per_token:
        yield "`head.pooling` pooled needs `pooler` true (received false)"
    if not 0.0 <= head.dropout < 1.0:
        yield f"`head.dropout` must lie in [0, 1) (received {head.dropout})"
    if head.num_classes is not None and head.num_classes < 1:
        yield f"`head.num_classes` must be at least 1 (received {head.num_classes})"
    if head.labels and head.num_classes not in (None, len(head.labels)):
        yield (
            f"`head.labels` must name each class (received {len(head.labels)} names for "
            f"{head.num_classes} classes)"
        )
    if len(set(head.labels)) < len(head.labels):
        yield f"`head.labels` must not repeat (received {list(head.labels)})"
    if head.task == EMBEDDING and head.classes is not None:
        yield f"`head.num_classes` is not for embeddings (received {head.classes})"
    if head.task in HEAD_TASKS and head.task != EMBEDDING:
        if head.classes is None:
            yield "`head` needs `num_classes` or `labels` (received neither)"
        if head.classes == 1 and head.task in (CLASSIFICATION, TOKEN_CLASSIFICATION):
            yield (
                f"`head.num_classes` must be at least 2 for {head.task} (received 1); one output "
                f"is a {REGRESSION} or {MULTI_LABEL}"
            )
        if head.normalize:
            yield "`head.normalize` is for embeddings only (received true)"
