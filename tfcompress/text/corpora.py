"""Parallel corpora: plain text files, one sentence a line, or a file of tab-separated pairs."""

import gzip
import hashlib
import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.text.characters import is_blank

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:_[A-Za-z]+)?")
_DIRECTION = re.compile(r"(?:^|[._])([A-Za-z]{2,3})-([A-Za-z]{2,3})(?=$|[._])")


@dataclass(frozen=True)
class Corpus:
    """Aligned sentences in two languages, by split.

    Attributes:
        name: The corpus's name, for reports.
        source_language: The language translated from, such as `"en"`.
        target_language: The language translated into, such as `"de"`.
        splits: `"train"`, `"valid"` and, where there is one, `"test"`: each a pair of lists of
            equal length, source sentences and target sentences.

    Example:
        >>> sources, targets = load_corpus("corpus", source_language="en").splits["train"]
    """

    name: str
    source_language: str
    target_language: str
    splits: dict[str, tuple[list[str], list[str]]]

    def digest(self) -> str:
        """Returns 16 hexadecimal digits that change when any sentence or language changes.

        Example:
            >>> len(load_corpus("corpus", source_language="en", target_language="de").digest())
            16
        """
        content = [self.source_language, self.target_language, self.splits]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def read_lines(path: str | Path) -> list[str]:
    r"""Reads a UTF-8 text file, gzip-compressed if its name ends in `.gz`.

    Lines end in `\n` or `\r\n` and nowhere else: other Unicode separators stay in the sentence, so
    that two aligned files never lose step. A byte order mark at the beginning is dropped.

    Args:
        path: The file.

    Returns:
        The lines without their ends.

    Raises:
        InputError: The file is missing, unreadable, a damaged gzip file, or not UTF-8.

    Example:
        >>> read_lines("corpus/train.en")[0]
        "My neighbour doesn't like to travel to Denmark."
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise InputError(f"No such file. Received: {path}. Check the path.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"A gzip file is damaged ({error}). Received: {path}. Compress it again."
        ) from None
    except OSError as error:
        raise InputError(
            f"The file cannot be read ({error.strerror}). Received: {path}. Check the path."
        ) from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"The file is not UTF-8 (byte 0x{data[error.start]:02x}). Received: {path}, line "
            f"{line}. Convert the file to UTF-8."
        ) from None
    lines = text.removeprefix("\ufeff").split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def load_corpus(
    path: str | Path,
    *,
    source_language: str | None = None,
    target_language: str | None = None,
    train: str = "train",
    valid: str = "valid",
    test: str = "test",
) -> Corpus:
    """Loads a parallel corpus from a folder or from a file of tab-separated pairs.

    A folder holds two aligned files a split, named `STEM.LANGUAGE` or `STEM.LANGUAGE.gz`. Training
    and validation are required; without test files the corpus has no `"test"` split.

    A `.tsv` or `.tsv.gz` file holds `source<TAB>target` lines. A hundredth of its distinct source
    sentences, at least one, goes to validation and as many to test, chosen by their hash: the
    choice does not depend on the order of the lines, and no source sentence is in two splits.

    Languages that are not given are deduced from the names: the files' endings where one language
    is known, a direction such as `en-de` in the name of the folder or TSV file where none is.

    Args:
        path: A folder, or a `.tsv` or `.tsv.gz` file.
        source_language: The language to translate from.
        target_language: The language to translate into.
        train: The stem of the training files, such as `"train.lc.norm.tok"`.
        valid: The stem of the validation files; for `"valid"`, `"val"` is tried too.
        test: The stem of the test files.

    Returns:
        The corpus.

    Raises:
        InputError: A file is missing, empty or not UTF-8, two files have unequal numbers of lines,
            a line is empty or has not exactly one tab, or a language cannot be deduced.

    Example:
        >>> corpus = load_corpus("corpus", source_language="en", target_language="de")
        >>> len(corpus.splits["train"][0])
        500
    """
    path = Path(path)
    if path.is_dir():
        source, target = _folder_languages(path, train, source_language, target_language)
        stems = {"train": train, "valid": valid, "test": test}
        files = _folder_files(path, stems, source, target)
        splits = {split: _read_pair(*sides) for split, sides in files.items()}
        return Corpus(path.resolve().name, source, target, splits)
    name = _tsv_name(path)
    source, target = _tsv_languages(path, name, source_language, target_language)
    return Corpus(name, source, target, _split_pairs(path, _read_tsv(path)))


def corpus_files(
    path: str | Path,
    stems: dict[str, str],
    *,
    source_language: str | None = None,
    target_language: str | None = None,
) -> dict[str, tuple[Path, ...]]:
    """Returns the files of a corpus by split: source and target, or one file of pairs.

    Args:
        path: As for `load_corpus`.
        stems: The stems of the files by split, "train" and "valid" and "test".
        source_language: As for `load_corpus`.
        target_language: As for `load_corpus`.

    Raises:
        InputError: A file is missing, or a language cannot be deduced.

    Example:
        >>> corpus_files("pairs.en-de.tsv", {})
        {'train': (PosixPath('pairs.en-de.tsv'),)}
    """
    path = Path(path)
    if not path.is_dir():
        _tsv_name(path)
        return {"train": (path,)}
    languages = _folder_languages(path, stems["train"], source_language, target_language)
    return _folder_files(path, stems, *languages)


def _tsv_name(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    if not name.endswith(".tsv") or not path.exists():
        problem = "is neither a folder nor a .tsv file" if path.exists() else "does not exist"
        raise InputError(
            f"The corpus {problem}. Received: {path}. Give a folder or a .tsv or .tsv.gz file."
        )
    return name.removesuffix(".tsv")


def _folder_languages(
    folder: Path, stem: str, source: str | None, target: str | None
) -> tuple[str, str]:
    endings = {
        file.name.removesuffix(".gz").removeprefix(f"{stem}.")
        for file in folder.iterdir()
        if file.name.startswith(f"{stem}.")
    }
    present = sorted(ending for ending in endings if _LANGUAGE.fullmatch(ending))
    if source is None and target is None:
        direction = _DIRECTION.search(folder.resolve().name)
        if direction and set(direction.groups()) <= set(present):
            return direction.group(1), direction.group(2)
    elif source is None or target is None:
        known = source or target
        others = [language for language in present if language != known]
        if len(others) == 1:
            source, target = source or others[0], target or others[0]
    if not present and (source is None or target is None):
        raise InputError(
            f"There are no training files named {stem}.LANGUAGE. Received: corpus {folder}. Give "
            "the stem and the languages of the files."
        )
    return _checked_languages(folder, source, target, f"files present: {', '.join(present)}; ")


def _tsv_languages(
    path: Path, name: str, source: str | None, target: str | None
) -> tuple[str, str]:
    direction = _DIRECTION.search(name)
    if direction and (source is None or target is None):
        source, target = source or direction.group(1), target or direction.group(2)
    return _checked_languages(path, source, target, "")


def _checked_languages(
    path: Path, source: str | None, target: str | None, files: str
) -> tuple[str, str]:
    if source is None or target is None:
        missing = "target" if source else "source"
        raise InputError(
            f"The {missing} language is not given and not clear from the names. Received: corpus "
            f"{path} ({files}source {source}, target {target}). Give both languages."
        )
    if source == target:
        raise InputError(
            f"Source and target language must differ. Received: {source} for both of corpus "
            f"{path}. Give two languages."
        )
    return source, target


def _folder_files(
    folder: Path, stems: dict[str, str], source: str, target: str
) -> dict[str, tuple[Path, ...]]:
    splits = {}
    for split, stem in stems.items():
        candidates = [stem, "val"] if split == "valid" and stem == "valid" else [stem]
        for candidate in candidates:
            sides = [_find(folder, f"{candidate}.{language}") for language in (source, target)]
            if any(sides):
                break
        if not any(sides) and split == "test":
            continue
        for language, side in zip((source, target), sides):
            if side is None:
                raise InputError(
                    f"There is no {split} file {candidates[0]}.{language} or "
                    f"{candidates[0]}.{language}.gz. Received: corpus {folder}. Add it, or give "
                    f"the stem of the {split} files."
                )
        splits[split] = tuple(sides)
    return splits


def _find(folder: Path, name: str) -> Path | None:
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    return None


def _read_pair(source: Path, target: Path) -> tuple[list[str], list[str]]:
    sides = read_lines(source), read_lines(target)
    for file, lines in zip((source, target), sides):
        if not lines:
            raise InputError(f"The file is empty. Received: {file}. Give at least one sentence.")
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"Line N of one file must translate line N of the other. Received: {source} with "
            f"{len(sides[0])} lines, {target} with {len(sides[1])}. Give files of as many lines."
        )
    for file, lines in zip((source, target), sides):
        check_lines(
            file,
            [number for number, line in enumerate(lines, start=1) if is_blank(line)],
            f"blank; remove them from both {source.name} and {target.name}",
        )
    return sides


def check_lines(path: Path, numbers: list[int], fault: str) -> None:
    """Refuses a file some of whose lines are at fault.

    Args:
        path: The file.
        numbers: The numbers of the lines at fault.
        fault: What is wrong with them.

    Raises:
        InputError: If there are any; names the first, and how to get rid of all.
    """
    if numbers:
        shown = ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
        raise InputError(
            f"Some lines cannot be used. Received: {path}, of whose lines {len(numbers):,} "
            f"{'is' if len(numbers) == 1 else 'are'} {fault} (lines {shown}). Do so, or let "
            "`tfcompress corpus clean` do it."
        )


def _read_tsv(path: Path) -> list[tuple[str, str]]:
    rows = [line.split("\t") for line in read_lines(path)]
    if not rows:
        raise InputError(
            f"The file is empty. Received: {path}. Write one pair a line as source<TAB>target."
        )
    numbered = [*enumerate(rows, start=1)]
    wrong = [number for number, fields in numbered if len(fields) != 2]
    check_lines(path, wrong, "no pair; write one a line as source<TAB>target")
    blank = [number for number, fields in numbered if any(map(is_blank, fields))]
    check_lines(path, blank, "blank on one side; fill or remove them")
    return [(source, target) for source, target in rows]


def _split_pairs(
    path: Path, pairs: list[tuple[str, str]]
) -> dict[str, tuple[list[str], list[str]]]:
    sources = sorted(
        {source for source, _ in pairs},
        key=lambda sentence: hashlib.sha256(sentence.encode()).digest(),
    )
    if len(sources) < 3:
        raise InputError(
            "Training, validation and test splits need at least 3 distinct source sentences. "
            f"Received: {len(sources)} in {path}. Give more."
        )
    size = max(1, len(sources) // 100)
    split_of = dict.fromkeys(sources, "train")
    split_of.update(dict.fromkeys(sources[:size], "valid"))
    split_of.update(dict.fromkeys(sources[size : 2 * size], "test"))
    splits = {split: ([], []) for split in ("train", "valid", "test")}
    for source, target in pairs:
        for side, sentence in zip(splits[split_of[source]], (source, target)):
            side.append(sentence)
    return splits
