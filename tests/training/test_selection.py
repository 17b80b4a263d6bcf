"""Which evaluation makes the model, and when training ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.training import ClusteringConfig, PruningConfig, TrainingConfig
from tfcompress.training.selection import selection

TRANSLATION = ("val_bleu", "val_loss")


def history(bleu, loss):
    return [
        {"update": 10 * (i + 1), "val_bleu": b, "val_loss": x}
        for i, (b, x) in enumerate(zip(bleu, loss))
    ]


def chosen(entries, metrics=TRANSLATION, **settings):
    select = selection(TrainingConfig(**settings), metrics)
    return [entry["update"] for entry in select.chosen(entries)]


ENTRIES = history([1.0, 3.0, 3.0, 2.0], [4.0, 3.0, 2.5, 2.0])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [30]),  # the better loss of two with the best BLEU
        ({"metric": "val_loss"}, [40]),
        ({"weights": "last"}, [40]),
        ({"average": 2}, [30, 40]),
        ({"weights": "average", "average": 3}, [20, 30, 40]),
        ({"weights": "best", "metric": "val_loss"}, [40]),
        ({"pruning": PruningConfig()}, [40]),
        ({"clustering": ClusteringConfig()}, [40]),
    ],
    ids=str,
)
def test_whose_weights(settings, expected):
    assert chosen(ENTRIES, **settings) == expected


def test_the_earlier_of_two_that_are_alike():
    assert chosen(history([5.0, 5.0], [1.0, 1.0])) == [10]


def test_without_bleu_the_loss_counts():
    entries = [{"update": i, "val_loss": loss} for i, loss in enumerate((3.0, 1.0, 2.0))]
    assert chosen(entries, metrics=("val_loss",)) == [1]


def is_over(bleu, loss, patience=2, **settings):
    return selection(TrainingConfig(patience=patience, **settings), TRANSLATION).is_over(
        history(bleu, loss)
    )


def test_a_bleu_of_0_is_no_end_while_the_loss_falls():
    assert not is_over([0.0] * 4, [5.0, 4.0, 3.0, 2.0])
    assert is_over([0.0] * 4, [5.0, 4.0, 4.0, 4.0])
    assert is_over([0.0] * 4, [5.0, 4.0, 4.5, 4.0 - 1e-6])  # noise


def test_a_rising_bleu_is_no_end_while_the_loss_rises():
    assert not is_over([1.0, 2.0, 3.0, 4.0], [1.0, 1.1, 1.2, 1.3])
    assert is_over([1.0, 2.0, 3.0, 4.0], [1.0, 1.1, 1.2, 1.3], metric="val_loss")


def test_patience_counts_evaluations_in_a_row():
    assert [is_over([2.0, 1.0, 1.0][:n], [1.0, 2.0, 2.0][:n]) for n in range(4)] == [
        False, False, False, True,
    ]  # fmt: skip
    assert not is_over([2.0] * 50, [1.0] * 50, patience=None)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1), st.integers(1, 4))
def test_the_best_is_the_best(figures, patience):
    entries = history(*zip(*figures))
    (best,) = chosen(entries)
    best = entries[best // 10 - 1]
    assert all(
        (best["val_bleu"], -best["val_loss"]) >= (entry["val_bleu"], -entry["val_loss"])
        for entry in entries
    )
    # Patience never runs out at an evaluation that is the best by either figure alone.
    if is_over(*zip(*figures), patience=patience):
        former, last = figures[:-1], figures[-1]
        assert last[0] <= max(bleu for bleu, _ in former)
        assert last[1] >= min(loss for _, loss in former)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"updates": "many"}, r"`updates` must be a whole number \(received 'many'\)"),
        ({"learning_rate": None}, "`learning_rate` must be a number"),
        ({"weights": "first"}, "`weights` must be one of null, best, last, average"),
        ({"metric": "bleu"}, "`metric` must be one of null, val_loss, val_bleu, val_accuracy"),
        ({"weights": "average"}, r"go together \(received 'average' and 1\)"),
        ({"weights": "best", "average": 2}, r"go together \(received 'best' and 2\)"),
        ({"metric": "val_bleu", "evaluate_sentences": 0}, "needs validation sentences"),
        ({"weights": "best", "pruning": PruningConfig()}, "`pruning` needs `weights` last"),
        ({"weights": "best", "clustering": ClusteringConfig()}, "`clustering` needs `weights`"),
    ],
    ids=str,
)
def test_impossible_settings(settings, message):
    with pytest.raises(InputError, match=message):
        TrainingConfig(**settings)


def test_a_metric_that_is_not_measured():
    with pytest.raises(InputError, match=r"val_bleu, val_loss. Received: 'val_accuracy'"):
        selection(TrainingConfig(metric="val_accuracy"), TRANSLATION)
