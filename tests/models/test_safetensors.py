"""Text encoders from published folders."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tfcompress.errors import InputError
from tfcompress.models import from_safetensors

RNG = np.random.default_rng(0)
BERT = {
    "model_type": "bert",
    "vocab_size": 20,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "max_position_embeddings": 12,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}
ROBERTA = BERT | {
    "model_type": "roberta",
    "type_vocab_size": 1,
    "pad_token_id": 1,
    "max_position_embeddings": 14,
    "id2label": {"0": "no", "1": "yes"},
}
ALBERT = BERT | {"model_type": "albert", "embedding_size": 8, "hidden_act": "gelu_new"}
DISTILBERT = {
    "model_type": "distilbert",
    "vocab_size": 20,
    "dim": 16,
    "n_layers": 2,
    "n_heads": 2,
    "hidden_dim": 24,
    "activation": "gelu",
    "dropout": 0.1,
    "max_position_embeddings": 12,
}
IDS = np.array([[5, 9, 4, 2], [7, 8, 2, 6]], "int32")


def dense(name, outputs, inputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm(name, width):
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def tables(config, width, types):
    shapes = {
        "embeddings.word_embeddings.weight": (20, width),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], width),
    }
    if types:
        shapes["embeddings.token_type_embeddings.weight"] = (types, width)
    return shapes | norm("embeddings.LayerNorm", width)


def bert_shapes(config):
    shapes = tables(config, 16, config["type_vocab_size"]) | dense("pooler.dense", 16, 16)
    for i in range(2):
        at = f"encoder.layer.{i}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= dense(f"{at}attention.{part}", 16, 16)
        shapes |= dense(f"{at}intermediate.dense", 24, 16) | dense(f"{at}output.dense", 16, 24)
        shapes |= norm(f"{at}attention.output.LayerNorm", 16) | norm(f"{at}output.LayerNorm", 16)
    return shapes


def albert_shapes(config):
    at = "encoder.albert_layer_groups.0.albert_layers.0."
    shapes = tables(config, 8, 2) | dense("encoder.embedding_hidden_mapping_in", 16, 8)
    for part in ("query", "key", "value", "dense"):
        shapes |= dense(f"{at}attention.{part}", 16, 16)
    shapes |= dense(f"{at}ffn", 24, 16) | dense(f"{at}ffn_output", 16, 24)
    shapes |= norm(f"{at}attention.LayerNorm", 16) | norm(f"{at}full_layer_layer_norm", 16)
    return shapes | dense("pooler", 16, 16)


def distilbert_shapes(config):
    shapes = tables(config, 16, 0)
    for i in range(2):
        at = f"transformer.layer.{i}."
        for part in ("q_lin", "k_lin", "v_lin", "out_lin"):
            shapes |= dense(f"{at}attention.{part}", 16, 16)
        shapes |= dense(f"{at}ffn.lin1", 24, 16) | dense(f"{at}ffn.lin2", 16, 24)
        shapes |= norm(f"{at}sa_layer_norm", 16) | norm(f"{at}output_layer_norm", 16)
    return shapes


FAMILIES = {
    "bert": (BERT, bert_shapes),
    "roberta": (ROBERTA, bert_shapes),
    "albert": (ALBERT, albert_shapes),
    "distilbert": (DISTILBERT, distilbert_shapes),
}


def write(folder, kind="bert", more=(), prefix="", **settings):
    config, shapes = FAMILIES[kind]
    config = config | settings
    tensors = {
        f"{prefix}{name}": RNG.normal(size=shape).astype("f")
        for name, shape in (shapes(config) | dict(more)).items()
    }
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "model.safetensors")
    return folder


def outputs(encoder):
    return {name: np.array(v) for name, v in encoder.call_without_mask(IDS).items()}


@pytest.mark.parametrize("kind", FAMILIES)
def test_names_with_and_without_prefix(kind, tmp_path):
    folder = write(tmp_path / "one", kind)
    encoder = from_safetensors(folder)
    assert encoder.config.pooler == (kind != "distilbert")
    tensors = load_file(folder / "model.safetensors")
    prefixed = {f"{kind}.{name}": tensor for name, tensor in tensors.items()}
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
    found = outputs(from_safetensors(folder))
    np.testing.assert_allclose(found["hidden"], x, atol=2e-5)
    np.testing.assert_allclose(found["pooled"], np.tanh(linear(x[:, 0], "pooler.dense")), atol=2e-5)


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
        {"type": f"x.models.{kind}", "path": path}
        for kind, path in (
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
    found = outputs(from_safetensors(folder))["embedding"]
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    pooling.write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(InputError, match="pooling_mode_max_tokens is not supported"):
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
    with pytest.raises(InputError, match=r"model\.safetensors: damaged"):
        from_safetensors(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"config\.json: no JSON"),
        ('{"model_type": "gpt2"}', "model_type 'gpt2' is not supported; give one of bert, roberta"),
        ('{"model_type": "bert"}', r"config\.json: has no "),
        (json.dumps({k: v for k, v in BERT.items() if k != "vocab_size"}), "has no vocab_size"),
        (json.dumps(BERT | {"hidden_act": "cube"}), "activation 'cube' is not supported"),
    ],
)
def test_other_configurations(content, message, tmp_path):
    folder = write(tmp_path / "one")
    (folder / "config.json").write_text(content)
    with pytest.raises(InputError, match=message):
        from_safetensors(folder)


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match=r"config\.json: cannot be read"):
        from_safetensors(tmp_path)
    folder = write(tmp_path / "one")
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"model\.safetensors: missing"):
        from_safetensors(folder)
