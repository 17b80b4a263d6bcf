"""What is left of a training after a kill or with a damaged file."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tfcompress.digests import read_checked_json, write_checked_json
from tfcompress.errors import InputError
from tfcompress.training.checkpoints import TrainingState


def flipped(content):
    return (
        content[: len(content) // 2]
        + bytes([content[len(content) // 2] ^ 1])
        + content[len(content) // 2 + 1 :]
    )


DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "emptied": lambda path: path.write_bytes(b""),
    "flipped": lambda path: path.write_bytes(flipped(path.read_bytes())),
    "removed": lambda path: path.unlink(),
}


def new_state(folder, said, **settings):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build(model.trainable_variables)
    return model, TrainingState(folder, model, optimizer, log=said.append, **settings)


def kernel(model):
    return float(np.asarray(model.layers[-1].kernel)[0, 0])


@pytest.fixture
def saved(tmp_path):
    """A training saved at the updates 2, 4 and 6, of which two are kept."""
    model, state = new_state(tmp_path, [])
    for update in (2, 4, 6):
        model.layers[-1].kernel.assign(tf.fill([2, 1], float(update)))
        state.save({"update": update, "loss": 1.0 / update})
    return tmp_path


def test_the_newest_is_restored(saved):
    said = []
    model, state = new_state(saved, said)
    assert state.restore() == 6
    assert kernel(model) == 6.0
    assert [entry["update"] for entry in state.history] == [2, 4, 6]
    assert sorted(path.name for path in (saved / "state").glob("*.json")) == [
        "ckpt-4.json",
        "ckpt-6.json",
    ]
    assert said == []
    assert [float(array.flat[0]) for array in state.chosen_weights()] == [6.0, 0.0]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["ckpt-6.index", "ckpt-6.data-00000-of-00001", "ckpt-6.json"])
def test_the_one_before_serves_where_the_newest_is_damaged(saved, name, damage):
    DAMAGES[damage](saved / "state" / name)
    said = []
    model, state = new_state(saved, said)
    assert state.restore() == 4
    assert kernel(model) == 4.0
    assert [entry["update"] for entry in state.history] == [2, 4]
    if (damage, name) != ("removed", "ckpt-6.json"):  # without a note it was never complete
        assert len(said) == 1
        assert name in said[0]
        assert said[0].endswith("; going on from update 4")
    assert not list((saved / "state").glob("ckpt-6*"))
    # And on from there.
    model.layers[-1].kernel.assign(tf.fill([2, 1], 6.0))
    state.save({"update": 6, "loss": 0.1})
    model, state = new_state(saved, said)
    assert state.restore() == 6


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_history_is_in_the_notes(saved, damage):
    DAMAGES[damage](saved / "history.json")
    _, state = new_state(saved, [])
    assert state.restore() == 6
    assert [entry["update"] for entry in state.history] == [2, 4, 6]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_weights_are_in_the_checkpoint(saved, damage):
    DAMAGES[damage](saved / "weights" / "000000006.npz")
    _, state = new_state(saved, [])
    state.restore()
    assert [float(array.flat[0]) for array in state.chosen_weights()] == [6.0, 0.0]


def test_weights_that_are_nowhere(tmp_path):
    choose = {"choose": lambda history: history[:1]}
    _, state = new_state(tmp_path, [], **choose)
    for update in (2, 4, 6):
        state.save({"update": update})
    DAMAGES["truncated"](tmp_path / "weights" / "000000002.npz")
    with pytest.raises(InputError, match=r"missing or damaged.*000000002\.npz"):
        state.chosen_weights()


@pytest.mark.parametrize("damage", DAMAGES)
def test_nothing_begins_anew_silently(saved, damage):
    for path in (saved / "state").iterdir():
        DAMAGES[damage](path)
    _, state = new_state(saved, [])
    with pytest.raises(InputError, match="No saved state of the training can be used"):
        state.restore()
    assert (saved / "weights" / "000000006.npz").exists()


def test_what_was_not_completed_is_removed(tmp_path):
    (tmp_path / "state" / "ckpt-2_temp").mkdir(parents=True)
    for name in ("ckpt-2_temp/part", "ckpt-2.index", ".ckpt-2.json.abcdefgh"):
        (tmp_path / "state" / name).write_text("x")
    _, state = new_state(tmp_path, [])
    assert state.restore() == 0
    assert not list((tmp_path / "state").iterdir())


@pytest.mark.parametrize("name", ["state/ckpt-6.index", "state/ckpt-6.json"])
def test_what_cannot_be_read_is_not_called_damaged(saved, name):
    (saved / name).unlink()
    (saved / name).mkdir()  # as root may read any file
    _, state = new_state(saved, [])
    with pytest.raises(InputError, match="cannot be read") as error:
        state.restore()
    assert name in str(error.value)
    assert (saved / "state" / "ckpt-6.data-00000-of-00001").exists()


def test_the_other_keras_is_named(saved):
    other = 5 - (3 if hasattr(keras, "ops") else 2)
    for update in (4, 6):
        path = saved / "state" / f"ckpt-{update}.json"
        write_checked_json(path, read_checked_json(path) | {"keras": other})
    _, state = new_state(saved, [])
    with pytest.raises(InputError, match=rf"begun under Keras {other}\. .*TF_USE_LEGACY_KERAS="):
        state.restore()


def test_other_versions_are_named(saved):
    path = saved / "state" / "ckpt-6.json"
    content = read_checked_json(path)
    content["versions"]["tensorflow"] = "1.0"
    write_checked_json(path, content)
    said = []
    _, state = new_state(saved, said)
    assert state.restore() == 6
    assert said == [
        f"going on with other versions than before: tensorflow 1.0, now {tf.__version__}"
    ]
