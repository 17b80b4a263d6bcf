"""What a part of a model costs: parameters, bytes and multiply-adds."""

from dataclasses import dataclass

from tfcompress.grids import INT4_BLOCK
from tfcompress.scaling import GroupSchedule


@dataclass(frozen=True)
class Matrix:
    """The shape of a stored matrix or table.

    Attributes:
        rows: Output channels of a matrix, entries of a table. Each has a scale of its own in int8.
        columns: Input channels of a matrix, width of a table.
    """

    rows: int
    columns: int

    @property
    def size(self) -> int:
        """Number of weights."""
        return self.rows * self.columns

    @property
    def int8_bytes(self) -> int:
        """One byte a weight and a float32 scale for each row."""
        return self.size + 4 * self.rows

    @property
    def int4_bytes(self) -> int:
        """Half a byte a weight and a float16 scale for each block of 32 weights of a row."""
        blocks = self.rows * -(-self.columns // INT4_BLOCK)
        return -(-self.size // 2) + 2 * blocks


@dataclass(frozen=True)
class Cost:
    """What a part of a model costs. Costs add up: `embedding + encoder`.

    Attributes:
        matrices: Matrices and tables, each stored once.
        vector_values: Values of biases and normalizations, which always stay in float32.
        multiply_adds: Multiply-adds of one sentence pair.
        tap_multiply_adds: Those of them that apply the taps of convolutions, which published
            numbers leave out.
        additions: Additions of biases of one sentence pair, which `multiply_adds` leaves out.
        num_layers: Layers with weights that one position passes in sequence.

    Example:

    >>> cost = tfc.analysis.Cost((tfc.analysis.Matrix(64, 32),), vector_values=64)
    >>> cost.parameters, cost.int8_bytes
    (2112, 2560)
    """

    matrices: tuple[Matrix, ...] = ()
    vector_values: int = 0
    multiply_adds: int = 0
    tap_multiply_adds: int = 0
    additions: int = 0
    num_layers: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.matrices + other.matrices,
            self.vector_values + other.vector_values,
            self.multiply_adds + other.multiply_adds,
            self.tap_multiply_adds + other.tap_multiply_adds,
            self.additions + other.additions,
            self.num_layers + other.num_layers,
        )

    def repeated(self, *, stored: int, applied: int) -> "Cost":
        """Returns the cost of `stored` such parts that are applied `applied` times in all.

        Args:
            stored: Distinct copies, each with parameters of its own.
            applied: Applications; more than `stored` where copies are shared across layers.
        """
        return Cost(
            self.matrices * stored,
            self.vector_values * stored,
            self.multiply_adds * applied,
            self.tap_multiply_adds * applied,
            self.additions * applied,
            self.num_layers * applied,
        )

    @property
    def weights(self) -> int:
        """Number of parameters in matrices and tables."""
        return sum(matrix.size for matrix in self.matrices)

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return self.weights + self.vector_values

    @property
    def float32_bytes(self) -> int:
        """Bytes of the parameters in float32."""
        return 4 * self.parameters

    @property
    def int8_bytes(self) -> int:
        """Bytes with int8 matrices and tables."""
        return sum(matrix.int8_bytes for matrix in self.matrices) + 4 * self.vector_values

    @property
    def int4_bytes(self) -> int:
        """Bytes with int4 matrices and tables."""
        return sum(matrix.int4_bytes for matrix in self.matrices) + 4 * self.vector_values


def dense(
    inputs: int,
    outputs: int,
    *,
    tokens: int,
    use_bias: bool = True,
    num_groups: int = 1,
    num_layers: int = 1,
) -> Cost:
    """Returns the cost of a dense layer applied to `tokens` positions.

    Args:
        inputs: Input width.
        outputs: Output width.
        tokens: Positions that it is applied to.
        use_bias: Whether it has a bias.
        num_groups: Groups of channels that do not mix; 1 for an ordinary dense layer.
        num_layers: Layers that it counts as in sequence; 0 where it stands beside another.
    """
    width = inputs // num_groups
    return Cost(
        (Matrix(outputs, width),),
        outputs if use_bias else 0,
        tokens * width * outputs,
        additions=tokens * outputs if use_bias else 0,
        num_layers=num_layers,
    )


def normalization(width: int) -> Cost:
    """Returns the cost of a layer normalization: a gain and a shift, no multiply-adds counted."""
    return Cost(vector_values=2 * width)


def group_transform(
    schedule: GroupSchedule, inputs: int, projection_dim: int, outputs: int, *, tokens: int
) -> Cost:
    """Returns the cost of a transform applied to `tokens` positions.

    Its `num_layers` leaves the input projection out, as the published numbers do.

    Args:
        schedule: The group linear layers.
        inputs: Input width.
        projection_dim: Width behind the input projection.
        outputs: Output width.
        tokens: Positions that it is applied to.
    """
    cost = dense(inputs, projection_dim, tokens=tokens, num_layers=0) + normalization(
        projection_dim
    )
    for width, units, groups in zip(schedule.inputs, schedule.outputs, schedule.groups):
        cost += dense(width, units, tokens=tokens, num_groups=groups)
        cost += normalization(units // groups)
    mixed = projection_dim + schedule.outputs[-1]
    return cost + dense(mixed, outputs, tokens=tokens) + normalization(outputs)
