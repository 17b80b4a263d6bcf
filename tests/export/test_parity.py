from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from export_harness import make_transformer, plain_transformer
from flavours import one_flavour

from tfcompress.export import ExportError, ExportOptions, convert
from tfcompress.export.conversion import translation_parity
from tfcompress.export.conversion.translation_exporter import TranslationExporter
from tfcompress.layers import MultiHeadAttention, SinusoidalPosition
from tfcompress.models import Seq2SeqConfig

GOOD = {
    "tokens": 100,
    "identical": 1.0,
    "ties": 0,
    "max_difference": 1e-5,
    "tolerance": 1e-3,
    "beam_samples": 2,
    "beam_identical": 2,
    "native": None,
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"identical": 0.98, "ties": 1}, "Received: 1 of 100 that differ"),
        ({"max_difference": 2e-3}, "a difference of up to 0.002"),
        ({"beam_identical": 1}, "beam search must find"),
        ({"max_difference": np.nan}, "must be finite"),
        ({"max_difference": np.inf}, "must be finite"),
    ],
)
def test_check(changes, message):
    translation_parity.check(GOOD, "float32")
    translation_parity.check({**GOOD, "identical": 0.99, "ties": 1}, "float32")
    with pytest.raises(ExportError, match=message):
        translation_parity.check({**GOOD, **changes}, "float32")
    if np.isfinite({**GOOD, **changes}["max_difference"]):
        translation_parity.check({**GOOD, **changes}, "dynamic_int8")


@one_flavour
def test_steps_that_differ_from_calls_are_caught(tmp_path, monkeypatch):
    step = SinusoidalPosition.step

    def late(self, inputs, position):
        return step(self, inputs, position + 1)

    monkeypatch.setattr(SinusoidalPosition, "step", late)
    with pytest.raises(ExportError, match="Let the layers' `step` compute what their `call` does"):
        convert(make_transformer(depth=1), tmp_path / "bundle", quantization="float32")
    assert list(tmp_path.iterdir()) == []


@one_flavour
def test_subtle_difference_is_caught(tmp_path, monkeypatch):
    """One that hardly changes any token."""
    step = MultiHeadAttention._step_output
    monkeypatch.setattr(
        MultiHeadAttention, "_step_output", lambda self, context: step(self, context * 1.003)
    )
    with pytest.raises(ExportError, match=r"unlike|differ"):
        convert(make_transformer(depth=1), tmp_path / "bundle", quantization="float32")
    assert list(tmp_path.iterdir()) == []


def test_random_samples():
    config = Seq2SeqConfig(5, hidden_dim=16, max_source_length=6, pad_id=4, bos_id=0, eos_id=3)
    exporter = TranslationExporter(SimpleNamespace(config=config), ExportOptions())
    samples = exporter.random_samples()
    assert [len(sample) for sample in samples] == [1, 2, 3, 5, 6]
    assert samples == exporter.check_ids("samples", exporter.random_samples())
    for sample in samples:
        assert sample[-1] == 3
        assert {*sample[:-1]} <= {1, 2}


def test_figures_of_choices():
    """A tie, a real difference, and the forced end mark, which is not chosen."""
    config = plain_transformer().config
    theirs = np.zeros((5, 60), np.float32)
    target = [5, 6, 7, 8]
    theirs[0, 5] = 2
    theirs[1, [6, 9]] = 1, 1.00005
    theirs[2, [7, 9]] = 1, 2
    theirs[3, [0, 1, 8]] = 9, 9, 3  # padding and the begin id are never chosen
    theirs[4, 40] = 4
    actual = theirs.copy()
    actual[2, 7] = 3
    padded = np.concatenate([theirs, np.full((2, 60), 99, np.float32)])
    metrics = translation_parity._compare_tokens(target, (actual, padded), config, limit=5)
    assert (metrics["tokens"], metrics["identical"], metrics["ties"]) == (4, 2, 1)
    assert metrics["max_difference"] == 2
    expected = tf.nn.log_softmax(actual[2])[7] - tf.nn.log_softmax(theirs[2])[7]
    assert metrics["log_probability_difference"] == pytest.approx(float(expected), rel=1e-5)
    metrics = translation_parity._compare_tokens(target, (actual, padded), config, limit=6)
    assert (metrics["tokens"], metrics["identical"], metrics["ties"]) == (5, 2, 1)


def test_batches_hold_every_sample_once(monkeypatch):
    monkeypatch.setattr(translation_parity, "_BATCH_CELLS", 1000)
    lengths = [40, 3, 7, 3, 20, 20, 20]
    limits = np.array(lengths)
    batches = list(translation_parity._batches([[5] * n for n in lengths], limits, 20))
    assert sorted(i for batch in batches for i in batch) == list(range(7))
    assert [len(batch) for batch in batches] == [2, 1, 2, 1, 1]
    for batch in batches:
        assert len({lengths[i] for i in batch}) == 1
        assert len(batch) == 1 or len(batch) * max(limits[batch]) * 20 <= 1000
