"""docs/requirements.md has every item of the five processes once, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ITEMS_OF_PROCESS = {"000": 25, "001": 35, "002": 19, "003": 17, "004": 17}
ITEMS = [f"R{process}-{item:02d}" for process, items in ITEMS_OF_PROCESS.items() for item in range(1, items + 1)]
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


class Row(NamedTuple):
    """One line of the table, with the cell of tests as it stands there."""

    item: str
    does: str
    shown_by: str
    lacks: str


def rows() -> list[Row]:
    lines = (ROOT / "docs" / "requirements.md").read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| R0")]
    return [Row(*four) for four in cells]


@cache
def named_in(file: str) -> frozenset[str]:
    """Names of the test functions of a file, which is read and not imported; none where there is no such file."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_item_stands_there_once_and_in_order() -> None:
    assert len(ITEMS) == 113
    assert [row.item for row in rows()] == ITEMS


def test_every_named_test_is_there() -> None:
    missing = [
        f"{row.item}: {file}::{name}"
        for row in rows()
        for file, name in NAMED_TEST.findall(row.shown_by)
        if name not in named_in(file)
    ]
    assert missing == []


def test_the_cell_of_tests_holds_nothing_else() -> None:
    odd = [row.item for row in rows() if NAMED_TEST.sub("", row.shown_by).replace("<br>", "")]
    assert odd == []


def test_an_item_says_what_is_done_and_without_a_test_why_there_is_none() -> None:
    assert [row.item for row in rows() if not row.does] == []
    assert [row.item for row in rows() if not row.shown_by and not row.lacks] == []


def test_no_test_is_named_twice_for_one_item() -> None:
    twice = [
        (row.item, name)
        for row in rows()
        for (_, name), count in Counter(NAMED_TEST.findall(row.shown_by)).items()
        if count > 1
    ]
    assert twice == []


def test_the_readme_names_what_no_test_shows() -> None:
    left_out = (ROOT / "README.md").read_text("utf-8").partition("## What is left out")[2].partition("\n## ")[0]
    assert [row.item for row in rows() if not row.shown_by and row.item not in left_out] == []
