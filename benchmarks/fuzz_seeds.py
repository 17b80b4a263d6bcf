"""Writes the small inputs that fuzzing begins with, of bundles.

    python benchmarks/fuzz_seeds.py BUNDLE...

They go to benchmarks/fuzz_corpora/READER, in the forms that export/native/fuzz/READER.cc reads.
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

from fuzzing import CORPORA

FILE_BYTES = 4096
TEXTS = (
    "Two dogs play. The man (Dr. No) paid 3.50 $... and left! Did he?\n\nYes: \u201cgo\u201d.",
    "\u4eca\u65e5\u306f\u3002\u72ac\u304c\u3044\u308b\uff01 \u092f\u0939 "
    "\u0918\u0930 \u0939\u0948\u0964 e\u0301\u200d\U0001f469\u200d\U0001f467",
    "abc def  ghi\r\n\u00a0jkl\u2028mno\ufeff\u200b",
)
MARKUP = (
    "<p>Two <b>red <i>dogs</i></b> play&nbsp;<br/>here.</p><!-- c --><script>x < 1</script>",
    '<?xml version="1.0"?><a><![CDATA[ b ]]>c<d e="f>g"/>h &amp; &#x41; i</a>',
    "<ul><li>one<li>two</ul><textarea><b></textarea><pre> a\n b</pre>x < y",
)
IDS = bytes([5, 6, 7, 0, 1, 2, 255])
BYTE_PAIR = {
    "tokenizer_type": "byte_pair",
    "add_prefix_space": True,
    "special_in_text": False,
    "pad_id": 0,
    "unk_id": 1,
    "start_id": 2,
    "end_id": 3,
    "special_ids": [],
}
PUBLISHED = BYTE_PAIR | {"tokenizer_type": "published"}
TOKENIZER_JSON = {
    "version": "1.0",
    "added_tokens": [
        {
            "id": 0,
            "content": "[PAD]",
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
    ],
    "normalizer": {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    },
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": None,
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "dog": 4, "##s": 5, "play": 6},
    },
}


def chunk(data):
    """Bytes, after two that say how many."""
    data = data if isinstance(data, bytes) else data.encode()
    return struct.pack("<H", len(data)) + data


def write(reader, data):
    folder = CORPORA / reader
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)


def write_manifest(manifest):
    for entry in manifest["files"].values():
        entry["bytes"] = FILE_BYTES
    write("manifest", json.dumps(manifest).encode())


def write_text_tokenizers(settings, files):
    for text in TEXTS[:2]:
        begin = chunk(json.dumps(settings)) + chunk(text) + chunk(IDS)
        write("text_tokenizer", begin + b"".join(map(chunk, files[:-1])) + files[-1])


def shortlist():
    header = struct.pack("<8s5I", b"TFCSHORT", 1, 4, 9, 2, 5)
    numbers = [1, 4, 0, 1, 3, 3, 5, 2, 3, 5, 6, 8]
    return struct.pack("<2H", 4, 9) + header + struct.pack(f"<{len(numbers)}i", *numbers)


def main():
    for bundle in map(Path, sys.argv[1:]):
        manifest = json.loads((bundle / "manifest.json").read_text())
        write_manifest(json.loads(json.dumps(manifest)))
        model = (bundle / "model.tflite").read_bytes()
        if len(model) < 1 << 16:
            write("model", model)
        if manifest.get("tokenizer"):
            write_text_tokenizers(manifest["tokenizer"], [(bundle / "vocabulary.txt").read_bytes()])
        tokenizer = bundle / "tokenizer.model"
        if tokenizer.is_file():
            for text in TEXTS:
                ids = chunk(text) + chunk(IDS) + bytes([0])
                write("sentencepiece", ids + tokenizer.read_bytes())
            own = BYTE_PAIR | {"tokenizer_type": "sentencepiece"}
            write_text_tokenizers(own, [tokenizer.read_bytes()])
    vocabulary = {piece: i for i, piece in enumerate(["<pad>", "<unk>", "<s>", "</s>", *"dogsp"])}
    vocabulary |= {"do": 9, "\u0120d": 10, "\u0120": 11}
    merges = "#version: 0.2\nd o\n\u0120 d\n"
    write_text_tokenizers(BYTE_PAIR, [json.dumps(vocabulary).encode(), merges.encode()])
    write_text_tokenizers(PUBLISHED, [json.dumps(TOKENIZER_JSON).encode()])
    write("shortlist", shortlist())
    for text in TEXTS:
        write("splitting", bytes([20]) + text.encode())
    for text in MARKUP:
        write("markup", struct.pack("<I", 7) + text.encode())
    search = bytes([1, 1, 0, 1, 0])
    for kind in (0, 4, 8, 16 + 32, 64):
        extra = struct.pack("<d", 0.6) if kind & 4 else b""
        constraints = chunk("the") + chunk(b"") + chunk("cat") + bytes([1]) + chunk(bytes([5, 6]))
        data = bytes([kind]) + search + extra + constraints + bytes([1, 0]) + chunk(IDS[:3])
        write("c_api", data + b"two dogs play . a man runs .")


if __name__ == "__main__":
    main()
