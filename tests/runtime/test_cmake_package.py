"""What `tfcompress build-native` gives is a package of CMake and pkg-config, wherever it is put."""

import os
import shutil
import subprocess

import pytest
from flavours import one_flavour
from native_library import LITERT

from tfcompress.runtime.native_files import SOURCES

pytestmark = [
    one_flavour,
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, ("cmake", "cc", "c++"))), reason="needs CMake, cc and c++"
    ),
]

SOURCE = """
#include <stdio.h>
#include <string.h>
#include "tfcompress.h"
#include "tfcompress_ops.h"

int main(int count, char** words) {
  tfc_translator* translator = NULL;
  tfc_result* result = NULL;
  if (count != 2 || strcmp(tfc_version(), TFC_VERSION) != 0 || tfc_level(0) == NULL) return 2;
  if (tfc_open(words[1], NULL, &translator) != TFC_OK ||
      tfc_translate(translator, "two dogs", 8, NULL, &result) != TFC_OK) {
    return 1;
  }
  puts(result->hypotheses[0]->text);
  tfc_free_result(result);
  tfc_free_translator(translator);
  return 0;
}
"""
PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(consumer LANGUAGES {language})
find_package(tfcompress 0.1 REQUIRED)
add_executable(consumer consumer.{suffix})
target_link_libraries(consumer PRIVATE tfcompress::{target})
"""


@pytest.fixture(scope="module")
def delivered(built, tmp_path_factory):
    """What was built, elsewhere."""
    path = tmp_path_factory.mktemp("delivered") / "package"
    return shutil.copytree(built, path, ignore=shutil.ignore_patterns("build"))


def speaks(program, bundle, library=""):
    environment = os.environ | {"TFCOMPRESS_LITERT": str(LITERT), "LD_LIBRARY_PATH": str(library)}
    done = subprocess.run([program, bundle], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    return done.stdout


@pytest.mark.parametrize(("language", "suffix"), [("C", "c"), ("CXX", "cc")])
def test_find_package(delivered, bundle, tmp_path, language, suffix):
    outputs = set()
    for target in ("tfcompress", "tfcompress_static"):
        folder = tmp_path / target
        folder.mkdir()
        (folder / f"consumer.{suffix}").write_text(SOURCE)
        text = PROJECT.format(language=language, suffix=suffix, target=target)
        (folder / "CMakeLists.txt").write_text(text)
        command = ["cmake", "-S", folder, "-B", folder / "build"]
        subprocess.run([*command, f"-DCMAKE_PREFIX_PATH={delivered}"], check=True)
        subprocess.run(["cmake", "--build", folder / "build"], check=True)
        outputs.add(speaks(folder / "build" / "consumer", bundle))
    assert len(outputs) == 1


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="needs pkg-config")
@pytest.mark.parametrize("is_static", [False, True])
def test_pkg_config(delivered, bundle, tmp_path, is_static):
    (tmp_path / "consumer.c").write_text(SOURCE)
    command = ["pkg-config", "--cflags", "--libs", "tfcompress", *["--static"] * is_static]
    environment = os.environ | {"PKG_CONFIG_PATH": str(delivered / "pkgconfig")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    flags = done.stdout.split()
    if is_static:
        (delivered / "libtfcompress.so").rename(tmp_path / "away.so")
    try:
        subprocess.run(["cc", "consumer.c", "-o", "consumer", *flags], cwd=tmp_path, check=True)
    finally:
        if is_static:
            (tmp_path / "away.so").rename(delivered / "libtfcompress.so")
    speaks(tmp_path / "consumer", bundle, "" if is_static else delivered)


def test_install_into_the_usual_places(tmp_path):
    """The places are those of GNU by default, as packagers want them."""
    options = ["-DTFCOMPRESS_TOOLS=OFF", "-DCMAKE_INSTALL_LIBDIR=lib"]
    subprocess.run(["cmake", "-S", SOURCES, "-B", tmp_path, *options], check=True)
    script = (tmp_path / "cmake_install.cmake").read_text()
    for place in ("lib", "lib/cmake/tfcompress", "lib/pkgconfig", "include"):
        assert f'DESTINATION "${{CMAKE_INSTALL_PREFIX}}/{place}"' in script
    assert "prefix=${pcfiledir}/../../" in (tmp_path / "tfcompress.pc").read_text()
