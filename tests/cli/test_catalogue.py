"""`mailbot catalogue` from outside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import REPOSITORY, Ran, run_mailbot


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration and templates of its own."""
    for name in ("config", "templates"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    return tmp_path


def catalogue(folder: Path, *arguments: str | Path, settings: dict[str, str] | None = None) -> Ran:
    return run_mailbot("catalogue", *arguments, cwd=folder, settings=settings)


def test_check_finds_nothing_wrong_with_the_samples(folder: Path) -> None:
    ran = catalogue(folder, "check", "--json")
    assert (ran.code, ran.json) == (0, [])


def test_check_names_every_problem_of_yaml_and_templates_at_once(folder: Path) -> None:
    units = folder / "config" / "units.yaml"
    units.write_text(units.read_text("utf-8").replace("latitude:", "latitud:", 1), "utf-8")
    staff = folder / "config" / "staff.yaml"
    staff.write_text(staff.read_text("utf-8") + "\nqueus: []\n", "utf-8")
    body = folder / "templates" / "letters" / "decision" / "body.txt"
    body.write_text("{% if %}", "utf-8")
    (folder / "templates" / "letters" / "reminder" / "subject.txt").unlink()
    said = folder / "templates" / "pt-BR" / "decision" / "sentences.yaml"
    said.write_text(said.read_text("utf-8") + 'twice: "Oi"\ntwice: "Oi"\n', "utf-8")
    ran = catalogue(folder, "check", "--json")
    found = {(Path(one["file"]).name, one["line"], one["key"]) for one in ran.json}
    assert ran.code == 2
    assert ("units.yaml", "latitud") in {(name, (key or "").rpartition(".")[2]) for name, _, key in found}
    assert ("staff.yaml", "queus") in {(name, key) for name, _, key in found}
    assert ("body.txt", 1, None) in found
    assert "subject.txt" in {name for name, _, _ in found}
    assert ("sentences.yaml", "twice") in {(name, key) for name, _, key in found}
    assert all(line for name, line, _ in found if name.endswith(".yaml"))
    assert all(Path(one["file"]).parts[0] in ("config", "templates") for one in ran.json)


def test_check_says_the_same_in_words(folder: Path) -> None:
    units = folder / "config" / "units.yaml"
    units.write_text(units.read_text("utf-8").replace("latitude:", "latitud:", 1), "utf-8")
    ran = catalogue(folder, "check")
    assert ran.code == 2
    assert "config/units.yaml:" in ran.stderr and "latitud" in ran.stderr


def test_check_tells_a_bad_setting_too(folder: Path) -> None:
    ran = catalogue(folder, "check", "--json", settings={"MAILBOT_SEND": "maybe"})
    assert ran.code == 2
    assert [one["key"] for one in ran.json] == ["MAILBOT_SEND"]


def test_list_and_show_describe_what_is_offered(folder: Path) -> None:
    listed = {one["key"]: one for one in catalogue(folder, "list", "--json").json}
    assert set(listed) >= {"general", "inspection_location_change"}
    assert listed["inspection_location_change"]["documents"] == ["payment_receipt", "boleto", "driver_licence"]
    shown = catalogue(folder, "show", "inspection_location_change", "--json").json
    assert shown["key"] == "inspection_location_change"
    assert "destination_unit" in [field["key"] for field in shown["fields"]]
    assert "destination_unit" in catalogue(folder, "show", "inspection_location_change").stdout
    unknown = catalogue(folder, "show", "nothing")
    assert unknown.code == 2 and "inspection_location_change" in unknown.stderr


def test_schema_is_json_for_each_kind_of_file(folder: Path) -> None:
    schemas = catalogue(folder, "schema", "--json").json
    assert set(schemas) >= {"catalogue/*.yaml", "units.yaml", "staff.yaml", "mailboxes.yaml", "calendar.yaml"}
    one = json.loads(catalogue(folder, "schema", "staff.yaml").stdout)
    assert one == schemas["staff.yaml"]
    assert catalogue(folder, "schema", "nothing.yaml").code == 2


def test_preview_writes_a_letter_as_text_and_html(folder: Path) -> None:
    ran = catalogue(folder, "preview", "evidence_requested", "--html", folder / "letter.html")
    assert ran.code == 0
    assert ran.stdout.startswith("[Chamado #")
    html = (folder / "letter.html").read_text("utf-8")
    assert html.startswith("<!DOCTYPE html>")
    said = catalogue(folder, "preview", "evidence_requested", "--json").json
    assert said["html"] == html
    assert set(said) == {"letter", "subject", "text", "html"}


def test_preview_takes_the_templates_of_a_request_type(folder: Path) -> None:
    own = folder / "templates" / "pt-BR" / "decision" / "inspection_location_change"
    own.mkdir()
    (own / "subject.txt").write_text("Sobre a sua vistoria", "utf-8")
    said = catalogue(folder, "preview", "decision", "--type", "inspection_location_change", "--json").json
    assert said["subject"] == "Sobre a sua vistoria"
    assert catalogue(folder, "preview", "decision", "--json").json["subject"] != "Sobre a sua vistoria"


@pytest.mark.parametrize(
    "arguments",
    [
        ("preview", "nothing"),
        ("preview", "decision", "--language", "xx"),
        ("preview", "decision", "--type", "../../etc"),
        ("preview", "decision", "--html", "no/such/folder/letter.html"),
    ],
)
def test_preview_refuses_what_there_is_not_with_2(folder: Path, arguments: tuple[str, ...]) -> None:
    ran = catalogue(folder, *arguments)
    assert ran.code == 2
    assert ran.stderr and "Traceback" not in ran.stderr


def test_without_a_configuration_folder_it_says_how_to_get_one(tmp_path: Path) -> None:
    ran = catalogue(tmp_path, "list")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("mailbot: config: there is no such folder: `mailbot init DIR` writes one")
    assert [one["file"] for one in catalogue(tmp_path, "check", "--json").json if "init" in one["message"]] == [
        "config"
    ]
