"""What each layer loses to quantization, and the smallest file within a given loss."""

import math
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.export.quantization.schemes import WEIGHT_TYPES
from tfcompress.grids import MIN_ELEMENTS
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.translation_evaluation import evaluate_translation
from tfcompress.pipeline.workspace import saved_tokenizers
from tfcompress.search_options import SearchOptions
from tfcompress.text.bleu import check_tokenization

# From the smallest on.
SMALLEST_FIRST = ("int4", "int8", "float16")
_SIGNAL_SENTENCES = 100


@dataclass(frozen=True)
class LayerSensitivity:
    """What it costs to quantize one layer and leave the others in float32.

    Attributes:
        layer: The layer.
        data_type: What its weights are stored as.
        model_bytes: Bytes of `model.tflite`.
        signal_to_noise: Of the logits after every token of the references, in decibels; None where
            there is no noise.
        log_probability_cost: By how much the references' tokens get less likely, in nats a token.
        bleu: Of the translations.
        bleu_cost: By how much that is less than in float32.
    """

    layer: str
    data_type: str
    model_bytes: int
    signal_to_noise: float | None
    log_probability_cost: float
    bleu: float
    bleu_cost: float


@dataclass(frozen=True)
class Sensitivity:
    """The report.

    Attributes:
        name: The model's.
        sentences: Number of sentences that BLEU is of.
        beam_size: Beam of their translations.
        signature: sacrebleu's.
        float32_bytes: Bytes of `model.tflite` in float32.
        float32_bleu: Its BLEU.
        layers: One entry for each layer and data type.
        max_loss: The BLEU that the scheme may lose.
        quantization_scheme: What to give to `tfcompress.export.convert`: regular expressions of
            weights to data types.
        scheme_bytes: Bytes of `model.tflite` by that scheme.
        scheme_bleu: Its BLEU.
    """

    name: str
    sentences: int
    beam_size: int
    signature: str
    float32_bytes: int
    float32_bleu: float
    layers: tuple[LayerSensitivity, ...]
    max_loss: float
    quantization_scheme: dict[str, str]
    scheme_bytes: int
    scheme_bleu: float

    def to_dict(self) -> dict:
        """Returns the report as JSON has it."""
        return asdict(self)

    def __str__(self) -> str:
        width = max(len(row.layer) for row in self.layers)
        lines = [
            f"{'layer':{width}}  type     saves bytes  SNR dB  nats/token  BLEU cost",
            *(
                f"{row.layer:{width}}  {row.data_type:7}"
                f"  {self.float32_bytes - row.model_bytes:11,}"
                f"  {_decibels(row):>6}  {round(row.log_probability_cost, 4) + 0.0:10.4f}"
                f"  {round(row.bleu_cost, 2) + 0.0:9.2f}"
                for row in self.layers
            ),
            "",
            f"float32: {self.float32_bytes:,} bytes, BLEU {self.float32_bleu:.2f} on "
            f"{self.sentences} sentences, beam {self.beam_size}",
            f"smallest scheme that loses at most {self.max_loss:g}: {self.scheme_bytes:,} bytes, "
            f"BLEU {self.scheme_bleu:.2f}",
            *(
                f"  {expression!r}: {data_type}"
                for expression, data_type in self.quantization_scheme.items()
            ),
        ]
        return "\n".join(lines)


def sensitivity(
    run: str | Path,
    sources: Sequence[str],
    references: Sequence[str],
    *,
    max_loss: float = 0.5,
    data_types: Sequence[str] = SMALLEST_FIRST,
    beam_size: int = 1,
    tokenize: str = "13a",
    lowercase: bool = False,
    log: Callable[[str], object] = lambda line: None,
) -> Sensitivity:
    """Measures what every layer loses to quantization, and finds the smallest file.

    Each layer is quantized alone, as each data type. Then a scheme begins with the smallest one
    everywhere, and gives the layer that makes most noise for its bytes the next larger one, until
    the loss of BLEU is small enough. How far to go is found by bisection, as if every such step
    helped. So the scheme is the smallest of those on this way, not of all that there are; and its
    BLEU is one of these sentences, so that it should be judged on others.

    Args:
        run: A run's folder, or its model's, with its tokenizers.
        sources: Source sentences, for instance a few hundred of the validation split.
        references: Their translations.
        max_loss: How much less BLEU than in float32 the scheme may have.
        data_types: What layers may be stored as, from the smallest on.
        beam_size: Beam of the translations; 1 is greedy search.
        tokenize: sacrebleu's tokenization.
        lowercase: Whether BLEU ignores case.
        log: Called with a line about each measurement.

    Returns:
        The report; `str` of it is a table for people.

    Raises:
        InputError: If there is no such model, there are no sentences, or an option is impossible.

    Example:

    >>> report = tfc.pipeline.sensitivity("tiny-run", sources, references, max_loss=0.3)
    >>> scheme = report.quantization_scheme
    >>> options = tfc.export.ExportOptions(quantization="mixed", quantization_scheme=scheme)
    >>> manifest = tfc.pipeline.export_model("tiny-run", "tiny-mixed", options)
    """
    run = Path(run)
    _check(sources, references, max_loss, data_types)
    SearchOptions(beam_size)
    check_tokenization(tokenize)
    load_tensorflow()
    from tfcompress.export.conversion.translation_exporter import source_ids
    from tfcompress.export.conversion.variants import Variants
    from tfcompress.models import Seq2SeqTransformer
    from tfcompress.models.presets import load_preset

    transformer: Any = load_preset(run / "model" if (run / "model").is_dir() else run)
    if not isinstance(transformer, Seq2SeqTransformer):
        raise InputError(
            "Sensitivity is for translation models only, as it is in BLEU. Received: "
            f"{run}, a {type(transformer).__name__}."
        )
    tokenizers = saved_tokenizers(run)
    samples = list(
        zip(
            source_ids(tokenizers[0], sources[:_SIGNAL_SENTENCES], transformer.config),
            _target_ids(tokenizers[1], references[:_SIGNAL_SENTENCES], transformer.config),
        )
    )

    def bleu(path):
        options = {"beam_size": beam_size, "tokenize": tokenize, "lowercase": lowercase}
        return evaluate_translation(path, sources, references, **options)

    with tempfile.TemporaryDirectory() as folder:
        log("converting to float32")
        variants = Variants(transformer, Path(folder), *tokenizers)
        original = _Signal.of(variants.original, samples)
        metrics = bleu(variants.original)
        rows = []
        for layer in _large_layers(transformer):
            for data_type in data_types:
                with variants.bundle({_expression(layer): data_type}) as path:
                    row = _row(
                        layer, data_type, path, original, samples, metrics["bleu"], bleu(path)
                    )
                log(f"{layer} {data_type}: BLEU {row.bleu:.2f}")
                rows.append(row)

        def try_scheme(scheme):
            with variants.bundle(scheme) as path:
                tried = bleu(path)["bleu"], _size(path)
            log(f"a scheme of {tried[1]:,} bytes: BLEU {tried[0]:.2f}")
            return tried

        scheme, (scheme_bleu, scheme_bytes) = _smallest(
            _schemes(rows, data_types), try_scheme, metrics["bleu"] - max_loss
        )
        return Sensitivity(
            name=run.name,
            sentences=len(sources),
            beam_size=beam_size,
            signature=metrics["signature"],
            float32_bytes=_size(variants.original),
            float32_bleu=metrics["bleu"],
            layers=tuple(rows),
            max_loss=max_loss,
            quantization_scheme=dict(scheme),
            scheme_bytes=scheme_bytes,
            scheme_bleu=scheme_bleu,
        )


def _check(sources, references, max_loss, data_types):
    if not sources or len(sources) != len(references):
        raise InputError(
            "`sources` and `references` must be equal in number and not empty. Received: "
            f"{len(sources)} and {len(references)}."
        )
    if isinstance(max_loss, bool) or not max_loss >= 0:
        raise InputError(f"`max_loss` must be at least 0. Received: {max_loss}.")
    if not data_types or not set(data_types) <= set(WEIGHT_TYPES):
        raise InputError(
            f"`data_types` must be some of {', '.join(WEIGHT_TYPES)}. Received: {list(data_types)}."
        )


@dataclass(frozen=True)
class _Signal:
    """A bundle's logits after every token of some references.

    Attributes:
        logits: `[tokens, vocabulary]`, each row with mean zero, as a constant changes nothing.
        log_probability: Mean of the references' tokens.
    """

    logits: np.ndarray
    log_probability: float

    @classmethod
    def of(cls, path, samples):
        from tfcompress.runtime import open_bundle, open_engine

        engine: Any = open_engine(open_bundle(path, verify=False))
        rows, chosen = [], []
        for source, target in samples:
            rows.append(engine.logits(source[:-1], target[:-1]))
            chosen += target
        engine.close()
        logits = np.concatenate(rows)
        logits -= logits.mean(axis=1, keepdims=True)
        largest = logits.max(axis=1, keepdims=True)
        totals = np.log(np.exp(logits - largest).sum(axis=1)) + largest[:, 0]
        return cls(logits, float(np.mean(logits[np.arange(len(chosen)), chosen] - totals)))


def _row(layer, data_type, path, original, samples, float32_bleu, metrics):
    signal = _Signal.of(path, samples)
    noise = float(np.square(signal.logits - original.logits).sum())
    power = float(np.square(original.logits).sum())
    return LayerSensitivity(
        layer=layer,
        data_type=data_type,
        model_bytes=_size(path),
        signal_to_noise=10 * math.log10(power / noise) if noise else None,
        log_probability_cost=original.log_probability - signal.log_probability,
        bleu=metrics["bleu"],
        bleu_cost=float32_bleu - metrics["bleu"],
    )


def _schemes(rows: Sequence[LayerSensitivity], data_types: Sequence[str]) -> list[dict[str, str]]:
    """Plans from the smallest to the largest, in steps of one layer, the noisiest first."""
    by_layer: dict[str, list[LayerSensitivity]] = {}
    for row in rows:
        by_layer.setdefault(row.layer, []).append(row)
    level = dict.fromkeys(by_layer, 0)

    def gain(layer):
        now, then = by_layer[layer][level[layer] : level[layer] + 2]
        return (_noise(now) - _noise(then)) / max(1, then.model_bytes - now.model_bytes)

    schemes = []
    while True:
        schemes.append({_expression(layer): data_types[step] for layer, step in level.items()})
        open_layers = [layer for layer, step in level.items() if step + 1 < len(data_types)]
        if not open_layers:
            return schemes
        level[max(open_layers, key=gain)] += 1


def _smallest(
    schemes: Sequence[Mapping[str, str]],
    try_scheme: Callable[[Mapping[str, str]], tuple[float, int]],
    least: float,
) -> tuple[Mapping[str, str], tuple[float, int]]:
    """Returns the first scheme of at least so much BLEU, by bisection, and its metrics."""
    low, high, smallest = 0, len(schemes), None
    while low < high:
        middle = (low + high) // 2
        metrics = try_scheme(schemes[middle])
        if metrics[0] >= least:
            high, smallest = middle, metrics
        else:
            low = middle + 1
    if smallest is None:
        scheme = dict.fromkeys(schemes[0], "float32")
        return scheme, try_scheme(scheme)
    return schemes[high], smallest


def _large_layers(transformer):
    from tfcompress.layers.common.weight_slots import weight_slots

    return [
        layer.name
        for layer in transformer.model.layers
        if any(math.prod(tuple(slot.get().shape)) >= MIN_ELEMENTS for slot in weight_slots(layer))
    ]


def _target_ids(tokenizer, references, config):
    limit = config.max_target_length - 1
    return [[*ids[:limit], config.eos_id] for ids in tokenizer.encode(list(references))]


def _noise(row):
    """Noise as a part of the signal."""
    return 0.0 if row.signal_to_noise is None else 10 ** (-row.signal_to_noise / 10)


def _decibels(row):
    return "" if row.signal_to_noise is None else f"{row.signal_to_noise:.1f}"


def _expression(layer):
    return f"^{re.escape(layer)}/"


def _size(path):
    return (path / "model.tflite").stat().st_size
