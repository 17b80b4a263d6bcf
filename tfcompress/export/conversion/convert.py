"""Exports a trained model as a bundle."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.export.bundle.writer import check_target
from tfcompress.export.conversion.encoder_conversion import convert_encoder
from tfcompress.export.conversion.keras_conversion import convert_keras
from tfcompress.export.conversion.keras_signatures import Signature
from tfcompress.export.conversion.seq2seq_conversion import convert_seq2seq
from tfcompress.export.quantization.schemes import check_quantization, check_representative
from tfcompress.models import Seq2SeqTransformer, TextEncoder
from tfcompress.text import Shortlist, TextTokenizer, Tokenizer


def convert(
    transformer: Seq2SeqTransformer | TextEncoder | keras.Model,
    path: str | os.PathLike,
    *,
    signatures: Mapping[str, Signature] | None = None,
    tokenizer: TextTokenizer | None = None,
    source_tokenizer: Tokenizer | None = None,
    target_tokenizer: Tokenizer | None = None,
    quantization: str = "dynamic_int8",
    plan: Mapping[str, str] | None = None,
    representative_data: Any = None,
    custom_ops: bool | Sequence[str] = False,
    shortlist: Shortlist | None = None,
    tokenizer_graph: bool = False,
    samples: Any = None,
    force: bool = False,
) -> dict[str, Any]:
    """Exports a model as a bundle: a folder that apps load.

    The bundle holds `model.tflite`, the tokenizers, and `manifest.json`. The signatures are
    `encode` and `step` of a translation model, and `encode` of a text encoder, which takes one text
    of any length up to the limit. A Keras model of your own, functional, sequential or subclassed,
    with layers of this library, Keras' own and others, has the signatures that you name;
    `tfcompress.runtime.KerasModel` runs it. A bundle computes in float32, without dropout, whatever
    precision the model was trained in. Weights that the model shares or ties are stored once.

    Before the folder appears, the bundle is run and compared with `transformer`. In float32 its
    tokens must be the same, but for ties, and its logits or vectors close. Quantized, the
    difference is measured. The figures are in the manifest under `parity`.

    Args:
        transformer: The model.
        path: Folder to write. It appears complete or not at all.
        signatures: Of a Keras model, the functions that the bundle has, by name; by default the
            model's call with `training=False`, as "serving_default". A subclassed model needs them,
            as they say what its inputs are like.
        tokenizer: A text encoder's tokenizer. Without it the bundle takes ids.
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
            ranges are those of `representative_data`; a decoder is that of "dynamic_int8".
        plan: What weights are stored as, by regular expressions over their names, with "mixed" or
            a static quantization; see `tfcompress.export.MixedPlan`. Weights that it does not name
            have 8 bits.
        representative_data: With a static quantization, token ids of some hundred typical
            sentences, begin and end ids included where the model was trained with them. Of a Keras
            model, a list of batches, each as the model takes it; by signature where there are
            several, of which only those named have integer activations.
        custom_ops: Whether the model may need custom operations, which the native runtime has and
            a plain LiteRT runtime has not. True uses those that were measured to pay: of whole
            decoders, of grouped layers, of fixed patterns, of dynamic convolutions, and with
            `shortlist` of the output layer. Or the names of those to use, from
            `tfcompress.custom_ops.names.ALL`. They need `tfcompress build-native` first, as the
            bundle is run to be compared.
        shortlist: With custom operations, the tokens that the output layer chooses from for each
            sentence, as `tfcompress.text.build_shortlist` learns them; all by default.
        tokenizer_graph: Whether a text encoder's bundle holds the tokenizer as a LiteRT graph too,
            for apps that have tensorflow-text. Those of translation models always do.
        samples: Token ids to compare the bundle with the model on, for instance a few validation
            sentences, begin and end ids included where the model was trained with them; random ids
            by default. Of a Keras model, a list of batches, or such lists by signature; by default
            the `inputs` of its signatures, or random numbers.
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
    check_quantization(quantization, plan)
    check_representative(quantization, representative_data)
    check_target(path, force)
    common = {
        "quantization": quantization,
        "plan": plan,
        "representative_data": representative_data,
        "custom_ops": custom_ops,
        "samples": samples,
        "force": force,
    }
    tokenizers = {"source_tokenizer": source_tokenizer, "target_tokenizer": target_tokenizer}
    if isinstance(transformer, keras.Model):
        others = {"tokenizer": tokenizer, **tokenizers, "shortlist": shortlist}
        _check_absent(transformer, others | {"tokenizer_graph": tokenizer_graph or None}, "ids")
        return convert_keras(transformer, path, signatures=signatures, **common)
    _check_absent(transformer, {"signatures": signatures}, "a Keras model")
    if isinstance(transformer, TextEncoder):
        _check_absent(transformer, {**tokenizers, "shortlist": shortlist}, "tokenizer")
        return convert_encoder(
            transformer, path, tokenizer=tokenizer, tokenizer_graph=tokenizer_graph, **common
        )
    if isinstance(transformer, Seq2SeqTransformer):
        arguments = {"tokenizer": tokenizer, "tokenizer_graph": tokenizer_graph or None}
        _check_absent(transformer, arguments, "source_tokenizer and target_tokenizer")
        return convert_seq2seq(
            transformer,
            path,
            source_tokenizer=source_tokenizer,
            target_tokenizer=target_tokenizer,
            shortlist=shortlist,
            **common,
        )
    raise InputError(
        f"transformer is {type(transformer).__name__}; give a Seq2SeqTransformer, a TextEncoder or "
        "a Keras model"
    )


def _check_absent(transformer, arguments, remedy):
    """Refuses what another kind of model takes."""
    for name, value in arguments.items():
        if value is not None:
            raise InputError(
                f"a {type(transformer).__name__} takes no `{name}`; give {remedy}, or leave it out"
            )
