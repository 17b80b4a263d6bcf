"""What `tfcompress.h` promises applications, seen by a program in C and by Python."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from c_interface import CANCELLED, DELEGATE, PROGRAM, names_of
from flavours import one_flavour
from native_library import LITERT
from small_models import sentences

from tfcompress.runtime import TextGenerator, Translator
from tfcompress.runtime.native_files import SOURCES

pytestmark = one_flavour

ROOT = Path(__file__).parents[2]
DIGESTS = Path(__file__).with_name("sha256_program.cc")


def compiled(source, folder, *options, compiler="cc"):
    """A program of one source, which calls the library in a folder."""
    program = folder / "program"
    command = [compiler, "-Wall", "-Wextra", "-Werror", "-O1", source, "-o", program, *options]
    subprocess.run([*map(str, command)], check=True)
    return program


@pytest.fixture(scope="module")
def program(built, tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("program")
    options = [f"-I{built}", f"-L{built}", f"-Wl,-rpath,{built}", "-ltfcompress", "-lpthread"]
    return compiled(PROGRAM, folder, *options)


@pytest.fixture
def run(program):
    def run(check, folders, lines=()):
        done = subprocess.run(
            [program, check, *folders],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            env=os.environ | {"TFCOMPRESS_LITERT": str(LITERT)},
        )
        lines = done.stderr.replace(DELEGATE, "").splitlines()
        assert [line for line in lines if not CANCELLED.fullmatch(line)] == []
        assert done.returncode == 0

    return run


@pytest.mark.parametrize("check", ["structs", "progress", "busy", "scores"])
def test_promises(run, c_interface_folders, check):
    run(check, c_interface_folders)


def test_sections_of_open_files(run, c_interface_folders):
    run("files", c_interface_folders, names_of(c_interface_folders))


def test_an_open_bundle_outlives_its_files(run, c_interface_folders, tmp_path):
    copies = [
        shutil.copytree(folder, tmp_path / str(number))
        for number, folder in enumerate(c_interface_folders)
    ]
    run("replaced", copies, [path for folder in copies for path in folder.iterdir()])
    assert not any(path for folder in copies for path in folder.iterdir())


def test_a_log_takes_all_that_litert_says(program, c_interface_folders):
    environment = os.environ | {"TFCOMPRESS_LITERT": str(LITERT)}
    command = [program, "log", *c_interface_folders]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_digests(tmp_path):
    """With the processor's instructions and without, they are those of hashlib."""
    sources = sorted((SOURCES / "common").glob("sha256*.cc"))
    data = random.Random(0).randbytes(70_000)
    sizes = [*range(200), 1023, 1024, 4097, len(data)]
    expected = [hashlib.sha256(data[:size]).hexdigest() for size in sizes]
    program = compiled(DIGESTS, tmp_path, *sources, f"-I{SOURCES}", "-std=c++17", compiler="c++")
    command = [program, *map(str, sizes)]
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    assert done.stdout.decode().split() == [digest for one in expected for digest in (one, one)]


def test_the_example_of_the_documentation(built, bundle, tmp_path):
    page = (ROOT / "docs" / "c-interface.md").read_text("utf-8")
    (source,) = re.findall(r"```c\n(.*?)```", page, re.DOTALL)
    (tmp_path / "example.c").write_text(source)
    options = [f"-I{built}", f"-L{built}", f"-Wl,-rpath,{built}", "-ltfcompress"]
    command = [compiled(tmp_path / "example.c", tmp_path, *options), bundle, "two dogs . a man ."]
    environment = os.environ | {"TFCOMPRESS_LITERT": str(LITERT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    with Translator(bundle) as translator:
        expected = translator.translate("two dogs . a man .", split_sentences=True)
    assert done.stdout == f"{expected}\n"


@pytest.fixture
def native(built, monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))


class Stopped(BaseException):
    """What a signal's handler raises."""


@pytest.fixture
def stopping():
    """Lets signals that another thread sends raise `Stopped`."""

    def stop(number, frame):
        raise Stopped

    former = signal.signal(signal.SIGUSR1, stop)
    yield
    signal.signal(signal.SIGUSR1, former)


def interrupt(work):
    """Does some work again and again until a signal ends it, which raises `Stopped`."""
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        while True:
            work()
    finally:
        timer.join()


def test_signals_end_native_translations(native, stopping, bundle):
    text = " ".join(sentences(40))
    with Translator(bundle) as translator:
        assert translator.is_native
        expected = translator.translate(text, beam_size=4)
        for _ in range(3):
            with pytest.raises(Stopped):
                interrupt(lambda: translator.translate(text, beam_size=4))
        assert translator.translate(text, beam_size=4) == expected


def test_signals_end_native_generation(native, stopping, language_model_bundle):
    with TextGenerator(language_model_bundle) as generator:
        assert generator.is_native
        expected = generator.generate("two dogs")
        with pytest.raises(Stopped):
            interrupt(lambda: generator.generate("two dogs", beam_size=3))
        with pytest.raises(Stopped):
            interrupt(lambda: [*generator.stream("two dogs")])
        assert generator.generate("two dogs") == expected
