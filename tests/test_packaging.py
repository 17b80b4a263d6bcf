"""What a wheel of the project holds, and what type checkers see of it."""

import ast
import importlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for path in (ROOT / "tfcompress").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.slow
def test_a_wheel_holds_every_module_and_native_source(tmp_path):
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("tfcompress", "export"):
        shutil.copytree(ROOT / name, checkout / name, ignore=ignore)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "./checkout"]
    subprocess.run(command, cwd=tmp_path, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = {*zipfile.ZipFile(wheel).namelist()}
    files = [path for path in (checkout / "tfcompress").rglob("*") if path.is_file()]
    assert {path.relative_to(checkout).as_posix() for path in files} <= names
    sources = [path for path in (checkout / "export" / "native").rglob("*") if path.is_file()]
    installed = {"tfcompress" / path.relative_to(checkout / "export") for path in sources}
    assert installed
    assert {path.as_posix() for path in installed} <= names


LAZY = ("export", "models", "surgery", "text", "training")


@pytest.mark.parametrize("name", LAZY)
def test_packages_list_what_they_have(name):
    """Names that load when they are first used are found by completion and type checkers."""
    package = importlib.import_module(f"tfcompress.{name}")
    assert {*package.__all__} <= {*dir(package)}
    modules = {attr: f"tfcompress.{name}.{module}" for attr, module in package._MODULES.items()}
    folder = ROOT / "tfcompress" / name
    assert imports(folder / "__init__.pyi") == modules | imports(folder / "__init__.py")


def test_type_checkers_see_what_the_library_has():
    stub = imports(ROOT / "tfcompress" / "__init__.pyi")
    assert {*stub, "__version__"} == {*importlib.import_module("tfcompress").__all__}


def imports(path):
    """The modules that a package imports names from, by these names."""
    nodes = ast.parse(path.read_text("utf-8")).body
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in froms for alias in node.names}


USE = """
import tfcompress as tfc
from tfcompress.layers import LSRA
from tfcompress.runtime import Translator

reveal_type(LSRA)
reveal_type(tfc.export.convert)
reveal_type(tfc.load_model)
reveal_type(tfc.text.Corpus)


def translate(translator: Translator):
    reveal_type(translator.translate("one"))
    reveal_type(translator.translate(["one"]))
    reveal_type(translator.translate(["one"], return_scores=True))
"""


@pytest.mark.slow
def test_pyright_follows_the_library(tmp_path):
    pyright = shutil.which("pyright")
    if pyright is None:
        pytest.skip("pyright is missing")
    (tmp_path / "use.py").write_text(USE)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(ROOT)]}))
    command = [pyright, "--outputjson", "--pythonpath", sys.executable, "--project", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert [one["message"] for one in found if one["severity"] == "error"] == []
    types = [one["message"].removeprefix("Type of ") for one in found]
    assert "LSRA" in types[0]
    assert "-> dict[str, Any]" in types[1]
    assert not [one for one in types if "Unknown" in one.split(" is ", 1)[1].split("(")[0]]
    assert types[-3:] == [
        'translator.translate("one")" is "str"',
        'translator.translate(["one"])" is "list[str]"',
        'translator.translate(["one"], return_scores=True)" is "list[list[Hypothesis]]"',
    ]
