"""Figures of the code itself: lines, the longest function, circles of imports, repeated code.

    python benchmarks/structure.py [CHECKOUT]

Pure Python over the files of a checkout, so that any two commits can be compared. Every import
counts for the circles, those within functions and for type checkers too. Repeated code: places in
the library's Python or C++ that share at least six lines in a row, comments and blank lines aside.
"""

import argparse
import ast
import collections
import json
import re
from collections.abc import Iterator
from pathlib import Path

REPEATED_LINES = 6
_TRIVIAL = re.compile(r"\W*|(from|import|#include)\b.*|(#|//|\*).*")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkout", type=Path, nargs="?", default=Path(__file__).parents[1])
    checkout = parser.parse_args().checkout
    if not (checkout / "tfcompress").is_dir():
        parser.error(f"no checkout of the library. Received: {checkout}. Give its folder.")
    python = {path: path.read_text("utf-8") for path in _sources(checkout, "*.py")}
    native = {path: path.read_text("utf-8") for path in _sources(checkout, "*.cc", "*.h")}
    trees = {path: ast.parse(text) for path, text in python.items()}
    metrics = {
        "python_files": len(python),
        "python_lines": sum(text.count("\n") for text in python.values()),
        "cpp_lines": sum(text.count("\n") for text in native.values()),
        "longest_function": _longest_function(trees, checkout),
        "import_circles": _circles(trees, checkout),
        "repeated_python": len(_repeated(python)),
        "repeated_cpp": len(_repeated(native)),
    }
    print(json.dumps(metrics, indent=2))


def _sources(checkout: Path, *patterns: str) -> list[Path]:
    """The library's own files."""
    folders = (checkout / "tfcompress", checkout / "export")
    files = {file for folder in folders for pattern in patterns for file in folder.rglob(pattern)}
    return sorted(files)


def _longest_function(trees: dict[Path, ast.Module], checkout: Path) -> str:
    types = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = (
        (node.end_lineno - node.lineno + 1, node.name, path)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, types)
    )
    lines, name, path = max(functions)
    return f"{name} in {path.relative_to(checkout)}, {lines} lines"


def _circles(trees: dict[Path, ast.Module], checkout: Path) -> list[list[str]]:
    """Groups of modules that import one another, directly or not."""
    # Before the Python of `export/` moved below `tfcompress/`, it was installed there.
    prefix = () if (checkout / "tfcompress" / "export").is_dir() else ("tfcompress",)
    modules = {
        _module(prefix, path.relative_to(checkout).with_suffix("").parts): tree
        for path, tree in trees.items()
    }
    graph = {name: {*_imports(name, tree, modules)} for name, tree in modules.items()}
    reach = {name: _reachable(name, graph) for name in graph}
    groups = {
        tuple(sorted(other for other in reach[name] if name in reach[other]))
        for name in graph
        if name in reach[name]
    }
    return sorted(map(list, groups))


def _module(prefix: tuple[str, ...], parts: tuple[str, ...]) -> str:
    whole = (*prefix, *parts) if parts[0] == "export" else parts
    return ".".join(whole).removesuffix(".__init__")


def _imports(name: str, tree: ast.Module, modules) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = name.split(".")[: -node.level]
                base = ".".join([*parents, *([base] if base else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                target = whole if whole in modules else base
                if target in modules and target != name:
                    yield target


def _reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    reached, rest = set(), [*graph[start]]
    while rest:
        name = rest.pop()
        if name not in reached:
            reached.add(name)
            rest += graph[name]
    return reached


def _repeated(texts: dict[Path, str]) -> set[tuple]:
    """Pairs of places, each run counted once."""
    places = collections.defaultdict(list)
    for path, text in texts.items():
        lines = [" ".join(line.split()) for line in text.splitlines()]
        lines = [(i, line) for i, line in enumerate(lines) if not _TRIVIAL.fullmatch(line)]
        for k in range(len(lines) - REPEATED_LINES + 1):
            window = lines[k : k + REPEATED_LINES]
            places[tuple(line for _, line in window)].append((path, k))
    pairs = {
        (first, second)
        for same in places.values()
        for i, first in enumerate(same)
        for second in same[i + 1 :]
    }
    # Where a run goes on, its later windows are no pairs of their own.
    return {((p, i), (q, j)) for (p, i), (q, j) in pairs if ((p, i - 1), (q, j - 1)) not in pairs}


if __name__ == "__main__":
    main()
