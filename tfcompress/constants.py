"""What Keras layers, bundles and the native runtime agree on."""

# The format of bundles.
FORMAT = 2
# What an additive mask holds where nothing may be seen.
MASKED = -3e4
