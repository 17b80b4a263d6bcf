"""The result of a comparison in one sentence."""

from tfcompress.reporting import formats
from tfcompress.reporting.comparison import Entry, Group

TOLERATED_LOSS = 1.0
# Translations below it hardly tell what the text is about.
LEAST_BLEU = 10.0
_WARNING = "Translations below BLEU 10 can hardly be understood: train longer or on more data."


def best_entry(group: Group) -> Entry | None:
    """Returns the smallest useful system, if smaller than the baseline and at most a point worse.

    Args:
        group: The systems.

    Returns:
        That system; the smallest of all if there is nothing to compare with; None if there is no
        such system or no size was measured.
    """
    candidates = [
        (size, place, entry)
        for place, entry in enumerate(group.entries)
        if (size := entry.row.model_bytes) is not None
        and not _is_useless(entry)
        and _keeps_quality(entry, group.baseline)
        and (entry.times_smaller is None or entry.times_smaller > 1)
    ]
    return min(candidates)[-1] if candidates else None


def summary(group: Group) -> str:
    """Sums up a group: its smallest good system, against the baseline where there is one.

    Args:
        group: The systems.

    Returns:
        One or two sentences.

    Example:

    >>> summary(group)
    "student: 16.9 MB, 8.3x smaller than the baseline's 140 MB, BLEU 37.94 (-0.37). It is the
    smallest system that loses at most 1 BLEU against teacher."
    """
    entries, baseline, best = group.entries, group.baseline, best_entry(group)
    unit = "BLEU" if group.score_name == "BLEU" else f"point of {group.score_name}"
    if not entries:
        return "No system was measured."
    if len(entries) == 1:
        warning = f" {_WARNING}" if _is_useless(entries[0]) else ""
        return f"{entries[0].label}: {_metrics(entries[0])}.{warning}"
    if all(map(_is_useless, entries)):
        highest = max(score.value for entry in entries if (score := entry.row.score))
        return f"{len(entries)} systems, the best of BLEU {highest:.2f}. {_WARNING}"
    if best is None:
        if baseline is None:
            return f"{len(entries)} systems, none with a known size."
        return (
            f"No other system is smaller than {baseline.label} and loses at most 1 "
            f"{unit} against it ({_metrics(baseline)})."
        )
    text = f"{best.label}: {_metrics(best)}."
    if best.score_change is None:
        return f"{text} It is the smallest system."
    against = f" against {baseline.label}" if baseline else ""
    return f"{text} It is the smallest system that loses at most 1 {unit}{against}."


def _is_useless(entry: Entry) -> bool:
    score = entry.row.score
    return score is not None and score.name == "BLEU" and score.value < LEAST_BLEU


def _keeps_quality(entry: Entry, baseline: Entry | None) -> bool:
    if baseline is None or baseline.row.score is None:
        return True
    loss = entry.score_loss
    return loss is not None and loss <= TOLERATED_LOSS


def _metrics(entry: Entry) -> str:
    row, parts = entry.row, []
    if row.model_bytes is not None:
        parts.append(formats.byte_size(row.model_bytes))
    whole = entry.baseline and entry.baseline.model_bytes
    if entry.times_smaller is not None and whole and row is not entry.baseline:
        size = formats.byte_size(whole)
        parts.append(f"{formats.ratio(entry.times_smaller)} smaller than the baseline's {size}")
    if row.score is not None:
        change = ""
        if entry.score_change is not None and row is not entry.baseline:
            change = f" ({formats.signed(entry.score_change)})"
        score = row.score
        parts.append(f"{score.name} {formats.score(score.value, score.low, score.high)}{change}")
    if row.latency_ms is not None:
        parts.append(f"{formats.decimal(row.latency_ms)} ms a sentence")
    return ", ".join(parts) or "nothing measured"
