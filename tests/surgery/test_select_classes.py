"""Classes of a text encoder's head in another order."""

import numpy as np
import pytest
from runtime.small_encoders import LABELS, make_encoder

from tfcompress.errors import InputError
from tfcompress.surgery import select_classes

IDS = np.array([[2, 5, 9, 7, 3], [2, 8, 3, 0, 0]], "int32")
INPUTS = {"token_ids": IDS, "token_type_ids": 0 * IDS}


def logits(encoder):
    return np.asarray(encoder.model(INPUTS)["logits"])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0), (2, 1)])
def test_another_order(order):
    encoder = make_encoder()
    labels = [LABELS[number] for number in order]
    selected = select_classes(encoder, labels)
    assert selected.config.head.labels == tuple(labels)
    np.testing.assert_allclose(logits(selected), logits(encoder)[:, order], atol=1e-6)
    assert encoder.config.head.labels == LABELS


def test_classes_of_tokens_without_names():
    encoder = make_encoder("token_classification")
    selected = select_classes(encoder, ["2", "0", "1"])
    np.testing.assert_allclose(logits(selected), logits(encoder)[..., [2, 0, 1]], atol=1e-6)


@pytest.mark.parametrize(
    ("head", "labels", "message"),
    [
        ("classification", ["bad", "fine"], "it has the classes bad, good, neither, not"),
        ("classification", [], "it has the classes"),
        ("classification", ["bad", "bad"], "it has the classes"),
        ("classification", ["bad"], "at least 2 for classification"),
        ("embedding", ["bad"], "Received: a head for embedding"),
        (None, ["bad"], "Received: no head"),
    ],
)
def test_what_is_not_there(head, labels, message):
    with pytest.raises(InputError, match=message):
        select_classes(make_encoder(head), labels)
