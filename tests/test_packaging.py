"""What a wheel of the project holds."""

import configparser
import importlib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def packages(folder, name):
    for path in (ROOT / folder).rglob("__init__.py"):
        yield ".".join([name, *path.parent.relative_to(ROOT / folder).parts])


def test_every_package_is_listed():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    listed = settings["options"]["packages"].split()
    expected = {*packages("tfcompress", "tfcompress"), *packages("export", "tfcompress.export")}
    assert {*listed} == expected


def test_every_native_source_is_listed():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    patterns = settings["options.package_data"]["tfcompress.export"].split()
    listed = {path for pattern in patterns for path in (ROOT / "export").glob(pattern)}
    sources = {path for path in (ROOT / "export" / "native").rglob("*") if path.is_file()}
    assert sources
    assert sources <= listed


def test_packages_list_what_they_have():
    """Names that load when they are first used are found by completion."""
    for name in ("export", "models", "surgery", "text", "training"):
        package = importlib.import_module(f"tfcompress.{name}")
        assert {*package.__all__} <= {*dir(package)}
