"""No import runs in a circle, those inside functions and for types alone included."""

from graphlib import TopologicalSorter

import grimp


def test_no_circles():
    graph = grimp.build_graph("tfcompress")
    TopologicalSorter(
        {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    ).prepare()
