"""The metrics of a model, for machines and for people."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from tfcompress.analysis.published import Published
from tfcompress.cost import Cost


@dataclass(frozen=True)
class Description:
    """What a model and its components cost.

    Attributes:
        name: The model's name.
        components: Costs of `embedding`, `encoder`, `decoder` and `output`.
        source_length: Tokens of the source sentence that multiply-adds are counted for.
        target_length: Tokens of its translation; 0 for a model that does not translate.
        tied: Whether the output layer uses the target embedding's table.
        published: The counts in the way of the method's papers, where they count otherwise.
    """

    name: str
    components: dict[str, Cost]
    source_length: int
    target_length: int = 0
    tied: bool = False
    published: Published | None = None

    @property
    def total(self) -> Cost:
        """The cost of all components."""
        return sum(self.components.values(), Cost())

    def to_dict(self) -> dict[str, Any]:
        """Returns the metrics as plain numbers; components are in parameters."""
        total = self.total
        metrics = {
            "name": self.name,
            "parameters": {
                "total": total.parameters,
                "weights_only": total.weights,
                **{name: cost.parameters for name, cost in self.components.items()},
            },
            "multiply_adds": {
                "source_length": self.source_length,
                "target_length": self.target_length,
                "total": total.multiply_adds,
            },
            "bytes": {
                "float32": total.float32_bytes,
                "int8": total.int8_bytes,
                "int4": total.int4_bytes,
            },
            "num_layers": {name: cost.num_layers for name, cost in self.components.items()},
        }
        if self.published is not None:
            metrics["published"] = dataclasses.asdict(self.published)
        return metrics

    def to_table(self) -> str:
        """Returns a plain-text table of all metrics by component."""
        header = ("", "parameters", "weights only", "multiply-adds", "float32", "int8", "int4")
        rows = [_row(name, cost) for name, cost in self.components.items()]
        table = _aligned([header, *rows, _row("total", self.total)])
        notes = [
            "weights only: without biases and normalizations",
            f"multiply-adds: {self._lengths()}",
        ]
        if self.tied:
            notes.append(
                "output: tied; what it shares with the target embedding counts under embedding"
            )
        if self.published is not None:
            notes.append(
                f"as published ({self.published.counting}): "
                f"{with_prefix(self.published.parameters)} parameters, "
                f"{with_prefix(self.published.multiply_adds)} multiply-adds"
            )
        return "\n".join([self.name, "", *table, "", *notes])

    def _lengths(self):
        if not self.target_length:
            return f"{self.source_length} tokens"
        return (
            f"{self.source_length} source and {self.target_length} target tokens, decoded with a "
            "cache"
        )

    def __str__(self) -> str:
        return self.to_table()


def _row(name: str, cost: Cost) -> tuple[str, ...]:
    counts = (cost.parameters, cost.weights, cost.multiply_adds)
    sizes = (cost.float32_bytes, cost.int8_bytes, cost.int4_bytes)
    return (
        name,
        *(with_prefix(count) for count in counts),
        *(with_prefix(size, "B") for size in sizes),
    )


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Returns lines with the first column flush left, the others flush right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    return [
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths))
        )
        for row in rows
    ]


def with_prefix(number: int, unit: str = "") -> str:
    """Writes a number with a metric prefix, to three digits.

    Args:
        number: A count, 0 or more.
        unit: Unit after the prefix; bytes when "B", so that "MB" means 10**6 of them.

    Example:

    >>> with_prefix(258_080_768), with_prefix(1_032_323_072, "B"), with_prefix(0)
    ('258M', '1.03 GB', '0')
    """
    prefixes = ("", "k", "M", "G", "T")
    scaled, power = float(number), 0
    # 999.5 would be printed as 1000.
    while scaled >= 999.5 and power + 1 < len(prefixes):
        scaled, power = scaled / 1000, power + 1
    digits = f"{scaled:.0f}" if not power else _three_digits(scaled)
    separator = " " if unit else ""
    return f"{digits}{separator}{prefixes[power]}{unit}"


def _three_digits(number: float) -> str:
    decimals = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:.{decimals}f}"
