"""Which mutants of the numbers' code survive the tests, and why each of them may.

    mutmut run                        # an hour or two on two cores; writes mutants/
    python tests/mutation/report.py   # lists survivors without a reason; fails if there are any

A mutant that no test runs counts as a survivor. One that never ends was noticed. A run that was
cut short fails too: nothing is known of what it left out.

A survivor's reason is in reasons.toml: a rule names the function (a pattern as in a shell), what
the mutant took out and what it put in (regular expressions, searched), and why no test can or
should tell the two apart.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

HERE = Path(__file__).parent
MUTANTS = HERE.parents[1] / "mutants"
_OUTCOMES = {0: "survived", 1: "killed", 3: "killed", 5: "no tests", 33: "no tests"}
_OUTCOMES |= dict.fromkeys((24, -24, 36, 152, 255), "timed out")
"""What mutmut's exit codes mean; any other is a crash, or a mutant that was not run."""

_ALIVE = ("survived", "no tests")
_MUTANT = re.compile(r"__mutmut_\d+$")


@dataclass(frozen=True)
class Survivor:
    """A change of a function that no test noticed."""

    function: str
    removed: str
    added: str

    def __str__(self) -> str:
        return f"{self.function}\n    - {self.removed.strip()}\n    + {self.added.strip()}"


@dataclass(frozen=True)
class Rule:
    """Survivors that may be, and the reason."""

    function: str
    reason: str
    removed: str = ""
    added: str = ""

    def explains(self, survivor: Survivor) -> bool:
        """Whether this rule is about that survivor."""
        return (
            fnmatchcase(survivor.function, self.function)
            and re.search(self.removed, survivor.removed) is not None
            and re.search(self.added, survivor.added) is not None
        )


def main() -> int:
    """Print the report; 1 when a survivor has no reason or not everything was run."""
    rules = read_rules(HERE / "reasons.toml")
    reasons: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    unexplained: list[Survivor] = []
    for meta in sorted(MUTANTS.rglob("*.py.meta")):
        own = read_outcomes(meta)
        alive = {key for key, outcome in own.items() if outcome in _ALIVE}
        before = len(unexplained)
        for survivor in read_survivors(meta, alive):
            rule = next((rule for rule in rules if rule.explains(survivor)), None)
            if rule is None:
                unexplained.append(survivor)
            else:
                reasons[rule.reason] += 1
        outcomes.update(own.values())
        if own:
            path = meta.relative_to(MUTANTS).with_suffix("")
            print(f"{path}: {_counted(own.values())}, {len(unexplained) - before} without a reason")
    print()
    for reason, count in reasons.most_common():
        print(f"{count:5d}  {reason}")
    for survivor in unexplained:
        print(f"\nwithout a reason: {survivor}")
    print(f"\n{_counted(outcomes.elements())}, {len(unexplained)} of them without a reason")
    return 1 if unexplained or not outcomes or outcomes["not run"] else 0


def read_outcomes(meta: Path) -> dict[str, str]:
    """What became of each mutant of one file."""
    codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    return {
        key: "not run" if code is None else _OUTCOMES.get(code, "crashed")
        for key, code in codes.items()
    }


def _counted(outcomes: Iterable[str]) -> str:
    """For instance "10 mutants, 8 killed, 2 survived"; what nothing became of is left out."""
    found = Counter(outcomes)
    order = ("killed", "timed out", "crashed", "not run", "no tests", "survived")
    parts = [f"{found[name]} {name}" for name in order if found[name] or name == "survived"]
    return ", ".join([f"{found.total()} mutants", *parts])


def read_rules(path: Path) -> list[Rule]:
    """The rules of a file, in its order."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["survivor"]
    return [
        Rule(
            function=entry["function"],
            reason=entry["reason"],
            removed=entry.get("removed", ""),
            added=entry.get("added", ""),
        )
        for entry in entries
    ]


def read_survivors(meta: Path, keys: set[str]) -> Iterator[Survivor]:
    """The changes of those mutants of one file."""
    text = meta.with_suffix("").read_text(encoding="utf-8")
    # Not ast.get_source_segment: it splits the whole file anew for each function.
    lines = text.split("\n")
    bodies = {
        node.name: lines[node.lineno - 1 : node.end_lineno]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    }
    for key in sorted(keys):
        module, _, name = key.rpartition(".")
        stem = _MUTANT.sub("", name)
        before, after = bodies[f"{stem}__mutmut_orig"][1:], bodies[name][1:]
        changes = list(difflib.ndiff(before, after))
        yield Survivor(
            function=f"{module}.{_spelled(stem)}",
            removed="\n".join(line[2:] for line in changes if line.startswith("- ")),
            added="\n".join(line[2:] for line in changes if line.startswith("+ ")),
        )


def _spelled(stem: str) -> str:
    """A name as the source has it: a function's begins with x_ here, a method's with xǁClassǁ."""
    return stem.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in stem else stem.removeprefix("x_")


if __name__ == "__main__":
    sys.exit(main())
