"""Text encoders from published folders."""

import json

import numpy as np
import pytest
from flavours import one_flavour
from models.published_folders import BERT, FAMILIES, dense, write
from safetensors.numpy import load_file, save_file

from tfcompress.errors import InputError
from tfcompress.models import from_safetensors

pytestmark = one_flavour

IDS = np.array([[5, 9, 4, 2], [7, 8, 2, 6]], "int32")


def outputs(encoder):
    return {name: np.array(v) for name, v in encoder.call_without_mask(IDS).items()}


@pytest.mark.parametrize("model_type", FAMILIES)
def test_names_with_and_without_prefix(model_type, tmp_path):
    folder = write(tmp_path / "one", model_type)
    encoder = from_safetensors(folder)
    assert encoder.config.pooler == (model_type != "distilbert")
    tensors = load_file(folder / "model.safetensors")
    prefixed = {f"{model_type}.{name}": tensor for name, tensor in tensors.items()}
    prefixed = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in prefixed.items()
    }
    save_file(prefixed | {"cls.predictions.bias": np.zeros(3, "f")}, folder / "model.safetensors")
    for name, value in outputs(from_safetensors(folder)).items():
        np.testing.assert_array_equal(value, outputs(encoder)[name])


def test_bert_computes_what_the_tensors_say(tmp_path):
    """One layer by hand."""
    folder = write(tmp_path / "one", num_hidden_layers=1)
    tensors = load_file(folder / "model.safetensors")
    tensors = {n: t for n, t in tensors.items() if not n.startswith("encoder.layer.1.")}
    save_file(tensors, folder / "model.safetensors")

    def linear(x, name):
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def normalize(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    from math import erf

    x = tensors["embeddings.word_embeddings.weight"][IDS]
    x = x + tensors["embeddings.position_embeddings.weight"][:4]
    x = normalize(x + tensors["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    at = "encoder.layer.0."
    q, k, v = (
        linear(x, f"{at}attention.self.{part}").reshape(2, 4, 2, 8).swapaxes(1, 2)
        for part in ("query", "key", "value")
    )
    scores = np.exp(q @ k.swapaxes(-1, -2) / np.sqrt(8))
    context = (scores / scores.sum(-1, keepdims=True) @ v).swapaxes(1, 2).reshape(2, 4, 16)
    x = normalize(
        x + linear(context, f"{at}attention.output.dense"), f"{at}attention.output.LayerNorm"
    )
    inner = linear(x, f"{at}intermediate.dense")
    inner = inner * (1 + np.vectorize(erf)(inner / np.sqrt(2))) / 2
    x = normalize(x + linear(inner, f"{at}output.dense"), f"{at}output.LayerNorm")
    actual = outputs(from_safetensors(folder))
    np.testing.assert_allclose(actual["hidden"], x, atol=2e-5)
    np.testing.assert_allclose(
        actual["pooled"], np.tanh(linear(x[:, 0], "pooler.dense")), atol=2e-5
    )


def test_classifiers(tmp_path):
    encoder = from_safetensors(write(tmp_path / "b", "bert", dense("classifier", 3, 16)))
    assert encoder.config.head.pooling == "pooled"
    assert outputs(encoder)["logits"].shape == (2, 3)
    more = dense("classifier.dense", 16, 16) | dense("classifier.out_proj", 2, 16)
    head = from_safetensors(write(tmp_path / "r", "roberta", more)).config.head
    assert (head.labels, head.hidden_activation, head.pooling) == (("no", "yes"), "tanh", "first")
    more = dense("pre_classifier", 16, 16) | dense("classifier", 2, 16)
    head = from_safetensors(write(tmp_path / "d", "distilbert", more)).config.head
    assert (head.num_classes, head.hidden_activation) == (2, "relu")
    tokens = write(
        tmp_path / "t",
        "bert",
        dense("classifier", 3, 16),
        architectures=["BertForTokenClassification"],
    )
    assert outputs(from_safetensors(tokens))["logits"].shape == (2, 4, 3)


def test_roberta_positions_begin_after_padding(tmp_path):
    encoder = from_safetensors(write(tmp_path / "r", "roberta"))
    assert (encoder.config.max_length, encoder.config.token_types) == (12, 0)
    tensors = load_file(tmp_path / "r" / "model.safetensors")
    expected = tensors["embeddings.position_embeddings.weight"][2:]
    expected = expected + tensors["embeddings.token_type_embeddings.weight"][0]
    np.testing.assert_allclose(encoder.layer("embedding").positions.embeddings, expected)


def test_sentence_encoders(tmp_path):
    folder = write(tmp_path / "s")
    modules = [
        {"type": f"x.models.{name}", "path": path}
        for name, path in (
            ("Transformer", ""),
            ("Pooling", "1_Pooling"),
            ("Normalize", "2_Normalize"),
        )
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(
        json.dumps({"pooling_mode_mean_tokens": True, "word_embedding_dimension": 16})
    )
    actual = outputs(from_safetensors(folder))["embedding"]
    np.testing.assert_allclose(np.linalg.norm(actual, axis=1), 1, atol=1e-5)
    pooling.write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(InputError, match="Received: pooling_mode_max_tokens"):
        from_safetensors(folder)


def test_missing_and_extra_tensors_are_listed(tmp_path):
    folder = write(tmp_path / "one", more={"encoder.extra.weight": (2,)})
    tensors = load_file(folder / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.bias"]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(
        InputError,
        match=r"lacks encoder\.layer\.1\.output\.dense\.bias and has encoder\.extra\.weight",
    ):
        from_safetensors(folder)


def test_wrong_shapes_are_named(tmp_path):
    folder = write(tmp_path / "one")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 21}))
    with pytest.raises(InputError, match=r"tokens \(20, 16\) instead of \(21, 16\)"):
        from_safetensors(folder)


@pytest.mark.parametrize("size", [0, 5, 100, -1])
def test_truncated_weights(size, tmp_path):
    folder = write(tmp_path / "one")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=r"corrupt .*model\.safetensors"):
        from_safetensors(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"must be JSON .*config\.json"),
        ('{"model_type": "gpt2"}', "must be one of bert, roberta.*Received: model_type='gpt2'"),
        ('{"model_type": "bert"}', r"config\.json without it"),
        ("[1]", r"must hold a configuration.*config\.json"),
        (
            json.dumps({k: v for k, v in BERT.items() if k != "vocab_size"}),
            "must have `vocab_size`",
        ),
        (json.dumps(BERT | {"hidden_act": "cube"}), "Received: 'cube' in"),
    ],
)
def test_other_configurations(content, message, tmp_path):
    folder = write(tmp_path / "one")
    (folder / "config.json").write_text(content)
    with pytest.raises(InputError, match=message):
        from_safetensors(folder)


@pytest.mark.parametrize(
    ("model_type", "setting"),
    [
        ("bert", {"is_decoder": True}),
        ("roberta", {"is_decoder": True, "add_cross_attention": True}),
        ("bert", {"position_embedding_type": "relative_key_query"}),
        ("roberta", {"position_embedding_type": "alibi"}),
        ("bert", {"is_encoder_decoder": True}),
        ("distilbert", {"pruned_heads": {"0": [1]}}),
        ("albert", {"inner_group_num": 2}),
        ("bert", {"embedding_size": 8}),
        ("bert", {"num_hidden_groups": 2}),
        ("bert", {"use_bottleneck": True}),
        ("bert", {"auto_map": {"AutoModel": "modeling.Model"}}),
        ("distilbert", {"quantization_config": {"bits": 4}}),
    ],
)
def test_settings_that_change_the_computation(model_type, setting, tmp_path):
    names = ", ".join(f"{name} .*" for name in sorted(setting, reverse=True))
    with pytest.raises(InputError, match=rf"not supported. Received: {names} in .*config\.json"):
        from_safetensors(write(tmp_path / "one", model_type, **setting))


@pytest.mark.parametrize("model_type", FAMILIES)
def test_settings_that_change_nothing(model_type, tmp_path):
    settings = {"is_decoder": False, "add_cross_attention": False, "pruned_heads": {}}
    settings |= {"position_embedding_type": "absolute", "num_hidden_groups": 1}
    from_safetensors(write(tmp_path / "one", model_type, **settings))


def test_distilbert_has_an_epsilon_of_its_own(tmp_path):
    assert from_safetensors(write(tmp_path / "b", layer_norm_eps=1e-5)).config.epsilon == 1e-5
    folder = write(tmp_path / "d", "distilbert", layer_norm_eps=1e-5)
    assert from_safetensors(folder).config.epsilon == 1e-12


@pytest.mark.parametrize(
    ("tokenizer", "sentences", "expected"),
    [(8, None, 8), (10**30, None, 12), (1e30, None, 12), (-1, None, 12), (8, 6, 6), (8, 10, 10)],
)
def test_the_publishers_length(tokenizer, sentences, expected, tmp_path):
    folder = write(tmp_path / "one")
    content = json.dumps({"model_max_length": tokenizer})
    (folder / "tokenizer_config.json").write_text(content)
    content = json.dumps({"max_seq_length": sentences})
    (folder / "sentence_bert_config.json").write_text(content)
    encoder = from_safetensors(folder)
    assert encoder.config.max_length == expected
    assert encoder.layer("embedding").positions.embeddings.shape[0] == expected
    assert from_safetensors(folder, max_length=11).config.max_length == 11


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read .*config\.json"):
        from_safetensors(tmp_path)
    folder = write(tmp_path / "one")
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"missing. Received: .*model\.safetensors"):
        from_safetensors(folder)


def test_roberta_needs_its_token_type(tmp_path):
    folder = write(tmp_path / "r", "roberta")
    tensors = load_file(folder / "model.safetensors")
    del tensors["embeddings.token_type_embeddings.weight"]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(InputError, match=r"lacks embeddings\.token_type_embeddings\.weight"):
        from_safetensors(folder)


def test_modules_without_paths(tmp_path):
    folder = write(tmp_path / "s")
    (folder / "modules.json").write_text('[{"type": "x.Transformer"}]')
    with pytest.raises(InputError, match=r"must hold a list of modules.*modules\.json"):
        from_safetensors(folder)


def test_a_rate_of_zero_stays(tmp_path):
    more = dense("classifier", 2, 16)
    settings = {"classifier_dropout": 0.0, "id2label": {"a": "x"}}
    head = from_safetensors(write(tmp_path / "b", "bert", more, **settings)).config.head
    assert (head.dropout, head.labels, head.num_classes) == (0.0, (), 2)
