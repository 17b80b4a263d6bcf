"""The native runtime's markup, called without a bundle, next to Python's."""

import ctypes
import shutil
import subprocess
import sys

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from markup_texts import any_markup, nested_markup, random_translations
from native_tokenizers import FLAGS, NATIVE

from tfcompress.errors import InputError
from tfcompress.runtime.markup import MarkupDocument

pytestmark = one_flavour

CALLS = r"""
#include <algorithm>
#include <cstring>
#include "common/error.h"
#include "runtime/markup.h"
#include "tokenizer/unicode.h"
using namespace tfcompress;

static size_t Give(const std::string& text, char* out, size_t capacity) {
  std::memcpy(out, text.data(), std::min(text.size(), capacity));
  return text.size();
}

// The texts of the segments, or the message of an error.
extern "C" size_t parse(const char* text, size_t size, char* out, size_t capacity) {
  std::string written;
  try {
    const MarkupDocument document = MarkupDocument::Parse({text, size});
    for (const MarkupSegment& segment : document.segments()) {
      const std::string part = ToUtf8(segment.text);
      written += std::to_string(part.size()) + ":" + part;
    }
  } catch (const Error& error) {
    written = std::string("!") + error.what();
  }
  return Give(written, out, capacity);
}

// The markup with translations, whose parts are in `layout`: for each segment how many there are,
// and for each of these where it is in source and target, how many tokens it has, and where.
extern "C" size_t join(const char* text, size_t size, const char* const* targets,
                       const size_t* layout, const double* weights, char* out, size_t capacity) {
  const MarkupDocument document = MarkupDocument::Parse({text, size});
  std::vector<TranslatedSegment> translations;
  for (size_t i = 0; i < document.segments().size(); ++i) {
    TranslatedSegment translation = {ToCharacters(targets[i]), {}};
    for (size_t left = *layout++; left > 0; --left) {
      AlignedPart part = {{layout[0], layout[1]}, {layout[2], layout[3]}, {}, {}, {}};
      const size_t num_sources = layout[4], num_targets = layout[5];
      layout += 6;
      for (size_t j = 0; j < num_sources + num_targets; ++j, layout += 2) {
        (j < num_sources ? part.source_tokens : part.target_tokens)
            .push_back({layout[0], layout[1]});
      }
      part.weights.assign(weights, weights + num_sources * num_targets);
      weights += num_sources * num_targets;
      translation.alignment.push_back(part);
    }
    translations.push_back(translation);
  }
  return Give(document.Join(translations), out, capacity);
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("c++") or shutil.which("g++")
    if not compiler:
        pytest.skip("no C++ compiler found: install g++ or clang++ to test the markup")
    folder = tmp_path_factory.mktemp("markup")
    (folder / "calls.cc").write_text(CALLS)
    names = ("characters", "markup", "markup_scanner", "markup_tables", "tag_placement")
    sources = [NATIVE / "runtime" / f"{name}.cc" for name in (*names, "text_tables")]
    tables = ("unicode", "unicode_tables", "published_tables")
    sources += [NATIVE / "tokenizer" / f"{name}.cc" for name in tables]
    command = [compiler, *FLAGS, "-I", NATIVE, folder / "calls.cc", *sources]
    subprocess.run([*map(str, command), "-o", str(folder / "markup.so")], check=True)
    return ctypes.CDLL(str(folder / "markup.so"))


def call(function, *arguments):
    function.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(1 << 16)
    count = function(*arguments, out, ctypes.c_size_t(len(out)))
    assert count <= len(out)
    return out.raw[:count]


def segments(library, markup):
    data = markup.encode()
    rest, actual = call(library.parse, data, ctypes.c_size_t(len(data))), []
    if rest.startswith(b"!"):
        return rest[1:].decode()
    while rest:
        length, _, rest = rest.partition(b":")
        actual.append(rest[: int(length)].decode())
        rest = rest[int(length) :]
    return actual


def join(library, markup, translations):
    layout, weights = [], []
    for _, alignment in translations:
        layout.append(len(alignment))
        for part in alignment:
            layout += [*part.source, *part.target]
            layout += [len(part.source_tokens), len(part.target_tokens)]
            layout += [end for span in (*part.source_tokens, *part.target_tokens) for end in span]
            weights += np.asarray(part.weights, float).ravel().tolist()
    data = markup.encode()
    targets = [target.encode() for target, _ in translations]
    return call(
        library.join,
        data,
        ctypes.c_size_t(len(data)),
        (ctypes.c_char_p * len(targets))(*targets),
        (ctypes.c_size_t * len(layout))(*layout),
        (ctypes.c_double * len(weights))(*weights),
    ).decode()


@given(nested_markup | any_markup, st.data())
@settings(max_examples=60)
def test_any_markup(library, markup, data):
    actual = segments(library, markup)
    try:
        document = MarkupDocument.parse(markup)
    except InputError:
        document = None
    if document is None:
        assert "Tags, comments and scripts must end" in actual
        return
    assert actual == [segment.text for segment in document.segments]
    translations = data.draw(random_translations(document.segments))
    assert join(library, markup, translations) == document.join(translations)


def test_tables(monkeypatch):
    monkeypatch.syspath_prepend(NATIVE / "runtime")
    import make_markup_tables

    content = (NATIVE / "runtime" / "markup_tables.cc").read_text(encoding="utf-8")
    assert content == make_markup_tables.native()
    sys.modules.pop("make_markup_tables")
