"""The native runtime built by clang, warnings being errors, with sanitizers of memory."""

import os
import shutil
import subprocess

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from altered_models import altered
from flavours import one_flavour
from mutants import MODEL, signed
from native_library import LITERT
from small_models import sentences

from tfcompress.custom_ops.names import ALL
from tfcompress.export import convert
from tfcompress.runtime.native_files import SOURCES

pytestmark = [
    one_flavour,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("clang++") is None or shutil.which("cmake") is None,
        reason="clang and CMake are not both installed",
    ),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    work = tmp_path_factory.mktemp("sanitized")
    options = ["-DCMAKE_CXX_COMPILER=clang++", "-DTFCOMPRESS_WERROR=ON"]
    options += ["-DTFCOMPRESS_SANITIZE=address,undefined"]
    subprocess.run(["cmake", "-S", SOURCES, "-B", work, *options], check=True)
    subprocess.run(["cmake", "--build", work, "--parallel", "2"], check=True)
    return work / "tfcompress-benchmark"


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
    environment = os.environ | {
        # LiteRT keeps its environment for the life of the process.
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "halt_on_error=1",
    }
    done = subprocess.run(
        [*command, "--library", LITERT], capture_output=True, text=True, env=environment
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
