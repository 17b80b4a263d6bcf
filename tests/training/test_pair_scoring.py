"""How probable translations are."""

import numpy as np
import pytest
from tensorflow import keras
from training.test_distillation import make

from tfcompress.text import TokenizedPairs
from tfcompress.training import pair_crossentropies

ROWS = [([5, 6, 7], [8, 9]), ([4], [10, 11, 12, 13]), ([6, 6], []), ([9] * 300, [5])]


def pairs_of(rows):
    sides = []
    for side in zip(*rows):
        splits = np.concatenate([[0], np.cumsum([len(row) for row in side])])
        sides += [np.concatenate([np.array(row, np.int32) for row in side]), splits]
    return TokenizedPairs(*sides)


def test_each_pair_has_its_mean():
    model = make()
    scores = pair_crossentropies(model, pairs_of(ROWS))
    assert scores[3] == np.inf  # longer than the model takes
    for (source, target), score in zip(ROWS[:3], scores):
        inputs = {
            "source_token_ids": np.array([[*source, 2]]),
            "target_token_ids": np.array([[1, *target]]),
        }
        logits = np.asarray(model.model(inputs), np.float64)[0]
        logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        expected = -np.mean([row[token] for row, token in zip(logs, [*target, 2])])
        assert score == pytest.approx(expected, rel=1e-4)


def test_dropout_is_off_and_nothing_fits():
    keras.utils.set_random_seed(0)
    model = make()
    first = pair_crossentropies(model, pairs_of(ROWS[:2]))
    np.testing.assert_array_equal(first, pair_crossentropies(model, pairs_of(ROWS[:2])))
    assert np.isinf(pair_crossentropies(model, pairs_of(ROWS[3:]))).all()


def test_what_targets_begin_with_is_given():
    model = make(target_prefix=(7, 3))
    most = model.config.max_target_length - 3
    rows = [([5, 6, 7], [8, 9]), ([4], []), ([4], [5] * most), ([4], [5] * (most + 1))]
    scores = pair_crossentropies(model, pairs_of(rows))
    assert scores[3] == np.inf
    for (source, target), score in zip(rows[:3], scores):
        inputs = {
            "source_token_ids": np.array([[*source, 2]]),
            "target_token_ids": np.array([[1, 7, 3, *target]]),
        }
        logits = np.asarray(model.model(inputs), np.float64)[0]
        logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        expected = -np.mean([row[token] for row, token in zip(logs[2:], [*target, 2])])
        assert score == pytest.approx(expected, rel=1e-4)
