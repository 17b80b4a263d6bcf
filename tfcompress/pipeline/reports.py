"""What a run leaves for its reader: the results and the reports."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfcompress.pipeline.workspace import read_metrics
from tfcompress.reporting import (
    Example,
    HistoryPoint,
    Row,
    RunResults,
    formats,
    load_results,
    provenance,
    save_results,
    write_report,
)
from tfcompress.reporting.results import FILE_NAME

_MANIFEST = {"quantization": str, "parameters": int, "files": {"model.tflite": {"bytes": int}}}


def bundle_row(system: str, bundle: Path, timing: dict[str, Any], **scores: Any) -> Row:
    """Returns a row of the table of metrics.

    Args:
        system: The system's name.
        bundle: The bundle's folder.
        timing: What benchmarking it gave.
        **scores: Figures of its evaluation, by attribute of `Row`.
    """
    manifest = read_metrics(bundle / "manifest.json", _MANIFEST)
    return Row(
        system=system,
        quantization=manifest["quantization"],
        parameters=manifest["parameters"],
        model_bytes=manifest["files"]["model.tflite"]["bytes"],
        bundle_bytes=timing["bundle_bytes"],
        latency_ms=timing["latency_ms"]["mean"],
        target_tokens_per_s=timing.get("target_tokens_per_s"),
        peak_rss_bytes=timing["peak_rss_bytes"],
        device=timing["device"],
        threads=timing["threads"],
        **scores,
    )


def report_run(
    folder: Path,
    name: str,
    corpus: str,
    *,
    rows: Sequence[Row],
    timings: Sequence[Mapping[str, Any]],
    examples: Sequence[Example],
    history: Sequence[Mapping[str, float]],
) -> RunResults:
    """Writes `results.json`, `report.md` and `report.html` of a run.

    Args:
        folder: The run's folder.
        name: The run's name.
        corpus: Name of the test set.
        rows: The systems.
        timings: What benchmarking their bundles gave.
        examples: Some test sentences.
        history: The metrics of every evaluation in training.

    Returns:
        The results, with the time, the command, the machine and the versions of the timing.

    Raises:
        InputError: If a file cannot be written.
    """
    results = RunResults(
        name=name,
        **_measured(folder, timings),
        load=_load(timings),
        corpus=corpus,
        rows=[*rows],
        examples=[*examples],
        history=[_point(entry) for entry in history],
    )
    save_results(results, folder)
    for report in ("report.md", "report.html"):
        write_report([results], folder / report)
    return results


def percent(share: float | None) -> float | None:
    """Returns a share in percent, or None for None.

    Args:
        share: From 0 to 1.
    """
    return None if share is None else 100.0 * share


def _measured(folder, timings):
    """When and where the bundles were timed; an earlier version kept it in the results only."""
    for timing in timings:
        if "measured" in timing:
            return timing["measured"]
    now = provenance.measurement()
    if not (folder / FILE_NAME).exists():
        return now
    former = load_results(folder)
    return {name: getattr(former, name) for name in now}


def _load(timings):
    loads = [timing["load_average"] for timing in timings if "load_average" in timing]
    if not loads or None in loads[0].values():
        return ""
    before = max(load["before"] for load in loads)
    after = max(load["after"] for load in loads)
    return (
        f"load average {before:.2f} before and {after:.2f} after the timing, "
        f"{formats.counted(timings[0]['processors'], 'processor')}"
    )


def _point(entry):
    return HistoryPoint(
        step=entry["update"],
        loss=entry.get("loss"),
        validation_loss=entry.get("val_loss"),
        validation_bleu=entry.get("val_bleu"),
        validation_perplexity=entry.get("val_perplexity"),
        validation_accuracy=percent(entry.get("val_accuracy")),
    )
