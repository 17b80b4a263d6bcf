"""No import runs in a circle, those inside functions and for types alone included."""

from graphlib import TopologicalSorter

import grimp


def test_no_circles():
    graph = grimp.build_graph("tfcompress")
    # The rules of a configuration name its class.
    graph.remove_import(
        importer="tfcompress.models.config_problems", imported="tfcompress.models.config"
    )
    TopologicalSorter(
        {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    ).prepare()
