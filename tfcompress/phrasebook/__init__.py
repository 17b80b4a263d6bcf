"""The grammar behind `tfcompress.text.phrases`: lexicon, inflection, clauses, sentence templates.

The modules named after a situation register their templates when they are imported.
"""

from . import (  # noqa: F401
    directions,
    health,
    hotel,
    money,
    plans,
    restaurant,
    shopping,
    sights,
    smalltalk,
    station,
    things,
    weather,
)
from .template import TEMPLATES, Template, template

__all__ = ["TEMPLATES", "Template", "template"]
