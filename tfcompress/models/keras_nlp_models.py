"""Text encoders from and to keras-nlp."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models.config_parts import (
    FeedForwardConfig,
    SharingConfig,
    StackConfig,
)
from tfcompress.models.encoder_weights import encoder_weights, set_weights
from tfcompress.models.head_config import CLASSIFICATION, MULTI_LABEL, REGRESSION, HeadConfig
from tfcompress.models.mixers import AttentionConfig
from tfcompress.models.text_encoder import TextEncoder
from tfcompress.models.text_encoder_config import TextEncoderConfig


@dataclass(frozen=True)
class _Family:
    """A family of encoders as keras-nlp builds it.

    Attributes:
        name: What its classes begin with.
        activation: The feed-forwards'.
        epsilon: The normalizations'.
        pooler: Whether it has a pooler, which its classifier reads.
        token_types: Whether it has token types.
        embedding: Path of the token and position tables.
        pad_id: Id of padding.
        hidden_activation: That of its classifier's hidden layer, or None for no such layer.
    """

    name: str
    activation: str = "gelu"
    epsilon: float = 1e-12
    pooler: bool = False
    token_types: bool = False
    embedding: str = ""
    pad_id: int = 0
    hidden_activation: str | None = None


_FAMILIES = (
    _Family("Bert", "gelu_tanh", pooler=True, token_types=True),
    _Family("Albert", "gelu_tanh", pooler=True, token_types=True),
    _Family("Roberta", epsilon=1e-5, embedding="embeddings/", pad_id=1, hidden_activation="tanh"),
    _Family("DistilBert", embedding="token_and_position_embedding/", hidden_activation="relu"),
)
_OF_LAYER = {
    "query": "self_attention_layer/query",
    "key": "self_attention_layer/key",
    "value": "self_attention_layer/value",
    "output": "self_attention_layer/attention_output",
    "attention_norm": "self_attention_layer_norm",
    "inner": "feedforward_intermediate_dense",
    "outer": "feedforward_output_dense",
    "feed_norm": "feedforward_layer_norm",
}


def from_keras_nlp(model: Any) -> TextEncoder:
    """Builds the text encoder that computes what a keras-nlp model does, with its weights.

    keras-nlp is Keras 3. To train the encoder with tf-model-optimization, which is Keras 2, save it
    with `save_to_preset` and load that folder in a process with TF_USE_LEGACY_KERAS=1.

    Args:
        model: A `BertBackbone`, `AlbertBackbone`, `RobertaBackbone` or `DistilBertBackbone`, or a
            `TextClassifier` of one of these, whose logits the encoder's head then gives.

    Returns:
        The encoder. Its `token_type_ids` are keras-nlp's `segment_ids`. Where keras-nlp gets
        the padding mask, it finds padding by `pad_id`.

    Raises:
        InputError: If the model is of another class, or this is Keras 2.

    Example:

    >>> backbone = keras_nlp.models.BertBackbone(100, 2, 2, 16, 32)
    >>> tfc.models.from_keras_nlp(backbone).config.hidden_dim
    16
    """
    family, backbone = _family(model)
    config = _config(family, backbone, None if backbone is model else model)
    encoder = TextEncoder(config)
    variables = _keras_nlp_weights(family, model, encoder)
    values = {
        name: np.reshape(np.array(variables[name]), variable.shape)
        for name, variable in encoder_weights(encoder).items()
    }
    set_weights(encoder, values)
    return encoder


def to_keras_nlp(encoder: TextEncoder, family: str) -> Any:
    """Builds the keras-nlp model that computes what a text encoder does, with its weights.

    Args:
        encoder: A plain encoder: without a head, or with the one that the family's classifier has.
        family: "bert", "albert", "roberta" or "distil_bert".

    Returns:
        A backbone, or with a head a `TextClassifier`.

    Raises:
        InputError: If the family has no such encoder, naming what differs, or this is Keras 2.

    Example:

    >>> encoder = tfc.models.from_keras_nlp(keras_nlp.models.BertBackbone(100, 2, 2, 16, 32))
    >>> backbone = tfc.models.to_keras_nlp(encoder, "bert")
    """
    import_keras_nlp()
    chosen = {_snake(one.name): one for one in _FAMILIES}.get(family)
    if chosen is None:
        names = ", ".join(_snake(one.name) for one in _FAMILIES)
        raise InputError(f"`family` must be one of {names}. Received: family={family!r}.")
    model = _keras_nlp_model(chosen, encoder.config)
    weights = encoder_weights(encoder)
    variables = _keras_nlp_weights(chosen, model, encoder)
    for name, variable in variables.items():
        variable.assign(np.reshape(np.array(weights[name]), variable.shape))
    return model


def import_keras_nlp():
    """Returns keras-nlp.

    Raises:
        InputError: If this is Keras 2.
    """
    if not hasattr(keras, "ops"):
        raise InputError(
            "Models of keras-nlp need Keras 3. Received: TF_USE_LEGACY_KERAS=1, so Keras 2. "
            "Make this one call in a process without it, and pass the model on with "
            "`save_to_preset`."
        )
    import keras_nlp

    return keras_nlp


def _family(model):
    models = import_keras_nlp().models
    for family in _FAMILIES:
        if type(model) is getattr(models, f"{family.name}Backbone"):
            return family, model
        if type(model) is getattr(models, f"{family.name}TextClassifier"):
            return family, model.backbone
    names = ", ".join(f"{family.name}Backbone" for family in _FAMILIES)
    raise InputError(
        f"The model must be a {names}, or a TextClassifier of one. Received: "
        f"{type(model).__name__}."
    )


def _config(family, backbone, task):
    sharing = SharingConfig("none")
    if family.name == "Albert":
        if backbone.num_inner_repetitions != 1:
            raise InputError(
                "An AlbertBackbone must have num_inner_repetitions=1. Received: "
                f"num_inner_repetitions={backbone.num_inner_repetitions}."
            )
        sharing = SharingConfig("all")
        if backbone.num_groups != 1:
            sharing = SharingConfig("groups", groups=backbone.num_groups)
    stack = StackConfig(
        backbone.num_layers,
        attention=AttentionConfig(backbone.num_heads, dropout=backbone.dropout),
        feed_forward=FeedForwardConfig(backbone.intermediate_dim, activation=family.activation),
        sharing=sharing,
    )
    return TextEncoderConfig(
        vocabulary_size=backbone.vocabulary_size,
        hidden_dim=backbone.hidden_dim,
        encoder=stack,
        embedding_dim=getattr(backbone, "embedding_dim", None),
        token_types=backbone.num_segments if family.token_types else 0,
        pooler=family.pooler,
        dropout=backbone.dropout,
        epsilon=family.epsilon,
        max_length=backbone.max_sequence_length,
        pad_id=family.pad_id,
        head=None if task is None else _head(family, task),
    )


def _head(family, task):
    if keras.activations.serialize(task.activation) != "linear":
        raise InputError(
            "The classifier's logits must have no activation, as `HeadConfig` has none. Received: "
            f"activation={keras.activations.serialize(task.activation)!r}. Make it with "
            "activation=None."
        )
    return HeadConfig(
        # Of one output, its class would always be right.
        CLASSIFICATION if task.num_classes > 1 else REGRESSION,
        num_classes=task.num_classes,
        pooling="pooled" if family.pooler else "first",
        hidden_activation=family.hidden_activation,
        dropout=task.dropout,
    )


def _keras_nlp_model(family, config):
    models = import_keras_nlp().models
    stack, attention = config.encoder, config.encoder.attention
    sizes = {
        "vocabulary_size": config.vocabulary_size,
        "num_layers": stack.num_layers,
        "num_heads": attention.num_heads,
        "hidden_dim": config.hidden_dim,
        "intermediate_dim": stack.feed_forward.intermediate_dim,
        "dropout": config.dropout,
        "max_sequence_length": config.max_length,
    }
    if family.token_types:
        sizes["num_segments"] = config.token_types
    if family.name == "Albert":
        sizes["embedding_dim"] = config.embedding_dim
        shares = stack.sharing.pattern == "groups"
        sizes["num_groups"] = stack.sharing.groups if shares else 1
    problems = [name for name, size in sizes.items() if size is None]
    problems += [] if config.pooler == family.pooler else ["pooler"]
    if not problems:
        backbone = getattr(models, f"{family.name}Backbone")(**sizes)
        if config.head is None:
            model = backbone
        else:
            options = {"num_classes": config.head.classes, "dropout": config.head.dropout}
            model = getattr(models, f"{family.name}TextClassifier")(backbone, **options)
        built = _config(family, backbone, None if model is backbone else model)
        problems = _differences(built, config)
    if problems:
        raise InputError(
            f"The family {family.name} of keras-nlp has no such encoder. Received: another "
            f"{', '.join(problems)}. Convert an encoder of that family."
        )
    return model


def _differences(built, wanted):
    """Names of settings that change what an encoder computes."""
    built, wanted = built.to_mapping(), wanted.to_mapping()
    for mapping in (built, wanted):
        mapping["encoder"]["attention"]["dropout"] = None
        if mapping["head"] is not None:
            mapping["head"] |= {"labels": None, "num_classes": None}
            if mapping["head"]["task"] in (MULTI_LABEL, REGRESSION):
                mapping["head"]["task"] = CLASSIFICATION  # The outputs are logits all the same.
    return [name for name in wanted if wanted[name] != built[name]]


def _keras_nlp_weights(family, model, encoder):
    """keras-nlp's variables by this library's names."""
    paths = {}
    for variable in model.weights:
        paths[variable.path.removeprefix(f"{model.name}/")] = variable
    variables = {}
    for name in encoder_weights(encoder):
        path = _path(family, name)
        matching = [v for p, v in paths.items() if p == path or p.endswith(f"/{path}")]
        if len(matching) != 1:
            raise InputError(
                f"The model must have one weight named {path}. Received: "
                f"{type(model).__name__} with {len(matching)}, of another version of keras-nlp."
            )
        variables[name] = matching[0]
    return variables


def _path(family, name):
    tables = {
        "tokens": f"{family.embedding}token_embedding/embeddings",
        "positions": f"{family.embedding}position_embedding/embeddings",
        "types": "segment_embedding/embeddings",
    }
    if name in tables:
        return tables[name]
    owner, weight = name.rsplit(".", 1)
    owners = {
        "embedding_norm": "embeddings_layer_norm",
        "projection": "embedding_projection",
        "pooler": "pooled_dense",
        "head_hidden": "pooled_dense",
        "head_output": "logits",
    }
    if owner in owners:
        return f"{owners[owner]}/{weight}"
    _, index, part = owner.split(".")
    layer = f"transformer_layer_{index}"
    if family.name == "Albert":
        layer = f"group_{index}_inner_layer_0"
    return f"{layer}/{_OF_LAYER[part]}/{weight}"


def _snake(name):
    return "distil_bert" if name == "DistilBert" else name.lower()
