"""Takes markup apart into segments of plain text, and puts it together; as the native runtime does.

A text is HTML, or XML whose elements are all within sentences. What a sentence cannot go beyond
(paragraphs, table cells, `<br>` and the like, tags without partners, and all elements around such)
stays in its place, and what is between is a segment. Its tags go around the translations of the
words that they were around, in the same nesting, each once. No tag is ever changed.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from tfcompress.runtime.markup_scanner import (
    BLOCKS,
    CELL_ENDS,
    CELLS,
    ENDED_BY,
    FORMATTING,
    PREFORMATTED,
    SCOPES,
    UNIQUE,
    Token,
    TokenType,
    decode,
    encode,
    scan,
)
from tfcompress.runtime.tag_placement import Tag, TextAlignment, place_tags
from tfcompress.text.characters import is_blank, is_space

_SPACE = " \t\n\r\f"


@dataclass
class Segment:
    """A text with tags.

    Attributes:
        text: The text without them.
        tags: The tags, each after the one that it is in.
    """

    text: str
    tags: list[Tag] = field(default_factory=list)


@dataclass
class MarkupDocument:
    r"""Markup in parts.

    Attributes:
        parts: What stays as it is, and segments.

    Example:

    >>> document = MarkupDocument.parse("<p>Two <b>dogs</b> &amp; a cat.</p>")
    >>> [segment.text for segment in document.segments]
    ['Two dogs & a cat.']
    """

    parts: list[str | Segment]

    @classmethod
    def parse(cls, text: str) -> "MarkupDocument":
        """Takes markup apart.

        Args:
            text: The markup.

        Raises:
            InputError: A tag, comment or script has no end.
        """
        return cls(_Parser(text).parts())

    @property
    def segments(self) -> list[Segment]:
        """What is to be translated."""
        return [part for part in self.parts if isinstance(part, Segment)]

    def join(self, translations: Sequence[tuple[str, TextAlignment]]) -> str:
        """Puts the markup together again.

        Args:
            translations: The translation of each segment, and how it is aligned.
        """
        following = iter(translations)
        return "".join(
            place_tags(part.text, part.tags, *next(following), encode)
            if isinstance(part, Segment)
            else part
            for part in self.parts
        )


@dataclass
class _Atom:
    """A token, or a part of one that is text: with the characters that it stands for."""

    token: Token
    begin: int
    end: int
    text: str = ""
    ends_sentence: bool = False
    partner: int = -1

    @property
    def is_blank(self):
        return self.token.type != TokenType.TEXT or is_blank(self.text)


class _Parser:
    def __init__(self, text):
        self._text = text
        self._atoms = list(_atoms(text))
        _match(self._atoms)
        ends = _ends_without_tag(self._atoms)
        _mark_ends(self._atoms, ends)
        # How much there is to translate before each atom.
        self._counts = [0]
        opaque_until = -1
        for number, atom in enumerate(self._atoms):
            if atom.token.is_opaque:
                opaque_until = max(opaque_until, ends.get(number, atom.partner))
            is_text = number > opaque_until and not atom.is_blank
            self._counts.append(self._counts[-1] + is_text)

    def parts(self):
        parts, kept, begin = [], 0, 0
        for end in range(len(self._atoms) + 1):
            if end < len(self._atoms) and not self._atoms[end].ends_sentence:
                continue
            first, last = self._without_surroundings(begin, end)
            begin = end + 1
            if first == last:
                continue
            segment, span = self._segment(first, last)
            parts += [self._text[kept : span[0]], segment]
            kept = span[1]
        return [part for part in [*parts, self._text[kept:]] if part]

    def _has_text(self, begin, end):
        return self._counts[end] > self._counts[begin]

    def _without_surroundings(self, begin, end):
        """Returns the atoms from the first word to the last, with the elements that begin there."""
        atoms = self._atoms
        if not self._has_text(begin, end):
            return end, end
        while atoms[begin].is_blank:
            partner = atoms[begin].partner
            if partner >= 0 and self._has_text(begin, partner):
                if self._has_text(partner, end):
                    break
                end = partner
            elif partner >= 0:
                begin = partner
            begin += 1
        while atoms[end - 1].is_blank:
            partner = atoms[end - 1].partner
            if partner >= 0:
                if self._has_text(partner, end):
                    break
                end = partner
            else:
                end -= 1
        return begin, end

    def _segment(self, begin, end):
        """Returns the segment of some atoms, and where it is without the space around it."""
        atoms, text = self._atoms, self._text
        builder, number = _Builder(), begin
        while number < end:
            atom = atoms[number]
            raw = text[atom.begin : atom.end]
            if atom.token.type == TokenType.TEXT:
                builder.add_text(atom.text)
            elif atom.token.type == TokenType.CLOSE:
                builder.close()
            elif atom.partner < 0:
                builder.add_mark(raw)
            else:
                partner = atoms[atom.partner]
                if self._has_text(number, atom.partner):
                    builder.open(raw, text[partner.begin : partner.end])
                else:
                    builder.add_mark(text[atom.begin : partner.end])
                    inner = atoms[number + 1 : atom.partner]
                    if not atom.token.is_opaque and any(one.text for one in inner):
                        builder.add_text(" ")
                    number = atom.partner
            number += 1
        first, last = atoms[begin], atoms[end - 1]
        left = text[first.begin : first.end] if first.token.type == TokenType.TEXT else ""
        right = text[last.begin : last.end] if last.token.type == TokenType.TEXT else ""
        span = (
            first.begin + len(left) - len(left.lstrip(_SPACE)),
            last.end - len(right) + len(right.rstrip(_SPACE)),
        )
        return builder.segment(), span


class _Builder:
    """Makes a segment."""

    def __init__(self):
        self._text = ""
        self._tags = []
        self._open = []
        self._marks = []

    def add_text(self, text):
        for mark in self._marks:
            mark.spaces = (mark.spaces[0], text.startswith(" "))
        self._marks = []
        # Space on both sides of a tag is one.
        self._text += text[self._text.endswith(" ") and text.startswith(" ") :]

    def add_mark(self, source):
        mark = self._tag(source)
        mark.spaces = (self._text.endswith(" "), False)
        self._tags.append(mark)
        self._marks.append(mark)

    def open(self, opening, closing):
        self._tags.append(self._tag(opening, closing))
        self._open.append(len(self._tags) - 1)

    def close(self):
        self._tags[self._open.pop()].end = len(self._text)

    def _tag(self, opening, closing=""):
        parent = self._open[-1] if self._open else -1
        return Tag(len(self._text), len(self._text), opening, closing, parent)

    def segment(self):
        text = self._text.strip(" ")
        shift = len(self._text) - len(self._text.lstrip(" "))
        for tag in self._tags:
            tag.begin = min(max(tag.begin - shift, 0), len(text))
            tag.end = min(max(tag.end - shift, 0), len(text))
            if tag.closing:
                while is_space(text[tag.begin]):
                    tag.begin += 1
                while is_space(text[tag.end - 1]):
                    tag.end -= 1
        return Segment(text, self._tags)


def _atoms(text):
    preformatted = 0
    for token in scan(text):
        if token.type != TokenType.TEXT:
            is_preformatted = token.name in PREFORMATTED
            preformatted += is_preformatted and token.type == TokenType.OPEN
            preformatted -= is_preformatted and token.type == TokenType.CLOSE
            preformatted = max(preformatted, 0)
            yield _Atom(token, token.begin, token.end)
            continue
        for atom in _text_atoms(text, token):
            if preformatted:
                yield from _lines(text, atom)
            else:
                atom.text = re.sub(f"[{_SPACE}]+", " ", atom.text)
                yield atom


def _text_atoms(text, token):
    at = token.begin
    for raw, meant in decode(text[token.begin : token.end]):
        end = at + len(raw)
        kept = token if meant is not None else Token(TokenType.KEPT, at, end)
        yield _Atom(kept, at, end, meant or "")
        at = end


def _lines(text, atom):
    """Yields preformatted text and its line breaks."""
    raw, at = text[atom.begin : atom.end], atom.begin
    for part in re.split("(\n)", raw) if raw == atom.text else [raw]:
        shown = re.sub("[\n\r\f]", " ", part if raw == atom.text else atom.text)
        yield _Atom(atom.token, at, at + len(part), shown, part == "\n")
        at += len(part)


def _match(atoms):
    """Finds the partners of tags. What an element's end leaves open has none.

    As in HTML, a table's cell ends the one before it with all that is in it, and end tags in cells
    and the like end nothing that is around these, but for parts of tables.
    """
    # The tags that are open, how many of each name within each cell and the like, and how many
    # cells within each table.
    opened, names, cells = [], [Counter()], [0]

    def pop():
        number = opened.pop()
        name = atoms[number].token.name
        if name in SCOPES:
            names.pop()
        names[-1][name] -= 1
        if name in CELLS:
            cells[-1] -= 1
        elif name == "table":
            cells.pop()
        return number

    for number, atom in enumerate(atoms):
        tag, name = atom.token.type, atom.token.name
        if tag == TokenType.OPEN:
            while name in CELL_ENDS and cells[-1]:
                pop()
            opened.append(number)
            names[-1][name] += 1
            if name in SCOPES:
                names.append(Counter())
            if name in CELLS:
                cells[-1] += 1
            elif name == "table":
                cells.append(0)
        elif tag == TokenType.CLOSE:
            goes_out = name in SCOPES or name in CELL_ENDS or name == "table"
            if not names[-1][name] and not (goes_out and len(names) > 1 and names[-2][name]):
                continue
            while atom.partner < 0:
                last = pop()
                if atoms[last].token.name == name:
                    atom.partner, atoms[last].partner = last, number


def _ends_without_tag(atoms):
    """Returns for each open tag without a partner the number of the last atom of its element.

    That is before the tag of an element that ends it, or at the end of the one around. As in HTML's
    list of active formatting elements, formatting goes on after that, up to an end tag that stands
    elsewhere, or the end of a table cell and the like.
    """
    ends = {}
    # Of each element around that has an end tag, the tags without one in it, and their names; and
    # within each cell and the like, the formatting, by its name.
    scopes, formatting = [([], Counter())], [defaultdict(list)]

    def end(number, last):
        if atoms[number].partner < 0:
            ends[number] = last
        if atoms[number].token.name in SCOPES:
            ends.update(dict.fromkeys(chain(*formatting.pop().values()), last))

    for number, atom in enumerate(atoms):
        tag, name = atom.token.type, atom.token.name
        if tag == TokenType.CLOSE and atom.partner >= 0:
            for inner in (*reversed(scopes.pop()[0]), atom.partner):
                end(inner, number - 1)
        elif tag == TokenType.CLOSE:
            if formatting[-1][name]:
                ends[formatting[-1][name].pop()] = number - 1
        elif tag in (TokenType.OPEN, TokenType.EMPTY):
            opened, counts = scopes[-1]
            while any(counts[ended] for ended in ENDED_BY.get(name, ())):
                counts[atoms[opened[-1]].token.name] -= 1
                end(opened.pop(), number - 1)
            if name in UNIQUE and formatting[-1][name]:
                ends[formatting[-1][name].pop()] = number - 1
                atom.ends_sentence = True
            if tag == TokenType.EMPTY:
                continue
            if name in SCOPES:
                formatting.append(defaultdict(list))
            if atom.partner >= 0:
                scopes.append(([], Counter()))
            elif name in FORMATTING:
                formatting[-1][name].append(number)
            else:
                opened.append(number)
                counts[name] += 1
    left = chain(scopes[0][0], *(chain(*names.values()) for names in formatting))
    return ends | dict.fromkeys(left, len(atoms) - 1)


def _mark_ends(atoms, ends):
    """Marks what ends a sentence: blocks, tags without partners, and elements around those.

    Nothing does within an element that is not translated; but where something that is not
    translated either begins or ends in it, its own end does.

    Args:
        atoms: The atoms.
        ends: What `_ends_without_tag` returns.
    """
    edges = {
        edge for number, last in ends.items() if atoms[number].token.is_opaque
        for edge in (number, last + 1)
    }  # fmt: skip
    opened, number = [], 0

    def mark(atom):
        atom.ends_sentence = True
        for around in reversed(opened):
            if atoms[around].ends_sentence:
                break
            atoms[around].ends_sentence = True

    while number < len(atoms):
        atom = atoms[number]
        tag = atom.token.type
        is_lonely = tag in (TokenType.OPEN, TokenType.CLOSE) and atom.partner < 0
        atom.ends_sentence |= is_lonely or (tag != TokenType.TEXT and atom.token.name in BLOCKS)
        if tag == TokenType.CLOSE and atom.partner >= 0:
            opened.pop()
            atom.ends_sentence |= atoms[atom.partner].ends_sentence
        if atom.ends_sentence:
            mark(atom)
        if tag == TokenType.OPEN and atom.partner >= 0:
            if atom.token.is_opaque:
                has_edge = any(inner in edges for inner in range(number + 1, atom.partner))
                for inner in atoms[number + 1 : atom.partner]:
                    inner.ends_sentence = False
                number = atom.partner
                if has_edge or atom.ends_sentence:
                    mark(atoms[number])
            else:
                opened.append(number)
        number += 1
