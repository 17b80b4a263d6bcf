"""Files and disks that fail under streams and caches: one clear line, and nothing lost."""

import gzip
import resource

import pyarrow
import pytest
from flavours import one_flavour
from text.text_corpus import PIECES, examples

from tfcompress.errors import InputError
from tfcompress.text import (
    WordPieceTokenizer,
    cache_labelled_texts,
    cache_texts,
    open_labelled_corpus,
    open_text_corpus,
    text_stream,
    token_cache,
)
from tfcompress.text.token_cache import MANIFEST, TokenCache, part_path

pytestmark = one_flavour

LABELLED = [f"{text}\t{label}" for text, label in examples(400, seed=1)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(text_stream, "CHUNK", 40)
    monkeypatch.setattr(token_cache, "_PART", 3)


class Texts:
    """A corpus of a language model."""

    ending, open = ".txt", staticmethod(open_text_corpus)

    def __init__(self, texts, tokenizer):
        self.lines, self.tokenizer = texts, tokenizer

    def cache(self, folder, corpus, **options):
        (texts, _), limits = corpus.splits["train"], {"max_length": 9, "join": True}
        return cache_texts(folder, texts, self.tokenizer, **limits, **options)


class Labels:
    """A corpus of a text encoder."""

    ending, open, lines = ".tsv", staticmethod(open_labelled_corpus), LABELLED

    def cache(self, folder, corpus, **options):
        tokenizer = WordPieceTokenizer(PIECES)
        columns = corpus.splits["train"]
        return cache_labelled_texts(folder, *columns, tokenizer, max_length=8, **options)


@pytest.fixture(params=["texts", "labels"])
def sort(request, texts, tokenizer):
    return Texts(texts, tokenizer) if request.param == "texts" else Labels()


@pytest.fixture
def corpus(sort, tmp_path):
    """The folder of a corpus, and its training file."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, lines in (("train", sort.lines), ("valid", sort.lines[:9])):
        (folder / f"{name}{sort.ending}").write_text("".join(f"{line}\n" for line in lines))
    return folder, folder / f"train{sort.ending}"


def parts(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def compressed(path, ending):
    """Replaces a file by one that is compressed, and returns the latter."""
    data = path.read_bytes()
    other = path.with_name(path.name + ending)
    codec = pyarrow.Codec("zstd")
    other.write_bytes(
        gzip.compress(data) if ending == ".gz" else codec.compress(data, asbytes=True)
    )
    path.unlink()
    return other


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "end", "flipped", "emptied"])
def test_damaged_compressed_files(sort, corpus, ending, damage):
    folder, path = corpus
    path = compressed(path, ending)
    data = path.read_bytes()
    middle = len(data) // 2
    flipped = data[:middle] + bytes(byte ^ 255 for byte in data[middle : middle + 64])
    changed = {
        "cut": data[:middle],
        "end": data[:-2],
        "flipped": flipped + data[middle + 64 :],
        "emptied": b"",
    }
    path.write_bytes(changed[damage])
    with pytest.raises(InputError, match=rf"(is damaged|no text|no examples).*{path.name}"):
        sort.open(folder).digest()


def test_a_byte_that_is_no_text_at_line_one_million(tmp_path):
    (tmp_path / "train.txt").write_bytes(b"ok\n" * 999_999 + b"n\xff\n" + b"ok\n" * 9)
    (tmp_path / "valid.txt").write_text("ok\n")
    message = r"not UTF-8 \(byte 0xff\)\. Received: .*train\.txt, line 1000000\. Convert"
    with pytest.raises(InputError, match=message):
        open_text_corpus(tmp_path).digest()
    assert [path.name for path in tmp_path.iterdir()] == ["train.txt", "valid.txt"]


@pytest.mark.parametrize("content", ["", "\n", " \n\n"])
def test_files_without_text(sort, corpus, content):
    folder, path = corpus
    path.write_text(content)
    message = f"(no text|no examples|other columns).*Received: .*{path.name}"
    with pytest.raises(InputError, match=message):
        sort.open(folder).digest()


def test_a_file_that_changes_while_it_is_tokenized(sort, corpus, tmp_path):
    folder, path = corpus
    sort.cache(tmp_path / "whole", sort.open(folder))
    opened, before = sort.open(folder), path.read_bytes()
    opened.digest()
    lines = before.splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-50], lines[0], *lines[-49:]]))
    with pytest.raises(InputError, match="The corpus changed while it was read"):
        sort.cache(tmp_path / "cache", opened)
    assert MANIFEST not in parts(tmp_path / "cache")
    assert len(parts(tmp_path / "cache")) > 1
    path.write_bytes(before)
    sort.cache(tmp_path / "cache", sort.open(folder))
    assert parts(tmp_path / "cache") == parts(tmp_path / "whole")


@pytest.mark.parametrize("room", [10, 4_000, 20_000])
def test_a_full_disk(sort, corpus, tmp_path, room):
    """Whichever file does not fit, those that are there are whole, and the work goes on."""
    opened = sort.open(corpus[0])
    sort.cache(tmp_path / "whole", opened)
    sizes = {name: len(data) for name, data in parts(tmp_path / "whole").items()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if room > min(sizes.values()):
        room = max(sizes.values()) - 1
    opened.digest()
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(InputError, match=r"cannot be written \(File too large\)\. Received: "):
            sort.cache(tmp_path / "cache", opened)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        with pytest.raises(InputError, match=r"cannot be written \(File too large\)\. Received: "):
            opened.save_index(tmp_path / "cache" / "index.json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    left = parts(tmp_path / "cache")
    assert MANIFEST not in left
    assert left.items() <= parts(tmp_path / "whole").items()
    sort.cache(tmp_path / "cache", opened)
    assert parts(tmp_path / "cache") == parts(tmp_path / "whole")


@pytest.mark.parametrize("name", [MANIFEST, "part-00001.arrow"])
def test_a_cache_that_may_not_be_read(sort, corpus, tmp_path, monkeypatch, name):
    opened, folder = sort.open(corpus[0]), tmp_path / "cache"
    sort.cache(folder, opened)
    before = parts(folder)
    open_file, arrow_file = open, pyarrow.OSFile

    def refused(opener):
        def opening(path, *arguments, **options):
            if str(path) == str(folder / name):
                raise PermissionError(13, "Permission denied", str(path))
            return opener(path, *arguments, **options)

        return opening

    monkeypatch.setattr("io.open", refused(open_file))
    monkeypatch.setattr("builtins.open", refused(open_file))
    monkeypatch.setattr(pyarrow, "OSFile", refused(arrow_file))
    with pytest.raises(InputError, match=rf"cannot be read \(Permission denied\).*{name}"):
        sort.cache(folder, opened).in_memory()
    # Neither is a cache without its manifest made anew of parts that cannot be read.
    if name != MANIFEST:
        (folder / MANIFEST).unlink()
        with pytest.raises(InputError, match=rf"cannot be read \(Permission denied\).*{name}"):
            sort.cache(folder, opened)
    monkeypatch.undo()
    assert parts(folder).items() <= before.items()


@pytest.mark.parametrize("change", ["ids", "examples", "digest", "group"])
def test_an_altered_manifest_is_not_believed(sort, corpus, tmp_path, change):
    opened, folder = sort.open(corpus[0]), tmp_path / "cache"
    sort.cache(folder, opened)
    text = (folder / MANIFEST).read_text()
    place = text.index(f'"{change}": ', text.index('"chunks"')) + len(change) + 4
    digit = place + (text[place] == '"')
    (folder / MANIFEST).write_text(
        f"{text[:digit]}{(int(text[digit], 16) + 1) % 10}{text[digit + 1 :]}"
    )
    with pytest.raises(InputError, match=rf"cache is damaged.*{MANIFEST} is corrupt"):
        TokenCache(folder)
    sort.cache(folder, opened)
    assert (folder / MANIFEST).read_text() == text


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7])
def test_a_flipped_byte_ends_in_one_line(sort, corpus, tmp_path, place):
    opened, folder = sort.open(corpus[0]), tmp_path / "cache"
    whole = sort.cache(folder, opened).in_memory()
    part = part_path(folder, 0)
    data = part.read_bytes()
    start = data.index(whole.ids[:4].tobytes()) + int(place * 100)
    part.write_bytes(data[:start] + bytes([data[start] ^ 255]) + data[start + 1 :])
    with pytest.raises(InputError, match=r"token cache is damaged.*part-00000.*Remove the file"):
        sort.cache(folder, opened).in_memory()
    part.unlink()
    again = sort.cache(folder, opened).in_memory()
    assert again.ids.tolist() == whole.ids.tolist()
    assert again.row_splits.tolist() == whole.row_splits.tolist()
    assert part.read_bytes() == data


@pytest.mark.parametrize("content", ["", "{", '{"digest": "0", "content": {}}'])
def test_a_damaged_index(sort, corpus, tmp_path, content):
    (tmp_path / "index.json").write_text(content)
    message = "The index of the corpus is damaged.*Remove the file: it is made again"
    with pytest.raises(InputError, match=message):
        sort.open(corpus[0], index=tmp_path / "index.json").digest()
    (tmp_path / "index.json").unlink()
    sort.open(corpus[0], index=tmp_path / "index.json").save_index(tmp_path / "index.json")


def test_shards_that_are_gone(sort, corpus, tmp_path):
    folder, path = corpus
    path.rename(folder / f"train-1{sort.ending}")
    (folder / f"train-2{sort.ending}").write_text(f"{sort.lines[0]}\n")
    opened = sort.open(folder, train="train-*")
    opened.save_index(tmp_path / "index.json")
    (folder / f"train-2{sort.ending}").unlink()
    with pytest.raises(InputError, match=r"no longer what.*instead of"):
        sort.open(folder, train="train-*", index=tmp_path / "index.json").digest()
    with pytest.raises(InputError, match=r"No such file\. Received: .*train-2"):
        sort.cache(tmp_path / "cache", opened)
