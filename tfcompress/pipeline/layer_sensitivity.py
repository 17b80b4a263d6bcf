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
        kind: What its weights are stored as.
        model_bytes: Bytes of `model.tflite`.
        signal_to_noise: Of the logits after every token of the references, in decibels; None where
            there is no noise.
        log_probability_cost: By how much the references' tokens get less likely, in nats a token.
        bleu: Of the translations.
        bleu_cost: By how much that is less than in float32.
    """

    layer: str
    kind: str
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
        layers: One entry for each layer and kind.
        max_loss: The BLEU that the plan may lose.
        plan: What to give to `tfcompress.export.convert`: regular expressions of weights to kinds.
        plan_bytes: Bytes of `model.tflite` by that plan.
        plan_bleu: Its BLEU.
    """

    name: str
    sentences: int
    beam_size: int
    signature: str
    float32_bytes: int
    float32_bleu: float
    layers: tuple[LayerSensitivity, ...]
    max_loss: float
    plan: dict[str, str]
    plan_bytes: int
    plan_bleu: float

    def to_dict(self) -> dict:
        """Returns the figures as JSON has them."""
        return asdict(self)

    def __str__(self) -> str:
        width = max(len(row.layer) for row in self.layers)
        lines = [
            f"{'layer':{width}}  kind     saves bytes  SNR dB  nats/token  BLEU cost",
            *(
                f"{row.layer:{width}}  {row.kind:7}  {self.float32_bytes - row.model_bytes:11,}"
                f"  {_decibels(row):>6}  {round(row.log_probability_cost, 4) + 0.0:10.4f}"
                f"  {round(row.bleu_cost, 2) + 0.0:9.2f}"
                for row in self.layers
            ),
            "",
            f"float32: {self.float32_bytes:,} bytes, BLEU {self.float32_bleu:.2f} on "
            f"{self.sentences} sentences, beam {self.beam_size}",
            f"smallest plan that loses at most {self.max_loss:g}: {self.plan_bytes:,} bytes, BLEU "
            f"{self.plan_bleu:.2f}",
            *(f"  {expression!r}: {kind}" for expression, kind in self.plan.items()),
        ]
        return "\n".join(lines)


def sensitivity(
    run: str | Path,
    sources: Sequence[str],
    references: Sequence[str],
    *,
    max_loss: float = 0.5,
    kinds: Sequence[str] = SMALLEST_FIRST,
    beam_size: int = 1,
    tokenize: str = "13a",
    lowercase: bool = False,
    log: Callable[[str], object] = lambda line: None,
) -> Sensitivity:
    """Measures what every layer loses to quantization, and plans the smallest file.

    Each layer is quantized alone, as each kind. Then a plan begins with the smallest kind
    everywhere, and gives the layer that makes most noise for its bytes the next larger one, until
    the loss of BLEU is small enough. How far to go is found by bisection, as if every such step
    helped. So the plan is the smallest of those on this way, not of all that there are; and its
    BLEU is one of these sentences, so that it should be judged on others.

    Args:
        run: A run's folder, or its model's, with its tokenizers.
        sources: Source sentences, for instance a few hundred of the validation split.
        references: Their translations.
        max_loss: How much less BLEU than in float32 the plan may have.
        kinds: What layers may be stored as, from the smallest on.
        beam_size: Beam of the translations; 1 is greedy search.
        tokenize: sacrebleu's tokenization.
        lowercase: Whether BLEU ignores case.
        log: Called with a line about each measurement.

    Returns:
        The report; `str` of it is a table for people.

    Raises:
        InputError: If there is no such model, there are no sentences, or an option is impossible.

    Example:

    >>> report = tfc.pipeline.sensitivity("runs/multi30k", sources, references, max_loss=0.3)
    >>> tfc.export.convert(
    ...     transformer, "bundle", quantization="mixed", quantization_scheme=report.plan
    ... )
    """
    run = Path(run)
    _check(sources, references, max_loss, kinds)
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
            "Sensitivity is measured of translation models, by BLEU. Received: "
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
        figures = bleu(variants.original)
        rows = []
        for layer in _large_layers(transformer):
            for kind in kinds:
                with variants.bundle({_expression(layer): kind}) as path:
                    row = _row(layer, kind, path, original, samples, figures["bleu"], bleu(path))
                log(f"{layer} {kind}: BLEU {row.bleu:.2f}")
                rows.append(row)

        def try_plan(plan):
            with variants.bundle(plan) as path:
                tried = bleu(path)["bleu"], _size(path)
            log(f"a plan of {tried[1]:,} bytes: BLEU {tried[0]:.2f}")
            return tried

        plan, (plan_bleu, plan_bytes) = _smallest(
            _plans(rows, kinds), try_plan, figures["bleu"] - max_loss
        )
        return Sensitivity(
            name=run.name,
            sentences=len(sources),
            beam_size=beam_size,
            signature=figures["signature"],
            float32_bytes=_size(variants.original),
            float32_bleu=figures["bleu"],
            layers=tuple(rows),
            max_loss=max_loss,
            plan=dict(plan),
            plan_bytes=plan_bytes,
            plan_bleu=plan_bleu,
        )


def _check(sources, references, max_loss, kinds):
    if not sources or len(sources) != len(references):
        raise InputError(
            f"`sources` and `references` must be equal in number and not empty (received "
            f"{len(sources)} and {len(references)})"
        )
    if isinstance(max_loss, bool) or not max_loss >= 0:
        raise InputError(f"`max_loss` must be at least 0 (received {max_loss})")
    if not kinds or not set(kinds) <= set(WEIGHT_TYPES):
        raise InputError(
            f"`kinds` must be some of {', '.join(WEIGHT_TYPES)} (received {list(kinds)})"
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


def _row(layer, kind, path, original, samples, float32_bleu, figures):
    signal = _Signal.of(path, samples)
    noise = float(np.square(signal.logits - original.logits).sum())
    power = float(np.square(original.logits).sum())
    return LayerSensitivity(
        layer=layer,
        kind=kind,
        model_bytes=_size(path),
        signal_to_noise=10 * math.log10(power / noise) if noise else None,
        log_probability_cost=original.log_probability - signal.log_probability,
        bleu=figures["bleu"],
        bleu_cost=float32_bleu - figures["bleu"],
    )


def _plans(rows: Sequence[LayerSensitivity], kinds: Sequence[str]) -> list[dict[str, str]]:
    """Plans from the smallest to the largest, in steps of one layer, the noisiest first."""
    by_layer: dict[str, list[LayerSensitivity]] = {}
    for row in rows:
        by_layer.setdefault(row.layer, []).append(row)
    level = dict.fromkeys(by_layer, 0)

    def gain(layer):
        now, then = by_layer[layer][level[layer] : level[layer] + 2]
        return (_noise(now) - _noise(then)) / max(1, then.model_bytes - now.model_bytes)

    plans = []
    while True:
        plans.append({_expression(layer): kinds[step] for layer, step in level.items()})
        open_layers = [layer for layer, step in level.items() if step + 1 < len(kinds)]
        if not open_layers:
            return plans
        level[max(open_layers, key=gain)] += 1


def _smallest(
    plans: Sequence[Mapping[str, str]],
    try_plan: Callable[[Mapping[str, str]], tuple[float, int]],
    least: float,
) -> tuple[Mapping[str, str], tuple[float, int]]:
    """Returns the first plan of at least so much BLEU, by bisection, and its figures."""
    low, high, found = 0, len(plans), None
    while low < high:
        middle = (low + high) // 2
        figures = try_plan(plans[middle])
        if figures[0] >= least:
            high, found = middle, figures
        else:
            low = middle + 1
    if found is None:
        plan = dict.fromkeys(plans[0], "float32")
        return plan, try_plan(plan)
    return plans[high], found


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
