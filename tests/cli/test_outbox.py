"""``mailbot outbox``: what waits, what failed, and an administrator's word over it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mailbot.domain.events import LetterStatus
from mailbot.domain.outbox import LetterResult
from tests.cli.conftest import Cli
from tests.flows.house import BOLETO, CUSTOMER, REQUEST, TestHouse, mail

ROW_KEYS = [
    "message_id", "ticket", "letter", "audience", "to", "subject", "status", "attempts", "not_before",
    "last_error",
]  # fmt: skip


def fail_next_letter(house: TestHouse) -> str:
    """The next letter is refused for good; returns its Message-ID."""
    now = house.clock.now()
    with house.app.storage.write() as work:
        claimed = work.outbox.claim(owner="tests", now=now, real_now=now, early=True)
        assert claimed is not None
        refused = LetterResult(status=LetterStatus.FAILED, error="550 no such user")
        work.outbox.record(claimed, refused, owner="tests")
    return claimed.letter.message_id


def test_the_list_has_every_promised_key_newest_first(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST))
    house.receive(mail("Socorro", subject="Socorro", sender="joao@example.com.br"))
    rows = cli("outbox", "list", "--json").json
    assert [row["to"] for row in rows] == ["bruno@example.com.br", "joao@example.com.br", CUSTOMER]
    oldest = rows[-1]
    assert list(oldest)[: len(ROW_KEYS)] == ROW_KEYS
    assert oldest["message_id"].startswith("mb.")
    del oldest["message_id"]
    assert oldest == {
        "ticket": "2026-000001",
        "letter": "evidence_requested",
        "audience": "requester",
        "to": CUSTOMER,
        "subject": "[Chamado #2026-000001] ALTERAÇÃO DE LOCAL",
        "status": "queued",
        "attempts": 0,
        "not_before": "2026-11-23T15:00:00+00:00",
        "last_error": "",
        "hold_reason": "",
    }


def test_every_filter_narrows_the_list(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST))
    failed = fail_next_letter(house)
    house.clock.advance(timedelta(days=1))
    house.receive(mail("Socorro", subject="Socorro", sender="joao@example.com.br"))

    def count(*filters: str) -> int:
        return len(cli("outbox", "list", "--json", *filters).json)

    assert [row["message_id"] for row in cli("outbox", "list", "--json", "--status", "failed").json] == [failed]
    assert count("--ticket", "2026-000001") == 1
    assert count("--since", "2026-11-24") == 2
    assert count("--limit", "1") == 1


def test_show_gives_the_letter_as_it_was_written(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST))
    (letter,) = house.letters()
    shown = cli("outbox", "show", f"<{letter.message_id}>", "--json").json
    assert (shown["text"], shown["html"]) == (letter.text, letter.html)
    assert cli("outbox", "show", letter.handle, "--json").json == shown
    assert letter.text.splitlines()[0] in cli("outbox", "show", letter.handle).stdout


def test_a_letter_that_does_not_exist_is_a_plain_sentence(cli: Cli) -> None:
    for command in ("show", "retry", "cancel", "release"):
        ran = cli("outbox", command, "nobody@example.com.br")
        assert (ran.exit_code, ran.stderr) == (2, "mailbot: there is no letter nobody@example.com.br\n")


def test_retry_puts_a_failed_letter_back_under_its_message_id(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST))
    failed = fail_next_letter(house)
    assert cli("outbox", "retry", failed, "--json").json == {"retried": [failed], "refused": []}
    (letter,) = house.letters()
    assert (letter.message_id, letter.status, letter.attempts) == (failed, LetterStatus.QUEUED, 0)
    ran = cli("outbox", "retry", failed, "--json")
    assert ran.exit_code == 1
    assert ran.json == {"retried": [], "refused": [{"message_id": failed, "status": "queued"}]}


def test_a_cancelled_letter_does_not_leave(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST))
    (letter,) = house.letters()
    assert cli("outbox", "cancel", letter.message_id).exit_code == 0
    now = house.clock.now()
    with house.app.storage.write() as work:
        assert work.outbox.claim(owner="tests", now=now, real_now=now, early=True) is None
    assert cli("outbox", "cancel", letter.message_id).exit_code == 1


def statuses(house: TestHouse) -> dict[str, LetterStatus]:
    return {letter.recipient.address: letter.status for letter in house.letters()}


def test_released_letters_leave_and_only_those(tmp_path: Path, house: TestHouse, cli: Cli) -> None:
    with TestHouse(tmp_path, send="hold") as holding:
        holding.receive(mail(REQUEST))
        holding.receive(mail("Socorro", subject="Socorro", sender="joao@example.com.br"))
        assert set(statuses(holding).values()) == {LetterStatus.HELD}
        assert cli("outbox", "release", "--ticket", "2026-000001", "--json").json == {"released": 1}
        assert statuses(holding)[CUSTOMER] is LetterStatus.QUEUED
        assert statuses(holding)["joao@example.com.br"] is LetterStatus.HELD
        name = next(one.message_id for one in holding.letters() if one.recipient.address == "joao@example.com.br")
        assert cli("outbox", "release", name, "--json").json == {"released": 1}
        assert cli("outbox", "release", name).exit_code == 1
        assert cli("outbox", "release", "--since", "2026-11-24", "--json").json == {"released": 0}
        assert cli("outbox", "release", "--json").json == {"released": 1}
        assert set(statuses(holding).values()) == {LetterStatus.QUEUED}
        assert cli("outbox", "release", name, "--ticket", "2026-000001").exit_code == 2


def test_a_held_letter_that_a_newer_one_replaced_is_not_released(
    tmp_path: Path, house: TestHouse, cli: Cli
) -> None:
    with TestHouse(tmp_path, send="hold") as holding:
        holding.receive(mail(REQUEST))
        (first,) = holding.letters()
        holding.requester_reply(first, "Segue o boleto.", files=[BOLETO])
        assert cli("outbox", "release", "--json").json == {"released": 1}
        rows = cli("outbox", "list", "--json").json
        assert [row["status"] for row in rows] == ["queued", "cancelled"]
