"""Parallel corpora: plain text files, one sentence a line, or a file of tab-separated pairs."""

import functools
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.text.file_patterns import (
    listed,
    listed_files,
    matching_files,
    uncompressed_name,
)
from tfcompress.text.hashed_splits import hashed_splits
from tfcompress.text.pair_files import AlignedFiles, TabSeparatedFiles
from tfcompress.text.text_stream import StreamCorpus, TextStream, split_content

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:_[A-Za-z]+)?")
_DIRECTION = re.compile(r"(?:^|[._])([A-Za-z]{2,3})-([A-Za-z]{2,3})(?=$|[._])")


@dataclass(frozen=True)
class Corpus(StreamCorpus):
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
    splits: dict[str, tuple[Sequence[str], Sequence[str]]]

    def digest(self) -> str:
        """Returns 16 hexadecimal digits that change when any sentence or language changes.

        Example:
            >>> len(load_corpus("corpus", source_language="en", target_language="de").digest())
            16
        """
        splits = {split: split_content(columns) for split, columns in self.splits.items()}
        content = [self.source_language, self.target_language, splits]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def load_corpus(
    path: str | Path | Sequence[str | Path],
    *,
    source_language: str | None = None,
    target_language: str | None = None,
    train: str | Sequence[str] = "train",
    valid: str | Sequence[str] = "valid",
    test: str | Sequence[str] = "test",
) -> Corpus:
    """Loads a parallel corpus from a folder or from files of tab-separated pairs.

    A folder holds two aligned files a split, named `STEM.LANGUAGE`, or several such pairs of files.
    Training and validation are required; without test files the corpus has no `"test"` split.

    A `.tsv` file holds `source<TAB>target` lines. A hundredth of its distinct source sentences, at
    least one and at most 10,000, goes to validation and as many to test, chosen by their hash: the
    choice does not depend on the order of the lines, and no source sentence is in two splits.

    Every file may be compressed, its name ending in `.gz` or `.zst`.

    Languages that are not given are deduced from the names: the files' endings where one language
    is known, a direction such as `en-de` in the name of the folder or TSV file where none is.

    Args:
        path: A folder, or a `.tsv` file; for several of the latter a pattern, or a list.
        source_language: The language to translate from.
        target_language: The language to translate into.
        train: The stem of the training files, such as `"train.lc.norm.tok"`; for several a
            pattern, such as `"train-*"`, or a list of stems or patterns. What a pattern matches is
            taken in the order of the names.
        valid: The same of the validation files; for `"valid"`, `"val"` is tried too.
        test: The same of the test files.

    Returns:
        The corpus, in memory.

    Raises:
        InputError: A file is missing, empty or not UTF-8, two files have unequal numbers of lines,
            a line is empty or has not exactly one tab, or a language cannot be deduced.

    Example:
        >>> corpus = load_corpus("corpus", source_language="en", target_language="de")
        >>> len(corpus.splits["train"][0])
        500
    """
    corpus = open_corpus(
        path,
        source_language=source_language,
        target_language=target_language,
        train=train,
        valid=valid,
        test=test,
    )
    return corpus.in_memory()


def open_corpus(
    path: str | Path | Sequence[str | Path],
    *,
    source_language: str | None = None,
    target_language: str | None = None,
    train: str | Sequence[str] = "train",
    valid: str | Sequence[str] = "valid",
    test: str | Sequence[str] = "test",
    index: str | Path | None = None,
) -> Corpus:
    """Opens a parallel corpus of any size: the training split stays in its files.

    Args:
        path: As for `load_corpus`.
        source_language: As for `load_corpus`.
        target_language: As for `load_corpus`.
        train: As for `load_corpus`. The files of each stem or pattern of a list are a group, which
            can have a weight of its own in training.
        valid: As for `load_corpus`.
        test: As for `load_corpus`.
        index: What `Corpus.save_index` wrote, if it did: then unchanged files are not read again.

    Returns:
        The corpus: validation and test in memory, training as the two columns of a `TextStream`.

    Raises:
        InputError: As for `load_corpus`; for what is wrong in training files, when they are read.

    Example:
        >>> corpus = open_corpus("corpus", source_language="en", target_language="de")
        >>> sources, targets = corpus.splits["train"]
        >>> len(sources)
        500
    """
    languages = source_language, target_language
    if isinstance(path, str | Path) and Path(path).is_dir():
        folder = Path(path)
        stems = {"train": train, "valid": valid, "test": test}
        source, target = _folder_languages(folder, listed(train)[0], *languages)
        name, files = folder.resolve().name, _folder_groups(folder, stems, source, target)
        train_stream = TextStream(files.pop("train"), index=index)
        splits = {split: TextStream(groups).in_memory() for split, groups in files.items()}
    else:
        paths = listed_files(path)
        name = _tsv_name(paths[0])
        source, target = _tsv_languages(paths[0], name, *languages)
        # What the pattern of one file has in common with its others.
        name = name if len(paths) == 1 else name.rstrip("0123456789").rstrip("-_.")
        tab_separated = functools.partial(TabSeparatedFiles, paths)
        train_stream = hashed_splits(tab_separated, "source sentences", index=index)
        splits = train_stream.held_out_columns()
    splits = {"train": train_stream.columns, **splits}
    return Corpus(name, source, target, splits)


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
    groups = _folder_groups(path, stems, *languages)
    return {split: files[0].shards[0] for split, files in groups.items()}


def _tsv_name(path: Path) -> str:
    name = uncompressed_name(path.name)
    if not name.endswith(".tsv") or not path.exists():
        problem = "is neither a folder nor a .tsv file" if path.exists() else "does not exist"
        raise InputError(
            f"The corpus {problem}. Received: {path}. Give a folder, or a .tsv file, which may end "
            "in .gz or .zst."
        )
    return name.removesuffix(".tsv")


def _folder_languages(
    folder: Path, stem: str, source: str | None, target: str | None
) -> tuple[str, str]:
    names = [uncompressed_name(file.name) for file in folder.iterdir()]
    parts = (name.rpartition(".") for name in names)
    endings = {ending for start, _, ending in parts if fnmatchcase(start, stem) or start == stem}
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


def _folder_groups(folder, stems, source, target) -> dict[str, list[AlignedFiles]]:
    groups = {}
    for split, value in stems.items():
        names = listed(value)
        sides = {name: _sides(folder, name, source, target) for name in names}
        if split == "valid" and names == ["valid"] and not any(sides["valid"]):
            sides["valid"] = _sides(folder, "val", source, target)
        if split != "test" or any(map(any, sides.values())):
            groups[split] = [
                AlignedFiles(_shards(folder, split, name, (source, target), files))
                for name, files in sides.items()
            ]
    return groups


def _sides(folder, stem, *languages) -> list[dict[str, Path]]:
    """Returns the files of each language by their stems."""
    return [
        {name.removesuffix(f".{language}"): path for name, path in files.items()}
        for language in languages
        for files in [matching_files(folder, f"{stem}.{language}")]
    ]


def _shards(folder, split, stem, languages, sides) -> list[tuple[Path, Path]]:
    stems = sorted({*sides[0], *sides[1]}) or [stem]
    for name in stems:
        for language, files in zip(languages, sides):
            if name not in files:
                raise InputError(
                    f"There is no {split} file {name}.{language}, nor one that ends in .gz or "
                    f".zst. Received: corpus {folder}. Add it, or give the stem of the {split} "
                    "files."
                )
    return [(sides[0][name], sides[1][name]) for name in stems]
