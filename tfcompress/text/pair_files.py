"""Sentence pairs in files, read as streams: aligned files, or files of tab-separated pairs."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.text.characters import is_blank
from tfcompress.text.line_checks import check_lines
from tfcompress.text.lines import iterate_lines
from tfcompress.text.row_files import Test

Pair = tuple[str, str]


class AlignedFiles:
    """Line N of one file translates line N of another, in one pair of files or in several.

    Args:
        shards: The files: each of sources with that of their translations.
    """

    columns, unit = 2, "pairs"

    def __init__(self, shards: Sequence[tuple[Path, Path]]):
        self.shards = tuple(shards)

    @property
    def paths(self) -> Sequence[Path]:
        return [path for shard in self.shards for path in shard]

    def rows(self) -> Iterator[Pair]:
        for shard in self.shards:
            yield from self._shard(*shard)

    def _shard(self, source, target):
        blank, number, more = ([], []), 0, [0, 0]
        pairs = zip_longest(iterate_lines(source), iterate_lines(target))
        for one, other in pairs:
            if one is None or other is None:
                more[one is None] = 1 + sum(1 for _ in pairs)
                break
            number += 1
            if not (one[:1].isalnum() and other[:1].isalnum()):
                for side, line in enumerate((one, other)):
                    if is_blank(line):
                        blank[side].append(number)
            yield one, other
        counts = [number + extra for extra in more]
        for path, count in zip((source, target), counts):
            if not count:
                raise InputError(
                    f"The file is empty. Received: {path}. Give at least one sentence."
                )
        if counts[0] != counts[1]:
            raise InputError(
                f"Line N of one file must translate line N of the other. Received: {source} with "
                f"{counts[0]} lines, {target} with {counts[1]}. Give files of as many lines."
            )
        fault = f"blank; remove them from both {source.name} and {target.name}"
        for path, numbers in zip((source, target), blank):
            check_lines(path, numbers, fault)


class TabSeparatedFiles:
    """Files of `source<TAB>target` lines.

    Args:
        paths: The files.
        test: Which pairs count, by their source sentence; all by default.
    """

    columns, unit = 2, "pairs"

    def __init__(self, paths: Sequence[Path], test: Test | None = None):
        self.paths = tuple(paths)
        self._test = test

    def rows(self) -> Iterator[Pair]:
        for path in self.paths:
            pairs = self._file(path)
            yield from pairs if self._test is None else (p for p in pairs if self._test(p[0]))

    def _file(self, path):
        wrong, blank, number = [], [], 0
        for number, line in enumerate(iterate_lines(path), start=1):
            fields = line.split("\t")
            if len(fields) != 2:
                wrong.append(number)
            elif any(map(is_blank, fields)):
                blank.append(number)
            else:
                yield fields[0], fields[1]
        if not number:
            raise InputError(
                f"The file is empty. Received: {path}. Write one pair a line as source<TAB>target."
            )
        check_lines(path, wrong, "no pair; write one a line as source<TAB>target")
        check_lines(path, blank, "blank on one side; fill or remove them")
