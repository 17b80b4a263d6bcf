"""Training of a tiny translator: reversing a sequence of symbols."""

import numpy as np
import pytest
import tensorflow as tf
from flavours import legacy_only, one_flavour

from tfcompress.errors import InputError, InputWarning
from tfcompress.grids import MIN_ELEMENTS, Grid
from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    StackConfig,
)
from tfcompress.text import (
    CachedPairs,
    Mixture,
    TokenizedPairs,
    cache_pairs,
    train_tokenizer,
)
from tfcompress.text.token_cache import TokenCache
from tfcompress.training import (
    ClusteringConfig,
    PruningConfig,
    QuantizeAwareConfig,
    TrainingConfig,
    Validation,
    train,
)

WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "glade"]


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(0)
    sources = [" ".join(rng.choice(WORDS, rng.integers(1, 5))) for _ in range(300)]
    return sources, [" ".join(reversed(source.split())) for source in sources]


@pytest.fixture(scope="module")
def tokenizer(corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    return train_tokenizer(corpus[0], vocabulary_size=40, path=path, model_type="bpe")


@pytest.fixture(scope="module")
def model_config(tokenizer):
    stack = StackConfig(1, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(64))
    return Seq2SeqConfig(
        tokenizer.vocabulary_size,
        hidden_dim=16,
        encoder=stack,
        decoder=stack,
        embedding=EmbeddingConfig(share=True),
        dropout=0.1,
        max_source_length=32,
        max_target_length=32,
    )


@pytest.fixture
def run(corpus, tokenizer, model_config, tmp_path):
    """Returns a function that trains in `tmp_path/name` with given settings."""
    pairs = TokenizedPairs.from_corpus(tokenizer, *corpus)
    validation = Validation(corpus[0][:20], corpus[1][:20], tokenizer, tokenizer)

    def start(name, start=None, log=print, pairs=pairs, **settings):
        defaults = {
            "updates": 12,
            "batch_tokens": 128,
            "evaluate_every": 4,
            "evaluate_sentences": 0,
            "schedule": "constant",
            "learning_rate": 0.01,
        }
        config = TrainingConfig(**(defaults | settings))
        folder = tmp_path / name
        return train(
            model_config, pairs, validation, config, folder, start=start, verbose=0, log=log
        )

    return start


@pytest.fixture
def stream(corpus, tokenizer, tmp_path):
    """Pairs from two caches, of which a part is in memory at a time."""
    sources, targets = corpus
    parts = [
        cache_pairs(tmp_path / name, sources[chunk], targets[chunk], tokenizer)
        for name, chunk in (("one", slice(200)), ("other", slice(200, 300)))
    ]
    caches = [TokenCache(tmp_path / name) for name in ("one", "other")]
    return Mixture([parts[0], CachedPairs(caches[1], window_ids=200)], weights=[1, 2])


@pytest.mark.slow
def test_a_cache_that_is_cut_in_training_ends_in_one_line(run, corpus, tokenizer, tmp_path):
    pairs = cache_pairs(tmp_path / "cache", *corpus, tokenizer)
    part = tmp_path / "cache" / "part-00000.arrow"
    whole = part.read_bytes()
    batches = pairs.endless_batches

    def after_planning(**options):
        later = batches(**options)
        part.write_bytes(whole[:2000])
        return later

    pairs.endless_batches = after_planning
    with pytest.raises(InputError, match=r"cache is damaged.*part-00000.*Remove"):
        run("cut", pairs=pairs)
    part.write_bytes(whole)
    pairs.endless_batches = batches
    _, history = run("cut", pairs=pairs)
    assert [entry["update"] for entry in history] == [4, 8, 12]


@pytest.mark.slow
@one_flavour
def test_pairs_beyond_the_limit_are_counted(corpus, tokenizer, model_config, tmp_path):
    pairs = TokenizedPairs.from_corpus(tokenizer, *corpus)
    short = model_config.replace(max_source_length=7, max_target_length=9)
    validation = Validation(corpus[0][:9], corpus[1][:9], tokenizer, tokenizer)
    config = TrainingConfig(
        updates=1, evaluate_every=1, evaluate_sentences=0, batch_tokens=128, schedule="constant"
    )
    left_out = pairs.left_out((7, 9))
    assert 0 < left_out < len(pairs)
    with pytest.warns(InputWarning) as warned:
        train(short, pairs, validation, config, tmp_path / "run", verbose=0)
    found = [str(one.message) for one in warned if one.category is InputWarning]
    assert len(found) == 2
    assert f"{left_out} of 300 training pairs are left out, as" in found[0]
    assert "of 9 validation pairs are left out of the loss" in found[1]


@pytest.mark.slow
@legacy_only
@pytest.mark.parametrize("bits", [8, 4])
def test_weights_are_trained_on_grids(run, bits):
    transformer, history = run(
        "grids", quantize_aware=QuantizeAwareConfig(bits), learning_rate=0.02
    )
    assert history[-1]["loss"] < history[0]["loss"]
    kernel = transformer.layer("encoder_layer_0").feed_forward.inner.kernel.numpy()
    assert kernel.size >= MIN_ELEMENTS
    np.testing.assert_array_equal(Grid(bits, channels=(1,)).round(kernel), kernel)
    assert len(np.unique(kernel[:, 0])) <= 2**bits


@legacy_only
@pytest.mark.slow
def test_pruned_weights_stay_zero_on_grids(run, model_config):
    transformer, _ = run("sparse", pruning=PruningConfig(0.75, frequency=1))
    zeros = transformer.layer("encoder_layer_0").feed_forward.inner.kernel.numpy() == 0
    assert zeros.mean() == pytest.approx(0.75, abs=0.01)
    settings = QuantizeAwareConfig(preserve_sparsity=True)
    again, _ = run("sparse_on_grids", start=transformer, quantize_aware=settings)
    kernel = again.layer("encoder_layer_0").feed_forward.inner.kernel.numpy()
    assert (kernel[zeros] == 0).all()
    np.testing.assert_array_equal(Grid(8, channels=(1,)).round(kernel), kernel)
    assert not np.array_equal(
        kernel, transformer.layer("encoder_layer_0").feed_forward.inner.kernel.numpy()
    )


@legacy_only
@pytest.mark.slow
@pytest.mark.parametrize("method", ["quantize_aware", "pruning", "clustering"])
def test_a_killed_compressed_run_goes_on(run, monkeypatch, method):
    method = {
        "quantize_aware": {"quantize_aware": QuantizeAwareConfig(4)},
        "pruning": {"pruning": PruningConfig(0.5, frequency=2)},
        "clustering": {"clustering": ClusteringConfig(4)},
    }[method]
    whole, _ = run("whole", **method)
    from tfcompress.training import checkpoints

    save = checkpoints.TrainingState.save

    def killed(self, figures):
        if figures["update"] == 8:
            raise Killed
        save(self, figures)

    monkeypatch.setattr(checkpoints.TrainingState, "save", killed)
    with pytest.raises(Killed):
        run("part", **method)
    monkeypatch.setattr(checkpoints.TrainingState, "save", save)
    resumed, history = run("part", **method)
    assert [entry["update"] for entry in history] == [4, 8, 12]
    for a, b in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
@legacy_only
def test_clustered_weights_have_few_values(run):
    transformer, history = run("clusters", clustering=ClusteringConfig(4), updates=24)
    assert history[-1]["loss"] < history[0]["loss"]
    kernel = transformer.layer("encoder_layer_0").feed_forward.inner.kernel.numpy()
    assert len(np.unique(kernel)) <= 4


class Killed(BaseException):
    pass


def test_loss_falls_and_history_is_complete(run, tmp_path):
    _, history = run("run", updates=60, evaluate_every=20, evaluate_sentences=4)
    assert [entry["update"] for entry in history] == [20, 40, 60]
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert {"loss", "val_loss", "val_bleu", "seconds"} <= set(history[0])
    assert list((tmp_path / "run" / "tensorboard").rglob("events.*"))


@pytest.mark.costly
@pytest.mark.parametrize(
    "settings",
    [{}, {"accumulate": 2, "precision": "mixed_float16", "weights": "last"}, {"pairs": "stream"}],
    ids=str,
)
def test_a_killed_run_ends_like_an_uninterrupted_one(run, stream, monkeypatch, settings):
    settings = settings | ({"pairs": stream} if "pairs" in settings else {})
    whole, history = run("whole", **settings)
    from tfcompress.training import checkpoints

    save = checkpoints.TrainingState.save

    def killed_at_second(self, figures):
        if figures["update"] == 8:
            raise Killed
        save(self, figures)

    monkeypatch.setattr(checkpoints.TrainingState, "save", killed_at_second)
    with pytest.raises(Killed):
        run("killed", **settings)
    monkeypatch.setattr(checkpoints.TrainingState, "save", save)
    resumed, resumed_history = run("killed", **settings)
    assert [entry["update"] for entry in resumed_history] == [4, 8, 12]
    for a, b in zip(whole.model.trainable_weights, resumed.model.trainable_weights):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
    np.testing.assert_allclose(history[-1]["loss"], resumed_history[-1]["loss"], atol=1e-5)


@pytest.mark.slow
def test_a_finished_run_is_not_trained_again(run):
    first, history = run("run")
    again, same = run("run")
    assert same == history
    for a, b in zip(first.model.trainable_weights, again.model.trainable_weights):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.slow
def test_damaged_state_is_reported(run, tmp_path):
    run("run", updates=4)
    for path in (tmp_path / "run" / "state").glob("*.index"):
        path.write_bytes(b"")
    with pytest.raises(
        InputError, match=r"No saved state .*ckpt-4\.index is truncated.*remove thi"
    ):
        run("run", updates=8)


@pytest.mark.slow
def test_average_is_the_mean_of_the_last_evaluations(run, tmp_path):
    trained, _ = run("run", average=2)
    files = sorted((tmp_path / "run" / "weights").glob("*.npz"))
    # That of 4 is for the checkpoint before the last one.
    assert [int(path.stem) for path in files] == [4, 8, 12]
    arrays = [np.load(path) for path in files[1:]]
    expected = [(arrays[0][name] + arrays[1][name]) / 2 for name in arrays[0].files]
    values = [v.numpy() for v in trained.model.weights if v.dtype == "float32"]
    for a, b in zip(values, expected):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.slow
def test_patience_stops_training(run):
    settings = {"updates": 400, "evaluate_sentences": 4, "learning_rate": 1e-9}
    _, history = run("run", patience=1, **settings)
    assert [entry["update"] for entry in history] == [4, 8]


def saved_weights(folder):
    """The weights that a training kept, by update."""
    found = {}
    for path in folder.glob("weights/*.npz"):
        with np.load(path) as arrays:
            found[int(path.stem)] = [arrays[name] for name in arrays.files]
    return found


def assert_weights(transformer, expected):
    weights = [v.numpy() for v in transformer.model.weights if v.dtype == "float32"]
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_the_best_weights_are_kept_and_the_last_where_wanted(run, tmp_path):
    schedule = {"schedule": "inverse_square_root", "warmup": 1}
    # Such a rate spoils what was learnt.
    spoilt = {"updates": 8, "learning_rate": 10.0, **schedule}
    said = []
    run("best", updates=4, **schedule)
    best, history = run("best", log=said.append, **spoilt)
    assert history[0]["val_loss"] < history[1]["val_loss"]
    assert [*saved_weights(tmp_path / "best")] == [4]
    assert_weights(best, saved_weights(tmp_path / "best")[4])
    expected = "trained for 8 updates; the weights are those of update 4, the best by val_loss ("
    assert said[0].startswith(expected)
    again, _ = run("best", log=said.append, **spoilt)
    assert_weights(again, saved_weights(tmp_path / "best")[4])
    assert len(said) == 1
    run("last", updates=4, weights="last", **schedule)
    last, _ = run("last", weights="last", **spoilt)
    assert_weights(last, saved_weights(tmp_path / "last")[8])
    # What was not kept as weights is in the last checkpoint.
    again, _ = run("best", weights="last", **spoilt)
    assert_weights(again, saved_weights(tmp_path / "last")[8])


@pytest.mark.slow
def test_a_training_that_diverges_keeps_its_last_good_state(run, tmp_path):
    schedule = {"schedule": "inverse_square_root", "warmup": 1}
    run("run", updates=4, **schedule)
    kept = saved_weights(tmp_path / "run")
    for _ in range(2):
        said = []
        transformer, history = run(
            "run", updates=400, learning_rate=1e30, weights="last", log=said.append, **schedule
        )
        assert [entry["update"] for entry in history] == [4]
        assert_weights(transformer, kept[4])
        assert len(said) == 1
        assert "is not finite: training stopped; the weights are those of update 4" in said[0]
    _, history = run("run", updates=8, **schedule)
    assert [entry["update"] for entry in history] == [4, 8]


@pytest.mark.slow
def test_a_training_that_diverges_at_once_is_an_error(run, tmp_path):
    with pytest.raises(InputError, match=r"update \d+ is not finite.*Lower `learning_rate`"):
        run("run", learning_rate=1e30)
    assert not saved_weights(tmp_path / "run")
    _, history = run("run")
    assert len(history) == 3


@pytest.mark.slow
def test_accumulated_batches_count_as_one(run, corpus, tokenizer, model_config, tmp_path):
    from tfcompress.models import Seq2SeqTransformer
    from tfcompress.text import make_batch
    from tfcompress.training.accumulation import AccumulatingModel, crossentropy
    from tfcompress.training.losses import LabelSmoothedCrossentropy

    pairs = TokenizedPairs.from_corpus(tokenizer, *corpus)
    whole = make_batch(pairs, np.arange(6), length_multiple=16)
    parts = [make_batch(pairs, np.arange(2), length_multiple=16)]
    parts.append(make_batch(pairs, np.arange(2, 6), length_multiple=16))
    config = model_config.replace(dropout=0.0)
    results = []
    for batches in ([whole], parts):
        tf.keras.utils.set_random_seed(3)
        model = Seq2SeqTransformer(config).model
        accumulating = AccumulatingModel(model, crossentropy(model, LabelSmoothedCrossentropy(0.1)))
        accumulating.compile(optimizer=tf.keras.optimizers.SGD(1.0))
        data = tf.data.Dataset.from_tensors(tuple(batches))
        history = accumulating.fit(data, verbose=0)
        results.append(([v.numpy() for v in model.trainable_weights], history.history["loss"]))
    for a, b in zip(results[0][0], results[1][0]):
        np.testing.assert_allclose(a, b, atol=2e-5)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.costly
@pytest.mark.parametrize(
    "settings",
    [
        {"accumulate": 2},
        pytest.param({"accumulate": 2, "precision": "mixed_float16"}, marks=pytest.mark.slow),
        pytest.param({"precision": "mixed_float16"}, marks=pytest.mark.slow),
        {"precision": "mixed_bfloat16"},
        {"schedule": "cosine", "warmup": 2, "clip_norm": 0.1},
        pytest.param({"schedule": "inverse_square_root", "warmup": 2}, marks=pytest.mark.slow),
        {"strategy": "mirrored"},
    ],
    ids=str,
)
def test_every_setting_trains(run, settings):
    trained, history = run("run", updates=4, **settings)
    assert np.isfinite(history[-1]["loss"])
    assert not any("16" in layer.compute_dtype for layer in trained.model.layers)
    assert all(np.isfinite(v.numpy()).all() for v in trained.model.trainable_weights)


@pytest.mark.slow
def test_accumulation_with_a_strategy(run):
    _, history = run("run", updates=4, strategy="mirrored", accumulate=2)
    assert np.isfinite(history[-1]["loss"])


def test_sentences_beyond_the_limit_are_an_error(corpus, tokenizer, model_config, tmp_path):
    pairs = TokenizedPairs.from_corpus(tokenizer, *corpus)
    validation = Validation(*corpus, tokenizer, tokenizer)
    short = model_config.replace(max_source_length=1, max_target_length=1)
    with pytest.raises(InputError, match=r"Every training pair is longer than the model takes"):
        train(short, pairs, validation, TrainingConfig(), tmp_path / "run", verbose=0)


def test_impossible_settings_are_all_named():
    with pytest.raises(InputError) as error:
        TrainingConfig(updates=10, evaluate_every=3, schedule="linear", learning_rate=0, patience=0)
    for part in ("`updates`", "`schedule`", "'linear'", "`learning_rate`", "`patience`"):
        assert part in str(error.value)
