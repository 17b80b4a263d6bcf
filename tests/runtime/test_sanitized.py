"""The native runtime built by the newest clang, warnings being errors, with sanitizers."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from altered_models import altered
from c_interface import CANCELLED, DELEGATE, PROGRAM, names_of
from flavours import one_flavour
from mutants import MODEL, signed
from native_library import LITERT
from small_models import sentences

from tfcompress.custom_ops.names import ALL
from tfcompress.export import convert
from tfcompress.runtime.native_files import SOURCES

ENVIRONMENT = {
    # LiteRT keeps its environment for the life of the process.
    "ASAN_OPTIONS": "detect_leaks=0",
    "UBSAN_OPTIONS": "halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}


@functools.cache
def newest_clang():
    """The name of the newest clang++ that has its sanitizers, or None."""
    folders = [Path(folder) for folder in os.get_exec_path() if Path(folder).is_dir()]
    found = {path.name for folder in folders for path in folder.glob("clang++-*")}
    numbered = [name for name in found if re.fullmatch(r"clang\+\+-\d+", name)]
    numbered.sort(key=lambda name: int(name.split("-")[1]), reverse=True)
    for name in filter(shutil.which, (*numbered, "clang++")):
        command = [name, "-fsanitize=address", "-x", "c++", "-", "-o", os.devnull]
        if subprocess.run(command, input=b"int main() {}", capture_output=True).returncode == 0:
            return name
    return None


pytestmark = [
    one_flavour,
    pytest.mark.slow,
    pytest.mark.skipif(
        newest_clang() is None or shutil.which("cmake") is None,
        reason="clang and CMake are not both installed",
    ),
]

CORPORA = Path(__file__).parents[2] / "benchmarks" / "fuzz_corpora"
MEMORY, THREADS = "address,undefined", "thread"


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory):
    """Builds with sanitizers, once for each set of them, and returns the folder."""
    folders = {}

    def build(sanitizers):
        if sanitizers not in folders:
            work = tmp_path_factory.mktemp("sanitized")
            options = [f"-DCMAKE_CXX_COMPILER={newest_clang()}", "-DTFCOMPRESS_WERROR=ON"]
            options += [f"-DTFCOMPRESS_SANITIZE={sanitizers}"]
            options += [f"-DTFCOMPRESS_FUZZ={'ON' if sanitizers == MEMORY else 'OFF'}"]
            subprocess.run(["cmake", "-S", SOURCES, "-B", work, *options], check=True)
            subprocess.run(["cmake", "--build", work, "--parallel", "2"], check=True)
            folders[sanitizers] = work
        return folders[sanitizers]

    return build


@pytest.fixture(scope="module")
def program(sanitized):
    return sanitized(MEMORY) / "tfcompress-benchmark"


@pytest.mark.parametrize("reader", sorted(path.name for path in CORPORA.iterdir()))
def test_fuzzers(sanitized, bundle, tmp_path, reader):
    """Each reader takes what fuzzing begins with, and some mutants of it."""
    program = sanitized(MEMORY) / "fuzz" / f"fuzz-{reader}"
    variables = {"TFCOMPRESS_FUZZ_BUNDLE": str(bundle), "TFCOMPRESS_LITERT": str(LITERT)}
    subprocess.run(
        [program, "-runs=300", "-seed=1", "-max_len=65536", tmp_path, CORPORA / reader],
        env=os.environ | ENVIRONMENT | variables,
        check=True,
    )


@pytest.mark.parametrize("check", ["structs", "files", "progress", "busy", "log", "scores"])
@pytest.mark.parametrize("sanitizers", [MEMORY, THREADS])
def test_the_c_interface(sanitized, c_interface_folders, tmp_path, sanitizers, check):
    """The promises to applications, threads among them, hold under sanitizers too."""
    work = sanitized(sanitizers)
    objects = tmp_path / "program.o"
    flags = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", "-g1"]
    clang = newest_clang().replace("clang++", "clang")
    include = f"-I{SOURCES / 'include'}"
    subprocess.run([clang, *flags, include, "-c", PROGRAM, "-o", objects], check=True)
    archive = work / "libtfcompress.a"
    linking = [newest_clang(), *flags, objects, archive, "-o", tmp_path / "program", "-ldl"]
    subprocess.run([*linking, "-lpthread"], check=True)
    done = subprocess.run(
        [tmp_path / "program", check, *c_interface_folders],
        input="".join(f"{line}\n" for line in names_of(c_interface_folders)),
        capture_output=True,
        text=True,
        env=os.environ | ENVIRONMENT | {"TFCOMPRESS_LITERT": str(LITERT)},
    )
    lines = done.stderr.replace(DELEGATE, "").splitlines()
    assert [line for line in lines if not CANCELLED.fullmatch(line)] == []
    assert done.returncode == 0


@pytest.fixture(scope="module")
def custom(built, tokenizer, transformer, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundles") / "custom"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
        convert(
            transformer,
            path,
            source_tokenizer=tokenizer,
            target_tokenizer=tokenizer,
            samples=[[5, 6, 2]],
            custom_ops=ALL,
        )
    return path


def run(program, bundle, tmp_path, *options):
    text = tmp_path / "text"
    text.write_text("\n".join([*sentences(3), ""]), encoding="utf-8")
    command = [program, bundle, "--input", text, "--warmup", "0", "--runs", "1", *options]
    done = subprocess.run(
        [*command, "--library", LITERT],
        capture_output=True,
        text=True,
        env=os.environ | ENVIRONMENT,
    )
    assert "Sanitizer" not in done.stderr
    assert "runtime error" not in done.stderr
    return done


@pytest.mark.parametrize("options", [(), ("--profile",), ("--beam", "4")])
@pytest.mark.parametrize("name", ["bundle", "custom"])
def test_bundles(program, request, tmp_path, name, options):
    assert run(program, request.getfixturevalue(name), tmp_path, *options).returncode == 0


def damaged(model):
    """The pack of every custom operation says that it holds fewer than no constants."""
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            if code.builtinCode != schema.BuiltinOperator.CUSTOM:
                continue
            buffer = model.buffers[graph.tensors[operator.inputs[-1]].buffer]
            buffer.data = np.concatenate([np.full(4, 255, np.uint8), buffer.data[4:]])


def test_a_custom_operation_that_fails(program, custom, tmp_path):
    files = {path.name: path.read_bytes() for path in custom.iterdir()}
    broken = tmp_path / "broken"
    broken.mkdir()
    for name, data in signed(files | {MODEL: altered(files[MODEL], damaged)}).items():
        (broken / name).write_bytes(data)
    done = run(program, broken, tmp_path)
    assert done.returncode == 2
    assert "constants of a custom operation are corrupt" in done.stderr
