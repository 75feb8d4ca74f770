"""`mailbot catalogue simulate` and `facts` from outside, and the README's guide as a newcomer follows it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.cli.command import REPOSITORY, Ran, run_mailbot

SAMPLES = Path("config", "simulations", "inspection_location_change.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("config", "templates"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    return tmp_path


def simulate(folder: Path, *arguments: str | Path) -> Ran:
    return run_mailbot("catalogue", "simulate", *arguments, cwd=folder)


def test_the_sample_requests_come_out_as_expected(folder: Path) -> None:
    ran = simulate(folder, SAMPLES, "--json")
    assert ran.code == 0, ran.stderr
    assert all(one["as_expected"] for one in ran.json)
    by_name = {one["case"]: one for one in ran.json}
    near = by_name["Goiânia a Anápolis, 55 km por estrada"]
    assert (near["action"], near["guidance"], near["facts"]["distance_km"]) == (
        "reply", "under_minimum_distance", "55",
    )  # fmt: skip
    assert by_name["Reprovada, sem dizer onde"]["missing"] == ["rejection_unit"]


def test_what_comes_out_otherwise_is_named_and_ends_with_1(folder: Path) -> None:
    file = folder / SAMPLES
    file.write_text(file.read_text("utf-8").replace("distance_km: 99.9", "distance_km: 101"), "utf-8")
    ran = simulate(folder, SAMPLES)
    assert ran.code == 1
    assert "99,9 km por estrada: action should be reply, and is proceed" in ran.stdout
    assert "12 cases, 1 not as expected" in ran.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("facts: {distance_km: 99.9}", "facts: {distanse_km: 99.9}", "did you mean 'distance_km'?"),
        ("facts: {distance_km: 99.9}", "facts: {distance_km: perto}", "'perto' is no number"),
        ("documents: [payment_receipt]", "documents: [receipt]", "no document 'receipt'"),
        ("expect: {action: proceed}", "expect: {acton: proceed}", "did you mean 'action'?"),
        ("request_type: inspection_location_change", "request_type: inspection_change", "no request type"),
        ("guidance: failed_elsewhere}", "guidance: failed_somewhere}", "no guidance 'failed_somewhere'"),
    ],
)
def test_a_mistake_in_a_file_ends_with_2_and_is_named(folder: Path, old: str, new: str, said: str) -> None:
    file = folder / SAMPLES
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    ran = simulate(folder, SAMPLES)
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert re.search(r"inspection_location_change\.yaml:\d+:", ran.stderr)


def test_a_file_that_is_not_there_is_a_mistake(folder: Path) -> None:
    assert simulate(folder, "nothing.yaml").code == 2


def test_the_functions_of_facts_are_listed(folder: Path) -> None:
    listed = run_mailbot("catalogue", "facts", "--json", cwd=folder).json
    by_name = {one["from"]: one for one in listed}
    assert by_name["distance_km"]["gives"] == "number"
    assert by_name["both_in_cities"]["takes"] == ["between", "cities"]
    assert all(one["does"] for one in listed)


def test_the_guide_in_the_readme_gives_a_working_request_type(folder: Path) -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    (guide,) = re.findall(r"```yaml\n(key: seat_change\n.*?)```", readme, re.DOTALL)
    (folder / "config" / "catalogue" / "seat_change.yaml").write_text(guide, "utf-8")
    checked = run_mailbot("catalogue", "check", cwd=folder)
    assert checked.code == 0, checked.stderr
    (folder / "mail.eml").write_text(
        "From: Maria <maria@example.com>\nTo: atendimento@example.com.br\nSubject: TROCA DE POLTRONA\n"
        "Date: Mon, 23 Nov 2026 09:12:00 -0300\nMessage-ID: <one@example.com>\n\n"
        "Poltrona: 47\nMotivo: quero viajar ao lado da minha irmã\n",
        "utf-8",
    )
    explained = run_mailbot("explain", "mail.eml", "--json", cwd=folder).json
    assert explained["decision"]["guidance"] == "no_such_seat"
    assert "você pediu a 47" in explained["letters"][0]["text"]
