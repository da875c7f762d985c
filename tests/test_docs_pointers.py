"""What the README and the documents point at is there: commands, options, pages, pictures."""

from __future__ import annotations

import re
import shlex
import warnings
from pathlib import Path

import click
import pytest

from dagster_monitoring.cli.main import commands

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^    .+\n?)+", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

with warnings.catch_warnings():
    # Dagster warns of its preview features when its commands load.
    warnings.simplefilter("ignore")
    from dagster_dg_cli.cli import cli as dg_commands

GROUPS = {"dagster-monitoring": commands, "dg": dg_commands}


def mentions() -> list[tuple[str, str]]:
    """Every command of ours or of Dagster's in the documents, with its page."""
    found = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        prose = FENCE.sub("", text)
        code = [m[2] for m in FENCE.finditer(text) if m[1] in {"", "bash"}]
        lines = [line for part in code + INDENTED.findall(prose) for line in part.splitlines()]
        for line in lines + re.findall(r"`([^`\n]+)`", prose):
            for command in re.split(r"&&|;|#", line):
                if command.strip().partition(" ")[0] in GROUPS and " " in command.strip():
                    found.add((page.name, command.strip()))
    return sorted(found)


def test_the_documents_mention_commands():
    assert len(mentions()) > 20


@pytest.mark.parametrize(("page", "line"), mentions(), ids=str)
def test_a_command_exists_with_its_options(page, line):
    words = shlex.split(line.split("[OPTIONS]")[0])
    command: click.Command | None = GROUPS[words.pop(0)]
    while isinstance(command, click.Group) and words:
        command = command.get_command(click.Context(command), words.pop(0))
    assert command is not None, f"{page}: {line}"
    options = {name: p for p in command.params for name in p.opts if isinstance(p, click.Option)}
    given = [word for word in words if word.startswith("--")]
    assert [word for word in given if word not in options] == [], f"{page}: {line}"
    taking = sum(not options[word].is_flag for word in given)
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    left = len(words) - len(given) - taking
    most = len(words) if any(a.nargs == -1 for a in arguments) else len(arguments)
    assert 0 <= left <= most, f"{page}: {line}"


def test_every_command_has_its_section():
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == commands.list_commands(click.Context(commands))


def test_the_readme_starts_with_its_two_commands():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert "    pip install -e . && dagster-monitoring demo" in lines
    marker = lines.index("<!-- test command -->")
    first = next(line for line in lines[marker:] if line.startswith("    pip install"))
    assert first == '    pip install -e ".[dev]" && pytest'


def links() -> list[tuple[Path, str]]:
    return [
        (page, target)
        for page in PAGES
        for target in LINK.findall(FENCE.sub("", page.read_text()))
        if "://" not in target
    ]


@pytest.mark.parametrize(("page", "target"), links(), ids=lambda x: getattr(x, "name", x))
def test_a_link_leads_somewhere(page, target):
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    assert file.exists(), f"{page.name} links to {target}"
    if anchor:
        headings = re.findall(r"^#+ (.+)$", FENCE.sub("", file.read_text()), re.MULTILINE)
        slugs = [re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in headings]
        assert anchor in slugs, f"{page.name} links to {target}"


def test_every_page_is_linked_from_the_readme():
    linked = {t.partition("#")[0] for page, t in links() if page.name == "README.md"}
    assert {f"docs/{page.name}" for page in PAGES[1:]} <= linked


def test_the_readmes_pictures_are_linked():
    linked = {t for page, t in links() if page.name == "README.md" and t.endswith(".png")}
    names = (
        "asset_graph",
        "check_history",
        "triggered_check",
        "check_plot",
        "incident_in_slack",
    )
    assert linked == {f"docs/pictures/{name}.png" for name in names}
