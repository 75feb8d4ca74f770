"""`mailbot explain` from outside: nothing configured, whatever the files hold."""

from __future__ import annotations

import os
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailbot.cli.explained import FACTS_OF
from mailbot.domain.evidence import DocumentKind
from tests.cli.command import REPOSITORY, Ran, run_mailbot, sample_settings
from tests.mails_human import human_mails
from tests.pdfs import text_pdf

KEYS = {
    *("file", "message_id", "subject", "new_text", "from", "to", "cc", "sent_at", "defects", "attachments"),
    *("screening", "sender", "thread", "classification", "fields", "documents", "missing", "mismatches"),
    *("decision", "letters", "elapsed_ms"),
}
INNER_KEYS = {
    "from": {"name", "address"},
    "screening": {"outcome", "reason", "may_answer", "bounce"},
    "sender": {"role", "authenticity"},
    "thread": {"ticket", "key", "refused"},
    "classification": {"request_type", "confidence", "matched", "candidates"},
    "decision": {"kind", "guidance", "status", "resolution", "reasons"},
}

RECEIPT = ("COMPROVANTE DE PAGAMENTO", "Pagamento efetuado", "Valor pago: R$ 108,00", "Autenticacao: A1B2C3D4")


def request_mail(subject: str = "ALTERAÇÃO DE LOCAL") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Maria Souza <maria@example.com.br>"
    message["To"] = "Atendimento <atendimento@example.com.br>"
    message["Subject"] = subject
    message["Date"] = "Fri, 20 Nov 2026 09:00:00 -0300"
    message["Message-ID"] = "<pedido-1@example.com.br>"
    message.set_content("Bom dia.\nDe: Rio Verde\nPara: Jataí\nMotivo: mudança\nTelefone: (64) 99999-0000\n")
    return message


def explain(tmp_path: Path, *files: str | Path, settings: dict[str, str] | None = None) -> Ran:
    """Somewhere without configuration, database or secret."""
    return run_mailbot("explain", "--json", *files, cwd=tmp_path, settings=settings)


def assert_has_every_key(said: dict[str, Any]) -> None:
    assert set(said) == KEYS
    for name, keys in INNER_KEYS.items():
        assert set(said[name]) == keys, name
    assert set(said["screening"]["bounce"]) == {"recipient", "permanent", "original_message_id"}


def test_it_says_what_would_become_of_a_request(tmp_path: Path) -> None:
    mail = request_mail()
    receipt = text_pdf(RECEIPT)
    mail.add_attachment(receipt, maintype="application", subtype="pdf", filename="comprovante.pdf")
    (tmp_path / "a.eml").write_bytes(bytes(mail))
    ran = explain(tmp_path, "a.eml")
    (said,) = ran.json_lines
    assert ran.code == 0
    assert_has_every_key(said)
    assert said["file"] == "a.eml"
    assert said["from"] == {"name": "Maria Souza", "address": "maria@example.com.br"}
    assert said["to"] == [{"name": "Atendimento", "address": "atendimento@example.com.br"}]
    assert said["sent_at"].startswith("2026-11-20T")
    assert said["screening"]["outcome"] == "accepted" and said["screening"]["may_answer"] is True
    assert said["sender"] == {"role": "requester", "authenticity": "unverified"}
    assert said["classification"]["request_type"] == "inspection_location_change"
    assert said["fields"]["destination_unit"] == {"value": "Jataí", "valid": True, "reason": None}
    assert {"boleto", "driver_licence"} <= set(said["missing"])
    assert said["decision"]["kind"] == "open_ticket"
    assert said["decision"]["status"] == "awaiting_requester"
    assert said["decision"]["reasons"] == ["missing"]
    assert said["letters"][0]["audience"] == "requester"
    assert said["letters"][0]["to"] == "maria@example.com.br"
    assert "<html" in said["letters"][0]["html"] and "Olá" in said["letters"][0]["text"]
    assert len(said["attachments"][0]["sha256"]) == 64


def test_every_document_has_all_facts_of_its_kind(tmp_path: Path) -> None:
    mail = request_mail()
    mail.add_attachment(text_pdf(RECEIPT), maintype="application", subtype="pdf", filename="comprovante.pdf")
    (tmp_path / "a.eml").write_bytes(bytes(mail))
    (said,) = explain(tmp_path, "a.eml").json_lines
    (document,) = said["documents"]
    assert set(document) == {
        *("filename", "sha256", "page", "kind", "confidence", "verdict", "reasons", "facts"),
    }
    assert document["kind"] == "payment_receipt"
    assert set(document["facts"]) == set(FACTS_OF[DocumentKind.PAYMENT_RECEIPT])
    assert document["page"] is None


def test_what_cannot_be_read_gets_an_object_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "good.eml").write_bytes(bytes(request_mail()))
    (tmp_path / "folder.eml").mkdir()
    (tmp_path / "empty.eml").write_bytes(b"")
    (tmp_path / "noise.eml").write_bytes(bytes(range(256)) * 50)
    ran = explain(tmp_path, "missing.eml", "good.eml", "folder.eml", "empty.eml", "noise.eml", "good.eml")
    said = ran.json_lines
    assert [one["file"] for one in said] == [
        *("missing.eml", "good.eml", "folder.eml", "empty.eml", "noise.eml", "good.eml"),
    ]
    for one in said:
        assert_has_every_key(one)
    for index in (0, 2):
        assert said[index]["screening"]["outcome"] == "unreadable"
        assert said[index]["screening"]["may_answer"] is False
        assert said[index]["decision"]["kind"] == "quarantine"
    assert said[1]["decision"]["kind"] == said[5]["decision"]["kind"] == "open_ticket"
    assert ran.code == 1


def test_of_a_path_that_leads_nowhere_nothing_is_said_to_be_done(tmp_path: Path) -> None:
    ran = run_mailbot("explain", "missing.eml", cwd=tmp_path)
    assert "put aside" not in ran.stdout
    assert "look at the path" in ran.stdout


def test_it_stores_nothing_and_needs_no_settings(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(bytes(request_mail()))
    assert explain(tmp_path, "a.eml").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.eml"]


def test_a_folder_without_configuration_is_said_to_use_the_samples(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(bytes(request_mail()))
    assert "sample configuration" in explain(tmp_path, "a.eml").stderr
    given = sample_settings(tmp_path)
    assert "sample configuration" not in explain(tmp_path, "a.eml", settings=given).stderr


def test_a_wrong_configuration_ends_with_2_and_every_problem(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(bytes(request_mail()))
    (tmp_path / "config").mkdir()
    ran = explain(tmp_path, "a.eml")
    assert ran.code == 2
    assert "units.yaml" in ran.stderr and "general.yaml" in ran.stderr
    assert ran.stdout == ""


def test_an_unknown_setting_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(bytes(request_mail()))
    ran = explain(tmp_path, "a.eml", settings={"MAILBOT_ADRESS": "a@example.com.br"})
    assert "did you mean MAILBOT_ADDRESS" in ran.stderr
    assert ran.code == 0


def test_an_unknown_mailbox_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(bytes(request_mail()))
    ran = run_mailbot("explain", "--mailbox", "nobody", "a.eml", cwd=tmp_path)
    assert ran.code == 2
    assert "nobody" in ran.stderr


def test_it_reads_stdin_for_a_dash(tmp_path: Path) -> None:
    ran = run_mailbot("explain", "--json", "-", cwd=tmp_path, stdin=bytes(request_mail()))
    assert ran.json["file"] == "-"
    assert ran.json["classification"]["request_type"] == "inspection_location_change"


@pytest.mark.skipif(os.name != "posix", reason="file names of bytes")
def test_a_file_name_that_is_no_utf8_comes_back_as_it_was(tmp_path: Path) -> None:
    name = os.fsdecode(b"pedido-\xff.eml")
    (tmp_path / name).write_bytes(bytes(request_mail()))
    ran = explain(tmp_path, name)
    assert ran.json["file"] == name
    assert ran.code == 0


def test_a_bounce_is_recorded_and_not_answered(tmp_path: Path) -> None:
    report = (
        b"From: MAILER-DAEMON@example.com.br\r\nReturn-Path: <>\r\nTo: atendimento@example.com.br\r\n"
        b"Subject: Undelivered\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nSorry\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com.br\r\n\r\n"
        b"Final-Recipient: rfc822; ana@example.com.br\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
    (tmp_path / "b.eml").write_bytes(report)
    (said,) = explain(tmp_path, "b.eml").json_lines
    assert_has_every_key(said)
    assert said["screening"]["outcome"] == "bounce"
    assert said["screening"]["bounce"]["recipient"] == "ana@example.com.br"
    assert said["screening"]["bounce"]["permanent"] is True
    assert said["decision"] == {
        "kind": "record_bounce",
        "guidance": None,
        "status": None,
        "resolution": None,
        "reasons": ["permanent"],
    }
    assert said["letters"] == []


def test_it_answers_the_mails_that_people_write(tmp_path: Path) -> None:
    mails = list(human_mails())
    for number, mail in enumerate(mails):
        (tmp_path / f"{number:03d}.eml").write_bytes(mail.raw)
    ran = explain(tmp_path, *(f"{number:03d}.eml" for number in range(len(mails))))
    said = ran.json_lines
    assert len(said) == len(mails) >= 200
    assert sum(one["screening"]["may_answer"] for one in said) >= 0.98 * len(mails)


def test_without_json_a_person_can_read_it(tmp_path: Path) -> None:
    raw = bytes(request_mail()).replace(b"Bom dia.", b"Bom dia \x1b[31m.")
    assert b"\x1b[31m" in raw
    (tmp_path / "a.eml").write_bytes(raw)
    ran = run_mailbot("explain", "a.eml", cwd=tmp_path, settings=sample_settings(tmp_path))
    assert "Maria Souza <maria@example.com.br>: a customer" in ran.stdout
    assert "inspection_location_change" in ran.stdout
    assert "opens a ticket; status awaiting requester" in ran.stdout
    assert "ticket_opened" in ran.stdout or "evidence_requested" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_the_samples_that_ship_are_those_of_the_repository() -> None:
    from mailbot.cli.share import shared

    assert (shared("config") / "units.yaml").samefile(REPOSITORY / "config" / "units.yaml")
    assert (shared("templates") / "pt-BR").is_dir()
