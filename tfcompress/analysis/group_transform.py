"""The cost of DExTra blocks and of DeFINE's transform."""

from tfcompress.analysis.cost import Cost
from tfcompress.analysis.dense import dense
from tfcompress.analysis.normalization import normalization
from tfcompress.scaling import GroupSchedule


def group_transform(
    schedule: GroupSchedule, inputs: int, projection_dim: int, outputs: int, *, tokens: int
) -> Cost:
    """Returns the cost of a transform applied to `tokens` positions.

    Its depth leaves the input projection out, as the published figures do.

    Args:
        schedule: The group linear layers.
        inputs: Input width.
        projection_dim: Width behind the input projection.
        outputs: Output width.
        tokens: Positions that it is applied to.
    """
    cost = dense(inputs, projection_dim, tokens=tokens, depth=0) + normalization(projection_dim)
    for width, units, groups in zip(schedule.inputs, schedule.outputs, schedule.groups):
        cost += dense(width, units, tokens=tokens, num_groups=groups)
        cost += normalization(units // groups)
    mixed = projection_dim + schedule.outputs[-1]
    return cost + dense(mixed, outputs, tokens=tokens) + normalization(outputs)
