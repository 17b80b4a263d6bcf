import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from layers.harness import run_export_test
from tensorflow import keras

from tfcompress.layers import WordIds


def numbered(starts):
    """The definition, token by token."""
    word, words = -1, []
    for begins in starts:
        word += begins
        words.append(max(word, 0))
    return words


@given(
    starts=st.lists(st.booleans(), min_size=1, max_size=70),
    picks=st.lists(st.integers(0, 69), min_size=1, max_size=9),
)
def test_words_are_numbered(starts, picks):
    layer = WordIds(len(starts))
    layer.set_word_starts(starts)
    ids = [pick % len(starts) for pick in picks]
    expected = numbered([starts[i] for i in ids])
    np.testing.assert_array_equal(layer(np.array([ids])), [expected])


def test_at_first_every_token_is_a_word():
    np.testing.assert_array_equal(WordIds(40)(np.array([[39, 0, 16]])), [[0, 1, 2]])


@pytest.mark.parametrize("size", [1, 15, 16, 17, 6144])
def test_parameters_do_not_train(size):
    layer = WordIds(size)
    layer(np.zeros((1, 1), "int32"))
    assert layer.count_params() == -(-size // 16)
    assert not layer.trainable_weights


def test_saved_with_a_model(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    layer = WordIds(20)
    model = keras.Model(ids, layer(ids))
    layer.set_word_starts(np.arange(20) % 3 == 0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x = np.array([[3, 4, 5, 6, 7, 18]])
    np.testing.assert_array_equal(loaded(x), [[0, 0, 0, 1, 1, 2]])


def test_words_are_integers_in_a_graph():
    words = WordIds(20)(keras.Input((None,), dtype="int32"))
    assert tuple(words.shape) == (None, None)
    assert tf.as_dtype(words.dtype) == tf.int32


def test_export():
    layer = WordIds(20)
    layer.set_word_starts(np.arange(20) % 3 == 0)
    run_export_test(layer, np.array([[3, 4, 5, 6, 7, 18]], "int32"))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="must be at least 1"):
        WordIds(0)
    with pytest.raises(ValueError, match=r"one value for each token id. Received: shape=\(3,\)"):
        WordIds(4).set_word_starts([True, False, True])
