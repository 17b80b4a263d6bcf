"""Operations that the native runtime computes in one pass, and when conversion emits them.

Each module holds one operation: its TensorFlow body over the operands that the device gets, and the
attributes that become its first operand. Layers compute as they always do; only while a model is
converted with custom operations do they call these.
"""
