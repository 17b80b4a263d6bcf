"""Exports a text encoder."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.custom_ops.names import chosen
from tfcompress.errors import InputError
from tfcompress.export.bundle.writer import new_folder, write_manifest
from tfcompress.export.conversion import encoder_parity
from tfcompress.export.conversion.encoder_signature import EncoderSignature
from tfcompress.export.conversion.samples import check_ids
from tfcompress.export.errors import ExportError
from tfcompress.export.graph.model_file import (
    check_custom_ops,
    check_finite,
    made_by,
    write_model,
)
from tfcompress.export.graph.size import check_convertible
from tfcompress.export.tokenizers.text_tokenizer_graph import make_text_tokenizer_graph
from tfcompress.models import TextEncoder, TextEncoderConfig
from tfcompress.models.precision import to_float32
from tfcompress.runtime.manifest import FORMAT
from tfcompress.text import TextTokenizer
from tfcompress.text.text_tokenizers import fits_table

GRAPH = "tokenizer.tflite"


def convert_encoder(
    encoder: TextEncoder,
    path: str | os.PathLike,
    *,
    tokenizer: TextTokenizer | None,
    quantization: str,
    plan: Mapping[str, str] | None,
    representative_data: Sequence[Sequence[int]] | None,
    custom_ops: bool | Sequence[str],
    tokenizer_graph: bool,
    samples: Sequence[Sequence[int]] | None,
    force: bool,
) -> dict[str, Any]:
    """Exports a text encoder; see `convert`, which has checked the quantization.

    Args:
        encoder: The model.
        path: As for `convert`, like all that follows.
        tokenizer: The tokenizer, or None.
        quantization: How weights are stored.
        plan: What weights are stored as.
        representative_data: Token ids of typical texts.
        custom_ops: Which custom operations.
        tokenizer_graph: Whether to add the tokenizer as a LiteRT graph.
        samples: Token ids of texts to compare bundle and model on.
        force: Whether to replace an existing bundle.

    Returns:
        The manifest.

    Raises:
        InputError: If an argument is wrong, or the bundle exists or cannot be written.
        ExportError: If the model has operations that LiteRT lacks, or the bundle does not compute
            what the model does.
    """
    custom_ops = chosen(custom_ops)
    check_custom_ops(custom_ops, quantization)
    config = encoder.config
    _check_tokenizer(tokenizer, config)
    limits = {"max_length": config.max_length, "vocabulary_size": config.vocabulary_size}
    if samples is None:
        samples = encoder_parity.random_samples(config)
    samples = check_ids("samples", samples, **limits)
    typical = None
    if representative_data is not None:
        typical = check_ids("representative_data", representative_data, **limits)
        typical = [_inputs(ids, config) for ids in typical]
    check_convertible(encoder.model.count_params())
    check_finite(encoder)
    with new_folder(path, force=force) as folder:
        encoder = to_float32(encoder)
        signature = EncoderSignature(encoder, custom_ops)
        how = write_model(
            folder,
            signature,
            encoder,
            quantization=quantization,
            plan=plan,
            samples=typical,
            custom_ops=custom_ops,
        )
        architecture = config.to_mapping()
        outputs = {
            name: {"width": output.width, "per_token": output.per_token}
            for name, output in signature.outputs.items()
        }
        manifest = {
            "format": FORMAT,
            "kind": "text_encoder",
            "made_by": made_by(),
            **how,
            "parameters": encoder.model.count_params(),
            "architecture": architecture,
            "head": architecture.get("head"),
            "limits": {"max_length": config.max_length},
            "ids": {
                "pad": config.pad_id,
                "start": None if tokenizer is None else tokenizer.start_id,
                "end": None if tokenizer is None else tokenizer.end_id,
            },
            "vocabulary": config.vocabulary_size,
            "token_types": config.token_types,
            "outputs": outputs,
            **_write_tokenizer(tokenizer, tokenizer_graph, folder),
        }
        # The runtime that compares the bundle reads its manifest.
        write_manifest(folder, manifest)
        try:
            manifest["parity"] = encoder_parity.compare(encoder, folder, samples)
        except (InputError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ExportError(
                f"LiteRT cannot run the exported model: {reason}; replace its unusual layers"
            ) from error
        encoder_parity.check(manifest["parity"], quantization)
        return write_manifest(folder, manifest)


def _inputs(ids, config):
    """The arguments of `encode` for one text."""
    ids = np.array([ids], np.int32)
    return {"token_ids": ids} | ({"token_type_ids": 0 * ids} if config.token_types else {})


def _check_tokenizer(tokenizer: TextTokenizer | None, config: TextEncoderConfig) -> None:
    """Makes sure that tokenizer and model agree on every id."""
    if tokenizer is None:
        return
    if not isinstance(tokenizer, TextTokenizer):
        raise InputError(
            f"tokenizer is {type(tokenizer).__name__}; give a tokenizer of tfcompress.text for "
            "text encoders, such as `load_text_tokenizer` returns"
        )
    if not fits_table(tokenizer.vocabulary_size, config.vocabulary_size):
        raise InputError(
            f"tokenizer has {tokenizer.vocabulary_size} pieces, but the model's table "
            f"{config.vocabulary_size} rows; give the tokenizer that the model was trained with"
        )
    if tokenizer.pad_id != config.pad_id:
        raise InputError(
            f"tokenizer pads with the id {tokenizer.pad_id}, but the model with {config.pad_id}; "
            "give the tokenizer that the model was trained with"
        )


def _write_tokenizer(tokenizer: TextTokenizer | None, with_graph: bool, folder: Path) -> dict:
    """Writes the tokenizer's files and returns what the manifest says of them."""
    if tokenizer is None:
        return {"tokenizer": None, "tokenizer_graph": None}
    for name, content in tokenizer.files().items():
        (folder / name).write_bytes(content)
    graph = None
    if with_graph:
        graph, reason = make_text_tokenizer_graph(tokenizer)
        if graph is None:
            raise InputError(f"`tokenizer_graph` cannot be made: {reason}; leave it out")
        (folder / GRAPH).write_bytes(graph)
    return {
        "tokenizer": tokenizer.settings(),
        "tokenizer_graph": None if graph is None else GRAPH,
    }
