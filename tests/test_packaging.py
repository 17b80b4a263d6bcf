"""What a wheel of the project holds."""

import importlib
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


def test_packages_list_what_they_have():
    """Names that load when they are first used are found by completion."""
    for name in ("export", "models", "surgery", "text", "training"):
        package = importlib.import_module(f"tfcompress.{name}")
        assert {*package.__all__} <= {*dir(package)}
