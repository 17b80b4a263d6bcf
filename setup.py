"""Puts the sources of the native runtime into wheels; everything else stands in setup.cfg."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithNative(build_py):
    """Copies `export/native` to where the installed package looks for it."""

    def run(self):
        super().run()
        if not self.editable_mode:
            native = Path(self.build_lib) / "tfcompress" / "native"
            shutil.copytree("export/native", native, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithNative})
