"""Double-array tries of characters, as tensorflow-text's normalizer reads them."""

import itertools
from collections.abc import Mapping

import numpy as np

_HAS_LEAF, _OFFSET_SHIFT, _IS_LEAF = 1 << 8, 10, 1 << 31
# The root's children may have any byte; those of other nodes are continuation bytes of UTF-8.
_ROOT_BASE, _BLOCK, _CONTINUATION = 256, 64, 0x80


def build_trie(values: Mapping[str, int]) -> np.ndarray:
    """Builds a trie of characters in the layout of Darts-clone.

    A node's children lie at its place XOR its offset XOR their byte; its value lies where a child
    with byte 0 would.

    Args:
        values: A number below 2**31 for each of some characters, U+0000 not among them.

    Returns:
        The trie's units, uint32.

    Example:
        >>> build_trie({"a": 7}).dtype
        dtype('uint32')
    """
    bases = {b"": _ROOT_BASE}
    places = {b"": 0}
    keys = {character.encode(): value for character, value in values.items()}
    prefixes = {key[:size] for key in keys for size in range(1, len(key) + 1)}
    blocks = itertools.count(2 * _ROOT_BASE // _BLOCK)
    for prefix in sorted(prefixes, key=lambda prefix: (len(prefix), prefix)):
        places[prefix] = bases[prefix[:-1]] ^ prefix[-1]
        if prefix not in keys:
            bases[prefix] = next(blocks) * _BLOCK ^ _CONTINUATION
    used = {*places.values(), *bases.values()}
    free = (place for place in itertools.count(1) if place not in used)
    bases |= {key: next(free) for key in keys}
    units = np.zeros(max(*places.values(), *bases.values()) + 1, np.int64)
    for prefix, place in places.items():
        units[place] |= (bases[prefix] ^ place) << _OFFSET_SHIFT
        if prefix:
            units[place] |= prefix[-1]
    for key, value in keys.items():
        units[places[key]] |= _HAS_LEAF
        units[bases[key]] = _IS_LEAF | value
    padding = -len(units) % 256
    return np.pad(units, (0, padding)).astype(np.uint32)
