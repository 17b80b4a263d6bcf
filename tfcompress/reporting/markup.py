"""Builds HTML and SVG; text is escaped unless it is markup already."""

import html

from tfcompress.reporting import formats

_VOID = frozenset({"br", "meta"})


class Markup(str):
    """Text that is markup and stays as it is."""

    __slots__ = ()


def element(tag: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """Returns an element.

    Args:
        tag: Its name.
        *children: Its content: `Markup` as it is, other text escaped.
        **attributes: Its attributes; underscores stand for hyphens, one at the end is dropped, and
            attributes that are None are left out.

    Returns:
        The element as markup that is well-formed both as HTML and as XML.

    Example:

    >>> element("td", "a < b", class_="number")
    '<td class="number">a &lt; b</td>'
    """
    opening = tag + "".join(
        f' {name.removesuffix("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Markup(f"<{opening}/>")
    return Markup(f"<{opening}>{join(*children)}</{tag}>")


def join(*children: str) -> Markup:
    """Returns the children one after the other, those that aren't markup escaped."""
    return Markup(
        "".join(
            child
            if isinstance(child, Markup)
            else html.escape(formats.printable(child), quote=False)
            for child in children
        )
    )


def _value(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return html.escape(formats.printable(str(value)))
