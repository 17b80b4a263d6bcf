# Generated code: every field of its classes is None until it is set.
from typing import Any

def __getattr__(name: str) -> Any: ...
