"""The rules of the house that no linter knows: what stands where, and what must never stand anywhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "mailbot"

TOP_LEVEL = {
    "__init__", "__main__", "adapters", "bootstrap", "catalogue", "cli", "connections", "correspondence", "crew",
    "daemon", "demo", "domain", "evidence", "flows", "guarded_threads", "helper", "housework", "isolation",
    "leases", "mime", "round", "settings", "triage",
}  # fmt: skip

# Modules that recognise Portuguese mail hold Portuguese patterns; nobody reads them as words of ours.
RECOGNISERS = {
    "mime/quote_marks.py", "mime/html_quotes.py", "mime/attachments.py", "mime/body.py", "mime/contents.py",
    "triage/screen.py", "triage/bounces.py", "triage/gratitude.py", "triage/classify.py", "triage/directives.py",
    "triage/thread.py", "adapters/smtp_answers.py", "evidence", "catalogue", "demo",
}  # fmt: skip


def modules() -> Iterator[Path]:
    return (path for path in sorted(PACKAGE.rglob("*.py")) if "migrations/versions" not in path.as_posix())


def is_recogniser(path: Path) -> bool:
    relative = path.relative_to(PACKAGE).as_posix()
    return any(relative == name or relative.startswith(f"{name}/") for name in RECOGNISERS)


def test_the_house_has_these_rooms_and_no_other() -> None:
    found = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.parent.name for path in PACKAGE.glob("*/__init__.py")
    }
    assert found == TOP_LEVEL


def test_every_module_says_what_it_is_for() -> None:
    silent = [path.name for path in modules() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


def test_every_module_has_postponed_annotations_or_no_code() -> None:
    late = []
    for path in modules():
        tree = ast.parse(path.read_text("utf-8"))
        body = [node for node in tree.body if not isinstance(node, ast.Expr)]
        if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body) and not (
            isinstance(body[0], ast.ImportFrom) and body[0].module == "__future__"
        ):
            late.append(str(path.relative_to(ROOT)))
    assert late == []


def test_public_things_have_docstrings() -> None:
    bare: list[str] = []
    for path in modules():
        bare += [
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
            and not _is_row_mapping(path)
        ]
    assert bare == []


def _is_row_mapping(path: Path) -> bool:
    """``…mapping.py`` has a pair of functions a value; their names say all there is to say."""
    return path.name.endswith("mapping.py")


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc", "tools", "base"])
def test_there_is_no_room_for_odds_and_ends(name: str) -> None:
    assert list(PACKAGE.rglob(f"{name}.py")) == []
    assert list(PACKAGE.rglob(f"{name}/__init__.py")) == []


def test_no_portuguese_for_customers_stands_in_code() -> None:
    accented = re.compile(r"[ãõçáéíóúâêôàÃÕÇÁÉÍÓÚÂÊÔÀ]")
    found: list[str] = []
    for path in modules():
        if is_recogniser(path):
            continue
        found += [
            f"{path.relative_to(ROOT)}:{node.lineno}"
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and accented.search(node.value)
            and not _is_docstring(node, path)
        ]
    assert found == []


def _is_docstring(node: ast.Constant, path: Path) -> bool:
    line = path.read_text("utf-8").splitlines()[node.lineno - 1].lstrip()
    return line.startswith(('"""', "'''"))


@pytest.mark.parametrize(
    ("loaded", "rooms"),
    [
        ("mailbot.mime.child", ["mailbot.domain", "mailbot.isolation", "mailbot.mime"]),
        (
            # It loads what reads documents once it is asked to.
            "mailbot.evidence.child, mailbot.evidence.ocr, mailbot.evidence.reading",
            ["mailbot.catalogue", "mailbot.domain", "mailbot.evidence", "mailbot.isolation"],
        ),
    ],
)
def test_a_process_that_reads_hostile_bytes_imports_nothing_but_what_reading_needs(
    loaded: str, rooms: list[str]
) -> None:
    program = (
        f"import sys, {loaded}; "
        "print(sorted({'.'.join(name.split('.')[:2]) for name in sys.modules if name.startswith('mailbot.')}))"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ast.literal_eval(printed.stdout) == rooms


def test_the_daemon_starts_without_what_only_some_mails_need() -> None:
    heavy = ("alembic", "holidays", "sqlalchemy.orm", "lxml", "pypdfium2", "inscriptis", "css_inline", "typer")
    program = f"import sys, mailbot.daemon; print([name for name in {heavy} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ast.literal_eval(printed.stdout) == []


def test_lock_files_carry_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text("utf-8")
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|file:", text)


def test_no_address_of_a_real_company_stands_in_samples() -> None:
    allowed = re.compile(r"(?:^|\.)(?:example(?:\.com(?:\.br)?|\.org|\.net)?|invalid|test|localhost)$")
    found: list[str] = []
    for folder in ("config", "templates"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix != ".png":
                addresses = re.finditer(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", path.read_text("utf-8"))
                found += [match.group(0) for match in addresses if not allowed.search(match.group(1))]
    assert found == []


# A tag names a rule: "R000-09", "DOMAIN C.2–C.4", "INTERFACE *Statuses*", "THREATS 9, 11 and 17". In the names of
# tests and in the lines between them a threat goes by its number alone.
_RULE = r"(?:§?\d+(?:\.\d+)?|[A-Z]\.\d+|\*[^*]{1,60}\*)"
_TO = r"(?:–|-| to )"
_TAGS = re.compile(
    r"(?:\b(?P<document>THREATS|INTERFACE|REQUIREMENTS|ARCHITECTURE|DOMAIN|LIBRARIES)(?: rows?)? "
    r"|threat_|# --- (?:[\w -]+: )?rows? )"
    rf"(?P<rules>{_RULE}(?:(?:, | and |{_TO}){_RULE})*)"
    r"|\b(?P<item>R\d{3}-\d{2})\b"
)


def _tags(text: str) -> set[str]:
    """Every tag in ``text`` by itself; a range is all that lies within it, a line's end no end of a tag."""
    unwrapped = re.sub(r"\n\s*(?:# (?!---))?", " ", text)
    found: set[str] = set()
    for match in _TAGS.finditer(unwrapped):
        if match["item"]:
            found.add(match["item"])
        else:
            document = match["document"] or "THREATS"
            found |= {f"{document} {rule}" for rule in _single_rules(match["rules"])}
    return found


def _single_rules(rules: str) -> Iterator[str]:
    for part in re.findall(rf"{_RULE}(?:{_TO}{_RULE})?", rules):
        ends = re.fullmatch(rf"([A-Z]\.)?(\d+){_TO}(?:[A-Z]\.)?(\d+)", part)
        if ends:
            yield from (f"{ends[1] or ''}{number}" for number in range(int(ends[2]), int(ends[3]) + 1))
        else:
            yield part


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing of a stranger's (THREATS 6, 23), nor", {"THREATS 6", "THREATS 23"}),
        ("by the rows of THREATS 9–11", {"THREATS 9", "THREATS 10", "THREATS 11"}),
        ("torn (DOMAIN\n    # C.2 to C.4)", {"DOMAIN C.2", "DOMAIN C.3", "DOMAIN C.4"}),
        ("# --- handles: rows 9 and 12 ---", {"THREATS 9", "THREATS 12"}),
        ("def test_threat_5_a_bounce() -> None:", {"THREATS 5"}),
        (
            "(REQUIREMENTS *Decided*, *Wrong subject*, R000-09)",
            {"REQUIREMENTS *Decided*", "REQUIREMENTS *Wrong subject*", "R000-09"},
        ),
        ("(ARCHITECTURE §5.1). What THREATS says, and RFC 5321 §4.5", {"ARCHITECTURE §5.1"}),
    ],
)
def test_a_tag_is_found_however_it_is_written(text: str, expected: set[str]) -> None:
    assert _tags(text) == expected


def test_every_tag_of_a_rule_has_its_line_in_the_table() -> None:
    table = (ROOT / "docs" / "rules.md").read_text("utf-8")
    explained = set(re.findall(r"^\| `([^`]+)` \| \S", table, re.MULTILINE))
    pointing_nowhere = {
        f"{path.relative_to(ROOT)}: {tag}"
        for folder in ("mailbot", "config", "templates", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        for tag in _tags(path.read_text("utf-8", errors="replace")) - explained
    }
    assert pointing_nowhere == set()


def test_no_template_computes_a_class() -> None:
    """The styles are written into the templates once, before anything is filled in."""
    computed = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if re.search(r'class="[^"]*\{[{%]', path.read_text(encoding="utf-8"))
    ]
    assert computed == []
