"""Cuts markup into tags, text, and what is never translated; the native runtime does the very same.

The rules are HTML's, as far as XML agrees; see `tfcompress.runtime.markup`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from html.entities import name2codepoint

from tfcompress.errors import InputError

# Elements that end a sentence, and elements with no end tag.
_BLOCKS = """
address article aside blockquote body br button canvas caption center col colgroup dd details dialog
dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head
header hgroup hr html legend li link main menu meta nav noframes noscript object ol optgroup option
p param pre search section select source summary table tbody td template textarea tfoot th thead
title tr track ul video audio
"""
BLOCKS = frozenset(_BLOCKS.split())
_VOIDS = "area base br col embed frame hr img input link meta param source track wbr"
VOIDS = frozenset(_VOIDS.split())
# Elements whose content has no tags: text of its own, or none.
RAW_TEXT = frozenset(("title", "textarea"))
RAW = frozenset(("script", "style", "xmp", "iframe", "noembed", "noframes"))
_OPAQUE = "code kbd samp var tt math svg template canvas object"
OPAQUE = frozenset(_OPAQUE.split())
# What the tag of another element ends, where it has no end tag of its own.
_HEADS = "thead tbody tfoot"
_PARAGRAPH_ENDS = """
address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer
form h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p pre search section summary table ul
"""
_ENDERS = {
    "p": f"{_PARAGRAPH_ENDS} li dt dd tr td th {_HEADS}",
    "li": "li",
    "dt": "dt dd",
    "dd": "dt dd",
    "option": "option optgroup",
    "optgroup": "optgroup",
    "td": f"td th tr {_HEADS}",
    "th": f"td th tr {_HEADS}",
    "tr": f"tr {_HEADS}",
    **dict.fromkeys(["thead", "tbody", "tfoot"], _HEADS),
    **dict.fromkeys(["caption", "colgroup"], f"caption colgroup tr td th {_HEADS}"),
    "head": "body",
}
ENDED_BY = {
    name: tuple(sorted(ended for ended, enders in _ENDERS.items() if name in enders.split()))
    for name in sorted({name for enders in _ENDERS.values() for name in enders.split()})
}
# Elements that without an end tag go on beyond the one around, up to the end of a scope; and those
# of them that another of the same name ends.
_FORMATTING = "a b big code em font i nobr s small strike strong tt u"
FORMATTING = frozenset(_FORMATTING.split())
UNIQUE = frozenset(("a", "nobr"))
SCOPES = frozenset(("applet", "caption", "marquee", "object", "td", "template", "th"))
# Cells of tables, and the tags that end them: other cells', and those of rows and parts.
CELLS = frozenset(("caption", "td", "th"))
CELL_ENDS = CELLS | frozenset(("col", "colgroup", "tbody", "tfoot", "thead", "tr"))
# Elements that keep their line breaks.
PREFORMATTED = frozenset(("pre", "textarea"))

_SPACE = " \t\n\r\f"
_REFERENCE = re.compile(
    r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9._-]{0,31}));"
)
CHARACTER_NAMES = {**name2codepoint, "apos": 39}


class TokenType(Enum):
    """What a token is."""

    TEXT = 0
    OPEN = 1
    CLOSE = 2
    EMPTY = 3  # A tag that is an element by itself.
    KEPT = 4  # A comment, a script and the like.


@dataclass
class Token:
    """A token of markup.

    Attributes:
        type: What it is.
        begin: Where it begins.
        end: Where it ends.
        name: A tag's name, in small letters.
        is_opaque: Whether an element's content is not translated.
        partner: The number of the other tag of the element, or -1.
    """

    type: TokenType
    begin: int
    end: int
    name: str = ""
    is_opaque: bool = False
    partner: int = -1


def scan(text: str) -> Iterator[Token]:
    """Yields the tokens of markup, which together are all of it.

    Args:
        text: The markup.

    Raises:
        InputError: A tag, comment or script has no end.

    Example:

    >>> [token.type.name for token in scan("a <b>c</b><br>")]
    ['TEXT', 'OPEN', 'TEXT', 'CLOSE', 'EMPTY']
    """
    begin = at = 0
    end_tags = _EndTags(text)
    while (at := text.find("<", at)) >= 0:
        token = _markup(text, at, end_tags)
        if token is None:
            at += 1
            continue
        if begin < at:
            yield Token(TokenType.TEXT, begin, at)
        yield token
        begin = at = token.end
        if token.type == TokenType.OPEN and token.name in RAW_TEXT:
            end = end_tags.find(token.name, at)
            at = at if end is None else end
    if begin < len(text):
        yield Token(TokenType.TEXT, begin, len(text))


def decode(text: str) -> Iterator[tuple[str, str | None]]:
    """Yields the parts of text with character references.

    Args:
        text: The text, without tags.

    Yields:
        Each part as it is written, and the characters that it stands for: None where nobody but
        the document's own definitions knows.

    Example:

    >>> list(decode("a&amp;&b;"))
    [('a', 'a'), ('&amp;', '&'), ('&b;', None)]
    """
    at = 0
    for match in _REFERENCE.finditer(text):
        if at < match.start():
            yield text[at : match.start()], text[at : match.start()]
        yield match.group(), _character(match)
        at = match.end()
    if at < len(text):
        yield text[at:], text[at:]


def encode(text: str) -> str:
    """Returns text with references for the characters that markup is made of.

    Args:
        text: The text.

    Example:

    >>> encode("a < b & c")
    'a &lt; b &amp; c'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _character(match):
    decimal, hexadecimal, name = match.groups()
    if name:
        code = CHARACTER_NAMES.get(name)
        return None if code is None else chr(code)
    code = int(decimal) if decimal else int(hexadecimal, 16)
    is_control = (code < 32 and chr(code) not in _SPACE) or 127 <= code < 160
    is_character = code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if is_character and not is_control else None


class _EndTags:
    """Finds the end tags of elements without tags in them."""

    def __init__(self, text):
        self._text = text
        self._known: dict[str, int | None] = {}

    def find(self, name, at):
        """Returns where the next one is, or None; never called with a lesser `at`."""
        if name not in self._known or (self._known[name] is not None and self._known[name] < at):
            pattern = re.compile(rf"</{name}(?=[ \t\n\r\f/>])", re.IGNORECASE | re.ASCII)
            match = pattern.search(self._text, at)
            self._known[name] = match and match.start()
        return self._known[name]


def _markup(text, at, end_tags):
    """Returns the token that begins with a `<`, or None if that is text."""
    following = text[at + 1 : at + 2]
    if _is_letter(following):
        return _open(text, at, end_tags)
    if following == "/" and _is_letter(text[at + 2 : at + 3]):
        name_end = _name_end(text, at + 2)
        end, *_ = _tag_end(text, at, name_end)
        return Token(TokenType.CLOSE, at, end, _lower(text[at + 2 : name_end]))
    if text.startswith("<!--", at):
        return Token(TokenType.KEPT, at, _after(text, at, "-->", at + 2))
    if text.startswith("<![CDATA[", at):
        return Token(TokenType.KEPT, at, _after(text, at, "]]>", at))
    if following == "?":
        return Token(TokenType.KEPT, at, _after(text, at, "?>", at))
    if following == "!":
        end = _after(text, at, ">", at)
        if text.find("[", at, end) >= 0:
            end = _after(text, at, ">", _after(text, at, "]", at))
        return Token(TokenType.KEPT, at, end)
    return None


def _open(text, at, end_tags):
    name_end = _name_end(text, at + 1)
    name = _lower(text[at + 1 : name_end])
    end, is_closed, is_opaque = _tag_end(text, at, name_end)
    # HTML knows no `/>` here; XML does.
    closing = end_tags.find(name, end) if name in RAW or name in RAW_TEXT else None
    if (is_closed and closing is None) or name in VOIDS:
        return Token(TokenType.EMPTY, at, end, name)
    if name in RAW:
        if closing is None:
            raise _unended(text, at)
        end, *_ = _tag_end(text, closing, closing + len(f"</{name}"))
        return Token(TokenType.KEPT, at, end, name)
    return Token(TokenType.OPEN, at, end, name, is_opaque or name in OPAQUE)


def _tag_end(text, begin, at):
    """Returns where a tag ends, whether with `/>`, and whether it forbids translation."""
    is_opaque = False
    while True:
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if at == len(text):
            raise _unended(text, begin)
        if text[at] == ">":
            return at + 1, text[at - 1] == "/", is_opaque
        name = at
        at += 1
        while at < len(text) and text[at] not in _SPACE + "/>=":
            at += 1
        attribute, value_at = _lower(text[name:at]), at
        while value_at < len(text) and text[value_at] in _SPACE:
            value_at += 1
        if text[value_at : value_at + 1] != "=":
            continue
        value, at = _value(text, begin, value_at + 1)
        is_opaque |= attribute == "translate" and _lower(value) == "no"
        is_opaque |= attribute == "class" and "notranslate" in re.split("[ \t\n\r\f]", value)
        if text[at : at + 1] == ">" and text[at - 1] == "/":
            return at + 1, False, is_opaque


def _value(text, begin, at):
    """Returns an attribute's value and what is after it."""
    while at < len(text) and text[at] in _SPACE:
        at += 1
    quote = text[at : at + 1]
    if quote and quote in "\"'":
        end = text.find(quote, at + 1)
        if end < 0:
            raise _unended(text, begin)
        return text[at + 1 : end], end + 1
    end = at
    while end < len(text) and text[end] not in _SPACE + ">":
        end += 1
    return text[at:end], end


def _name_end(text, at):
    while at < len(text) and text[at] not in _SPACE + "/>":
        at += 1
    return at


def _after(text, begin, mark, at):
    end = text.find(mark, at)
    if end < 0:
        raise _unended(text, begin)
    return end + len(mark)


def _unended(text, begin):
    return InputError(
        "Tags, comments and scripts must end. Received: "
        f"{text[begin : begin + 20]!r} at character {begin}. Close it, or write &lt; for a `<`."
    )


def _is_letter(character):
    return character != "" and character.isascii() and character.isalpha()


def _lower(text):
    return "".join(c.lower() if c.isascii() else c for c in text)
