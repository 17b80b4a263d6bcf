import subprocess
import sys


def test_importing_the_export_package_is_light():
    """A device that only runs bundles has no TensorFlow."""
    code = """
import sys
import tfcompress.export
import tfcompress.runtime
assert "convert" in dir(tfcompress.export)
assert not {"tensorflow", "keras", "tf_keras", "tensorflow_text"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
