"""What a wheel of the project holds."""

import configparser
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
