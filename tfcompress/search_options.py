"""Options of a search for translations: one check for models, bundles, recipes and commands."""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real

from tfcompress.errors import InputError

MAX_BEAM_SIZE = 1000
MAX_LENGTH_PENALTY = 10
MAX_THREADS = 1024
MAX_BATCH_SIZE = 1024


@dataclass(frozen=True)
class SearchOptions:
    """The options of a search, checked.

    Attributes:
        beam_size: Hypotheses that the search keeps, at most 1,000; 1 is greedy search.
        length_penalty: The power of the length that a hypothesis' log-probability is divided by to
            get its score, from -10 to 10.
        n_best: Hypotheses to return, at most `beam_size`.
        max_length: Most tokens of a translation, the end mark included, or None for the model's
            limit.

    Raises:
        InputError: An option is impossible.

    Example:
        >>> SearchOptions(beam_size=4).n_best
        1
    """

    beam_size: int = 1
    _: KW_ONLY
    length_penalty: float = 1.0
    n_best: int = 1
    max_length: int | None = None

    def __post_init__(self):
        check_count("beam_size", self.beam_size, most=MAX_BEAM_SIZE)
        check_count("n_best", self.n_best)
        if self.max_length is not None:
            check_count("max_length", self.max_length)
        if self.n_best > self.beam_size:
            raise InputError(
                "`n_best` must be at most `beam_size`. Received: "
                f"n_best={self.n_best}, beam_size={self.beam_size}."
            )
        penalty = self.length_penalty
        is_number = isinstance(penalty, Real) and not isinstance(penalty, bool)
        if not is_number or not abs(penalty) <= MAX_LENGTH_PENALTY:
            raise InputError(
                f"`length_penalty` must be a number from -{MAX_LENGTH_PENALTY} to "
                f"{MAX_LENGTH_PENALTY}. Received: length_penalty={penalty!r}."
            )


def check_count(name: str, value: int, *, most: int | None = None) -> None:
    """Makes sure that a value is a whole number of at least 1.

    Args:
        name: What the value is called.
        value: The value.
        most: The greatest that it may be.

    Raises:
        InputError: It is not.

    Example:
        >>> check_count("num_threads", 4, most=MAX_THREADS)
    """
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or value < 1 or (most is not None and value > most):
        wanted = "of at least 1" if most is None else f"from 1 to {most:,}"
        raise InputError(f"`{name}` must be a whole number {wanted}. Received: {name}={value!r}.")
