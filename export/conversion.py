"""Exports a trained model as a bundle."""

import errno
import importlib.metadata
import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

import tfcompress
from tfcompress.custom_ops.names import TOP_LOGITS, chosen
from tfcompress.errors import InputError
from tfcompress.export import flatbuffer, parity
from tfcompress.export.bundle import new_folder, write_manifest
from tfcompress.export.errors import ExportError
from tfcompress.export.kinds import STATIC, check_quantization
from tfcompress.export.mixed_plan import MixedPlan, WeightNames
from tfcompress.export.packing import pack_constants
from tfcompress.export.quantization import choice, quantize
from tfcompress.export.runtime.native_files import native_library
from tfcompress.export.signatures import Signatures
from tfcompress.export.size import check_convertible, check_size, size_limit
from tfcompress.export.static_encoder import float_operations, quantize_encoder
from tfcompress.export.tokenizers import check_tokenizers, write_tokenizers
from tfcompress.export.traps import check_traps
from tfcompress.models import Seq2SeqTransformer
from tfcompress.models.precision import to_float32
from tfcompress.text import Shortlist, Tokenizer

FORMAT = 1
MODEL = "model.tflite"
SHORTLIST = "shortlist.bin"


def convert(
    transformer: Seq2SeqTransformer,
    path: str | os.PathLike,
    *,
    source_tokenizer: Tokenizer | None = None,
    target_tokenizer: Tokenizer | None = None,
    quantization: str = "dynamic_int8",
    plan: Mapping[str, str] | None = None,
    representative_data: Sequence[Sequence[int]] | None = None,
    custom_ops: bool | Sequence[str] = False,
    shortlist: Shortlist | None = None,
    samples: Sequence[Sequence[int]] | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Exports a translation model as a bundle: a folder that the runtime and apps load.

    The bundle holds `model.tflite` with the signatures `encode` and `step`, the tokenizers, and
    `manifest.json`. It computes in float32, without dropout, whatever precision the model was
    trained in. Weights that the model shares or ties are stored once.

    Before the folder appears, the bundle is run and compared with `transformer`. In float32 its
    tokens must be the same, but for ties, and its logits close. Quantized, the difference is
    measured. The figures are in the manifest under `parity`.

    Args:
        transformer: The model.
        path: Folder to write. It appears complete or not at all.
        source_tokenizer: The source's tokenizer. Without tokenizers the bundle translates ids.
        target_tokenizer: The target's tokenizer.
        quantization: How weights of at least 1024 elements are stored. "float32"; "float16";
            "dynamic_int8", with a scale for each row; "int4", with a scale for each block of 32
            weights of a row; "int4_per_channel", with one for each row; or "mixed", as `plan`
            says. Weights that do not divide so, and grouped ones, have 8 bits. Weights that were
            trained on a grid (`tfcompress.optimization.quantize_aware`) keep it bit for bit.
            With all of these, activations are float32 between operations; kernels with integer
            weights quantize them as they come. For chips that compute in integers only,
            "static_int8" and "static_int8x16" give the encoder activations of 8 or 16 bits, whose
            ranges are those of `representative_data`; the decoder is that of "dynamic_int8".
        plan: What weights are stored as, by regular expressions over their names, with "mixed" or
            a static quantization; see `tfcompress.export.MixedPlan`. Weights that it does not name
            have 8 bits.
        representative_data: With a static quantization, source token ids of some hundred typical
            sentences, each ending with `eos_id`.
        custom_ops: Whether the model may need custom operations, which the native runtime has and
            a plain LiteRT runtime has not. True uses those that were measured to pay: of whole
            decoders, of fixed patterns, of dynamic convolutions, and with `shortlist` of the output
            layer. Or the
            names of those to use, from `tfcompress.custom_ops.names.ALL`. They need `tfcompress
            build-native` first, as the bundle is run to be compared.
        shortlist: With custom operations, the tokens that the output layer chooses from for each
            sentence, as `tfcompress.text.build_shortlist` learns them; all by default.
        samples: Source token ids to compare the bundle with the model on, for instance a few
            validation sentences, each ending with `eos_id`; random ids by default.
        force: Whether to replace an existing bundle.

    Returns:
        The manifest.

    Raises:
        InputError: If an argument is wrong, or the bundle exists or cannot be written.
        ExportError: If the model has operations that LiteRT lacks, or the bundle does not compute
            what the model does.

    Example:

    >>> manifest = tfc.export.convert(transformer, "en-de", source_tokenizer=tokenizer,
    ...                               target_tokenizer=tokenizer)
    >>> manifest["files"]["model.tflite"]["bytes"]
    2512384
    """
    if not isinstance(transformer, Seq2SeqTransformer):
        raise InputError(f"transformer is {type(transformer).__name__}; give a Seq2SeqTransformer")
    check_quantization(quantization, plan)
    custom_ops = _check_custom_ops(custom_ops, quantization, shortlist)
    config = transformer.config
    tokenizers = {"source": source_tokenizer, "target": target_tokenizer}
    check_tokenizers(tokenizers, config)
    if shortlist is not None:
        _check_shortlist(shortlist, custom_ops, config)
    if samples is None:
        samples = parity.random_samples(config)
    samples = parity.check_samples("samples", samples, config)
    representative_data = _check_representative(quantization, representative_data, config)
    check_convertible(transformer.model.count_params())
    _check_finite(transformer)
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
        model = lower(signatures, folder)
        choose = choice(
            quantization, None if plan is None else MixedPlan(plan, WeightNames(transformer))
        )
        if quantization in STATIC:
            model = quantize_encoder(model, STATIC[quantization], representative_data, choose)
        quantize(model, choose)
        check_traps(model)
        check_operations(model, custom_ops)
        limit = size_limit(model, transformer, quantization)
        pack_constants(model)
        data = flatbuffer.write(model)
        check_size(len(data), limit)
        (folder / MODEL).write_bytes(data)
        how = _how(quantization, plan, representative_data, model)
        needed = sorted(flatbuffer.custom_operations(model))
        del model, data
        manifest = {
            "format": FORMAT,
            "kind": "seq2seq",
            "made_by": _made_by(),
            **how,
            "custom_ops": needed,
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
            "decoder": {
                "caches": signatures.state.caches,
                "histories": signatures.state.histories,
                "memories": signatures.state.memories,
                "block": signatures.block,
            },
        }
        # The runtime that compares the bundle reads its manifest.
        write_manifest(folder, manifest)
        try:
            manifest["parity"] = parity.compare(transformer, folder, samples)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise ExportError(
                f"LiteRT cannot run the exported model: {reason}; replace its unusual layers"
            ) from error
        parity.check(manifest["parity"], quantization)
        return write_manifest(folder, manifest)


def lower(signatures: Signatures, folder: Path) -> schema.ModelT:
    """Returns the float32 LiteRT model of a transformer.

    Args:
        signatures: The transformer's.
        folder: Where to put a temporary SavedModel.
    """
    with tempfile.TemporaryDirectory(dir=folder) as saved:
        try:
            signatures.save(saved)
            converter = tf.lite.TFLiteConverter.from_saved_model(
                saved, signature_keys=["encode", "step"]
            )
            # What LiteRT lacks becomes a custom operation, to be listed by `check_operations`.
            converter.allow_custom_ops = True
            data = converter.convert()
        except tf.errors.OpError as error:
            if "No space left on device" in error.message:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            raise
    model = flatbuffer.read(data)
    flatbuffer.use_builtin_cache_updates(model)
    return model


def check_operations(model: schema.ModelT, custom_ops: Collection[str] = ()) -> None:
    """Makes sure that a model runs on a LiteRT runtime without other custom operations.

    Args:
        model: The model.
        custom_ops: Those that it may need.

    Raises:
        ExportError: If it does not, naming each operation that is missing.
    """
    missing = flatbuffer.custom_operations(model).difference(custom_ops)
    if missing:
        raise ExportError(
            f"LiteRT has no operation for {', '.join(sorted(missing))}; replace the layers that "
            "use them"
        )


def _check_custom_ops(custom_ops, quantization, shortlist):
    """Returns the names of the operations."""
    names = chosen(custom_ops)
    if custom_ops is True and shortlist is not None:
        # Only with a shortlist is it faster than the builtin product.
        names |= {TOP_LOGITS}
    if names and quantization in STATIC:
        raise InputError(
            f"custom operations compute with floats between them, unlike {quantization!r}; choose "
            "another quantization, or custom_ops=False"
        )
    if names and native_library() is None:
        raise InputError(
            "custom operations need the native runtime, which compares the bundle with the model; "
            "run `tfcompress build-native` first, or choose custom_ops=False"
        )
    return names


def _check_shortlist(shortlist, custom_ops, config):
    if TOP_LOGITS not in custom_ops:
        raise InputError(
            f"`shortlist` is for the custom operation {TOP_LOGITS}, which is not asked for; choose "
            "custom_ops=True, or leave it out"
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


def _check_representative(quantization, representative_data, config):
    """Returns the representative data as lists of ids, or None where there is none to be."""
    if quantization not in STATIC:
        if representative_data is not None:
            raise InputError(
                "`representative_data` goes with static quantization only (received "
                f"quantization={quantization!r}); leave it out"
            )
        return None
    if representative_data is None:
        raise InputError(
            f"quantization={quantization!r} needs `representative_data`; give the token ids of "
            "some hundred typical sentences"
        )
    return parity.check_samples("representative_data", representative_data, config)


def _how(quantization, plan, representative_data, model):
    """What the manifest says about quantization."""
    how = {"quantization": quantization}
    if plan is not None:
        how["plan"] = dict(plan)
    if quantization in STATIC:
        how["encoder"] = {
            "activation_bits": STATIC[quantization],
            "representative_sentences": len(representative_data),
            "float_operations": float_operations(model),
        }
    return how


def _check_finite(transformer):
    for weight in transformer.model.weights:
        if not np.isfinite(weight.numpy()).all():
            raise InputError(
                f"the weight {getattr(weight, 'path', weight.name)} has values that are not "
                "finite: training diverged; export an earlier checkpoint"
            )


def _made_by():
    return {
        "tfcompress": tfcompress.__version__,
        "tensorflow": tf.__version__,
        "litert": importlib.metadata.version("ai-edge-litert"),
    }
