"""The chart of sizes."""

from collections.abc import Sequence

from tfcompress.reporting import formats
from tfcompress.reporting.axes import FONT_SIZE, figure, label, legend, line
from tfcompress.reporting.comparison import Entry
from tfcompress.reporting.labels import shorten, text_width
from tfcompress.reporting.marks import color, styles
from tfcompress.reporting.markup import Markup, element
from tfcompress.reporting.scales import linear_scale

_NAME_LENGTH = 40


def bytes_chart(entries: Sequence[Entry], identifier: str) -> Markup | None:
    """Draws the sizes of the model files, and of all that goes with them, as bars.

    Args:
        entries: The systems; those without a size are left out.
        identifier: What makes the picture's ids unique on its page.

    Returns:
        An `svg` element, or None if there is nothing to draw.
    """
    sized = [entry for entry in entries if entry.row.model_bytes is not None]
    if not sized:
        return None
    names = [shorten(entry.label, _NAME_LENGTH) for entry in sized]
    texts = [_bar_text(entry) for entry in sized]
    bundled = any(entry.row.bundle_bytes is not None for entry in sized)
    width, step = 1040, 28
    key, key_height = legend(_swatches() if bundled else [], 0, width - 4)
    top = key_height + 8
    left = max(text_width(name, FONT_SIZE) for name in names) + 14
    end = width - max(text_width(text, FONT_SIZE) for text in texts) - 14
    totals = [max(entry.row.model_bytes, entry.row.bundle_bytes or 0) for entry in sized]
    scale = linear_scale(totals, left, end, from_zero=True)
    colors = styles(entry.row.quantization for entry in entries)
    parts = [key]
    for index, (entry, name, text, total) in enumerate(zip(sized, names, texts, totals)):
        y = top + index * step
        class_ = f"bar {color(colors[entry.row.quantization])}"
        bars = [_bar(scale(0), y, scale(total), f"{class_} rest")] if bundled else []
        bars.append(_bar(scale(0), y, scale(entry.row.model_bytes), class_))
        parts += [
            label(name, left - 8, y + 14, "label", anchor="end"),
            element("g", element("title", f"{entry.label}: {text}"), *bars),
            label(text, scale(total) + 8, y + 14, "tick"),
        ]
    height = top + len(sized) * step + 4
    parts.append(line(left, top - 4, left, height - 4, "axis"))
    description = "; ".join(f"{entry.label}: {text}" for entry, text in zip(sized, texts))
    return figure(identifier, "Size of the model files", description, width, height, *parts)


def _swatches() -> list[tuple[Markup, str]]:
    return [
        (element("rect", x=-6.0, y=-6.0, width=12.0, height=12.0, class_=class_), text)
        for class_, text in (
            (f"bar {color(0)}", "model file"),
            (f"bar {color(0)} rest", "rest of the bundle"),
        )
    ]


def _bar(start: float, y: float, end: float, class_: str) -> Markup:
    length = max(end - start, 1.0)
    return element("rect", x=start, y=float(y), width=length, height=20.0, class_=class_)


def _bar_text(entry: Entry) -> str:
    text = formats.byte_size(entry.row.model_bytes)
    if entry.times_smaller is not None and entry.times_smaller > 1:
        text += f", {formats.ratio(entry.times_smaller)} smaller"
    return text
