"""Bundles with custom operations: exported, compared with their models, and given what is wrong."""

import json

import numpy as np
import pytest
from flavours import one_flavour
from optimization.families import make_family, slow_but
from small_models import make_transformer

from tfcompress.custom_ops import names
from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.runtime import Translator, open_bundle, open_engine
from tfcompress.text import Shortlist

pytestmark = one_flavour

SAMPLES = [[5, 9, 4, 2], [7, 2], [2], [8, 4, 6, 10, 5, 2]]


@pytest.fixture(autouse=True)
def native(built, monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))


@pytest.fixture(scope="module")
def transformer():
    return make_transformer(60)


def export(transformer, path, **options):
    """Exports, which fails unless a float32 bundle finds what its model does."""
    return convert(transformer, path, **{"samples": SAMPLES, "custom_ops": names.ALL} | options)


def logits(path):
    engine = open_engine(open_bundle(path))
    actual = np.concatenate([engine.logits(sample[:-1], [4, 6, 5]) for sample in SAMPLES])
    engine.close()
    return actual


@pytest.mark.costly
@pytest.mark.parametrize(
    "quantization",
    ["float32", "dynamic_int8", "int4", pytest.param("int4_per_channel", marks=pytest.mark.slow)],
)
def test_computes_what_builtin_operations_do(transformer, tmp_path, quantization):
    manifest = export(transformer, tmp_path / "custom", quantization=quantization)
    assert manifest["custom_ops"] == sorted([names.DECODER, names.ENCODER_LAYER, names.TOP_LOGITS])
    export(transformer, tmp_path / "plain", quantization=quantization, custom_ops=False)
    actual, expected = logits(tmp_path / "custom"), logits(tmp_path / "plain")
    # Integer kernels differ in how they round activations.
    tolerance = 1e-5 if quantization == "float32" else 0.05
    assert np.abs(actual - expected).mean() < tolerance * expected.std()


FAMILIES = {
    "delight": {names.GROUP_TRANSFORM, names.TOP_LOGITS},
    "fixed_patterns": {names.FIXED_PATTERNS, names.DECODER, names.TOP_LOGITS},
    "lsra": {
        names.DYNAMIC_CONV,
        names.DYNAMIC_CONV_STEP,
        names.CACHED_ATTENTION,
        names.MEMORY_ATTENTION,
        names.TOP_LOGITS,
    },
    "adaptive": {names.DECODER, names.ENCODER_LAYER},
    "factorized_shared": {names.DECODER, names.ENCODER_LAYER, names.TOP_LOGITS},
    "layer_drop": {names.DECODER, names.ENCODER_LAYER, names.TOP_LOGITS},
}


@pytest.mark.slow
@pytest.mark.costly
@pytest.mark.parametrize("name", slow_but(("delight", "lsra"), FAMILIES))
def test_families(name, tmp_path):
    manifest = export(make_family(name), tmp_path / "bundle", quantization="float32")
    assert FAMILIES[name] <= set(manifest["custom_ops"])
    assert manifest["parity"]["identical"] > 0.99


@pytest.mark.slow
def test_true_takes_what_pays(transformer, tmp_path):
    everything = Shortlist(
        np.arange(60, dtype=np.int32), np.zeros(61, np.int32), np.zeros(0, np.int32), 60
    )
    manifest = export(transformer, tmp_path / "bundle", custom_ops=True)
    assert manifest["custom_ops"] == [names.DECODER]
    manifest = export(transformer, tmp_path / "short", custom_ops=True, shortlist=everything)
    assert manifest["custom_ops"] == [names.DECODER, names.TOP_LOGITS]


@pytest.mark.slow
def test_only_what_is_asked_for(transformer, tmp_path):
    manifest = export(transformer, tmp_path / "bundle", custom_ops=[names.CACHED_ATTENTION])
    assert manifest["custom_ops"] == [names.CACHED_ATTENTION]


@pytest.mark.slow
@pytest.mark.parametrize("beam_size", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_a_shortlist_is_all_that_a_translation_uses(transformer, tmp_path, beam_size):
    offsets = np.arange(61, dtype=np.int32)
    # Each source id allows one target id, beside the end id and one more.
    allowed = Shortlist(np.array([2, 9], np.int32), offsets, (offsets[:-1] * 7) % 60, 60)
    everything = Shortlist(np.arange(60, dtype=np.int32), 0 * offsets, offsets[:0], 60)
    actual = {}
    for name, shortlist in {"few": allowed, "all": everything, "none": None}.items():
        manifest = export(transformer, tmp_path / name, shortlist=shortlist)
        assert manifest.get("shortlist") == (None if shortlist is None else "shortlist.bin")
        with Translator(tmp_path / name) as translator:
            actual[name] = translator.translate_ids(
                [sample[:-1] for sample in SAMPLES], beam_size=beam_size, return_scores=True
            )
    assert actual["all"] == actual["none"]
    assert actual["few"] != actual["none"]
    for sample, hypotheses in zip(SAMPLES, actual["few"]):
        candidates = {*allowed.candidates(sample).tolist()}
        assert candidates.issuperset(token for one in hypotheses for token in one.ids)


@pytest.mark.slow
def test_python_says_what_it_needs(transformer, tmp_path, monkeypatch):
    export(transformer, tmp_path / "bundle")
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")
    with pytest.raises(InputError, match=r"tfc\.Decoder.*build-native"):
        Translator(tmp_path / "bundle")
    with pytest.raises(InputError, match=r"native runtime.*build-native.*leave `custom_ops` out"):
        export(transformer, tmp_path / "other")


NO_END = Shortlist(np.array([4], np.int32), np.zeros(61, np.int32), np.zeros(0, np.int32), 60)
SMALL = Shortlist(np.array([2], np.int32), np.zeros(10, np.int32), np.zeros(0, np.int32), 60)
WRONG = {
    r"must be True, False or a list": {"custom_ops": ["tfc.Nothing"]},
    "weights of 32, 8 and 4 bits": {"quantization": "float16"},
    "need floats between them": {
        "quantization": "static_int8",
        "representative_data": SAMPLES,
    },
    "custom operation tfc.TopLogits.*Ask for it too": {
        "custom_ops": False,
        "shortlist": NO_END,
    },
    "must have the end id": {"shortlist": NO_END},
    "for 9 and 60 ids instead of": {"shortlist": SMALL},
}


@pytest.mark.slow
@pytest.mark.parametrize("message", WRONG)
def test_wrong_arguments(transformer, tmp_path, message):
    with pytest.raises(InputError, match=message):
        export(transformer, tmp_path / "bundle", **WRONG[message])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_an_altered_shortlist(transformer, tmp_path):
    path = tmp_path / "bundle"
    everything = Shortlist(
        np.arange(60, dtype=np.int32), np.zeros(61, np.int32), np.zeros(0, np.int32), 60
    )
    export(transformer, path, shortlist=everything)
    data = bytearray((path / "shortlist.bin").read_bytes())
    data[9] ^= 255
    (path / "shortlist.bin").write_bytes(data)
    with pytest.raises(InputError, match="SHA-256 differs"):
        Translator(path)
    with pytest.raises(InputError, match=r"shortlist cannot be used.*shortlist\.bin, "):
        Translator(path, verify=False)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["shortlist"] = "nothing.bin"
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="`shortlist` must be one of the bundle's files"):
        Translator(path, verify=False)
