"""Opens altered bundles with the native runtime: a program, so that a crash is seen.

    python attack_bundles.py LIBRARY BUNDLE FIRST COUNT LAST_FILE [MEGABYTES]

The number of what was tried last, and what it is, are in LAST_FILE. Prints how many attempts failed
with an error, and how many translated, or encoded, nevertheless. A mutant that takes more than
5 seconds or so much more memory ends the program, as one that crashes does.
"""

import collections
import json
import resource
import signal
import sys
from pathlib import Path

from mutants import MANIFEST, Mutants
from native_library import NativeError, NativeLibrary

SECONDS = 5
TOKENIZER, VOCABULARY = "tokenizer.model", "vocabulary.txt"
# What apps have beside a bundle, for what it takes to load libraries.
MEGABYTES = 512


def main():
    library, folder, first, count, last, *megabytes = sys.argv[1:]
    library, last = NativeLibrary(library), Path(last)
    files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    use = encode if json.loads(files[MANIFEST])["model_type"] == "text_encoder" else translate
    use(library, files)
    limit_memory(int(megabytes[0]) if megabytes else MEGABYTES)
    mutants, outcomes = Mutants(files), collections.Counter()
    for number in range(int(first), int(first) + int(count)):
        what, altered = mutants.make(number)
        last.write_text(f"{number}\n{what}")
        signal.alarm(SECONDS)
        try:
            use(library, altered)
            outcomes["whole"] += 1
        except NativeError as error:
            if error.status not in range(1, 7) or not str(error) or "\n" in str(error):
                raise
            outcomes["errors"] += 1
        signal.alarm(0)
    print(outcomes["errors"], outcomes["whole"])


def limit_memory(megabytes):
    """Lets the process take so much more address space than it has."""
    if not megabytes:
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def translate(library, files):
    handle = library.open_memory(files)
    try:
        library.translate_ids(handle, [5, 6, 7], max_length=8, beam_size=2)
        library.translate_ids(handle, [5] * 9, max_length=4)
        if TOKENIZER in files:
            library.translate(handle, "two dogs play", max_length=8)
    finally:
        library.free(handle)


def encode(library, files):
    handle = library.open_encoder_memory(files)
    try:
        for ids in ([5, 6, 7], [2, 3], list(range(2, 20))):
            library.encode_ids(handle, ids)
        if VOCABULARY in files:
            library.encode(handle, "two dogs play", cut=1)
    finally:
        library.free_encoder(handle)


if __name__ == "__main__":
    main()
