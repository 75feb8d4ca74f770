"""``mailbot mails``: the log with outcome and reason, the bytes as received, and the way out of quarantine."""

from __future__ import annotations

import base64
from datetime import timedelta
from unittest.mock import patch

from mailbot.domain.errors import UnreadableMail
from mailbot.domain.ledger import MailOutcome
from tests.cli.conftest import Cli
from tests.flows.house import BOLETO, CUSTOMER, REQUEST, TestHouse, mail

ROW_KEYS = [
    "id", "mailbox", "received_at", "from", "subject", "message_id", "outcome", "reason", "ticket", "attempts",
]  # fmt: skip


def test_the_log_has_every_promised_key_newest_first(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST, message_id="first"))
    house.collect(mail("agora", subject="Outra coisa"))
    pending, ticket = cli("mails", "list", "--json").json
    assert list(pending) == list(ticket) == ROW_KEYS
    assert ticket == {
        "id": 1,
        "mailbox": "default",
        "received_at": "2026-11-23T15:00:00+00:00",
        "from": CUSTOMER,
        "subject": "ALTERAÇÃO DE LOCAL",
        "message_id": "first@example.com.br",
        "outcome": "ticket",
        "reason": "",
        "ticket": "2026-000001",
        "attempts": 0,
    }
    assert pending["outcome"] == "pending"
    assert pending["ticket"] is None


def test_every_filter_narrows_the_log(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST))
    house.clock.advance(timedelta(days=1))
    house.receive(mail("lixo", sender="spam@example.com.br"), suspect="junk_folder")

    def found(*filters: str) -> list[int]:
        return [row["id"] for row in cli("mails", "list", "--json", *filters).json]

    assert found("--outcome", "quarantined") == [2]
    assert found("--ticket", "2026-000001") == [1]
    assert found("--since", "2026-11-24") == [2]
    assert found("--limit", "1") == [2]
    assert cli("mails", "list", "--outcome", "lost").exit_code == 2


def test_raw_gives_the_very_bytes_that_came(house: TestHouse, cli: Cli) -> None:
    received = b"From: a@example.com.br\nSubject: \xff\x00 cr\r and lf\n\n\x80\x81 bytes\r\n\n"
    house.receive(received)
    assert cli("mails", "raw", "1").stdout_bytes == received
    assert base64.b64decode(cli("mails", "raw", "1", "--json").json["raw_base64"]) == received


def test_show_tells_what_a_mail_says_and_which_letters_it_caused(house: TestHouse, cli: Cli) -> None:
    house.receive(mail("Bom dia\n" + REQUEST, files=[BOLETO]))
    shown = cli("mails", "show", "1", "--json").json
    assert list(shown)[: len(ROW_KEYS)] == ROW_KEYS
    assert shown["new_text"].startswith("Bom dia")
    assert [one["filename"] for one in shown["attachments"]] == ["boleto.pdf"]
    assert [one["letter"] for one in shown["letters"]] == ["evidence_requested"]
    assert "Bom dia" in cli("mails", "show", "1").stdout


def test_a_mail_that_does_not_exist_is_a_plain_sentence(cli: Cli) -> None:
    for command in ("show", "raw", "release"):
        ran = cli("mails", command, "7")
        assert (ran.exit_code, ran.stdout, ran.stderr) == (2, "", "mailbot: there is no mail 7\n")


def test_release_lets_a_quarantined_mail_in(house: TestHouse, cli: Cli) -> None:
    assert house.receive(mail(REQUEST), suspect="junk_folder") is MailOutcome.QUARANTINED
    assert house.tickets() == []
    assert cli("mails", "release", "1", "--json").json == {"released": [1], "refused": []}
    assert house.mails()[0].outcome is MailOutcome.PENDING
    assert house.process() is MailOutcome.TICKET
    assert len(house.letters()) == 1


def test_release_refuses_what_is_not_in_quarantine(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST))
    ran = cli("mails", "release", "1", "--json")
    assert ran.exit_code == 1
    assert ran.json == {"released": [], "refused": [{"id": 1, "outcome": "ticket"}]}
    assert "not in quarantine" in ran.stderr


def test_released_mails_of_one_sender_keep_their_order(house: TestHouse, cli: Cli) -> None:
    for _ in range(2):
        house.receive(mail(REQUEST), suspect="junk_folder")
    cli("mails", "release", "2", "1")
    house.process()
    assert [row.outcome for row in house.mails()] == [MailOutcome.TICKET, MailOutcome.PENDING]


# --- reprocess -----------------------------------------------------------------------------------------------


def fail_three_times(house: TestHouse) -> None:
    with patch.object(type(house.app.reader), "read", side_effect=UnreadableMail("a bug")):
        for _ in range(3):
            house.process()


def test_reprocess_tells_what_changed_with_every_key(house: TestHouse, cli: Cli) -> None:
    house.collect(mail(REQUEST, files=[BOLETO]))
    fail_three_times(house)
    house.receive(mail("lixo", sender="spam@example.com.br"), suspect="junk_folder")
    trial = cli("mails", "reprocess", "--failed", "--dry-run", "--json")
    assert house.tickets() == []
    ran = cli("mails", "reprocess", "--failed", "--json")
    assert (trial.exit_code, ran.exit_code) == (0, 0)
    (tried,), (done,) = trial.json, ran.json
    assert (
        list(tried)
        == list(done)
        == ["mails", "ticket", "dry_run", "changed", "outcome", "reason", "problem", "before", "after", "letters"]
    )
    # The command goes by the real clock, and numbers by the year.
    assert (tried["ticket"], done["ticket"]) == (None, house.tickets()[0].number)
    assert tried["after"] == done["after"]
    assert done["after"]["fields"]["origin_unit"]["value"] == "Rio Verde"
    assert [one["kind"] for one in done["after"]["documents"]] == ["boleto"]
    assert [one["letter"] for one in tried["letters"]] == ["evidence_requested"]


def test_reprocess_of_a_ticket_that_is_right_changes_nothing(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    for choice in (("1",), ("--ticket", "2026-000001"), ("--since", "2026-11-01")):
        (result,) = cli("mails", "reprocess", *choice, "--json").json
        assert (result["mails"], result["changed"], result["letters"]) == ([1], False, [])
        assert result["before"] == result["after"]
    assert cli("mails", "reprocess", "1").stdout == "0 of 1 changed\n"
    assert cli("mails", "reprocess", "--since", "2026-12-01", "--json").json == []


def test_reprocess_says_in_words_what_would_change(house: TestHouse, cli: Cli) -> None:
    with patch("mailbot.flows.weighing.extract_fields", lambda *_, **__: ()):
        house.receive(mail(REQUEST, files=[BOLETO]))
    lines = cli("mails", "reprocess", "1", "--dry-run").stdout.splitlines()
    assert lines[0] == "ticket 2026-000001 (mail 1): ticket"
    assert "  title: ALTERAÇÃO DE LOCAL → Alteração de Rio Verde para Jataí" in lines
    assert "  field origin_unit: (nothing) → Rio Verde" in lines
    assert f"  letter: evidence_requested to {CUSTOMER}" in lines
    assert lines[-1] == "1 of 1 would change; nothing was written"
    assert cli("mails", "reprocess", "1", "--quiet").stdout.splitlines()[-1] == "1 of 1 changed"


def test_reprocess_needs_to_know_which_mails(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST))
    assert cli("mails", "reprocess").exit_code == 2
    assert cli("mails", "reprocess", "1", "--failed").exit_code == 2
    assert cli("mails", "reprocess", "9").stderr == "mailbot: there is no mail 9\n"
    assert cli("mails", "reprocess", "--ticket", "2026-000009").stderr == (
        "mailbot: there is no ticket 2026-000009: `mailbot tickets list` shows their numbers\n"
    )


def test_reprocess_says_that_something_needs_a_look(house: TestHouse, cli: Cli) -> None:
    house.collect(mail(REQUEST))
    fail_three_times(house)
    with patch.object(type(house.app.reader), "read", side_effect=UnreadableMail("a bug")):
        ran = cli("mails", "reprocess", "--failed", "--json")
    assert ran.exit_code == 1
    assert ran.json[0]["outcome"] == "quarantined"


def test_a_trial_takes_nothing_over(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    with patch("mailbot.leases.take_over_from_the_dead") as takes_over:
        assert cli("mails", "reprocess", "1", "--dry-run").exit_code == 0
        assert not takes_over.called
        assert cli("mails", "reprocess", "1").exit_code == 0
        assert takes_over.called
