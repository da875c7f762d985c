"""Let mutmut change what it passes over: functions with a decorator. For a clone; files change.

    python tests/mutation/undecorated.py dagster_monitoring/statistics/drift

A property, a cached one, a cached function and what numba compiles become a plain function, named
``raw_`` and so on, and an assignment of what the decorator makes of it. Numba's loops run as they
are written, slowly, with ``NUMBA_DISABLE_JIT=1``.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

_DECORATORS = {"property", "cached_property", "cache", "lru_cache", "_compile", "_inline"}


def undecorated(text: str) -> str:
    """A module's source without those decorators."""
    lines: list[str | None] = [*text.split("\n")]
    found = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and _is_known(node)
    ]
    # From the last on, so that the places of those before stay.
    for node in sorted(found, key=lambda node: -node.lineno):
        (decorator,) = node.decorator_list
        raw, at = f"raw_{node.name}", node.lineno - 1
        assert node.end_lineno is not None
        assert decorator.end_lineno is not None
        lines[at] = f"{lines[at]}".replace(f"def {node.name}(", f"def {raw}(", 1)
        made = f"{' ' * node.col_offset}{node.name} = {ast.unparse(decorator)}({raw})"
        lines.insert(node.end_lineno, made)
        start, end = decorator.lineno - 1, decorator.end_lineno
        lines[start:end] = [None] * (end - start)
    return "\n".join(line for line in lines if line is not None)


def _is_known(node: ast.FunctionDef) -> bool:
    if len(node.decorator_list) != 1:
        return False
    (decorator,) = node.decorator_list
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(name, ast.Name) and name.id in _DECORATORS


if __name__ == "__main__":
    for given in sys.argv[1:]:
        folder = Path(given)
        for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            path.write_text(undecorated(path.read_text(encoding="utf-8")), encoding="utf-8")
