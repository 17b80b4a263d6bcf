import hashlib
import itertools
import json
import shutil

import numpy as np
import pytest
from flavours import one_flavour
from small_models import MAX_SOURCE, MAX_TARGET, KerasStepper

from tfcompress.errors import InputError
from tfcompress.models.decoding import beam_decode, greedy_decode
from tfcompress.runtime import Session, SpecialIds, beam_search, buffers, greedy_search, open_bundle

pytestmark = one_flavour

SPECIAL = SpecialIds(pad=0, bos=1, eos=2)


def source(length, seed=0):
    generator = np.random.default_rng([seed, length])
    return [*generator.integers(4, 113, length - 1).tolist(), SPECIAL.eos]


def decode(session, length, tokens, rows=1, parents=None):
    """Returns the logits of every step."""
    session.encode(source(length))
    session.start(rows)
    logits = []
    for step, token in enumerate(tokens):
        logits.append(session.step(token).logits.copy())
        if parents is not None and step % 3 == 2:
            session.reorder(parents)
    return np.stack(logits)


def edit_manifest(bundle, folder, edit):
    """Copies a bundle, with another manifest."""
    shutil.copytree(bundle, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    edit(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return open_bundle(folder, verify=False)


@pytest.fixture(scope="module")
def reference(transformer):
    return KerasStepper(transformer)


@pytest.fixture
def session(bundle):
    with_model = Session(open_bundle(bundle))
    yield with_model
    with_model.close()


@pytest.mark.parametrize("length", [1, 17, MAX_SOURCE])
def test_steps_give_what_keras_gives(session, reference, length):
    tokens = [SPECIAL.bos, *source(MAX_TARGET, seed=1)[:-1]]
    expected = decode(reference, length, tokens)
    np.testing.assert_allclose(decode(session, length, tokens), expected, atol=2e-4)


@pytest.mark.parametrize("parents", [[0, 0, 2, 2], [3, 2, 1, 0], [1, 1, 1, 1], [0, 1, 2, 3]])
def test_rows_continue_their_parents(session, reference, parents):
    generator = np.random.default_rng(0)
    tokens = generator.integers(3, 120, [40, 4])
    parents = np.array(parents)
    expected = decode(reference, 9, tokens, rows=4, parents=parents)
    actual = decode(session, 9, tokens, rows=4, parents=parents)
    np.testing.assert_allclose(actual, expected, atol=2e-4)


def test_statistics_are_those_of_the_logits(session):
    session.encode(source(9))
    session.start(3)
    output = session.step(np.array([5, 6, 7]))
    np.testing.assert_array_equal(output.block_max, output.logits.reshape(3, 2, 60).max(axis=2))
    expected = np.log(np.exp(output.logits.astype(float)).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(output.log_sum_exp, expected, atol=1e-5)


def test_searches_find_what_they_find_in_keras(session, transformer):
    sources = [source(length) for length in (1, 3, 5, 8, 15, 30)]
    expected = greedy_decode(transformer, sources)
    assert len({*map(len, expected)}) > 2
    for ids, target in zip(sources, expected):
        session.encode(ids)
        assert greedy_search(session, SPECIAL, min(MAX_TARGET, 2 * len(ids) + 16)) == target
    for ids in sources[1:3]:
        session.encode(ids)
        actual = beam_search(session, SPECIAL, 9, beam_size=3)[:3]
        expected = beam_decode(transformer, ids, beam_size=3, n_best=3, max_length=9)
        assert [hypothesis.ids for hypothesis in actual] == [h.token_ids for h in expected]
        scores = [hypothesis.score for hypothesis in expected]
        assert [hypothesis.score for hypothesis in actual] == pytest.approx(scores, abs=1e-4)


@pytest.mark.parametrize("name", ["bundle", "plain_bundle"])
def test_changing_shapes_give_what_fresh_sessions_give(name, request):
    bundle = open_bundle(request.getfixturevalue(name))
    tokens = [SPECIAL.bos, *source(36, seed=2)]
    generator = np.random.default_rng(0)
    shapes = [*itertools.product((1, 2, 7, 8, 13, 20, 26, 33, 39, MAX_SOURCE), [1, 4])]
    expected = {}
    for shape in shapes:
        length, rows = shape
        fresh = Session(bundle)
        expected[shape] = decode(fresh, length, tokens, rows)
        fresh.close()
    session = Session(bundle)
    orders = [shapes, shapes[::-1], generator.permutation(shapes).tolist()]
    for length, rows in itertools.chain(*orders):
        actual = decode(session, length, tokens, rows)
        np.testing.assert_allclose(actual, expected[length, rows], atol=1e-5)
    session.close()


def test_without_access_to_the_memory_of_buffers(bundle, session, monkeypatch):
    generator = np.random.default_rng(0)
    tokens, parents = generator.integers(3, 120, [MAX_TARGET, 4]), np.array([0, 0, 1, 2])
    expected = decode(session, 5, tokens, rows=4, parents=parents)
    monkeypatch.setattr(buffers, "_get_host_memory", None)
    copying = Session(open_bundle(bundle))
    actual = decode(copying, 5, tokens, rows=4, parents=parents)
    np.testing.assert_array_equal(actual, expected)


def test_a_buffer_smaller_than_its_array_is_refused(session):
    session.encode(source(3))
    session.start(1)
    with pytest.raises(InputError, match="bytes instead of 40000"):
        buffers.HostBuffer(session._step.new_input("position"), (10000,), np.int32)


def test_arrays_outlive_the_session(bundle):
    session = Session(open_bundle(bundle))
    session.encode(source(5))
    session.start(1)
    logits = session.step(1).logits
    expected = logits.copy()
    session.close()
    other = Session(open_bundle(bundle))
    decode(other, 30, [1, 2, 3], rows=4)
    np.testing.assert_array_equal(logits, expected)


def test_two_models_in_one_process(bundle, plain_bundle):
    tokens = [1, 5, 6]
    paths = [bundle, plain_bundle]
    alone = []
    for path in paths:
        session = Session(open_bundle(path))
        alone.append(decode(session, 7, tokens))
        session.close()
    sessions = [Session(open_bundle(path)) for path in paths]
    for session, expected in zip(sessions, alone):
        np.testing.assert_array_equal(decode(session, 7, tokens), expected)


def test_custom_operations_are_named(bundle, tmp_path):
    def edit(manifest):
        manifest["custom_ops"] = ["tfc.Attend"]

    with pytest.raises(InputError, match=r"unavailable.*tfc\.Attend.*without `custom_ops`"):
        Session(edit_manifest(bundle, tmp_path / "copy", edit))


def test_a_model_that_is_not_its_manifests(bundle, tmp_path):
    def edit(manifest):
        manifest["state"].append(manifest["state"][0] | {"name": "keys_2"})

    with pytest.raises(InputError, match="'step' lacks keys_2, new_keys_2"):
        Session(edit_manifest(bundle, tmp_path / "copy", edit))


def test_a_model_that_is_none(bundle, tmp_path, capfd):
    folder = tmp_path / "copy"
    shutil.copytree(bundle, folder)
    model = folder / "model.tflite"
    model.write_bytes(b"TFL3" * 100)
    manifest = json.loads((folder / "manifest.json").read_text())
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    manifest["files"]["model.tflite"] = {"bytes": 400, "sha256": digest}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"LiteRT cannot load the model\. .*model\.tflite"):
        Session(open_bundle(folder))
