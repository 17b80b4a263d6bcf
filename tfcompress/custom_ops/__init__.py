"""Operations that the native runtime computes in one pass.

Each module holds one operation: its TensorFlow body over the operands that the device gets, and the
attributes that become its first operand; `schema` says what each gets and gives. Layers compute as
they always do; only where an export has set their `device_operations` do they call these.
"""
