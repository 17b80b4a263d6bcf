"""The native runtime: built, called from C and from Python, and given what is not whole."""

import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from native_library import LITERT, NativeError, NativeLibrary
from small_models import MAX_SOURCE, sentences

from tfcompress.custom_ops import names
from tfcompress.errors import InputError
from tfcompress.export import build_native
from tfcompress.runtime import Translator
from tfcompress.runtime.native_files import HOST
from tfcompress.text import Tokenizer

pytestmark = one_flavour

ROOT = Path(__file__).parents[2]
BAD_BUNDLE, NOT_FOUND, INVALID, UNSUPPORTED = 3, 2, 1, 4


@pytest.fixture(scope="module")
def library(built):
    return NativeLibrary(built / "libtfcompress.so")


@pytest.fixture
def native(built, monkeypatch):
    """Lets `Translator` use the native runtime."""
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))


@pytest.fixture(scope="module")
def handle(library, bundle):
    handle = library.open(bundle)
    yield handle
    library.free(handle)


def in_python(monkeypatch, path):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")
    return Translator(path)


def random_ids(count, vocabulary=110):
    rng = np.random.default_rng(0)
    return [rng.integers(4, vocabulary, rng.integers(1, MAX_SOURCE)).tolist() for _ in range(count)]


@pytest.mark.parametrize("beam_size", [1, 2, 5])
@pytest.mark.parametrize("name", ["bundle", "plain_bundle"])
def test_searches_as_python_does(native, monkeypatch, request, name, beam_size):
    path = request.getfixturevalue(name)
    batch = random_ids(15)
    options = {"beam_size": beam_size, "n_best": beam_size, "return_scores": True}
    with Translator(path) as translator:
        assert translator.is_native
        actual = translator.translate_ids(batch, **options, length_penalty=0.6)
        best = translator.translate_ids(batch, beam_size=beam_size)
        short = translator.translate_ids(batch, beam_size=beam_size, max_length=5)
    with in_python(monkeypatch, path) as translator:
        assert not translator.is_native
        expected = translator.translate_ids(batch, **options, length_penalty=0.6)
        assert best == translator.translate_ids(batch, beam_size=beam_size)
        assert short == translator.translate_ids(batch, beam_size=beam_size, max_length=5)
    for ours, theirs in zip(actual, expected, strict=True):
        assert [one.ids for one in ours] == [one.ids for one in theirs]
        for one, other in zip(ours, theirs):
            assert one.score == pytest.approx(other.score, rel=1e-5)
            assert one.log_probability == pytest.approx(other.log_probability, rel=1e-5)


def test_text_in_text_out(library, handle, bundle, monkeypatch):
    batch = [*sentences(12), "", "  ", "Zwei Hunde! \u4e16\u754c", " ".join(sentences(30, seed=3))]
    batch += ["\ufeff\u3000", "\u200b", "\ufefftwo dogs\u00a0", "two dogs\r\n\n a man\n", "\u2028"]
    batch.append("\n\n".join(" ".join(sentences(9, seed=seed)) for seed in range(3)))
    batch.append("dogs" * 200)
    with in_python(monkeypatch, bundle) as translator:
        for sentence in batch:
            for options in ({}, {"beam_size": 3, "n_best": 2}):
                expected = translator.translate(sentence, return_scores=True, **options)
                actual = library.translate(handle, sentence, with_scores=1, **options)
                assert library.num_parts == expected[0].parts
                assert [one[0] for one in actual] == [one.text for one in expected]
                assert [one[1] for one in actual] == [one.ids for one in expected]
    ids = Tokenizer(bundle / "tokenizer.model").encode(batch)
    assert [library.tokenize(handle, sentence) for sentence in batch] == ids


PIECES = ["dogs", " ", ". ", "!", "\u3002", "\u2026", '"', "\n", "\u00a0", "\u00e9", "\U0001f436"]
PIECES += ["Dr. ", "a man", "3.5", "\u061f", "\u200b", "\r\n", "e\u0301", "The ", "\u4e2d"]


@given(st.lists(st.sampled_from(PIECES), max_size=150).map("".join))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_long_text_is_split_alike(library, handle, bundle, text):
    with pytest.MonkeyPatch.context() as patch, in_python(patch, bundle) as translator:
        (expected,) = translator.translate(text, return_scores=True)
    (actual,) = library.translate(handle, text)
    assert (actual[0], library.num_parts) == (expected.text, expected.parts)


def test_the_end_of_a_row_is_not_translated(library, handle):
    expected = library.translate_ids(handle, [5, 6])
    for row in ([5, 6, 2], [5, 6, 0, 0], [5, 6, 2, 0, 0], [5, 6, 2, *[0] * MAX_SOURCE]):
        assert library.translate_ids(handle, row) == expected
    for row in ([], [2], [0, 0], [2, 0]):
        assert library.translate_ids(handle, row) == [(None, [], 0)]


def test_a_bundle_in_memory(library, handle, bundle):
    files = {path.name: path.read_bytes() for path in bundle.iterdir()}
    copy = library.open_memory(files)
    for sentence in sentences(5):
        assert library.translate(copy, sentence) == library.translate(handle, sentence)
    info = library.describe(copy)
    assert info.max_source_length == MAX_SOURCE
    assert info.bundle_bytes == sum(map(len, files.values()))
    library.free(copy)


def test_one_litert_for_a_process(library, handle, bundle, tmp_path):
    """Another one than that which is loaded is refused, not ignored."""
    link = tmp_path / "by another name.so"
    link.symlink_to(LITERT)
    for same in (None, b"", str(LITERT).encode(), str(link).encode()):
        library.free(library.open(bundle, library=same))
    copy = tmp_path / LITERT.name
    copy.write_bytes(b"another")
    for other in (tmp_path / "missing.so", copy):
        with pytest.raises(NativeError, match=f"one LiteRT library only. Received: {other} after"):
            library.open(bundle, library=str(other).encode())


def test_handles_of_several_threads(library, bundle):
    expected, actual = {}, {}

    def work(number, results):
        handle = library.open(bundle)
        results[number] = [library.translate(handle, one) for one in sentences(6, seed=number)]
        library.free(handle)

    for number in range(4):
        work(number, expected)
    threads = [threading.Thread(target=work, args=(number, actual)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert actual == expected


@pytest.mark.parametrize(
    ("call", "status", "message"),
    [
        (lambda c, h: c.translate(h, b"a\xff"), INVALID, "A text must be UTF-8. Received: byte 1"),
        (
            lambda c, h: c.translate(h, "dogs " * 99, split=0),
            INVALID,
            "must fit the bundle's limit",
        ),
        (
            lambda c, h: c.translate(h, "a", beam_size=0),
            INVALID,
            "from 1 to 1000. Received: beam_size=0",
        ),
        (
            lambda c, h: c.translate(h, "a", beam_size=1001),
            INVALID,
            "from 1 to 1000. Received: beam_size=1001",
        ),
        (
            lambda c, h: c.translate(h, "a", n_best=2),
            INVALID,
            "from 1 to `beam_size`. Received: n_best=2",
        ),
        (lambda c, h: c.translate(h, "a", max_length=-1), INVALID, "max_length=-1"),
        (lambda c, h: c.translate(h, "a", length_penalty=float("nan")), INVALID, "length_penalty"),
        (lambda c, h: c.translate(h, "a", struct_size=3), INVALID, "3 for tfc_search. Begin with"),
        (lambda c, h: c.translate_ids(h, [4, 999]), INVALID, "Ids of the vocabulary must .*: 999"),
        (lambda c, h: c.translate_ids(h, [4] * 99), INVALID, "must fit the bundle's limit"),
        (lambda c, h: c.translate_ids(h, [4, 0, 5]), INVALID, r"padding \(0\) at place 1"),
        (lambda c, h: c.translate_ids(h, [4, 2, 5]), INVALID, r"the end id \(2\) at place 1"),
        (lambda c, h: c.translate_ids(h, [4, 2, 2]), INVALID, r"the end id \(2\) at place 1"),
        (lambda c, h: c.translate_ids(h, [1, 4]), INVALID, r"the begin id \(1\) at place 0"),
        (lambda c, h: c.translate(None, "a"), INVALID, "`translator`, `text` and `result` must"),
        (
            lambda c, h: c.open("nowhere"),
            NOT_FOUND,
            "cannot be read. Received: nowhere/manifest.json",
        ),
        (lambda c, h: c.open_memory({}), NOT_FOUND, "is missing. Received: manifest.json"),
        (lambda c, h: c.open("nowhere", num_threads=0), INVALID, "`num_threads` must be"),
        (lambda c, h: c.open("nowhere", struct_size=0), INVALID, "0 for tfc_options. Begin"),
    ],
)
def test_one_clear_error(library, handle, call, status, message):
    with pytest.raises(NativeError, match=message) as error:
        call(library, handle)
    assert error.value.status == status
    assert "\n" not in str(error.value)


def test_a_bundle_without_tokenizers(library, plain_bundle):
    handle = library.open(plain_bundle)
    with pytest.raises(NativeError, match="Texts need a bundle with a tokenizer"):
        library.translate(handle, "two dogs")
    assert library.translate_ids(handle, [5, 6])[0][0] is None
    library.free(handle)


def changed_manifest(files, change):
    manifest = json.loads(files["manifest.json"])
    change(manifest)
    return files | {"manifest.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        (lambda m: m.update(format=99), UNSUPPORTED, "another version.*format=99 instead of"),
        (lambda m: m.update(custom_ops=["X"]), UNSUPPORTED, "unavailable.* with X"),
        (lambda m: m.pop("limits"), BAD_BUNDLE, "lacks a value.*`limits.max_source_length`"),
        (lambda m: m["ids"].update(eos=10**6), BAD_BUNDLE, "`ids.eos` must be from 0 to"),
        (lambda m: m["decoder"].update(block=7), BAD_BUNDLE, "`decoder.block` must be"),
        (lambda m: m["decoder"].pop("ragged"), BAD_BUNDLE, "lacks a value.*`decoder.ragged`"),
        (lambda m: m["decoder"].update(ragged=1), BAD_BUNDLE, "`decoder.ragged` must be true"),
        (lambda m: m["decoder"].update(ragged=True), BAD_BUNDLE, "unlike its manifest"),
        (lambda m: m["state"].pop(0), BAD_BUNDLE, "unlike its manifest"),
        (lambda m: m["state"].pop(), BAD_BUNDLE, "unlike its manifest"),
        (lambda m: m["state"][0]["shape"].reverse(), BAD_BUNDLE, "has another shape of"),
        (lambda m: m["state"][-1]["shape"].reverse(), BAD_BUNDLE, "has another shape of"),
        (lambda m: m["state"][0].update(per="sentence"), BAD_BUNDLE, "unlike its manifest"),
        (lambda m: m["state"][0].update(shape=[1, 0]), BAD_BUNDLE, "`state` must be a list of"),
        (lambda m: m["state"][0].update(shape=[None] * 2), BAD_BUNDLE, "`state` must be a list"),
        (lambda m: m["state"][0].update(per="beam"), BAD_BUNDLE, "`state` must be a list of"),
        (lambda m: m["state"][0].update(initial="0"), BAD_BUNDLE, "`state` must be a list of"),
        (lambda m: m["state"][0].update(name="ids"), BAD_BUNDLE, "tensors of different names"),
        (lambda m: m["state"].append(m["state"][0]), BAD_BUNDLE, "tensors of different names"),
        (lambda m: m["files"].update({"../x": {}}), BAD_BUNDLE, "with the file '../x'"),
        (lambda m: m["vocabulary"].update(target=240), BAD_BUNDLE, "has another shape of"),
        (lambda m: m["files"]["model.tflite"].update(bytes=7), BAD_BUNDLE, "instead of 7"),
        (lambda m: m["files"]["model.tflite"].update(sha256=""), BAD_BUNDLE, "SHA-256 differs"),
    ],
)
def test_manifests_that_lie(library, bundle, change, status, message):
    files = changed_manifest({path.name: path.read_bytes() for path in bundle.iterdir()}, change)
    with pytest.raises(NativeError, match=message) as error:
        library.open_memory(files)
    assert error.value.status == status


def test_altered_files_do_not_crash(built, bundle, tmp_path):
    """In a process of its own, so that a crash is seen: each file cut short, and its bytes changed.

    The model is only ever verified here; `test_attacked_bundles.py` goes beyond its SHA-256.
    """
    program = tmp_path / "attack.py"
    program.write_text(
        "import random, sys, pathlib\n"
        "from native_library import NativeError, NativeLibrary\n"
        "library = NativeLibrary(sys.argv[1])\n"
        "folder = pathlib.Path(sys.argv[2])\n"
        "files = {path.name: path.read_bytes() for path in folder.iterdir()}\n"
        "generator, errors, whole = random.Random(0), 0, 0\n"
        "def attempt(name, data, verify):\n"
        "    global errors, whole\n"
        "    try:\n"
        "        handle = library.open_memory(files | {name: bytes(data)}, verify=verify)\n"
        "        library.translate(handle, 'two dogs play')\n"
        "        library.free(handle)\n"
        "        whole += 1\n"
        "    except NativeError as error:\n"
        "        assert error.status in range(1, 7) and str(error), error\n"
        "        errors += 1\n"
        "for name, data in files.items():\n"
        "    for _ in range(20):\n"
        "        attempt(name, data[: generator.randrange(len(data))], 1)\n"
        "    for _ in range(60):\n"
        "        changed = bytearray(data)\n"
        "        for _ in range(generator.randint(1, 4)):\n"
        "            changed[generator.randrange(len(changed))] = generator.randrange(256)\n"
        "        attempt(name, changed, int(name == 'model.tflite'))\n"
        "print(errors, whole)\n"
    )
    done = subprocess.run(
        [os.sys.executable, str(program), str(built / "libtfcompress.so"), str(bundle)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(os.path.dirname(__file__))},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    errors, whole = map(int, done.stdout.split())
    assert errors > 80
    assert errors + whole == 80 * len(list(bundle.iterdir()))


def lines_of(errors):
    """What a program wrote, but for LiteRT's chatter."""
    return [line for line in errors.splitlines() if line.startswith(("line", "error"))]


def test_the_benchmark_program(built, bundle, tmp_path, monkeypatch):
    batch = [*sentences(6), " ".join(sentences(20))]
    text, written = tmp_path / "text", tmp_path / "translations"
    blank = ["\u3000", "\u200b\r"]
    text.write_bytes("\n".join([f"\ufeff{batch[0]}", *blank, *batch[1:], ""]).encode())
    command = [built / "tfcompress-benchmark", bundle, "--input", text, "--warmup", "1"]
    command += ["--runs", "2", "--library", LITERT, "--output", tmp_path / "metrics.json"]
    command += ["--translations", written]
    command = list(map(str, command))
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert (
        lines_of(done.stderr)[-1]
        == "error: A file cannot be written. Received: standard output. Give another."
    )
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    metrics = json.loads(done.stdout)
    assert metrics == json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["texts"] == 7
    assert metrics["overlong"] == [9]
    assert lines_of(done.stderr) == []
    assert metrics["bundle_bytes"] == sum(path.stat().st_size for path in bundle.iterdir())
    assert metrics["latency_ms"]["p50"] > metrics["first_token_ms"]["p50"] > 0
    assert len(metrics["rss_bytes_after_passes"]) == 3
    assert metrics["peak_rss_bytes"] >= max(metrics["rss_bytes_after_passes"])
    with in_python(monkeypatch, bundle) as translator:
        expected = translator.translate(batch)
        actual = [one.ids for (one,) in translator.translate(batch, return_scores=True)]
    assert written.read_text(encoding="utf-8").splitlines() == expected
    assert metrics["target_tokens"] == sum(map(len, actual))
    # All parts of a sentence count, not only the last.
    assert metrics["steps"] >= 2 * metrics["target_tokens"]


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_the_example_in_c(built, bundle, tmp_path, monkeypatch):
    program = tmp_path / "translate"
    command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    command += [str(ROOT / "examples" / "translate.c"), f"-I{ROOT / 'export/native/include'}"]
    command += [f"-L{built}", "-ltfcompress", f"-Wl,-rpath,{built}", "-o", str(program)]
    subprocess.run(command, check=True)
    long = f"two dogs{' ' * 2**17}play."
    batch = [*sentences(5), "", long, "\u3000", " ".join(sentences(20)), "two dogs"]
    environment = os.environ | {"TFCOMPRESS_LITERT": str(LITERT)}

    def run(data):
        command = [str(program), str(bundle)]
        return subprocess.run(command, input=data, capture_output=True, env=environment)

    done = run(("\ufeff" + "\r\n".join(batch)).encode())
    with in_python(monkeypatch, bundle) as translator:
        expected = translator.translate(batch, beam_size=4)
    assert done.returncode == 0
    assert done.stdout.decode().split("\n") == [*expected, ""]
    assert lines_of(done.stderr.decode()) == ["line 9: too long; translated in 20 parts"]
    done = run(b"two dogs\n\xff\n")
    assert (done.returncode, done.stdout.count(b"\n")) == (2, 1)
    assert lines_of(done.stderr.decode()) == [
        "error: line 2: A text must be UTF-8. Received: byte 0, which is not. Convert it."
    ]
    source = tmp_path / "source.txt"
    source.write_text("two dogs\n")
    for redirected, stream in [
        (f"< {source} > /dev/full", "output: No space left on device"),
        (f"< {source} >&-", "output: Bad file descriptor"),
        (f"< {tmp_path}", "input: Is a directory"),
        ("<&-", "input: Bad file descriptor"),
    ]:
        command = f'exec "$0" "$1" {redirected}'
        done = subprocess.run(
            ["sh", "-c", command, program, bundle], capture_output=True, env=environment
        )
        assert (done.returncode, done.stdout) == (2, b"")
        assert lines_of(done.stderr.decode()) == [f"error: standard {stream}"]


@pytest.mark.parametrize(
    "compiler", [name for name in ("cc", "g++", "clang++") if shutil.which(name)]
)
def test_the_archive_by_itself(built, bundle, tmp_path, compiler):
    """It links with nothing else, from C and C++, and its headers lie beside it."""
    source = tmp_path / ("open.c" if compiler == "cc" else "open.cc")
    source.write_text(
        '#include "tfcompress.h"\n'
        '#include "tfcompress_ops.h"\n'
        "int main(int count, char** words) {\n"
        "  tfc_translator* translator = 0;\n"
        "  tfc_encoder* encoder = 0;\n"
        "  const int status = tfc_open(words[count - 1], 0, &translator);\n"
        "  const int other = tfc_open_encoder(words[count - 1], 0, &encoder);\n"
        "  tfc_free_translator(translator);\n"
        "  return status + (other != TFC_UNSUPPORTED) + (tfc_level(0) == 0);\n"
        "}\n"
    )
    for name in ("libtfcompress.a", "tfcompress.h", "tfcompress_ops.h"):
        shutil.copy(built / name, tmp_path)
    command = [compiler, source.name, "libtfcompress.a", "-o", "open", "-ldl", "-lpthread", "-lm"]
    command += ["-lstdc++"] if compiler == "cc" else []
    subprocess.run(command, cwd=tmp_path, check=True)
    environment = os.environ | {"TFCOMPRESS_LITERT": str(LITERT)}
    subprocess.run([tmp_path / "open", bundle], env=environment, check=True)


def test_headers_name_what_there_is():
    header = (ROOT / "export/native/include/tfcompress_ops.h").read_text()
    assert set(re.findall(r"tfc\.\w+", header)) <= set(names.ALL)


@pytest.mark.parametrize(
    ("level", "says"), [("", False), ("error", False), ("silent", False), ("info", True)]
)
def test_how_much_litert_says(built, bundle, level, says):
    command = [built / "tfcompress-benchmark", bundle, "--input", "/dev/stdin"]
    command += ["--warmup", "0", "--runs", "1", "--library", LITERT]
    done = subprocess.run(
        command,
        input=b"two dogs\n",
        capture_output=True,
        env=os.environ | {"TFCOMPRESS_LITERT_LOG": level},
        check=True,
    )
    assert (b"Creating LiteRT environment" in done.stderr) == says
    assert (b"WARNING" in done.stderr) <= says
    assert (done.stderr == b"") == (level == "silent")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "There must be a bundle"),
        (["{bundle}", "--beam"], "needs a value. Received: --beam"),
        (["{bundle}", "--beam", "x"], "--beam must be a whole number"),
        (["nowhere", "--beam", "5000"], "--beam must be a whole number from 1 to 1000"),
        (["nowhere", "--threads", "9999"], "--threads must be a whole number from 1 to 1024"),
        (["{bundle}", "--dance", "1"], "option is unknown. Received: '--dance'"),
        (["{bundle}", "--input", "nowhere"], "cannot be read. Received: nowhere"),
        (["{bundle}", "--input", "/dev/null"], "There must be texts"),
        (
            ["nowhere", "--input", "{bundle}/manifest.json"],
            "cannot be read. Received: nowhere/manifest.json",
        ),
        (["{bundle}", "--input", "{bundle}/manifest.json", "--library", "no"], "LiteRT's library"),
    ],
)
def test_wrong_command_lines_of_the_program(built, bundle, arguments, message):
    arguments = [argument.format(bundle=bundle) for argument in arguments]
    command = [str(built / "tfcompress-benchmark"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_library_that_is_none(bundle, tmp_path, monkeypatch):
    library = tmp_path / "libtfcompress.so"
    for named in (library, tmp_path):
        monkeypatch.setenv("TFCOMPRESS_NATIVE", str(named))
        with pytest.raises(InputError, match="`TFCOMPRESS_NATIVE` names no native runtime"):
            Translator(bundle)
    library.write_text("text")
    with pytest.raises(InputError, match="native runtime cannot be loaded"):
        Translator(bundle)


def test_what_building_needs(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"`target` must be one of .*Received: 'toaster'"):
        build_native("toaster", tmp_path)
    monkeypatch.delenv("ANDROID_NDK_HOME", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: name if name == "cmake" else None)
    with pytest.raises(InputError, match="needs an Android NDK"):
        build_native("aarch64-android", tmp_path)
    with pytest.raises(InputError, match=r"needs a C\+\+17 compiler\. Received: none"):
        build_native(HOST, tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"needs CMake\. Received: none\. Install it"):
        build_native(HOST, tmp_path)
