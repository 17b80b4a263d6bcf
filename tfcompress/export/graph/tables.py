"""Rows of tables, looked up by the one operation that reads integer tables by row."""

from ai_edge_litert import schema_py_generated as schema

from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.inserting import Inserter, sizes_of

_TABLE, _IDS, _AXIS = 0, 1, 2


def look_up_tables(model: schema.ModelT) -> None:
    """Turns GATHER from a float32 table into EMBEDDING_LOOKUP.

    That is what Keras' Embedding converts to, and any `tf.gather` of rows. GATHER has no kernel
    that reads a table with a scale for each row.

    Args:
        model: Edited in place.
    """
    operation = schema.BuiltinOperator
    for subgraph in model.subgraphs:
        for operator in list(subgraph.operators):
            if not _is_look_up(model, subgraph, operator):
                continue
            graph = Inserter(model, subgraph, operator)
            table, ids = operator.inputs[_TABLE], operator.inputs[_IDS]
            rows = operator.outputs[0]
            sizes = sizes_of(subgraph.tensors[ids])
            if subgraph.tensors[ids].type != schema.TensorType.INT32:
                ids = graph.add(operation.CAST, [ids], sizes, schema.TensorType.INT32)
            if len(sizes) == 1:
                graph.add(operation.EMBEDDING_LOOKUP, [ids, table], output=rows)
            else:
                # The operation takes ids in one dimension.
                width = int(subgraph.tensors[table].shape[1])
                restored = graph.sizes(ids, width)
                flat = [ids, graph.constant([-1])]
                ids = graph.add(operation.RESHAPE, flat, [-1], schema.TensorType.INT32)
                looked_up = graph.add(operation.EMBEDDING_LOOKUP, [ids, table], [-1, width])
                graph.add(operation.RESHAPE, [looked_up, restored], output=rows)


def _is_look_up(model, subgraph, operator):
    if flatbuffer.operator_name(model, operator) != "GATHER":
        return False
    table = subgraph.tensors[operator.inputs[_TABLE]]
    options = operator.builtinOptions
    return (
        model.buffers[table.buffer].data is not None
        and table.type == schema.TensorType.FLOAT32
        and len(table.shape) == 2
        and (options is None or (options.axis == 0 and options.batchDims == 0))
    )
