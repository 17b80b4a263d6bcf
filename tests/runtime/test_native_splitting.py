"""The native runtime's splitting, called without a bundle, next to Python's."""

import ctypes
import shutil
import subprocess

import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from native_tokenizers import FLAGS, NATIVE
from split_texts import SENTENCES, mixed_texts

from tfcompress.runtime.splitting import join_texts, split_lines, split_sentences, split_text
from tfcompress.text import is_blank

pytestmark = one_flavour

TABLES = ("unicode", "unicode_tables", "published_tables")

CALLS = r"""
#include <algorithm>
#include <cstring>
#include "runtime/characters.h"
#include "runtime/splitting.h"
#include "tokenizer/unicode.h"
using namespace tfcompress;

static std::string Sized(const std::string& text) {
  return std::to_string(text.size()) + ":" + text;
}

// The parts of each line, with as many characters as the limit, and all of them joined.
extern "C" size_t split(const char* text, size_t size, size_t limit, char* out, size_t capacity) {
  std::string written = IsBlank(std::string_view(text, size)) ? "1" : "0";
  std::vector<Part> all;
  for (const Part& line : SplitLines({text, size})) {
    std::string breaks = line.breaks;
    const auto parts = SplitText(line.text, [&](std::string_view part) {
      return ToCharacters(part).size() <= limit;
    });
    for (const std::string& part : *parts) {
      all.push_back({breaks, part});
      written += Sized(breaks) + Sized(part);
      breaks.clear();
    }
  }
  written += Sized(JoinTexts(all));
  std::memcpy(out, written.data(), std::min(written.size(), capacity));
  return written.size();
}

// The sentences, and all of them joined.
extern "C" size_t sentences(const char* text, size_t size, size_t, char* out, size_t capacity) {
  std::string written = "-";
  const std::vector<Part> all = SplitSentences({text, size});
  for (const Part& part : all) written += Sized(part.breaks) + Sized(part.text);
  written += Sized(JoinTexts(all));
  std::memcpy(out, written.data(), std::min(written.size(), capacity));
  return written.size();
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("c++") or shutil.which("g++")
    if not compiler:
        pytest.skip("no C++ compiler found: install g++ or clang++ to test the splitting")
    folder = tmp_path_factory.mktemp("splitting")
    (folder / "calls.cc").write_text(CALLS)
    names = ("characters", "sentences", "splitting", "text_tables")
    sources = [NATIVE / "runtime" / f"{name}.cc" for name in names]
    sources += [NATIVE / "tokenizer" / f"{name}.cc" for name in TABLES]
    command = [compiler, *FLAGS, "-I", NATIVE, folder / "calls.cc", *sources]
    subprocess.run([*map(str, command), "-o", str(folder / "splitting.so")], check=True)
    return ctypes.CDLL(str(folder / "splitting.so"))


def calling(function):
    function.restype = ctypes.c_size_t
    size = ctypes.c_size_t
    function.argtypes = (ctypes.c_char_p, size, size, ctypes.c_char_p, size)

    def call(text, limit=0):
        data = text.encode()
        out = ctypes.create_string_buffer(40 * len(data) + 100)
        count = function(data, len(data), limit, out, len(out))
        assert count <= len(out)
        rest, actual = out.raw[1:count], []
        while rest:
            length, _, rest = rest.partition(b":")
            actual.append(rest[: int(length)].decode())
            rest = rest[int(length) :]
        return out.raw[:1] == b"1", list(zip(actual[:-1:2], actual[1:-1:2])), actual[-1]

    return call


@pytest.fixture(scope="module")
def split(library):
    return calling(library.split)


@pytest.fixture(scope="module")
def sentences(library):
    return calling(library.sentences)


def in_python(text, limit):
    parts = []
    for breaks, line in split_lines(text):
        for part in split_text(line, lambda part: len(part) <= limit):
            parts.append((breaks, part))
            breaks = ""
    return is_blank(text), parts, join_texts(parts)


@pytest.mark.parametrize("marked", SENTENCES)
def test_sentences(split, marked):
    text = marked.replace("|", "").replace("\u00a6", "")
    for limit in (len(text) - 1, len(text) // 2, 9, 2):
        assert split(text, limit) == in_python(text, limit)


@given(mixed_texts | st.text(max_size=80), st.integers(1, 30))
@settings(max_examples=300)
def test_any_text(split, text, limit):
    assert split(text, limit) == in_python(text, limit)


@given(mixed_texts | st.text(max_size=80) | st.lists(st.sampled_from(SENTENCES)).map("\n ".join))
@settings(max_examples=300)
def test_sentences_of_any_text(sentences, text):
    _, parts, joined = sentences(text)
    assert parts == split_sentences(text)
    assert joined == join_texts(parts)
