"""Exports a translation model."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfcompress.custom_ops.names import TOP_LOGITS, chosen
from tfcompress.errors import InputError
from tfcompress.export.bundle.writer import new_folder, write_manifest
from tfcompress.export.conversion import parity
from tfcompress.export.conversion.signatures import Signatures
from tfcompress.export.errors import ExportError
from tfcompress.export.graph.model_file import (
    check_custom_ops,
    check_finite,
    made_by,
    write_model,
)
from tfcompress.export.graph.size import check_convertible
from tfcompress.export.tokenizers.tokenizer_files import check_tokenizers, write_tokenizers
from tfcompress.models import Seq2SeqTransformer
from tfcompress.models.precision import to_float32
from tfcompress.runtime.manifest import FORMAT
from tfcompress.text import Shortlist, Tokenizer

SHORTLIST = "shortlist.bin"


def convert_seq2seq(
    transformer: Seq2SeqTransformer,
    path: str | os.PathLike,
    *,
    source_tokenizer: Tokenizer | None,
    target_tokenizer: Tokenizer | None,
    quantization: str,
    plan: Mapping[str, str] | None,
    representative_data: Sequence[Sequence[int]] | None,
    custom_ops: bool | Sequence[str],
    shortlist: Shortlist | None,
    samples: Sequence[Sequence[int]] | None,
    force: bool,
) -> dict[str, Any]:
    """Exports a translation model; see `convert`, which has checked the quantization.

    Args:
        transformer: The model.
        path: As for `convert`, like all that follows.
        source_tokenizer: The source's tokenizer.
        target_tokenizer: The target's tokenizer.
        quantization: How weights are stored.
        plan: What weights are stored as.
        representative_data: Source token ids, each sentence ending with `eos_id`.
        custom_ops: Which custom operations.
        shortlist: The tokens that the output layer chooses from.
        samples: Source token ids, each sentence ending with `eos_id`.
        force: Whether to replace an existing bundle.

    Returns:
        The manifest.

    Raises:
        InputError: If an argument is wrong, or the bundle exists or cannot be written.
        ExportError: If the model has operations that LiteRT lacks, or the bundle does not compute
            what the model does.
    """
    custom_ops = _check_custom_ops(custom_ops, quantization, shortlist)
    config = transformer.config
    tokenizers = {"source": source_tokenizer, "target": target_tokenizer}
    check_tokenizers(tokenizers, config)
    if shortlist is not None:
        _check_shortlist(shortlist, custom_ops, config)
    if samples is None:
        samples = parity.random_samples(config)
    samples = parity.check_samples("samples", samples, config)
    typical = None
    if representative_data is not None:
        typical = parity.check_samples("representative_data", representative_data, config)
        typical = [{"ids": np.array(ids, np.int32)} for ids in typical]
    check_convertible(transformer.model.count_params())
    check_finite(transformer)
    with new_folder(path, force=force) as folder:
        transformer = to_float32(transformer)
        signatures = Signatures(transformer, custom_ops)
        if shortlist is not None:
            if not signatures.gives_top:
                raise InputError(
                    "`shortlist` needs an output layer that is one matrix, which adaptive ones are "
                    "not; leave it out"
                )
            shortlist.write(folder / SHORTLIST)
        how = write_model(
            folder,
            signatures,
            transformer,
            quantization=quantization,
            plan=plan,
            samples=typical,
            custom_ops=custom_ops,
        )
        manifest = {
            "format": FORMAT,
            "kind": "seq2seq",
            "made_by": made_by(),
            **how,
            **({} if shortlist is None else {"shortlist": SHORTLIST}),
            "parameters": transformer.model.count_params(),
            "architecture": config.to_mapping(),
            "limits": {
                "max_source_length": config.max_source_length,
                "max_target_length": config.max_target_length,
            },
            "ids": {"pad": config.pad_id, "bos": config.bos_id, "eos": config.eos_id},
            "vocabulary": {
                "source": config.source_vocabulary_size,
                "target": config.target_vocabulary_size,
            },
            **write_tokenizers(tokenizers, folder),
            "state": [
                {"name": name, **spec.to_mapping()} for name, spec in signatures.state.items()
            ],
            "decoder": {"block": signatures.block},
        }
        # The runtime that compares the bundle reads its manifest.
        write_manifest(folder, manifest)
        try:
            manifest["parity"] = parity.compare(transformer, folder, samples)
        except (InputError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ExportError(
                f"LiteRT cannot run the exported model: {reason}; replace its unusual layers"
            ) from error
        parity.check(manifest["parity"], quantization)
        return write_manifest(folder, manifest)


def _check_custom_ops(custom_ops, quantization, shortlist):
    """Returns the names of the operations."""
    names = chosen(custom_ops)
    if custom_ops is True and shortlist is not None:
        # Only with a shortlist is it faster than the builtin product.
        names |= {TOP_LOGITS}
    check_custom_ops(names, quantization)
    return names


def _check_shortlist(shortlist, custom_ops, config):
    if TOP_LOGITS not in custom_ops:
        raise InputError(
            f"`shortlist` is for the custom operation {TOP_LOGITS}, which is not asked for; choose "
            "`custom_ops` too, or leave it out"
        )
    given = shortlist.source_vocabulary_size, shortlist.target_vocabulary_size
    expected = config.source_vocabulary_size, config.target_vocabulary_size
    if given != expected:
        raise InputError(
            f"`shortlist` is for vocabularies of {given[0]} and {given[1]} ids, but the model's "
            f"have {expected[0]} and {expected[1]}; build it with the model's tokenizers and sizes"
        )
    if config.eos_id not in shortlist.frequent:
        raise InputError(
            "`shortlist` leaves out the end id, so that no translation would end; build it with "
            f"always=[{config.eos_id}]"
        )
