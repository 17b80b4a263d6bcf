import json
import shutil

import pytest
from flavours import one_flavour

from tfcompress.decoder_state import StateSpec
from tfcompress.errors import InputError
from tfcompress.runtime import Translator, open_bundle

pytestmark = one_flavour

ENTRY = {"name": "a", "shape": [4, None], "per": "hypothesis", "initial": 0}


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle, tmp_path / "copy")


def edit(folder, keys, value):
    """Sets a value of the manifest, or removes it where the value is `...`."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    inner = manifest
    for key in keys[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    path.write_text(json.dumps(manifest))


def file_names(folder):
    return json.loads((folder / "manifest.json").read_text())["files"]


def test_what_is_in_a_bundle(bundle):
    opened = open_bundle(str(bundle))
    assert (opened.ids.pad, opened.ids.bos, opened.ids.eos) == (0, 1, 2)
    assert (opened.max_source_length, opened.max_target_length) == (40, 70)
    assert (opened.source_vocabulary, opened.target_vocabulary) == (120, 120)
    cache, memory = StateSpec((4, None, 8)), StateSpec((4, None, 8), per="sentence")
    assert opened.state == {
        f"{prefix}{name}_{i}": memory if prefix else cache
        for prefix in ("", "memory_")
        for name in ("keys", "values")
        for i in range(2)
    }
    assert opened.block == 60
    assert opened.source_tokenizer == opened.target_tokenizer == bundle / "tokenizer.model"
    assert opened.model == bundle / "model.tflite"
    assert opened.custom_ops == ()
    assert opened.manifest["model_type"] == "translation"
    assert opened.size == sum(file.stat().st_size for file in bundle.iterdir())


def test_a_bundle_without_tokenizers_and_blocks(plain_bundle):
    opened = open_bundle(plain_bundle)
    assert opened.source_tokenizer is opened.target_tokenizer is opened.block is None


def test_every_file_is_checked(copy):
    for name in file_names(copy):
        file = copy / name
        content = file.read_bytes()
        damages = {
            "SHA-256 differs from the manifest": (content[:-1] + bytes([content[-1] ^ 1])),
            f"{len(content) - 1} bytes instead of {len(content)}": content[:-1],
            f"{len(content) + 1} bytes instead of {len(content)}": content + b"\0",
        }
        for message, damage in damages.items():
            file.write_bytes(damage)
            for opening in (open_bundle, Translator):
                with pytest.raises(InputError) as error:
                    opening(copy)
                assert str(file) in str(error.value)
                assert message in str(error.value)
                assert "Export or copy the bundle again" in str(error.value)
            assert open_bundle(copy, verify=False)
        file.unlink()
        for verify in (True, False):
            with pytest.raises(InputError, match="A file of the bundle is missing"):
                open_bundle(copy, verify=verify)
        file.write_bytes(content)
    assert open_bundle(copy)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["format"], 1, "format=1 instead of 3. Export the model again"),
        (["model_type"], "encoder", "model_type='encoder' instead of 'translation'"),
        (["ids"], ..., "without `ids.pad`"),
        (["ids", "eos"], 120, "`ids.eos` cannot be 120"),
        (["ids", "bos"], True, "`ids.bos` cannot be True"),
        (["limits", "max_source_length"], ..., "without `limits.max_source_length`"),
        (["limits", "max_target_length"], 0, "`limits.max_target_length` cannot be 0"),
        (["vocabulary", "source"], "120", "`vocabulary.source` cannot be '120'"),
        (["vocabulary"], [120, 120], "without `vocabulary.target`"),
        (["state"], ..., "without `state`"),
        (["state"], [[4]], "`state` cannot be [[4]]"),
        (["state"], [{"name": "a", "shape": [4, -8]}], "`state` cannot be [{'name': 'a'"),
        (["state"], 2 * [ENTRY], "`state` cannot be [{'name': 'a'"),
        (["state"], [ENTRY | {"name": "mask"}], "`state` cannot be [{'name': 'mask'"),
        (["state"], [ENTRY | {"per": "beam"}], "`state` cannot be [{'name': 'a'"),
        (["state"], [ENTRY | {"shape": [None, None]}], "`state` cannot be [{'name': 'a'"),
        (["decoder", "block"], 7, "`decoder.block` cannot be 7"),
        (["decoder", "ragged"], ..., "without `decoder.ragged`"),
        (["decoder", "ragged"], 1, "`decoder.ragged` cannot be 1"),
        (["custom_ops"], [1], "`custom_ops` cannot be [1]"),
        (["tokenizers", "source"], "other.model", "`tokenizers.source` cannot be 'other.model'"),
        (["files"], {}, "`files` cannot be {}"),
        (["files", "model.tflite"], ..., "without `files.model.tflite.bytes`"),
        (["files", "model.tflite", "sha256"], 5, "`files.model.tflite.sha256` cannot be 5"),
    ],
)
def test_wrong_manifests(copy, keys, value, message):
    edit(copy, keys, value)
    with pytest.raises(InputError) as error:
        open_bundle(copy)
    assert message in str(error.value)
    assert str(copy / "manifest.json") in str(error.value)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/hostname", "a/b", "..\\secret", "C:secret", "..", ".", "", "a\0b"]
)
def test_files_outside_the_folder(copy, name):
    (copy.parent / "secret").write_text("secret")
    edit(copy, ["files", name], {"bytes": 6, "sha256": "0"})
    for verify in (True, False):
        with pytest.raises(InputError, match="The files of a bundle must lie in its own folder"):
            open_bundle(copy, verify=verify)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'"text"'])
def test_manifests_that_are_none(copy, content):
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(InputError, match=r"manifest\.json"):
        open_bundle(copy)


def test_folders_that_are_none(copy, tmp_path):
    with pytest.raises(InputError, match="A bundle must be a folder"):
        open_bundle(tmp_path / "missing")
    with pytest.raises(InputError, match="A bundle must be a folder"):
        open_bundle(copy / "model.tflite")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"must have a manifest\.json\. .*empty"):
        open_bundle(tmp_path / "empty")


def test_a_tokenizer_that_is_none(copy):
    for content in (b"", b"no model"):
        (copy / "tokenizer.model").write_bytes(content)
        with pytest.raises(
            InputError, match=r"SentencePiece model cannot be used\. .*tokenizer\.model"
        ):
            Translator(copy, verify=False)
