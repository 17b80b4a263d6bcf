"""Alterations of models that once crashed the native runtime are each one clear error."""

import json
import os

import pytest
from altered_models import HUGE, MODELS, altered, repeated_offsets
from flavours import one_flavour
from mutants import MANIFEST, MODEL, signed
from native_library import NativeError, NativeLibrary
from optimization.families import make_family

from tfcompress.export import convert

pytestmark = one_flavour

BAD_BUNDLE = 3


@pytest.fixture(scope="module")
def library(built):
    return NativeLibrary(built / "libtfcompress.so")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A bundle with every operation that is altered."""
    path = tmp_path_factory.mktemp("bundles") / "adaptive"
    convert(make_family("adaptive"), path, quantization="float32", samples=[[5, 2]])
    return path


@pytest.fixture(scope="module")
def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(library, files):
    with pytest.raises(NativeError) as error:
        library.open_memory(files)
    assert error.value.status == BAD_BUNDLE
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("alter", MODELS, ids=lambda alter: alter.__name__)
def test_models(library, files, alter):
    model = altered(files[MODEL], alter)
    assert MODELS[alter] in refused(library, signed(files | {MODEL: model}))


@pytest.mark.parametrize("size", [160_000, 1_000_000])
def test_repeated_offsets(library, files, size):
    model = repeated_offsets(size)
    assert "again and again" in refused(library, signed(files | {MODEL: model}))


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("vocabulary", "target"), HUGE),
        (("state", 0, "shape"), [2**16, None, 2**16]),
        (("state", -1, "shape"), [2**16, 2**16, 2**16, 2**16]),
    ],
)
def test_manifests_of_models_far_larger(library, files, keys, value):
    manifest = json.loads(files[MANIFEST])
    inner = manifest
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    message = refused(library, files | {MANIFEST: json.dumps(manifest).encode()})
    name = "state" if keys[0] == "state" else ".".join(keys)
    assert f"`{name}` must be possible for a model of" in message


def test_a_manifest_without_end(library, files):
    assert "too large" in refused(library, files | {MANIFEST: b"[" + b"0," * 2**20})


def test_an_open_bundle_that_is_cut_short(library, folder, tmp_path, files):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    handle = library.open(tmp_path)
    os.truncate(tmp_path / MODEL, 0)
    assert library.translate_ids(handle, [5, 6, 7], max_length=4)
    library.free(handle)


def test_a_pipe_in_place_of_a_file(library, files, tmp_path):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / MODEL).unlink()
    os.mkfifo(tmp_path / MODEL)
    with pytest.raises(NativeError, match="it is no file"):
        library.open(tmp_path)
