"""Classes of one head found in another."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.models import HeadConfig
from tfcompress.models.classes import find_names, has_names, match_classes

NUMBERS = ("0", "1")


def head(labels, task="classification"):
    return HeadConfig(task, labels=labels) if labels else HeadConfig(task, num_classes=2)


@pytest.mark.parametrize(
    ("source", "target", "order"),
    [
        (("negative", "positive"), ("negative", "positive"), (0, 1)),
        (("positive", "negative"), ("negative", "positive"), (1, 0)),
        (("POSITIVE", "Negative"), ("negative", "positive"), (1, 0)),
        (("neutral", "positive", "negative"), ("negative", "positive"), (2, 1)),
        (("negative", "positive"), ("negative", "neutral", "positive"), None),
        (("good", "bad"), ("negative", "positive"), None),
        (("good", "bad"), ("bad", "worse"), None),
        # Both spellings are classes.
        (("A", "a"), ("a", "A"), (1, 0)),
        (("A", "a"), ("a", "b"), None),
        (("a", "b"), ("A", "a"), None),
        # Numbers.
        (("1", "0"), NUMBERS, (1, 0)),
        ((), NUMBERS, (0, 1)),
        (NUMBERS, (), (0, 1)),
        ((), ("1", "0"), (1, 0)),
        (("LABEL_0", "LABEL_1"), NUMBERS, (0, 1)),
        (("LABEL_0", "LABEL_1"), ("LABEL_1", "LABEL_0"), (1, 0)),
        (("positive", "negative"), NUMBERS, (0, 1)),
        (("positive", "negative"), (), (0, 1)),
        (("0", "1", "2"), NUMBERS, None),
        (("a", "b", "c"), NUMBERS, None),
        # What has only numbers has none of these names.
        ((), ("negative", "positive"), None),
        (NUMBERS, ("negative", "positive"), None),
        (("LABEL_0", "LABEL_1"), ("negative", "positive"), None),
    ],
)
def test_order(source, target, order):
    assert match_classes(head(source), head(target)).order == order


@given(st.lists(st.text(min_size=1), min_size=2, max_size=6, unique_by=str.casefold), st.randoms())
def test_any_order_of_any_names(names, generator):
    shuffled = random.Random(generator.random()).sample(names, len(names))
    order = match_classes(head(tuple(names)), head(tuple(shuffled))).order
    assert [names[number] for number in order] == shuffled


def test_it_is_said():
    match = match_classes(head(("POSITIVE", "NEGATIVE")), head(("negative", "positive")))
    assert match.message == (
        "classes go by name: negative is NEGATIVE (1), positive is POSITIVE (0)"
    )
    match = match_classes(head(("positive", "negative")), head(NUMBERS))
    assert match.message == "classes go by number: 0 is positive (0), 1 is negative (1)"
    assert match_classes(head(("a", "b")), head(("a", "b"))).message is None
    assert match_classes(head(()), head(NUMBERS)).message is None
    assert match_classes(head(("a", "b")), head(("c", "d"))).message == "the classes a, b, not c, d"


@pytest.mark.parametrize("task", ["multi_label_classification", "token_classification"])
def test_another_task_of_a_head(task):
    match = match_classes(head(("a", "b"), task), head(("a", "b")))
    assert match == (None, f"a head for {task}, not one for classification")
    assert match_classes(None, head(("a", "b"))).message.startswith("no head, not one for")
    assert match_classes(head(("b", "a"), task), head(("a", "b"), task)).order == (1, 0)


def test_names():
    assert find_names(("Good", "bad"), ("bad", "good", "GOOD ", "fine")) == [1, 0, 0, None]
    assert [has_names(head(labels)) for labels in [(), NUMBERS, ("LABEL_0", "1"), ("1", "0")]] == [
        False,
        False,
        False,
        True,
    ]
