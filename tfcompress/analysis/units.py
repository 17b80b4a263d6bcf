"""Numbers for people."""


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
