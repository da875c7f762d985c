"""``check`` and ``gx-suite`` on a real project: what is printed, and the exit code."""

import json
from pathlib import Path

from dagster_monitoring.cli.check import command as check
from dagster_monitoring.cli.gx_suite import command as gx_suite
from dagster_monitoring.errors import DeclarationError, UnknownNameError
from tests.cli.running import run


def test_a_declaration_of_init_is_checked_a_line_a_finding(project: str):
    result = run(check, "price", "-m", project)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "price"
    assert {line[0] for line in lines[1:-1]} == {"✓", "!"}
    assert any("the slice of 1970-01-02 has 200 rows" in line for line in lines)
    assert lines[-1].endswith("0 faults")


def test_a_fault_ends_with_one_and_says_the_remedy_on_its_line(project: str, tmp_path: Path):
    text = (tmp_path / "defs.yaml").read_text()
    (tmp_path / "defs.yaml").write_text(text.replace("numeric: [age]", "numeric: [agee]"))
    result = run(check, "-m", project)
    assert result.exit_code == 1
    faults = [line for line in result.output.splitlines() if line.startswith("✗")]
    assert len(faults) == 2
    assert all("Did you mean 'age'?" in line and "→ correct" in line for line in faults)


def test_a_day_can_be_named_and_has_to_be_one(project: str):
    missing = run(check, "-m", project, "--partition", "1970-01-09")
    assert missing.exit_code == 1
    assert "partition 1970-01-09: no file at" in missing.output
    wrong = run(check, "-m", project, "--partition", "yesterday")
    assert isinstance(wrong.exception, DeclarationError)


def test_an_unknown_model_says_the_nearest(project: str):
    result = run(check, "prize", "-m", project)
    assert isinstance(result.exception, UnknownNameError)
    assert "Did you mean 'price'?" in str(result.exception)


def test_values_of_the_data_are_never_markup_or_control_characters(project: str, tmp_path: Path):
    text = (tmp_path / "defs.yaml").read_text()
    hostile = json.dumps("[red]x[/red]\x1b[2J\n")
    (tmp_path / "defs.yaml").write_text(text.replace("[age]", f"[{hostile}]"))
    result = run(check, "-m", project)
    assert "[red]x[/red]" in result.output
    assert "\x1b" not in result.output


def test_the_default_suite_is_one_that_great_expectations_takes(project: str, tmp_path: Path):
    printed = run(gx_suite, "price", "-m", project)
    suite = json.loads(printed.stdout)
    columns = {e["kwargs"].get("column") for e in suite["expectations"]}
    assert {"id", "timestamp", "age", "city"} <= columns
    written = run(gx_suite, "price", "-m", project, "--output", "suites/price.json")
    assert (tmp_path / "suites/price.json").read_text() == printed.stdout
    assert "great_expectations" in written.stderr
    again = run(gx_suite, "price", "-m", project, "--output", "suites/price.json")
    assert isinstance(again.exception, DeclarationError)


def test_a_suite_that_was_written_is_a_monitor_that_checks(project: str, tmp_path: Path):
    run(gx_suite, "price", "-m", project, "--output", "suite.json")
    text = (tmp_path / "defs.yaml").read_text()
    entry = f"    - {{type: great_expectations, path: {tmp_path / 'suite.json'}}}\n"
    assert "  monitors:\n" in text
    (tmp_path / "defs.yaml").write_text(text.replace("  monitors:\n", f"  monitors:\n{entry}"))
    result = run(check, "-m", project)
    assert result.exit_code == 0, result.output
    assert "its suite has" in result.output
