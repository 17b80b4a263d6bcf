"""Products that every level must compute alike, of all ways in which weights are stored."""

import json
import subprocess

# Of one row, of few and of many rows, with panels and steps that are not full.
PRODUCTS = [
    f"product,{storage},{count},{rows},{cols},1000"
    for storage in (
        "int8",
        "int8_panels",
        "int4",
        "int4_panels",
        "int4_blocks",
        "int4_block_panels",
    )
    for count, rows, cols in ((1, 37, 288), (3, 40, 96), (13, 18, 160))
]


def checksums(command, level=None):
    """What the program, started by these words, says of the products on a level."""
    chosen = [] if level is None else ["--level", level]
    words = [*command, *chosen, "--rounds", "1", *PRODUCTS]
    done = subprocess.run(list(map(str, words)), check=True, capture_output=True)
    return [part["checksum"] for part in json.loads(done.stdout)["parts"]]
