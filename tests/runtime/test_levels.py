"""Products on every level of this processor, as the program that measures them sees them."""

import json
import subprocess

import pytest
from flavours import one_flavour
from level_products import PRODUCTS, checksums

from tfcompress.runtime.native_files import ROOFLINE_PROGRAM

pytestmark = one_flavour


@pytest.fixture
def roofline(built):
    return [built / ROOFLINE_PROGRAM]


def test_levels_agree_bit_for_bit(roofline):
    expected = checksums(roofline, "portable")
    assert len(set(expected)) == len(PRODUCTS)
    assert checksums(roofline) == expected
    # Where it does not run, its name is an error that says which do.
    done = subprocess.run([*roofline, "--level", "no", "rounding,1,1"], capture_output=True)
    levels = done.stderr.decode().strip().rpartition("Give one of ")[2].rstrip(".").split(", ")
    assert done.returncode == 2
    assert levels[0] == "portable"
    for level in levels[1:]:
        assert checksums(roofline, level) == expected


def test_what_a_part_reads_and_multiplies(roofline):
    command = [*roofline, "--rounds", "3", "product,int8_panels,32,256,256,65536", "rounding,4,256"]
    results = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    product, rounding = results["parts"]
    assert product["integer_products"] == 32 * 256 * 256
    assert product["bytes"] == 256 * 256 + 4 * 256
    assert rounding["bytes"] == 4 * 4 * 256
    sizes = {str(65536), str(4 * 4 * 256)} if results["level"] != "portable" else set()
    assert sizes <= {one["part"] for one in results["ceilings"]}


@pytest.mark.parametrize("part", ["product,int8,1,2", "nothing,1", "product,int7,1,8,64,1", "x"])
def test_wrong_parts(roofline, part):
    done = subprocess.run([*roofline, part], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Received: " in done.stderr
