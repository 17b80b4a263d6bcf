"""Importance, masking and removal of attention heads in a BERT classifier."""

import re

import numpy as np
from fidelity.weights import affine, linear
from tensorflow import keras

from tfcompress import layers
from tfcompress.surgery import head_importance

INPUTS = ("input_ids", "segment_ids", "attention_mask", "labels")
ACTIVATIONS = {"gelu(erf)": "gelu", "relu": "relu", "tanh": "tanh", "swish": "swish"}
PROJECTIONS = ("query", "key", "value")


def classifier(config, arrays, num_heads):
    """A BERT classifier with so many heads in each layer; its model and its encoder layers."""
    width, head_dim = config["hidden"], config["hidden"] // config["heads"]
    embedding = layers.FactorizedEmbedding(
        config["vocab"],
        hidden_dim=width,
        tie="none",
        normalize=True,
        positions=layers.LearnedPosition(
            len(arrays["w/bert.embeddings.position_embeddings.weight"])
        ),
        token_types=len(arrays["w/bert.embeddings.token_type_embeddings.weight"]),
        epsilon=config["ln_eps"],
    )
    encoder = [
        layers.TransformerEncoderLayer(
            layers.MultiHeadAttention(count, head_dim=head_dim, gated=True, name=f"attention_{i}"),
            feed_forward=layers.FeedForward(config["ffn"], activation=ACTIVATIONS[config["act"]]),
            epsilon=config["ln_eps"],
        )
        for i, count in enumerate(num_heads)
    ]
    pooler = layers.Dense(width, activation="tanh")
    output = layers.Dense(config["num_labels"])

    ids, types, tokens = (keras.Input((None,), dtype="int32") for _ in range(3))
    x = embedding(ids, token_type_ids=types)
    for layer in encoder:
        x = layer(x, padding_mask=tokens)
    model = keras.Model([ids, types, tokens], output(pooler(x[:, 0])))

    prefix = "bert.embeddings"
    embedding.embeddings.assign(arrays[f"w/{prefix}.word_embeddings.weight"])
    embedding.type_embeddings.assign(arrays[f"w/{prefix}.token_type_embeddings.weight"])
    embedding.positions.set_weights([arrays[f"w/{prefix}.position_embeddings.weight"]])
    embedding.normalization.set_weights(affine(arrays, f"{prefix}.LayerNorm"))
    for i, layer in enumerate(encoder):
        _load(layer, arrays, f"bert.encoder.layer.{i}")
    pooler.set_weights(linear(arrays, "bert.pooler.dense"))
    output.set_weights(linear(arrays, "classifier"))
    return model, encoder


def _load(layer, arrays, prefix):
    attention = layer.attention
    for name in PROJECTIONS:
        getattr(attention, name).set_weights(linear(arrays, f"{prefix}.attention.self.{name}"))
    attention.output_projection.set_weights(linear(arrays, f"{prefix}.attention.output.dense"))
    layer.attention_normalization.set_weights(
        affine(arrays, f"{prefix}.attention.output.LayerNorm")
    )
    layer.feed_forward.inner.set_weights(linear(arrays, f"{prefix}.intermediate.dense"))
    layer.feed_forward.outer.set_weights(linear(arrays, f"{prefix}.output.dense"))
    layer.feed_forward_normalization.set_weights(affine(arrays, f"{prefix}.output.LayerNorm"))


def without_heads(arrays, masked, head_dim):
    """The arrays of the reference code without the rows and columns of the masked heads."""
    arrays = dict(arrays)
    for layer, heads in masked.items():
        prefix = f"w/bert.encoder.layer.{layer}.attention"
        gone = np.concatenate([np.arange(head_dim) + head * head_dim for head in heads])
        for name in PROJECTIONS:
            for part in ("weight", "bias"):
                key = f"{prefix}.self.{name}.{part}"
                arrays[key] = np.delete(arrays[key], gone, axis=0)
        key = f"{prefix}.output.dense.weight"
        arrays[key] = np.delete(arrays[key], gone, axis=1)
    return arrays


def bert(config, arrays):
    """A BERT classifier: importance of its heads, and its logits without some."""
    heads = [config["heads"]] * config["layers"]
    model, encoder = classifier(config, arrays, heads)
    inputs = [arrays[name].astype("int32") for name in INPUTS[:3]]
    size = config["batch"]
    batches = [
        ([x[i : i + size] for x in inputs], arrays["labels"][i : i + size])
        for i in range(0, len(arrays["labels"]), size)
    ]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    results = {"logits_full": model(inputs)}
    for name, l2 in {"importance_raw": False, "importance_l2": True}.items():
        scores = head_importance(
            model,
            batches,
            loss,
            query_mask=lambda inputs, _: inputs[2],
            normalize={f"attention_{len(heads) - 1}": "examples"},
            l2=l2,
        )
        assert list(scores) == [f"attention_{i}" for i in range(len(heads))]
        results[name] = np.stack(list(scores.values()))

    masked = {
        int(layer): [int(head) for head in heads.split(",")]
        for layer, heads in re.findall(r"(\d+):\{([\d,]+)\}", config["head_mask_case"])
    }
    for layer, gone in masked.items():
        gates = np.ones(config["heads"])
        gates[gone] = 0.0
        encoder[layer].attention.gates.assign(gates)
    results["logits_masked"] = model(inputs)

    left = [count - len(masked.get(i, ())) for i, count in enumerate(heads)]
    arrays = without_heads(arrays, masked, config["hidden"] // config["heads"])
    results["logits_pruned"] = classifier(config, arrays, left)[0](inputs)
    return results


METHODS = {"head_importance": (bert, INPUTS)}
