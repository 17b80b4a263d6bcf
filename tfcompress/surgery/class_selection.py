"""Puts the classes of a text encoder's head into another order, or leaves some out."""

import dataclasses
from collections.abc import Sequence

from tfcompress.errors import InputError
from tfcompress.models import TextEncoder
from tfcompress.models.classes import match_classes
from tfcompress.surgery.keras_models import refuse_own
from tfcompress.surgery.rebuilding import rebuild


def select_classes(encoder: TextEncoder, labels: Sequence[str]) -> TextEncoder:
    """Returns a text encoder whose head has some of the classes, in a given order.

    Args:
        encoder: An encoder with a head that has classes; it stays as it is.
        labels: Names of the classes that the new head has, which are those of the old one in
            capitals or small letters; for classes without names, their numbers.

    Returns:
        The new encoder, whose logits are the old one's in the order of `labels`.

    Raises:
        InputError: If the head has no classes, or not these.

    Example:

    >>> swapped = tfc.surgery.select_classes(encoder, ["negative", "positive"])
    """
    refuse_own(
        encoder,
        "select_classes",
        "knows the classes of a TextEncoder's head only. Give the model another output layer.",
    )
    head = encoder.config.head
    if head is None or head.classes is None:
        raise InputError(
            "select_classes needs a model whose head has classes. Received: "
            f"{'no head' if head is None else f'a head for {head.task}'}."
        )
    wanted = dataclasses.replace(head, num_classes=None, labels=tuple(labels))
    match = match_classes(head, wanted)
    order = match.order
    if order is None:
        raise InputError(
            f"`labels` must be classes of the model. Received: labels={list(labels)}; it has "
            f"{match.message}."
        )

    def take(layer):
        weights = encoder.layer("head_output").get_weights()
        layer.set_weights([weight[..., list(order)] for weight in weights])

    config = encoder.config.replace(head=wanted)
    return rebuild(encoder, config, changed={"head_output": take})
