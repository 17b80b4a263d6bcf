"""How often successors replace their predecessors (BERT-of-Theseus). Pure Python."""

from dataclasses import dataclass

from tfcompress.errors import InputError

SCHEDULES = ("constant", "linear")


@dataclass(frozen=True)
class ReplacingSchedule:
    """The replacing rate of every update.

    Attributes:
        schedule: "constant": `rate` for the first `steps` updates, then 1. "linear":
            `min(1, base + slope * t)` for the update after t others.
        rate: The constant rate, in (0, 1]; 0.5 by default.
        base: The linear schedule's first rate, in (0, 1]; 0.3 by default.
        slope: What the linear schedule adds each update; 0.0006 by default.
        steps: Updates with the constant rate; None for all. 0 gives one, as the reference code
            does whose command line has it as the default.

    Raises:
        ValueError: If a value is impossible or belongs to the other schedule.

    Example:

    >>> ReplacingSchedule("linear", base=0.25, slope=0.25).rate_at(2)
    0.75

    Reference: Xu et al., 2020, arXiv:2002.02925.
    """

    schedule: str = "constant"
    rate: float | None = None
    base: float | None = None
    slope: float | None = None
    steps: int | None = None

    def __post_init__(self):
        if self.schedule not in SCHEDULES:
            raise InputError(
                f"`schedule` must be one of {', '.join(SCHEDULES)}. "
                f"Received: schedule={self.schedule!r}."
            )
        for name in ("base", "slope") if self.schedule == "constant" else ("rate", "steps"):
            value = getattr(self, name)
            if value is not None:
                raise InputError(
                    f"`{name}` does not belong to the {self.schedule} schedule. "
                    f"Received: {name}={value}. Leave it out, or choose the other schedule."
                )
        for name in ("rate", "base"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value <= 1.0:
                raise InputError(f"`{name}` must lie in (0, 1]. Received: {name}={value}.")
        for name in ("slope", "steps"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise InputError(f"`{name}` must not be negative. Received: {name}={value}.")

    def rate_at(self, step: int) -> float:
        """Returns the replacing rate of the update after `step` others."""
        if self.schedule == "linear":
            base = 0.3 if self.base is None else self.base
            slope = 0.0006 if self.slope is None else self.slope
            return min(1.0, base + slope * step)
        replaced = self.steps is not None and step >= max(self.steps, 1)
        return 1.0 if replaced else (0.5 if self.rate is None else self.rate)
