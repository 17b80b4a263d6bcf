#!/usr/bin/env python3
"""The conversion script: writes a LiteRT bundle from a trained model.

    python export/convert.py MODEL BUNDLE [--quantization dynamic_int8] [--custom-ops] ...

The command `tfcompress export` under another name: `--help` lists every option.
"""

import os
import sys

from tfcompress.commands import main

if __name__ == "__main__":
    code = main(["export", *sys.argv[1:]])
    sys.stdout.flush()
    # LiteRT logs the end of its environment if the process ends in the ordinary way.
    os._exit(code)
