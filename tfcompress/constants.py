"""What Keras layers, bundles and the native runtime agree on."""

# The format of bundles.
FORMAT = 3
# What an additive mask holds where nothing may be seen.
MASKED = -3e4
# The fixed attention patterns, by the numbers that operations have for them.
PATTERNS = (
    "current",
    "previous",
    "next",
    "left_context",
    "right_context",
    "sentence_end",
    "sentence_start",
    "last_token",
)
