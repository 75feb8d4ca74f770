"""docs/staff.md names tests that are there, and at least one for each thing that it says."""

from __future__ import annotations

from tests.test_requirements_table import NAMED_TEST, ROOT, named_in


def _rows() -> list[list[str]]:
    lines = (ROOT / "docs" / "staff.md").read_text("utf-8").splitlines()
    tables = [line for line in lines if line.startswith("| ") and not line.startswith("| point ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in tables]


def test_every_line_has_tests_that_are_there() -> None:
    assert len(_rows()) > 20
    for _, what, shown_by in _rows():
        named = NAMED_TEST.findall(shown_by)
        assert named, what
        assert [f"{file}::{name}" for file, name in named if name not in named_in(file)] == [], what
        assert NAMED_TEST.sub("", shown_by).replace("<br>", "") == "", what
