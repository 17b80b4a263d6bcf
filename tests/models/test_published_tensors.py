"""Weights of published folders: one file, shards, other formats, and names in what holds them."""

import json

import numpy as np
import pytest
from models.published_folders import write
from safetensors.numpy import load_file, save_file

from tfcompress.errors import InputError
from tfcompress.models import from_safetensors
from tfcompress.models.published_tensors import read_tensors
from tfcompress.models.tensor_files import INDEX, WEIGHTS


def in_shards(folder, count=3):
    """Cuts a folder's weights into shards with an index; returns its map."""
    tensors = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    names = sorted(tensors)
    places = {}
    for number in range(count):
        shard = f"model-{number + 1:05}-of-{count:05}.safetensors"
        places |= dict.fromkeys(names[number::count], shard)
        save_file({name: tensors[name] for name in names[number::count]}, folder / shard)
    write_index(folder, places)
    return places


def write_index(folder, places):
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))


def test_shards_are_one_model(tmp_path):
    whole = write(tmp_path / "one")
    expected = from_safetensors(whole).model.get_weights()
    in_shards(whole)
    for one, other in zip(from_safetensors(whole).model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("prefix", ["bert.", "model.", "0.auto_model.", "module.model.bert.", ""])
def test_what_holds_the_encoder_is_left_out(prefix, tmp_path):
    plain = read_tensors(write(tmp_path / "one"))
    save_file({f"{prefix}{name}": tensor for name, tensor in plain.items()}, tmp_path / WEIGHTS)
    actual = read_tensors(tmp_path)
    assert actual.keys() == plain.keys()
    # A head beside the encoder, in what holds both.
    outer = prefix.removesuffix("bert.")
    tensors = load_file(tmp_path / WEIGHTS) | {f"{outer}classifier.bias": np.zeros(2, "f")}
    save_file(tensors, tmp_path / WEIGHTS)
    assert "classifier.bias" in read_tensors(tmp_path)


def test_shards_that_are_not_whole(tmp_path):
    folder = write(tmp_path / "one")
    places = in_shards(folder)
    first, last = sorted({*places.values()})[::2]
    content = (folder / last).read_bytes()
    (folder / last).write_bytes(content[:-5])
    with pytest.raises(InputError, match=rf"corrupt .*{last}"):
        from_safetensors(folder)
    (folder / last).unlink()
    with pytest.raises(InputError, match=rf"{INDEX} names is missing. Received: .*{last}"):
        from_safetensors(folder)
    (folder / last).write_bytes(content)
    write_index(folder, places | {"encoder.other": first})
    with pytest.raises(
        InputError, match=rf"what {INDEX} says. Received: .*{first}, which lacks encoder\.other"
    ):
        from_safetensors(folder)
    moved = next(name for name, place in places.items() if place == first)
    write_index(folder, places | {moved: last})
    with pytest.raises(InputError, match=rf"(lacks {moved}|has {moved}, which is not its)"):
        from_safetensors(folder)
    for wrong in ("{", "[]", "{}", '{"weight_map": {}}', '{"weight_map": {"a": "../b"}}'):
        (folder / INDEX).write_text(wrong)
        with pytest.raises(
            InputError, match=r"index of shards is corrupt|must name files beside it"
        ):
            from_safetensors(folder)


def test_other_formats_are_named_with_what_converts_them(tmp_path):
    folder = write(tmp_path / "one")
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")
    message = r"with pytorch_model\.bin. .* with PyTorch in this folder: python -c"
    with pytest.raises(InputError, match=message):
        from_safetensors(folder)
    (folder / "pytorch_model.bin").rename(folder / "tf_model.h5")
    with pytest.raises(InputError, match=r"must be in model\.safetensors.*tf_model\.h5"):
        from_safetensors(folder)


def test_two_encoders(tmp_path):
    plain = read_tensors(write(tmp_path / "one"))
    both = {f"{side}.{name}": tensor for side in "ab" for name, tensor in plain.items()}
    save_file(both, tmp_path / WEIGHTS)
    with pytest.raises(InputError, match=r"must hold one encoder.*with a\., b\."):
        read_tensors(tmp_path)


@pytest.mark.parametrize(("stored", "expected"), [(8, 8), (99, 12), (None, 12)])
def test_the_longest_text_is_the_publishers(stored, expected, tmp_path):
    folder = write(tmp_path / "one")
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": stored}))
    encoder = from_safetensors(folder)
    assert encoder.config.max_length == expected
    tables = load_file(folder / WEIGHTS)["embeddings.position_embeddings.weight"]
    positions = encoder.layer("embedding").positions.embeddings
    np.testing.assert_array_equal(positions, tables[:expected])
    assert from_safetensors(folder, max_length=5).config.max_length == 5
    for wrong in (0, 13, "9"):
        with pytest.raises(InputError, match="`max_length` must be a whole number from 2 to"):
            from_safetensors(folder, max_length=wrong)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"model_type": []}, "`model_type` must be text"),
        ({"hidden_act": []}, "`hidden_act` must be text"),
        ({"hidden_dropout_prob": None}, "`hidden_dropout_prob` must be a number"),
        ({"layer_norm_eps": "x"}, "`layer_norm_eps` must be a number"),
        ({"max_position_embeddings": None}, "`max_position_embeddings` must be a whole number"),
        ({"pad_token_id": "x"}, "`pad_token_id` must be"),
        ({"hidden_size": "16"}, "whole number"),
        ({"num_hidden_layers": None}, "whole number"),
    ],
    ids=str,
)
def test_settings_of_a_wrong_type(setting, message, tmp_path):
    config = json.loads((write(tmp_path) / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | setting))
    with pytest.raises(InputError, match=message):
        from_safetensors(tmp_path)


def test_modules_that_cannot_be_used(tmp_path):
    write(tmp_path)
    modules = [{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": "pooling"}]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "pooling").mkdir()
    for content in ("null", "[" * 100_000):
        (tmp_path / "pooling" / "config.json").write_text(content)
        with pytest.raises(
            InputError, match=r"must (be JSON|hold a configuration).*pooling/config\.json"
        ):
            from_safetensors(tmp_path)
