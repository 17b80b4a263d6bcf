import itertools

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.text.batching import (
    PADDING_ROW,
    TokenizedPairs,
    epoch_batches,
    evaluation_batches,
    evaluation_dataset,
    make_batch,
    steps_per_epoch,
    training_dataset,
)
from tfcompress.text.tokenizer import train_tokenizer

pytestmark = one_flavour

MULTIPLES = st.sampled_from([1, 3, 4, 8])
PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=80)


def make_pairs(lengths):
    """Pairs of the lengths given, with ids that are all different."""
    source_lengths, target_lengths = np.reshape(list(lengths), (-1, 2)).T
    source_splits = np.concatenate([[0], np.cumsum(source_lengths)])
    target_splits = np.concatenate([[0], np.cumsum(target_lengths)])
    ids = np.arange(4, 4 + source_splits[-1] + target_splits[-1])
    middle = source_splits[-1]
    return TokenizedPairs(ids[:middle], source_splits, ids[middle:], target_splits)


def random_pairs(count=300, longest=30, seed=0):
    return make_pairs(np.random.default_rng(seed).integers(1, longest, (count, 2)))


def as_bytes(batch):
    inputs, labels = batch
    arrays = inputs["source_token_ids"], inputs["target_token_ids"], labels
    return [(array.shape, np.asarray(array).tobytes()) for array in arrays]


def take(dataset, count):
    return [as_bytes(batch) for batch in itertools.islice(dataset.as_numpy_iterator(), count)]


@given(lengths=PAIRS, multiple=MULTIPLES, static=st.booleans(), epoch=st.integers(0, 9))
def test_every_pair_once_within_the_token_limit(lengths, multiple, static, epoch):
    pairs = make_pairs(lengths)
    limit = int(pairs.padded_lengths(multiple).max()) * 3
    options = {"batch_tokens": limit, "length_multiple": multiple, "static_batches": static}
    batches = epoch_batches(pairs, seed=7, epoch=epoch, **options)
    indices = np.concatenate(batches)
    assert sorted(indices[indices != PADDING_ROW]) == list(range(len(pairs)))
    for batch in batches:
        inputs, labels = make_batch(pairs, batch, length_multiple=multiple, square=static)
        source = inputs["source_token_ids"]
        assert len(batch) * max(source.shape[1], labels.shape[1]) <= limit
        assert source.shape[1] % multiple == labels.shape[1] % multiple == 0
    assert len(batches) == len(evaluation_batches(pairs, **options))
    assert len(batches) == steps_per_epoch(pairs, batch_tokens=limit, length_multiple=multiple)


@given(lengths=PAIRS, multiple=MULTIPLES, static=st.booleans(), data=st.data())
def test_batches_hold_their_pairs(lengths, multiple, static, data):
    pairs = make_pairs(lengths)
    choice = st.lists(st.integers(PADDING_ROW, len(pairs) - 1), min_size=1)
    indices = np.array(data.draw(choice))
    inputs, labels = make_batch(pairs, indices, length_multiple=multiple, square=static)
    source, target = inputs["source_token_ids"], inputs["target_token_ids"]
    assert source.dtype == target.dtype == labels.dtype == np.int32
    assert target.shape == labels.shape
    assert not static or source.shape == labels.shape
    for row, index in enumerate(indices):
        if index == PADDING_ROW:
            assert not np.concatenate([source[row], target[row], labels[row]]).any()
            continue
        source_ids, target_ids = (ids.tolist() for ids in pairs[index])
        expected = [*source_ids, 2], [1, *target_ids], [*target_ids, 2]
        for array, ids in zip((source, target, labels), expected):
            assert array[row].tolist() == ids + [0] * (array.shape[1] - len(ids))


@given(lengths=PAIRS, multiple=MULTIPLES, max_length=st.integers(1, 40), static=st.booleans())
def test_pairs_beyond_max_length_are_left_out_and_counted(lengths, multiple, max_length, static):
    pairs = make_pairs(lengths)
    options = {"batch_tokens": 64, "length_multiple": multiple, "max_length": max_length}
    fitting = [i for i, pair in enumerate(lengths) if max(pair) < max_length]
    assert pairs.left_out(max_length) == len(pairs) - len(fitting)
    if not fitting:
        with pytest.raises(InputError, match="No pair is short enough"):
            epoch_batches(pairs, seed=0, epoch=0, static_batches=static, **options)
        return
    batches = epoch_batches(pairs, seed=0, epoch=0, static_batches=static, **options)
    indices = np.concatenate(batches)
    assert sorted(indices[indices != PADDING_ROW]) == fitting
    for batch in batches:
        inputs, labels = make_batch(
            pairs, batch, length_multiple=multiple, max_length=max_length, square=static
        )
        assert inputs["source_token_ids"].shape[1] <= max_length
        assert labels.shape[1] <= max_length


@given(lengths=PAIRS, limits=st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_each_side_has_a_limit_of_its_own(lengths, limits):
    pairs = make_pairs(lengths)
    fitting = [i for i, pair in enumerate(lengths) if pair[0] < limits[0] and pair[1] < limits[1]]
    assert pairs.left_out(limits) == len(pairs) - len(fitting)
    if fitting:
        batches = evaluation_batches(pairs, batch_tokens=64, max_length=limits)
        assert sorted(np.concatenate(batches)) == fitting
        for batch in batches:
            inputs, labels = make_batch(pairs, batch, max_length=limits)
            assert inputs["source_token_ids"].shape[1] <= limits[0]
            assert labels.shape[1] == inputs["target_token_ids"].shape[1] <= limits[1]
    with pytest.raises(InputError, match="one max_length for both sides"):
        evaluation_batches(pairs, batch_tokens=64, max_length=limits, static_batches=True)


@given(lengths=PAIRS, multiple=MULTIPLES)
def test_static_batches_have_one_shape_a_length(lengths, multiple):
    pairs = make_pairs(lengths)
    batches = epoch_batches(
        pairs, batch_tokens=100, seed=0, epoch=0, length_multiple=multiple, static_batches=True
    )
    shapes = set()
    for batch in batches:
        inputs, labels = make_batch(pairs, batch, length_multiple=multiple, square=True)
        assert inputs["source_token_ids"].shape == labels.shape
        assert labels.shape[0] == 100 // labels.shape[1]
        shapes.add(labels.shape)
    assert {width for _, width in shapes} <= set(pairs.padded_lengths(multiple))
    padded = [batch for batch in batches if (batch == PADDING_ROW).any()]
    assert len(padded) <= 1
    assert all((batch != PADDING_ROW).any() for batch in batches)


@pytest.mark.parametrize("static", [False, True])
def test_order_depends_on_seed_and_epoch_alone(static):
    pairs = random_pairs()

    def order(seed, epoch):
        batches = epoch_batches(
            pairs, batch_tokens=256, seed=seed, epoch=epoch, static_batches=static
        )
        return [batch.tolist() for batch in batches]

    assert order(1, 0) == order(1, 0)
    epochs = [order(1, 0), order(1, 1), order(1, 2), order(2, 0), order(2, 1)]
    for first, second in itertools.combinations(epochs, 2):
        assert first != second
        assert sorted(map(sorted, first)) != sorted(map(sorted, second))
    assert len({len(batches) for batches in epochs}) == 1


def test_long_and_short_batches_are_mixed():
    pairs = random_pairs(1000)
    batches = epoch_batches(pairs, batch_tokens=256, seed=0, epoch=0)
    widths = [pairs.padded_lengths()[batch].max() for batch in batches]
    half = len(widths) // 2
    assert widths != sorted(widths)
    assert abs(np.mean(widths[:half]) - np.mean(widths[half:])) < 3


def test_padding_is_scarce():
    generator = np.random.default_rng(0)
    source = generator.poisson(14, 20000) + 1
    pairs = make_pairs(
        np.stack([source, np.maximum(1, source + generator.integers(-3, 4, 20000))], 1)
    )
    tokens = int(pairs.source_lengths.sum() + pairs.target_lengths.sum() + 2 * len(pairs))
    shares = {}
    for static in (False, True):
        batches = epoch_batches(pairs, batch_tokens=4096, seed=0, epoch=0, static_batches=static)
        batches = [make_batch(pairs, batch, square=static) for batch in batches]
        cells = sum(x["source_token_ids"].size + y.size for x, y in batches)
        shares[static] = tokens / cells
    assert shares[False] > 0.88
    assert shares[True] > 0.80


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_resumed_training_sees_the_batches_of_uninterrupted_training(static, accumulate):
    pairs = random_pairs(120)
    options = {
        "batch_tokens": 128,
        "seed": 3,
        "static_batches": static,
        "accumulate": accumulate,
    }
    epoch = len(epoch_batches(pairs, batch_tokens=128, seed=3, epoch=0, static_batches=static))
    whole = take(training_dataset(pairs, **options), 3 * epoch)
    for start_step in (1, epoch // accumulate, epoch // accumulate + 1):
        resumed = training_dataset(pairs, start_step=start_step, **options)
        skipped = start_step * accumulate
        assert take(resumed, 3 * epoch - skipped) == whole[skipped:]


def test_training_dataset_gives_the_plans_batches_epoch_after_epoch():
    pairs = random_pairs(60)
    epochs = [epoch_batches(pairs, batch_tokens=128, seed=5, epoch=epoch) for epoch in range(2)]
    expected = [as_bytes(make_batch(pairs, batch)) for batches in epochs for batch in batches]
    dataset = training_dataset(pairs, batch_tokens=128, seed=5)
    assert take(dataset, len(expected)) == expected


def test_special_ids_reach_the_batches():
    pairs = make_pairs([(2, 1)])
    dataset = evaluation_dataset(pairs, batch_tokens=64, bos_id=7, eos_id=8, pad_id=9)
    ((inputs, labels),) = dataset.as_numpy_iterator()
    assert inputs["source_token_ids"].tolist() == [[4, 5, 8, 9]]
    assert inputs["target_token_ids"].tolist() == [[7, 6, 9, 9]]
    assert labels.tolist() == [[6, 8, 9, 9]]


@pytest.mark.parametrize("static", [False, True])
def test_evaluation_dataset_is_one_pass_in_a_fixed_order(static):
    pairs = random_pairs(60)
    options = {"batch_tokens": 128, "static_batches": static}
    dataset = evaluation_dataset(pairs, **options)
    batches = evaluation_batches(pairs, **options)
    assert int(dataset.cardinality()) == len(batches)
    expected = [as_bytes(make_batch(pairs, batch, square=static)) for batch in batches]
    assert take(dataset, None) == expected
    assert take(dataset, None) == expected


def test_element_spec_has_static_rank_and_type():
    import tensorflow as tf

    pairs = random_pairs(20)
    for dataset in (
        training_dataset(pairs, batch_tokens=128, seed=0),
        evaluation_dataset(pairs, batch_tokens=128),
    ):
        specs = tf.nest.flatten(dataset.element_spec)
        assert len(specs) == 3
        assert all(spec.shape.rank == 2 and spec.dtype == tf.int32 for spec in specs)


def test_steps_per_epoch_with_accumulation():
    pairs = random_pairs()
    batches = steps_per_epoch(pairs, batch_tokens=256)
    assert steps_per_epoch(pairs, batch_tokens=256, accumulate=4) == -(-batches // 4)


def test_pairs_from_a_corpus(tmp_path):
    sources, targets = ["two dogs", "a man", "dogs"], ["zwei hunde", "ein mann", "hunde"]
    tokenizer = train_tokenizer(
        sources + targets, vocabulary_size=30, path=tmp_path / "a.model", model_type="bpe"
    )
    pairs = TokenizedPairs.from_corpus(tokenizer, sources, targets)
    assert len(pairs) == 3
    assert [source.tolist() for source, _ in pairs] == tokenizer.encode(sources)
    assert [target.tolist() for _, target in pairs] == tokenizer.encode(targets)
    assert pairs.source_lengths.tolist() == [len(ids) for ids in tokenizer.encode(sources)]
    assert pairs.target_lengths.tolist() == [len(ids) for ids in tokenizer.encode(targets)]
    with pytest.raises(InputError, match="3 sources, 2 targets"):
        TokenizedPairs.from_corpus(tokenizer, sources, targets[:2])


def test_items_by_index():
    pairs = make_pairs([(1, 2), (0, 1)])
    assert (
        [ids.tolist() for ids in pairs[-2]] == [ids.tolist() for ids in pairs[0]] == [[4], [5, 6]]
    )
    for index in (2, -3):
        with pytest.raises(IndexError):
            pairs[index]
        with pytest.raises(IndexError):
            make_batch(pairs, np.array([0, index]))


def test_saved_pairs_load_the_same(tmp_path):
    pairs = random_pairs(50)
    path = tmp_path / "train.npz"
    pairs.save(path)
    loaded = TokenizedPairs.load(path)
    for name in ("source_ids", "source_row_splits", "target_ids", "target_row_splits"):
        before, after = getattr(pairs, name), getattr(loaded, name)
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)
    assert [file.name for file in tmp_path.iterdir()] == ["train.npz"]


def test_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "train.npz"
    random_pairs(5).save(path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(InputError, match="No space left"):
        random_pairs(6).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["train.npz"]


@pytest.mark.parametrize(
    "change", [lambda data: b"", lambda data: data[:200], lambda data: b"x" * 99]
)
def test_damaged_files_are_reported(tmp_path, change):
    path = tmp_path / "train.npz"
    random_pairs(50).save(path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(
        InputError, match=r"holds no tokenized pairs or is damaged. Received: .*train\.npz"
    ):
        TokenizedPairs.load(path)


def test_missing_and_foreign_files_are_reported(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        TokenizedPairs.load(tmp_path / "train.npz")
    np.savez(tmp_path / "other.npz", other=np.zeros(3))
    np.save(tmp_path / "other.npy", np.zeros(3))
    for name in ("other.npz", "other.npy"):
        with pytest.raises(InputError, match="holds no tokenized pairs"):
            TokenizedPairs.load(tmp_path / name)


@pytest.mark.parametrize(
    ("ids", "splits"),
    [([4, 5], [0, 1]), ([4, 5], [1, 2]), ([4, 5], [0, 3, 2]), ([4, 5], []), ([[4], [5]], [0, 2])],
)
def test_row_splits_that_do_not_fit_are_reported(ids, splits):
    with pytest.raises(InputError, match="Row splits do not fit"):
        TokenizedPairs(ids, splits, [4, 5], [0, 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_tokens": 0}, "batch_tokens=0"),
        (
            {"batch_tokens": 16},
            "does not hold the longest pair.*batch_tokens=16, a pair padded to 32",
        ),
        ({"length_multiple": 0}, "length_multiple=0"),
        ({"max_length": 3}, "max_length=3"),
        ({"seed": -1}, "seed=-1"),
        ({"start_step": -1}, "start_step=-1"),
        ({"accumulate": 0}, "accumulate=0"),
    ],
)
def test_bad_options_are_reported_before_the_first_batch(options, message):
    with pytest.raises(InputError, match=message):
        training_dataset(random_pairs(), **{"batch_tokens": 256, "seed": 0, **options})


def test_no_pairs_at_all_are_reported():
    with pytest.raises(InputError, match=r"No pair .*0 pairs"):
        epoch_batches(TokenizedPairs([], [0], [], [0]), batch_tokens=99, seed=0, epoch=0)


def test_a_prefix_stands_before_every_target():
    pairs = make_pairs([(3, 2), (1, 4)])
    inputs, labels = make_batch(
        pairs, np.array([0, 1, PADDING_ROW]), length_multiple=4, target_prefix=(90, 91)
    )
    plain_inputs, plain_labels = make_batch(pairs, np.array([0, 1, PADDING_ROW]))
    np.testing.assert_array_equal(inputs["source_token_ids"], plain_inputs["source_token_ids"])
    prefix = np.array([[90, 91], [90, 91], [0, 0]])
    np.testing.assert_array_equal(labels, np.hstack([prefix, plain_labels]))
    expected = np.hstack([[[1], [1], [0]], prefix, plain_inputs["target_token_ids"][:, 1:]])
    np.testing.assert_array_equal(inputs["target_token_ids"], expected)
