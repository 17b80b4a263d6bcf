import errno
import hashlib
import json
from pathlib import Path

import pytest
from export_harness import plain_transformer

from tfcompress.errors import InputError
from tfcompress.export import ExportError, convert
from tfcompress.export.bundle.writer import new_folder, write_manifest
from tfcompress.export.conversion import exporter, translation_parity
from tfcompress.export.graph import flatbuffer, model_file

ERRORS = [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device"), MemoryError()]


@pytest.fixture
def quick(monkeypatch):
    """Lets the stages of an export pass at once."""
    model = flatbuffer.schema.ModelT()
    model.subgraphs = []
    monkeypatch.setattr(model_file, "lower", lambda *args: model)
    monkeypatch.setattr(model_file, "quantize", lambda *args: None)
    monkeypatch.setattr(model_file, "check_operations", lambda *args: None)
    monkeypatch.setattr(model_file, "check_size", lambda *args: None)
    monkeypatch.setattr(flatbuffer, "write", lambda model: b"model")
    metrics = {"max_difference": 0.0, "native": None}
    monkeypatch.setattr(translation_parity, "compare", lambda *args: metrics)


def make(path, text="new"):
    with new_folder(path, force=True) as folder:
        (folder / "model.tflite").write_text(text)
        write_manifest(folder, {"format": 1})


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("stage", ["quantize", "write", "compare", "manifest"])
@pytest.mark.parametrize("existing", [False, True])
def test_failed_export_changes_nothing(tmp_path, monkeypatch, quick, stage, error, existing):
    path = tmp_path / "deep" / "bundle"
    if existing:
        make(path, "old")
    before = names(tmp_path)
    where = {
        "quantize": (model_file, "quantize"),
        "write": (flatbuffer, "write"),
        "compare": (translation_parity, "compare"),
        "manifest": (exporter, "write_manifest"),
    }[stage]

    def fail(*args):
        raise error

    monkeypatch.setattr(*where, fail)
    expected = InputError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected) as caught:
        convert(plain_transformer(), path, force=True)
    if isinstance(error, OSError):
        assert str(caught.value) == (
            f"The disk is full, nothing was written. Received: {path}. Free some space."
        )
    assert names(tmp_path) == before
    if existing:
        assert (path / "model.tflite").read_text() == "old"


def test_full_disk_while_tensorflow_writes(tmp_path, monkeypatch):
    import tensorflow as tf

    def fail(*args, **kwargs):
        raise tf.errors.ResourceExhaustedError(None, None, "x; No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(InputError, match="The disk is full"):
        convert(plain_transformer(), tmp_path / "bundle")
    assert names(tmp_path) == []


def test_existing_path_is_refused_before_any_work(tmp_path, quick):
    convert(plain_transformer(), tmp_path / "bundle")
    with pytest.raises(InputError, match=r"exists already\. .*Give another, or `force`"):
        convert(plain_transformer(), tmp_path / "bundle")
    convert(plain_transformer(), tmp_path / "bundle", force=True)
    assert names(tmp_path) == ["bundle", "bundle/manifest.json", "bundle/model.tflite"]


def test_force_replaces_bundles_only(tmp_path):
    make(tmp_path / "bundle", "old")
    (tmp_path / "bundle" / "stale.model").touch()
    make(tmp_path / "bundle", "new")
    assert names(tmp_path) == ["bundle", "bundle/manifest.json", "bundle/model.tflite"]
    assert (tmp_path / "bundle" / "model.tflite").read_text() == "new"
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").touch()
    (tmp_path / "file").touch()
    for name in ("photos", "file"):
        with pytest.raises(InputError, match="Only a bundle is replaced"):
            make(tmp_path / name)
    (tmp_path / "empty").mkdir()
    make(tmp_path / "empty")
    assert (tmp_path / "photos" / "cat.png").exists()


def test_failed_renaming_restores_the_old_bundle(tmp_path, monkeypatch):
    make(tmp_path / "bundle", "old")
    rename = type(tmp_path).rename

    def fail(self, target):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "rename", fail)
    with pytest.raises(InputError, match=r"cannot be written.*\(Permission denied\)"):
        make(tmp_path / "bundle", "new")
    monkeypatch.setattr(type(tmp_path), "rename", rename)
    assert names(tmp_path) == ["bundle", "bundle/manifest.json", "bundle/model.tflite"]
    assert (tmp_path / "bundle" / "model.tflite").read_text() == "old"


def test_folder_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"be written.* .Not a directory"):
        make(tmp_path / "file" / "bundle")
    assert names(tmp_path) == ["file"]


def test_real_full_disk(tmp_path):
    """A write that runs out of space, on a device that always does."""

    def write():
        with new_folder(tmp_path / "bundle") as folder:
            (folder / "complete").touch()
            Path("/dev/full").write_bytes(b"x")

    with pytest.raises(InputError, match="The disk is full"):
        write()
    assert names(tmp_path) == []


def test_manifest_lists_files(tmp_path):
    (tmp_path / "b.bin").write_bytes(b"12345")
    (tmp_path / "a.bin").write_bytes(b"")
    written = write_manifest(tmp_path, {"format": 1, "files": "replaced"})
    assert written == json.loads((tmp_path / "manifest.json").read_text())
    assert list(written["files"]) == ["a.bin", "b.bin"]
    digest = hashlib.sha256(b"12345").hexdigest()
    assert written["files"]["b.bin"] == {"bytes": 5, "sha256": digest}
    assert write_manifest(tmp_path, {"format": 1}) == {"format": 1, "files": written["files"]}


def test_permissions_are_those_of_ordinary_folders(tmp_path):
    make(tmp_path / "bundle")
    (tmp_path / "ordinary").mkdir(0o755)
    assert (tmp_path / "bundle").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_disagreement_leaves_nothing(tmp_path, monkeypatch, quick):
    metrics = {"max_difference": float("nan"), "native": None}
    monkeypatch.setattr(translation_parity, "compare", lambda *args: metrics)
    with pytest.raises(ExportError, match="must be finite"):
        convert(plain_transformer(), tmp_path / "bundle")
    assert names(tmp_path) == []
