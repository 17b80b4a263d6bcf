"""State of any shape goes through export, both runtimes and beam search."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import tensorflow as tf
from export.export_harness import make_transformer
from flavours import one_flavour

from tfcompress.cost import Cost
from tfcompress.decoder_state import StateSpec
from tfcompress.export import convert
from tfcompress.layers.common.masks import step_mask
from tfcompress.layers.common.state import IncrementalLayer
from tfcompress.models import MIXERS, FeedForwardConfig, MixerConfig, StackConfig
from tfcompress.models.decoding import beam_decode
from tfcompress.runtime import open_bundle, open_engine

pytestmark = one_flavour
WINDOW, PARTS, DECAY = 3, 2, 0.75


class EveryState(IncrementalLayer):
    """A window that moves, a sum that begins with 1 and fades, and means over what grew."""

    causal = True

    def call(self, inputs, padding_mask=None, training=None):
        steps = range(inputs.shape[1] or 16)
        states, outputs = self.init_cache(tf.shape(inputs)[0], 16), []
        for position in steps:
            x = tf.pad(inputs, [[0, 0], [0, 16], [0, 0]])[:, position]
            y, states = self.step(x, position, states)
            outputs.append(y)
        return tf.stack(outputs, axis=1)[:, : tf.shape(inputs)[1]]

    def build(self, input_shape):
        self._width = input_shape[-1]
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        return input_shape

    def state_spec(self):
        return {
            "window": StateSpec((WINDOW, self._width)),
            "sum": StateSpec((PARTS, self._width // PARTS), initial=1.0),
            "rows": StateSpec((None, self._width)),
            "columns": StateSpec((PARTS, self._width // PARTS, None)),
        }

    def step(self, inputs, position, cache, padding_mask=None):
        position = tf.reshape(position, [])
        parts = tf.reshape(inputs, [-1, PARTS, self._width // PARTS])
        cache = {
            "window": tf.concat([cache["window"][:, 1:], inputs[:, tf.newaxis]], axis=1),
            "sum": DECAY * cache["sum"] + parts,
            "rows": self.update_row(cache["rows"], inputs[:, tf.newaxis], position, axis=1),
            "columns": self.update_row(
                cache["columns"], parts[..., tf.newaxis] ** 2, position, axis=3
            ),
        }
        if padding_mask is None:
            padding_mask = step_mask(position, tf.shape(cache["rows"])[1])
        seen = tf.exp(padding_mask)
        y = tf.reduce_mean(cache["window"], axis=1)
        rows = cache["rows"] * tf.reshape(seen, [1, -1, 1])
        y += tf.reduce_sum(rows, axis=1) / tf.reduce_sum(seen)
        others = cache["sum"] - tf.reduce_sum(cache["columns"] * seen, axis=3)
        return y + 0.1 * tf.reshape(others, [-1, self._width]), cache


@dataclass(frozen=True)
class EveryStateConfig(MixerConfig):
    mixer: str = field(init=False, default="every_state")

    def build(self, site):
        return EveryState(name=site.name)

    def cost(self, site, *, length):
        return Cost()


@pytest.fixture(scope="module")
def transformer():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MIXERS, "every_state", EveryStateConfig)
        stack = StackConfig(2, attention=EveryStateConfig(2), feed_forward=FeedForwardConfig(24))
        yield make_transformer(decoder=stack, max_source_length=60, max_target_length=10)


@pytest.fixture(scope="module")
def bundle(transformer, tmp_path_factory):
    path = tmp_path_factory.mktemp("state") / "bundle"
    manifest = convert(transformer, path, quantization="float32", samples=[[4, 5, 9, 2], [7, 2]])
    assert [entry["name"] for entry in manifest["state"]][:2] == ["window_0", "window_1"]
    assert manifest["parity"]["beam_identical"] == 2
    return path


@pytest.mark.costly
@pytest.mark.parametrize("native", [False, True])
def test_searches_find_what_they_find_in_keras(native, transformer, bundle, built, monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    engine = open_engine(open_bundle(bundle), native=native)
    rng = np.random.default_rng(0)
    for length, beam_size in ((1, 4), (8, 1), (5, 3)):
        source = rng.integers(4, 60, length).tolist()
        expected = beam_decode(transformer, [*source, 2], beam_size=beam_size, n_best=1)[0]
        actual = engine.search(source, beam_size=beam_size, with_scores=True)[0]
        assert actual.ids == expected.token_ids
        assert actual.score == pytest.approx(expected.score, abs=1e-4)
    engine.close()
