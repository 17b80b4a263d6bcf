import os
import subprocess
import sys

import pytest

ORDERS = {
    "before": "import tfcompress; from tensorflow import keras",
    "after": "from tensorflow import keras; import tfcompress",
    "keras_alone": "import tfcompress; import keras; from tensorflow import keras",
    "keras_2_alone": "import tfcompress; import tf_keras; from tensorflow import keras",
    "runtime": "import tfcompress.runtime; from tensorflow import keras",
}


@pytest.mark.parametrize(
    "order",
    [pytest.param(order, marks=[] if order == "after" else pytest.mark.slow) for order in ORDERS],
)
def test_keras_knows_the_classes_in_any_order_of_imports(order):
    code = f"""
{ORDERS[order]}
for name in ("FeedForward", "Cosine"):
    assert keras.utils.get_registered_object("tfcompress>" + name) is not None, name
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})
