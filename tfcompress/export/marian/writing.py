"""Writes a translation model as files of Marian's and Bergamot's engines."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.errors import InputError, InputWarning
from tfcompress.export.bundle.writer import new_folder
from tfcompress.export.conversion.translation_exporter import (
    check_shortlist,
    learn_shortlist,
    source_ids,
)
from tfcompress.export.marian.alphas import activation_alphas
from tfcompress.export.tokenizers.tokenizer_files import check_tokenizer
from tfcompress.layers import LayerDropWrapper, TransformerDecoderLayer, TransformerEncoderLayer
from tfcompress.models import Seq2SeqTransformer
from tfcompress.models.marian_files.bergamot import write_bergamot
from tfcompress.models.marian_files.content import ALPHA, IntegerTensor
from tfcompress.models.marian_files.npz import write_npz
from tfcompress.models.marian_files.options import EPSILON, OLD_OUTPUT, OUTPUT, config_options
from tfcompress.models.marian_files.variables import Weight, model_weights
from tfcompress.models.precision import to_float32
from tfcompress.text import Shortlist, Tokenizer
from tfcompress.text.bergamot_shortlist import write_bergamot_shortlist
from tfcompress.text.marian_vocabularies import marian_pieces

MODEL, FLOAT_BIN, INTEGER_BIN = "model.npz", "model.bin", "model.intgemm.alphas.bin"
VOCABULARY, VOCABULARIES = "vocab.spm", ("srcvocab.spm", "trgvocab.spm")
SHORTLIST = "lex.s2t.bin"


def to_marian(
    model: Seq2SeqTransformer,
    folder: str | os.PathLike,
    *,
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    representative_data: Sequence[str] | None = None,
    shortlist: Shortlist | tuple[Sequence[str], Sequence[str]] | None = None,
) -> dict[str, int]:
    """Writes a translation model for Marian, bergamot-translator and Firefox' engine.

    The folder has `model.npz` and `model.bin` in float32, the SentencePiece vocabulary
    `vocab.spm` (or `srcvocab.spm` and `trgvocab.spm`), and where they are asked for
    `model.intgemm.alphas.bin`, in 8 bits with one scale a matrix, and the lexical shortlist
    `lex.s2t.bin`. Ids become Marian's: first the end mark, then unknown pieces; padding and the
    begin mark are left out. Engines for Firefox compute students only: post-norm layers, ReLU, an
    SSRU and tied tables.

    Args:
        model: The model.
        folder: Folder to write. It appears complete or not at all.
        source_tokenizer: The tokenizer of the source.
        target_tokenizer: The tokenizer of the target.
        representative_data: Some hundred sentences of the source, by which the ranges of
            activations are measured that `model.intgemm.alphas.bin` has.
        shortlist: The shortlist, or sentences and their translations to learn it from.

    Returns:
        The bytes of each file, by name.

    Raises:
        InputError: If Marian cannot compute the model, naming each setting, the tokenizers are not
            the model's, or the folder exists or cannot be written.

    Example:

    >>> files = tfc.export.to_marian(
    ...     student, "student", source_tokenizer=tokenizer, target_tokenizer=tokenizer
    ... )
    >>> sorted(files)
    ['model.bin', 'model.npz', 'vocab.spm']
    """
    if not isinstance(model, Seq2SeqTransformer):
        raise InputError(f"`model` must be a Seq2SeqTransformer. Received: {type(model).__name__}.")
    config = model.config
    for side, tokenizer in (("source", source_tokenizer), ("target", target_tokenizer)):
        check_tokenizer(f"{side}_tokenizer", tokenizer, config, config.vocabulary_sizes[side])
    _check_layers(model)
    vocabularies, ids = zip(*map(marian_pieces, (source_tokenizer, target_tokenizer)))
    options = config_options(config, (len(ids[0]), len(ids[1])))
    model = to_float32(model)
    _check_values(model, ids)
    if isinstance(shortlist, tuple):
        shortlist = learn_shortlist(source_tokenizer, target_tokenizer, *shortlist, config)
    if shortlist is not None:
        check_shortlist(shortlist, config)
    weights = [*model_weights(model)]
    tensors = dict(_tensors(config, weights, ids))
    with new_folder(folder) as new:
        names = [VOCABULARY] if vocabularies[0] == vocabularies[1] else VOCABULARIES
        for name, vocabulary in zip(names, vocabularies):
            (new / name).write_bytes(vocabulary)
        options["vocabs"] = [names[0], names[-1]]
        write_npz(new / MODEL, tensors, options)
        write_bergamot(new / FLOAT_BIN, tensors, options)
        if representative_data is not None:
            rows = source_ids(source_tokenizer, representative_data, config)
            integers = _integers(model, weights, tensors, rows)
            write_bergamot(new / INTEGER_BIN, integers, options)
        if shortlist is not None:
            write_bergamot_shortlist(new / SHORTLIST, shortlist, *ids)
        files = {path.name: path.stat().st_size for path in sorted(Path(new).iterdir())}
    if config.epsilon != EPSILON:
        warnings.warn(
            f"Marian's normalizations have the epsilon {EPSILON}; the model's of {config.epsilon} "
            "differs in the last digits of its results",
            InputWarning,
            stacklevel=2,
        )
    return files


def _check_layers(model):
    for layer in [*model.encoder_layers, *model.decoder_layers]:
        layer = layer.layer if isinstance(layer, LayerDropWrapper) else layer
        if type(layer) not in (TransformerEncoderLayer, TransformerDecoderLayer):
            raise InputError(
                "Marian needs plain Transformer layers. Received: "
                f"{layer.name} of type {type(layer).__name__}. Strip what training wrapped them "
                "in, or train another model."
            )


def _check_values(model, ids):
    """Makes sure that weights are as Marian takes them to be."""
    config = model.config
    if config.embedding.share and ids[0] != ids[1]:
        raise InputError(
            "A model with one table must have one order of ids. Received: tokenizers whose "
            "special ids differ. Give those that the model was trained with."
        )
    table = model.layer(model.table_name("target")).embeddings
    if not config.embedding.zero_start and np.asarray(table)[config.bos_id].any():
        raise InputError(
            "Marian's targets begin with a vector of zeros. Received: a model with "
            "embedding.zero_start=False. Train it with zero_start=True."
        )


def _tensors(config, weights: Sequence[Weight], ids):
    inner = getattr(config.decoder.attention, "intermediate_dim", None)
    for weight in weights:
        value = np.asarray(weight.variable, np.float32)
        if weight.ids is not None:
            value = value.take(ids[weight.name != "encoder_Wemb"], axis=weight.ids)
        name = weight.name
        if inner == config.hidden_dim and name.endswith(("_aan_W2", "_aan_b2")):
            # Marian has no second product where the first has the width already.
            if not np.array_equal(value, np.eye(*value.shape) if value.ndim > 1 else 0 * value):
                raise InputError(
                    "Marian's averaged attention has one product where its inner width is the "
                    f"model's. Received: decoder.attention.intermediate_dim={inner}. Train it "
                    "with another."
                )
            continue
        if name == OLD_OUTPUT:
            name, value = OUTPUT, value.T
        yield name, np.ascontiguousarray(value if value.ndim > 1 else value[np.newaxis])


def _integers(model, weights, tensors, rows) -> dict[str, Any]:
    """The tensors with matrices in 8 bits, and what activations are multiplied by."""
    alphas = activation_alphas(model, weights, rows)
    products = {weight.name for weight in weights if weight.is_product} & tensors.keys()
    integers = {
        name: IntegerTensor.quantize(value) if name in products else value
        for name, value in tensors.items()
    }
    for name, alpha in alphas.items():
        if name in products or name == "none":
            integers[f"{name}{ALPHA}"] = np.full((1, 1), alpha, np.float32)
    # Of tables, engines read the alpha as integers, as all that is called so.
    table = "Wemb" if "Wemb" in products else "decoder_Wemb"
    scalar = np.full((1, 1), 127, np.int8)
    integers[f"{table}{ALPHA}"] = IntegerTensor(scalar, np.float32(127) / alphas["none"])
    return integers
