import subprocess
import sys

from flavours import one_flavour

CODE = """
import os, sys
import tfcompress.runtime
from tfcompress.runtime import Translator
import tfcompress.runtime.benchmark

with Translator(sys.argv[1]) as translator:
    greedy, beam = (translator.translate("two dogs play.", beam_size=size) for size in (1, 3))
assert isinstance(greedy, str) and isinstance(beam, str)
heavy = {"tensorflow", "keras", "tf_keras", "tensorflow_text", "sacrebleu", "tfcompress.layers"}
print(sorted(heavy & {*sys.modules}), file=sys.stdout, flush=True)
os._exit(0)
"""


@one_flavour
def test_a_translation_needs_no_tensorflow_and_says_nothing(bundle):
    output = subprocess.run(
        [sys.executable, "-c", CODE, str(bundle)], capture_output=True, text=True
    )
    assert (output.returncode, output.stdout, output.stderr) == (0, "[]\n", "")
