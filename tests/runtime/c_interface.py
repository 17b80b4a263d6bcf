"""The program that checks what `tfcompress.h` promises."""

import re
from pathlib import Path

PROGRAM = Path(__file__).with_name("c_interface_program.c")
# What LiteRT says of its delegate for the CPU, whatever it is asked.
DELEGATE = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
# And of a run that is cancelled inside.
CANCELLED = re.compile("ERROR: (Client requested cancel during|.*Failed to invoke).*")


def names_of(folders):
    """The names of the files of each bundle, and "" after those of each."""
    return [name for one in folders for name in (*(path.name for path in one.iterdir()), "")]
