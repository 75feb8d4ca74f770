"""The configuration folder is read whole, and everything that is wrong with it is told at once."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from mailbot.catalogue.field_specs import FieldKind
from mailbot.catalogue.load import Catalogue, json_schema, load_catalogue
from mailbot.catalogue.units import UnitTable
from mailbot.domain.errors import ConfigurationError, Problem
from mailbot.domain.ticket import Status

SAMPLE = Path(__file__).resolve().parents[2] / "config"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample configuration that a test may spoil."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "config"))


@pytest.fixture(scope="module")
def sample() -> Catalogue:
    return load_catalogue(SAMPLE)


def spoil(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def problems_of(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(folder)
    return caught.value.problems


def test_the_sample_has_the_documents_and_fields_of_the_location_change(sample: Catalogue) -> None:
    kind = sample.type("inspection_location_change")
    assert [document.key for document in kind.documents] == ["payment_receipt", "boleto", "driver_licence"]
    assert [field.key for field in kind.fields] == [
        "reason", "origin_unit", "destination_unit", "requester_name", "phone", "email", "rejection_unit",
    ]  # fmt: skip
    assert kind.queue == "sau"
    assert kind.title_for({"origin_unit": "Rio Verde", "destination_unit": "Jataí"}) == (
        "Alteração de Rio Verde para Jataí"
    )
    assert kind.title_for({"origin_unit": "Rio Verde"}) == ""


def test_every_status_of_every_type_has_a_label(sample: Catalogue) -> None:
    for kind in sample.request_types.values():
        assert set(kind.status_labels) == set(Status)


def test_a_type_without_labels_takes_those_of_general(folder: Path) -> None:
    (folder / "catalogue" / "bare.yaml").write_text("key: bare\nname: Bare\nqueue: geral\n", encoding="utf-8")
    assert load_catalogue(folder).type("bare").status_labels[Status.NEW] == "Recebido"


def test_an_unknown_type_falls_back_to_general(sample: Catalogue) -> None:
    assert sample.type("gone_since").key == "general"


def test_agents_are_found_by_address_in_any_case(sample: Catalogue) -> None:
    assert sample.staff.agent_key_for("Ana@Example.com.BR") == "ana"
    assert sample.staff.agent_key_for("maria@example.com.br") is None
    assert [agent.key for agent in sample.staff.notified_for("sau")] == ["ana"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Rio Verde", "rio_verde"),
        ("RIO  VERDE - GO", "rio_verde"),
        ("rio verde/go.", "rio_verde"),
        ("Anapolis", "anapolis"),
        ("Ap. de Goiânia", "aparecida_de_goiania"),
        ("GYN", "goiania"),
        ("Goianira", None),
        ("Rio Verd", None),
        ("Goiânia ou Anápolis", None),
        ("", None),
    ],
)
def test_a_unit_is_found_by_name_or_alias_and_never_by_resemblance(
    sample: Catalogue, text: str, key: str | None
) -> None:
    found = sample.units.find(text)
    assert (None if found is None else found.key) == key


def test_true_null_and_numbers_are_no_strings_and_quoted_ones_are(folder: Path) -> None:
    mailboxes = folder / "mailboxes.yaml"
    with mailboxes.open("a", encoding="utf-8") as file:
        file.write(
            '  - {key: one, name: "true", sent_folder: null}\n  - {key: two, name: "2026", sent_folder: "null"}\n'
        )
    catalogue = load_catalogue(folder)
    one, two = catalogue.mailbox("one"), catalogue.mailbox("two")
    assert one is not None
    assert two is not None
    assert (one.name, one.sent_folder, one.watches_sent_folder) == ("true", None, False)
    assert (two.name, two.sent_folder) == ("2026", "null")


def test_a_road_has_the_same_length_both_ways(sample: Catalogue) -> None:
    units: UnitTable = sample.units
    one, other = units.get("rio_verde"), units.get("anapolis")
    assert one is not None
    assert other is not None
    assert units.road_km(one, other) == units.road_km(other, one) == 265
    assert units.road_km(one, one) is None


def test_the_default_mailbox_reads_the_plain_variables(sample: Catalogue) -> None:
    mailbox = sample.mailboxes[0]
    assert mailbox.address_env == "MAILBOT_ADDRESS"
    assert mailbox.imap_url_env == "MAILBOT_IMAP_URL"
    assert mailbox.smtp_url_env == "MAILBOT_SMTP_URL"
    assert mailbox.offers("inspection_location_change")


def test_another_mailbox_reads_variables_of_its_own(folder: Path) -> None:
    with (folder / "mailboxes.yaml").open("a", encoding="utf-8") as file:
        file.write("  - {key: finance, name: Financeiro, request_types: [general], folders: [INBOX, Junk]}\n")
    mailbox = load_catalogue(folder).mailbox("finance")
    assert mailbox is not None
    assert mailbox.address_env == "MAILBOT_FINANCE_ADDRESS"
    assert not mailbox.offers("inspection_location_change")
    assert (mailbox.is_junk("Junk"), mailbox.is_junk("INBOX")) == (True, False)


def test_every_problem_of_every_file_is_told_at_once_with_its_line(folder: Path) -> None:
    spoil(folder, "catalogue/inspection_location_change.yaml", "queue: sau", "queue: sua")
    spoil(folder, "catalogue/general.yaml", "priority:", "prioritty:")
    spoil(folder, "units.yaml", "latitude: -16.6864", "latitude: 166864")
    spoil(folder, "staff.yaml", "notify: [ana@", "notify: [anna@")
    spoil(folder, "mailboxes.yaml", 'request_types: "*"', "request_types: [inspection_location_chance]")
    spoil(folder, "calendar.yaml", "America/Sao_Paulo", "America/Sao_Palo")
    problems = problems_of(folder)
    assert {problem.source for problem in problems} == {
        "catalogue/general.yaml", "units.yaml", "staff.yaml", "mailboxes.yaml", "calendar.yaml",
    }  # fmt: skip
    told = {(p.source, p.line, p.key): p.message for p in problems}
    assert "did you mean 'priority'" in told["catalogue/general.yaml", 6, "prioritty"]
    assert "less than or equal to 90" in told["units.yaml", 5, "units[0].latitude"]
    assert "did you mean 'inspection_location_change'" in told["mailboxes.yaml", 9, "mailboxes[0].request_types"]


def test_a_queue_that_nobody_has_is_told_with_the_nearest_one(folder: Path) -> None:
    spoil(folder, "catalogue/inspection_location_change.yaml", "queue: sau", "queue: sua")
    (problem,) = problems_of(folder)
    assert problem.message == "no queue 'sua' in staff.yaml (did you mean 'sau'?)"
    assert problem.key == "queue"
    assert problem.line is not None


def test_a_title_may_only_name_fields(folder: Path) -> None:
    spoil(
        folder,
        "catalogue/inspection_location_change.yaml",
        "title: Alteração de {origin_unit}",
        "title: X {origin}",
    )
    assert "no field 'origin'" in problems_of(folder)[0].message


@pytest.mark.parametrize(
    "title", ["{origin_unit.__class__}", "{origin_unit!r}", "{origin_unit:>99999999}", "{", "{0}"]
)
def test_a_title_can_not_reach_into_objects(folder: Path, title: str) -> None:
    spoil(
        folder,
        "catalogue/inspection_location_change.yaml",
        "title: Alteração de {origin_unit} para {destination_unit}",
        f'title: "{title}"',
    )
    assert "title" in problems_of(folder)[0].message


def test_a_key_that_stands_twice_is_a_problem(folder: Path) -> None:
    spoil(folder, "calendar.yaml", "state: GO", "state: GO\nstate: SP")
    (problem,) = problems_of(folder)
    assert (problem.line, problem.key, problem.message) == (4, "state", "stands here twice, first on line 3")


def test_no_stays_a_word_and_yes_and_no_count_in_portuguese(folder: Path) -> None:
    spoil(folder, "catalogue/general.yaml", "name: Atendimento geral", "name: NO")
    spoil(folder, "mailboxes.yaml", "null_sender: false", "null_sender: sim")
    catalogue = load_catalogue(folder)
    assert catalogue.type("general").name == "NO"
    assert catalogue.mailboxes[0].null_sender is True


def test_a_type_whose_file_is_wrong_is_not_called_unknown_elsewhere(folder: Path) -> None:
    spoil(folder, "catalogue/inspection_location_change.yaml", "priority: default_medium", "priority: high")
    spoil(folder, "mailboxes.yaml", 'request_types: "*"', "request_types: [inspection_location_change]")
    assert [problem.key for problem in problems_of(folder)] == ["priority"]


def test_an_agent_s_address_may_be_written_in_capitals(folder: Path) -> None:
    spoil(folder, "staff.yaml", "address: ana@example", "address: Ana@Example")
    staff = load_catalogue(folder).staff
    assert staff.agent_key_for("ana@example.com.br") == "ana"
    assert [agent.key for agent in staff.notified_for("sau")] == ["ana"]


def test_two_types_can_not_claim_one_subject(folder: Path) -> None:
    spoil(folder, "catalogue/general.yaml", "queue: geral", "queue: geral\nsubject: alteracao  de LOCAL")
    (problem,) = problems_of(folder)
    assert "already belongs to general" in problem.message


def test_two_fields_can_not_share_a_label(folder: Path) -> None:
    spoil(folder, "catalogue/inspection_location_change.yaml", "      - Novo\n", "      - Origem\n")
    assert "label 'origem' belongs to both" in problems_of(folder)[0].message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("units: [", "not YAML"),
        ("units: &a [*a]", "contains itself"),
        ("\x00", "not YAML"),
        ("? [a]\n: b", "a key must be a word"),
    ],
)
def test_broken_yaml_is_a_problem_and_not_a_crash(folder: Path, text: str, words: str) -> None:
    (folder / "units.yaml").write_text(text, encoding="utf-8")
    assert any(problem.source == "units.yaml" and words in problem.message for problem in problems_of(folder))


def test_a_file_that_is_not_utf8_is_a_problem(folder: Path) -> None:
    (folder / "staff.yaml").write_bytes("# atenção\n".encode("latin-1"))
    assert any("cannot be read" in problem.message for problem in problems_of(folder))


def test_an_empty_folder_says_all_that_is_missing(tmp_path: Path) -> None:
    missing = {problem.source for problem in problems_of(tmp_path)}
    assert missing == {
        "catalogue/general.yaml",
        "units.yaml",
        "staff.yaml",
        "calendar.yaml",
        "mailboxes.yaml",
    }


def test_a_file_has_the_name_of_its_key(folder: Path) -> None:
    (folder / "catalogue" / "other.yaml").write_text("key: another\nname: X\nqueue: geral\n", encoding="utf-8")
    (problem,) = problems_of(folder)
    assert problem.message == "must be called another.yaml, as its key says"


def test_two_hundred_types_load_in_no_time(folder: Path) -> None:
    text = (folder / "catalogue" / "inspection_location_change.yaml").read_text(encoding="utf-8")
    head, documents = text[: text.index("# Assuntos tão certos")], text[text.index("queue: sau") :]
    for number in range(200):
        body = head.replace("ALTERAÇÃO DE LOCAL", f"PEDIDO {number}") + documents
        key = f"inspection_location_change_{number}"
        body = body.replace("key: inspection_location_change\n", f"key: {key}\n")
        (folder / "catalogue" / f"{key}.yaml").write_text(body, encoding="utf-8")
    begun = time.thread_time()
    assert len(load_catalogue(folder).request_types) > 200
    # Of the processor, for what takes one here: so many for a slow machine that does much else besides.
    assert time.thread_time() - begun < 6


def test_two_units_may_share_an_alias_but_no_name(folder: Path) -> None:
    spoil(folder, "units.yaml", "aliases: [Anapolis GO]", "aliases: [Gyn]")
    units = load_catalogue(folder).units
    assert units.find("Gyn") is None
    assert [unit.key for unit in units.all_named("Gyn")] == ["goiania", "anapolis"]
    spoil(folder, "units.yaml", "name: Anápolis,", "name: Jataí,")
    assert "name 'jatai' belongs to both" in problems_of(folder)[0].message


def test_there_is_a_schema_for_every_kind_of_file() -> None:
    schemas = json_schema()
    files = {"units.yaml", "staff.yaml", "calendar.yaml", "clients.yaml", "mailboxes.yaml"}
    assert set(schemas) == {"catalogue/*.yaml", "knowledge/*.md", *files}
    assert schemas["catalogue/*.yaml"]["additionalProperties"] is False
    assert set(schemas["catalogue/*.yaml"]["$defs"]["FieldKind"]["enum"]) == {kind.value for kind in FieldKind}


@pytest.mark.parametrize(
    ("media_type", "filename", "allowed"),
    [
        ("application/pdf", "boleto.pdf", True),
        ("application/pdf", "boleto", True),
        ("image/heic", "IMG_1.HEIC", True),
        ("image/jpeg", "foto.dat", True),
        ("application/x-msdownload", "boleto.pdf", False),
        ("application/x-msdownload", "boleto.exe", False),
        ("image/svg+xml", "boleto.svg", False),
        ("application/zip", "documentos.zip", False),
        ("text/plain", "nota.txt", False),
        ("application/octet-stream", "foto.jpg", True),
    ],
)
def test_the_bytes_decide_which_files_are_allowed(
    sample: Catalogue, media_type: str, filename: str, allowed: bool
) -> None:
    limits = sample.limits_of("inspection_location_change")
    assert limits.allows(media_type=media_type, filename=filename) is allowed


def test_a_type_without_limits_has_the_global_ones(sample: Catalogue) -> None:
    limits = sample.limits_of("general")
    assert (limits.max_file_bytes, limits.max_mail_bytes, limits.max_files) == (10 << 20, 25 << 20, 40)
    assert limits.allows(media_type="application/zip", filename="x.zip")
