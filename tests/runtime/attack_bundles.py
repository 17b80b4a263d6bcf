"""Opens altered bundles with the native runtime: a program, so that a crash is seen.

    python attack_bundles.py LIBRARY BUNDLE NUMBER LAST_FILE

What was tried last is in LAST_FILE. Prints how many attempts failed with an error, and how many
translated, or encoded, nevertheless.
"""

import collections
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from native_library import NativeError, NativeLibrary

MODEL, MANIFEST = "model.tflite", "manifest.json"
TOKENIZER, VOCABULARY = "tokenizer.model", "vocabulary.txt"
WORDS = st.one_of(
    st.sampled_from([-1, 0, 1, 2, 255, 2**31 - 1, -(2**31), 2**16]), st.integers(-64, 64)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def main():
    library, folder, number, last = sys.argv[1:]
    library, last = NativeLibrary(library), Path(last)
    files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    manifest = json.loads(files[MANIFEST])
    outcomes = collections.Counter()
    # Small numbers are what a flatbuffer is made of, but for its weights.
    words = np.frombuffer(files[MODEL][: len(files[MODEL]) // 4 * 4], "<i4")
    places = st.sampled_from(np.flatnonzero(np.abs(words.astype(np.int64)) < 2**15).tolist())

    @settings(
        max_examples=int(number),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.one_of(
            altered_words(places, words),
            altered_bytes(files),
            altered_manifest(manifest),
        )
    )
    def attack(changed):
        what, change = changed
        last.write_text(what)
        try:
            use = encode if manifest["kind"] == "text_encoder" else translate
            use(library, change(dict(files)))
            outcomes["whole"] += 1
        except NativeError as error:
            if error.status not in range(1, 7) or not str(error):
                raise
            outcomes["errors"] += 1

    attack()
    print(outcomes["errors"], outcomes["whole"])


def translate(library, files):
    handle = library.open_memory(files)
    library.translate_ids(handle, [5, 6, 7], max_length=8, beam_size=2)
    if TOKENIZER in files:
        library.translate(handle, "two dogs play", max_length=8)
    library.free(handle)


def encode(library, files):
    handle = library.open_encoder_memory(files)
    for ids in ([5, 6, 7], [2, 3], list(range(2, 20))):
        library.encode_ids(handle, ids)
    if VOCABULARY in files:
        library.encode(handle, "two dogs play", cut=1)
    library.free_encoder(handle)


def altered_words(places, words):
    """Numbers of the model replaced, or moved a little; its SHA-256 is that of the result."""

    def make(edits):
        def change(files):
            model = bytearray(files[MODEL])
            for place, word, is_relative in edits:
                value = (int(words[place]) * is_relative + word) % 2**32
                model[4 * place : 4 * place + 4] = value.to_bytes(4, "little")
            return signed(files | {MODEL: bytes(model)})

        return f"words {edits}", change

    edits = st.lists(st.tuples(places, WORDS, st.booleans()), min_size=1, max_size=3)
    return edits.map(make)


def altered_bytes(files):
    """A file cut short, or some of its bytes replaced, with the SHA-256 of the result."""

    def make(name):
        size = len(files[name])

        def change_with(length, edits):
            def change(files):
                data = bytearray(files[name][:length])
                for place, byte in edits:
                    data[place % max(size, 1) : place % max(size, 1) + 1] = bytes([byte])
                changed = files | {name: bytes(data)}
                return changed if name == MANIFEST else signed(changed)

            return f"{name} of {length} bytes {edits}", change

        edits = st.lists(st.tuples(st.integers(0, size), st.integers(0, 255)), max_size=4)
        return st.builds(change_with, st.just(size) | st.integers(0, size), edits)

    return st.sampled_from(sorted(files)).flatmap(make)


def altered_manifest(manifest):
    """A value of the manifest replaced."""
    paths = [()]
    for path in paths:
        value = at(manifest, path)
        if isinstance(value, list | dict):
            keys = value if isinstance(value, dict) else range(len(value))
            paths += [(*path, key) for key in keys]

    def make(path, value):
        def change(files):
            changed = json.loads(json.dumps(manifest))
            at(changed, path[:-1])[path[-1]] = value
            return files | {MANIFEST: json.dumps(changed).encode()}

        return f"manifest {path} {value!r}", change

    return st.builds(make, st.sampled_from(paths[1:]), VALUES)


def at(value, path):
    for key in path:
        value = value[key]
    return value


def signed(files):
    """Returns the files with a manifest of their true sizes and SHA-256."""
    manifest = json.loads(files[MANIFEST])
    for name, entry in manifest["files"].items():
        entry.update(bytes=len(files[name]), sha256=hashlib.sha256(files[name]).hexdigest())
    return files | {MANIFEST: json.dumps(manifest).encode()}


if __name__ == "__main__":
    main()
