"""DeFINE, as the released code has it: DExTra's unit with another schedule."""

from fidelity.methods.delight import X, dextra

METHODS = {"define": (dextra, X)}
