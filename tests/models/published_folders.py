"""Folders as models are published in, with random weights."""

import json

import numpy as np
from safetensors.numpy import save_file

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


def dense(name, outputs, inputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm(name, width):
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def tables(config, width, types):
    shapes = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], width),
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


def write(folder, model_type="bert", more=(), prefix="", **settings):
    config, shapes = FAMILIES[model_type]
    config = config | settings
    tensors = {
        f"{prefix}{name}": RNG.normal(size=shape).astype("f")
        for name, shape in (shapes(config) | dict(more)).items()
    }
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "model.safetensors")
    return folder
