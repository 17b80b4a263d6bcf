from tfcompress.custom_ops import header, names
from tfcompress.custom_ops.schema import OPERATIONS


def test_the_header_of_the_native_sources_is_the_schemas():
    assert header.HEADER.read_text() == header.header(), (
        "run `python -m tfcompress.custom_ops.header`"
    )


def test_operands_are_unlike_and_scales_follow_weights():
    for operation in OPERATIONS:
        operands = operation.all_operands() + operation.operands_of_layer()
        assert len({operand.name for operand in operands}) == len(operands)
        for index, operand in enumerate(operands):
            assert names.is_weight(operation.name, index) == operand.is_weight
            if operand.is_weight:
                assert operands[index + 1].name == f"{operand.name}_scales"
                assert not names.is_weight(operation.name, index + 1)
        assert all(len(operands) < 64 for operands in (operation.computed(), operation.weights()))


def test_layers_repeat():
    decoder = next(operation for operation in OPERATIONS if operation.name == names.DECODER)
    first, each = len(decoder.all_operands()), len(decoder.operands_of_layer())
    for index in range(each):
        same = {names.is_weight(names.DECODER, first + k * each + index) for k in range(3)}
        assert len(same) == 1
    assert sum(names.is_weight(names.DECODER, first + each + i) for i in range(each)) == 8
