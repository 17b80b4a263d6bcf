"""Lines of mixed scripts, with all that makes tokenizers differ; the same for a seed."""

import random
import unicodedata

from text_vocabularies import DIFFICULT, LETTERS, WORDS

# First and last characters of scripts, and of blocks of symbols.
_BLOCKS = """
0021-007e 00a1-00ff 0100-024f 0250-02ff 0370-03ff 0400-052f 0531-058f 0591-05f4 0600-06ff
0700-077f 0780-07bf 07c0-07fa 0900-097f 0980-09ff 0a01-0a76 0a81-0aff 0b01-0b77 0b82-0bfa
0c00-0c7f 0c80-0cf2 0d00-0d7f 0e01-0e5b 0e81-0edf 0f00-0fda 1000-109f 10a0-10ff 1100-11ff
1200-139f 13a0-13fd 1780-17f9 1800-18aa 1d00-1dbf 1e00-1eff 1f00-1fff 2010-205e 2070-20c0
2100-218b 2190-23ff 2460-24ff 2600-27bf 2c80-2cff 2de0-2dff 2e80-2fdf 3001-303f 3041-30ff
3100-318e 3200-33ff 3400-3420 4e00-4eff 9f00-9fff a000-a0ff a640-a6ff a720-a7ff a840-a877
a8e0-a8ff a960-a97c aa80-aadf ac00-ac80 d7b0-d7fb f900-faff fb00-fb4f fb50-fdff fe20-fe2f
fe30-fe6b fe70-fefc ff01-ffee 10280-1031f 10a00-10a58 11000-1107f 11100-11147 11a00-11aa2
12000-12040 16e40-16e9a 1b000-1b0ff 1d165-1d1ff 1d400-1d7ff 1e800-1e959 1f100-1f1ff 1f300-1f6ff
1f900-1f9ff 20000-20040 2b740-2b920 2ebf0-2ee5d 2f800-2fa1d
"""
BLOCKS = [tuple(int(code, 16) for code in block.split("-")) for block in _BLOCKS.split()]
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
INVISIBLE = (
    "\0\x01\x08\x0b\x0e\x1b\x1c\x1f\x7f\x8f\x9f\xad\u0600\u061c\u06dd\u070f\u180e\u200b\u200c\u200d"
    "\u200e\u202a\u202e\u2060\u2064\u206f\ufeff\ufff9\ufffc\ufffd\U000e0001\U000e0041\U000e0100"
    "\ue000\U000f0000\u0378\U000110bd"
)
_CHARACTERS = [chr(code) for code in range(0x20000)]
MARKS = [c for c in _CHARACTERS if unicodedata.category(c)[0] == "M"]
_COMPATIBLE = [c for c in _CHARACTERS if unicodedata.decomposition(c).startswith("<")]
_EMOJI = [
    "😀",
    "👩‍👩‍👧",
    "👍🏽",
    "🇩🇪",
    "🇫",
    "❤️",
    "©",
    "™",
    "™\u0301",
    "1️⃣",
    "🏴\U000e0067\U000e007f",
]
_PLAIN = ["The", "running", "unbelievable", "Straße", "ÉCOLE", "don't", "3.14", "2²", "x" * 99]


def mixed_lines(count: int, seed: int = 0, tokens: tuple[str, ...] = ()) -> list[str]:
    """Returns lines of mixed scripts.

    Args:
        count: How many.
        seed: Of the random choices.
        tokens: Texts that are to occur often, as special and added tokens.
    """
    choose = random.Random(seed)

    def script():
        first, last = choose.choice(BLOCKS)
        return "".join(chr(choose.randint(first, last)) for _ in range(choose.randint(1, 6)))

    def marked():
        base = choose.choice([*LETTERS, "\u0915", "\u1100", "가", "ﬁ", "™", "Å"])
        return base + "".join(choose.choices(MARKS, k=choose.randint(1, 3)))

    def token():
        found = choose.choice(tokens or ("[SEP]",))
        return choose.choice(
            [found, found.lower(), found.upper(), f" {found} ", f"a{found}", found[1:]]
        )

    parts = [
        script,
        marked,
        token,
        lambda: chr(choose.choice([choose.randrange(0xD800), choose.randrange(0xE000, 0x20000)])),
        lambda: choose.choice(WORDS + _PLAIN),
        lambda: choose.choice(SPACES) * choose.randint(1, 2),
        lambda: choose.choice(SPACES),
        lambda: choose.choice(INVISIBLE),
        lambda: choose.choice(_COMPATIBLE),
        lambda: choose.choice(_EMOJI),
        lambda: choose.choice(DIFFICULT),
        lambda: " ",
    ]
    return [
        "".join(choose.choice(parts)() for _ in range(choose.randint(1, 14))) for _ in range(count)
    ]
