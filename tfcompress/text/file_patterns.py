"""Files of a corpus by name or pattern, compressed or not."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from glob import has_magic
from itertools import product
from pathlib import Path

from tfcompress.text.lines import COMPRESSED


def matching_files(folder: Path, pattern: str, endings: Sequence[str] = ("",)) -> dict[str, Path]:
    """Returns the files of a name or pattern, by stem and in the order of the stems.

    Args:
        folder: Where to look.
        pattern: A stem or a pattern of stems; a whole name too, where a file needs no ending.
        endings: What may follow the stem before `.gz` or `.zst`. Of several files of one stem one
            that is not compressed counts, the first by name.
    """
    matches = (lambda name: fnmatchcase(name, pattern)) if has_magic(pattern) else pattern.__eq__
    files: dict[str, Path] = {}
    if not folder.is_dir():
        return files
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    # Those that are not compressed go first.
    names.sort(key=lambda name: name != uncompressed_name(name))
    for name, ending in product(names, endings):
        plain = uncompressed_name(name)
        stem = plain.removesuffix(ending)
        if plain.endswith(ending) and any(map(matches, {stem} if ending else {stem, name})):
            files.setdefault(_stem(plain, endings), folder / name)
    return dict(sorted(files.items()))


def listed_files(paths: str | Path | Sequence[str | Path]) -> list[Path]:
    """Returns the files of a path or pattern, or of several.

    Args:
        paths: The paths or patterns; a single one may match nothing and is returned as it is.
    """
    patterns = [Path(paths)] if isinstance(paths, str | Path) else [Path(one) for one in paths]
    matches = (matching_files(pattern.parent, pattern.name) for pattern in patterns)
    return [path for files in matches for path in files.values()] or patterns[:1]


def uncompressed_name(name: str) -> str:
    """Returns a file's name without `.gz` or `.zst`.

    Args:
        name: The name.
    """
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    return name


def listed(value: str | Sequence[str]) -> list[str]:
    """Returns one name or several as a list.

    Args:
        value: The name or names.
    """
    return [value] if isinstance(value, str) else [*value]


def _stem(name, endings):
    return name.removesuffix(max(filter(name.endswith, endings), key=len))
