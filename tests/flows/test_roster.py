"""Who gets a ticket and who hears of it: turns, absences, deputies, and who works here no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from mailbot.catalogue.staff import AgentSpec
from mailbot.cli.checkup import State, check_queues
from mailbot.domain.errors import ConcurrentChange
from mailbot.domain.events import EventKind, LetterKind, OutboundLetter
from mailbot.flows import upkeep
from mailbot.flows.making_changes import ChangeMaker
from mailbot.flows.staff_changes import RosterDesk, RosterProblem, RosterUnchanged
from tests.flows.house import REPOSITORY, TestHouse, mail, reply_to
from tests.flows.staffing import ANA, BRUNO, CARLA, config


@contextmanager
def open_house(folder: Path, **changes: Any) -> Iterator[TestHouse]:
    with TestHouse(folder, config_dir=config(folder, **changes)) as house:
        yield house


def ask(house: TestHouse, number: int) -> None:
    house.receive(mail(f"Pergunta {number}", subject="Dúvida", sender=f"c{number}@cliente.example"))


def notices(house: TestHouse, kind: LetterKind = LetterKind.TICKET_READY) -> list[OutboundLetter]:
    return [one for one in house.letters() if one.letter is kind]


def told(house: TestHouse, kind: LetterKind = LetterKind.TICKET_READY) -> list[str]:
    return [one.recipient.address for one in notices(house, kind)]


def desk(house: TestHouse) -> RosterDesk:
    app = house.app
    return RosterDesk(storage=app.storage, office=app.office, catalogue=app.catalogue, mailboxes=app.mailboxes)


def absent(house: TestHouse, key: str, *, days: int = 3, deputy: str = "") -> None:
    now = house.clock.now()
    desk(house).absent(key, until=now + timedelta(days=days), deputy=deputy, now=now)


ROUND_ROBIN = {"distribution": "round_robin"}


def test_tickets_of_a_queue_go_round_and_only_the_assignee_is_told(tmp_path: Path) -> None:
    with open_house(tmp_path, queue=ROUND_ROBIN) as house:
        for number in range(4):
            ask(house, number)
        assert [one.assignee for one in house.tickets()] == [ANA, BRUNO, CARLA, ANA]
        assert told(house) == [ANA, BRUNO, CARLA, ANA]
        with house.app.storage.read() as work:
            events = work.tickets.events(house.tickets()[1].number)
        assert [(one.actor, one.new) for one in events if one.kind is EventKind.ASSIGNED] == [("bot", BRUNO)]


def test_two_daemons_keep_one_order(tmp_path: Path) -> None:
    with open_house(tmp_path, queue=ROUND_ROBIN) as house:
        first, second = house.app, house.open()
        for number, app in enumerate([first, second, first, second, second, first]):
            house.app = app
            ask(house, number)
        assert [one.assignee for one in house.tickets()] == [ANA, BRUNO, CARLA, ANA, BRUNO, CARLA]


def test_nobody_absent_is_given_a_ticket_nor_anybody_their_own_request(tmp_path: Path) -> None:
    with open_house(tmp_path, queue=ROUND_ROBIN) as house:
        absent(house, "bruno")
        for number in range(3):
            ask(house, number)
        assert [one.assignee for one in house.tickets()] == [ANA, CARLA, ANA]


def test_without_turns_a_ticket_is_nobodys_and_the_whole_queue_is_told(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        ask(house, 1)
        assert house.tickets()[0].assignee is None
        assert told(house) == [ANA, BRUNO, CARLA]


def test_in_place_of_who_is_absent_the_deputy_hears_and_else_nobody(tmp_path: Path) -> None:
    with open_house(tmp_path, queue={"notify": [ANA]}) as house:
        absent(house, "ana", deputy="carla")
        ask(house, 1)
        assert told(house) == [CARLA]
        house.clock.advance(timedelta(days=4))
        ask(house, 2)
        assert told(house) == [CARLA, ANA]


def test_where_the_whole_list_is_absent_the_others_of_the_queue_hear(tmp_path: Path) -> None:
    with open_house(tmp_path, queue={"notify": [ANA]}) as house:
        absent(house, "ana")
        ask(house, 1)
        assert told(house) == [BRUNO, CARLA]


def test_where_nobody_at_all_is_here_the_notice_waits_in_their_own_mailboxes(tmp_path: Path) -> None:
    with open_house(tmp_path, queue={"notify": [ANA]}) as house:
        for key in ("ana", "bruno", "carla"):
            absent(house, key)
        ask(house, 1)
        assert told(house) == [ANA]


def test_where_nobody_works_in_a_queue_any_more_the_whole_house_hears_and_the_doctor_says_so(
    tmp_path: Path,
) -> None:
    """Its customers were told that somebody answers, and no notice left."""
    queues = [one["key"] for one in yaml.safe_load((REPOSITORY / "config" / "staff.yaml").read_text())["queues"]]
    agents = [
        {"key": "ana", "name": "Ana", "address": ANA, "queues": "*"},
        {"key": "bruno", "name": "Bruno", "address": BRUNO, "queues": [one for one in queues if one != "geral"]},
    ]
    with open_house(tmp_path, agents=agents) as house:
        settings, catalogue = house.app.settings, house.app.catalogue
        assert list(check_queues(settings, catalogue)) == []
        desk(house).revoke("ana", now=house.clock.now())
        ask(house, 1)
        assert told(house) == [BRUNO]
        (finding,) = check_queues(settings, catalogue)
        assert (finding.check, finding.state) == ("staff", State.PROBLEM)
        assert "geral" in finding.message


def test_deputies_who_stand_in_for_each_other_are_no_endless_search(tmp_path: Path) -> None:
    with open_house(tmp_path, queue={"notify": [ANA]}) as house:
        absent(house, "ana", deputy="bruno")
        absent(house, "bruno", deputy="ana")
        ask(house, 1)
        assert told(house) == [CARLA]


def test_an_absence_in_the_file_holds_on_its_days(tmp_path: Path) -> None:
    away = {"since": "2026-11-23", "until": "2026-11-23", "deputy": "bruno"}
    agents = [
        {"key": "ana", "name": "Ana", "address": ANA, "absences": [away]},
        {"key": "bruno", "name": "Bruno", "address": BRUNO, "queues": ["sau"]},
    ]
    with open_house(tmp_path, queue={"notify": [ANA]}, agents=agents) as house:
        ask(house, 1)
        house.clock.advance(timedelta(days=1))
        ask(house, 2)
        assert told(house) == [BRUNO, ANA]


# --- an agent's own mailbox says so ---


def absence_note(letter: OutboundLetter, *, sender: str) -> bytes:
    return mail(
        "Estou de férias.",
        subject=f"Resposta automática: {letter.subject}",
        sender=sender,
        in_reply_to=letter.message_id,
        headers=[("Auto-Submitted", "auto-replied")],
    )


def test_long_after_an_absence_note_the_tickets_go_to_others_once(tmp_path: Path) -> None:
    with open_house(tmp_path, queue=ROUND_ROBIN, reroute_after_hours=24) as house:
        ask(house, 1)
        (notice,) = notices(house)
        house.receive(absence_note(notice, sender=ANA))
        house.clock.advance(timedelta(hours=23))
        house.app.upkeep.tick()
        assert house.tickets()[0].assignee == ANA
        house.clock.advance(timedelta(hours=2))
        for _ in range(2):
            house.app.upkeep.tick()
        assert house.tickets()[0].assignee == BRUNO
        assert told(house) == [ANA, BRUNO]


def test_a_ticket_that_somebody_changes_this_very_moment_goes_to_others_with_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stayed with who was away, until they came back."""
    with open_house(tmp_path, queue=ROUND_ROBIN, reroute_after_hours=24) as house:
        ask(house, 1)
        house.receive(absence_note(notices(house)[0], sender=ANA))
        house.clock.advance(timedelta(hours=25))

        def changed_meanwhile(*_: object) -> None:
            raise ConcurrentChange("another daemon")

        with monkeypatch.context() as moment:
            moment.setattr(upkeep, "write_change", changed_meanwhile)
            house.app.upkeep.tick()
        assert house.tickets()[0].assignee == ANA
        house.app.upkeep.tick()
        assert house.tickets()[0].assignee == BRUNO


def test_who_writes_with_their_own_hand_is_back(tmp_path: Path) -> None:
    with open_house(tmp_path, queue=ROUND_ROBIN) as house:
        ask(house, 1)
        (notice,) = notices(house)
        house.receive(absence_note(notice, sender=ANA))
        house.receive(reply_to(notice, "#nota\nVoltei."))
        house.clock.advance(timedelta(hours=30))
        house.app.upkeep.tick()
        assert house.tickets()[0].assignee == ANA


def test_letters_about_what_makes_an_agent_absent_or_present_are_written_when_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written beforehand they would go to the deputy of somebody who is here."""
    with open_house(tmp_path, reroute_after_hours=24) as house:
        ask(house, 1)
        (notice, *_) = notices(house)
        prepared: list[bool] = []
        prepare = ChangeMaker.prepare

        def noted(*arguments: Any) -> Any:
            change = prepare(*arguments)
            prepared.append(change is not None)
            return change

        monkeypatch.setattr(ChangeMaker, "prepare", noted)
        sender = notice.recipient.address
        house.receive(reply_to(notice, "#nota\nVejo amanhã."))
        house.receive(absence_note(notice, sender=sender))
        house.clock.advance(timedelta(hours=25))
        house.receive(reply_to(notice, "#nota\nVoltei."))
        house.receive(reply_to(notice, "#nota\nSigo com isso."))
        assert prepared == [True, False, False, True]


def test_nobody_else_can_send_an_agents_work_away_by_a_note_in_their_name(tmp_path: Path) -> None:
    with open_house(tmp_path, queue=ROUND_ROBIN) as house:
        ask(house, 1)
        letter = next(one for one in house.letters() if one.recipient.address == "c1@cliente.example")
        # It answers a letter to the customer, not one to Ana.
        house.receive(absence_note(letter, sender=ANA))
        house.clock.advance(timedelta(hours=30))
        house.app.upkeep.tick()
        assert house.tickets()[0].assignee == ANA


# --- who works here no more ---


def test_after_revoking_no_handle_counts_and_the_queue_hears_of_the_tickets(tmp_path: Path) -> None:
    with open_house(tmp_path, queue=ROUND_ROBIN) as house:
        ask(house, 1)
        (notice,) = notices(house)
        gone = desk(house).revoke("ana", now=house.clock.now())
        assert gone.tickets == (house.tickets()[0].number,)
        assert house.tickets()[0].assignee == BRUNO
        # Her own notice had not left, and does not any more.
        assert told(house) == [BRUNO]
        house.receive(reply_to(notice, "#resolver Resolvido por quem não trabalha mais aqui."))
        assert house.tickets()[0].resolution is None
        assert [one for one in house.letters() if one.letter is LetterKind.AGENT_ANSWER] == []


def test_what_a_revoked_agent_had_goes_back_to_a_queue_without_turns(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        ask(house, 1)
        notice = notices(house)[0]
        house.receive(reply_to(notice, "Vou ver."))
        assert house.tickets()[0].assignee == ANA
        desk(house).revoke("ana", now=house.clock.now())
        assert house.tickets()[0].assignee is None
        assert sorted(told(house)) == [BRUNO, BRUNO, CARLA, CARLA]


def test_who_is_added_works_from_the_next_mail_on_and_can_be_revoked(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        new = AgentSpec(key="dora", name="Dora", address="Dora@example.com.br", queues=("geral",))
        desk(house).add(new, now=house.clock.now())
        ask(house, 1)
        assert told(house)[-1] == "dora@example.com.br"
        house.receive(reply_to(notices(house)[-1], "#resolver Pronto."))
        assert house.tickets()[0].resolution is not None
        desk(house).revoke("dora", now=house.clock.now())
        ask(house, 2)
        assert "dora@example.com.br" not in told(house)


@pytest.mark.parametrize(
    ("agent", "problem"),
    [
        ({"key": "ana", "address": "x@example.com.br"}, RosterProblem.KEY_TAKEN),
        ({"key": "x", "address": ANA}, RosterProblem.ADDRESS_TAKEN),
        ({"key": "x", "address": "atendimento@example.com.br"}, RosterProblem.ADDRESS_OF_MAILBOX),
        ({"key": "x", "address": "x@example.com.br", "queues": ("nowhere",)}, RosterProblem.NO_SUCH_QUEUE),
    ],
)
def test_nobody_is_added_who_would_be_somebody_else(
    tmp_path: Path, agent: dict[str, Any], problem: RosterProblem
) -> None:
    with open_house(tmp_path) as house:
        with pytest.raises(RosterUnchanged) as refused:
            desk(house).add(AgentSpec(name="X", **agent), now=house.clock.now())
        assert refused.value.problem is problem


def test_a_revoked_agent_of_the_file_comes_back_as_the_file_has_them(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        desk(house).revoke("ana", now=house.clock.now())
        desk(house).add(AgentSpec(key="ana", name="Ana", address=ANA), now=house.clock.now())
        ask(house, 1)
        assert told(house) == [ANA, BRUNO, CARLA]


# --- two at once ---


def test_two_agents_who_answer_at_once_are_both_heard_by_the_customer(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        ask(house, 1)
        first, second, _ = notices(house)
        house.collect(reply_to(first, "Resposta da Ana."))
        house.collect(reply_to(second, "Resposta do Bruno."))
        house.process()
        house.process()
        answers = [one.text for one in house.letters() if one.letter is LetterKind.AGENT_ANSWER]
        assert len(answers) == 2
        assert "Resposta da Ana." in answers[0]
        assert "Resposta do Bruno." in answers[1]
        # Ana's came first: the ticket is hers, and she hears of his; he hears that it is hers.
        assert house.tickets()[0].assignee == ANA
        (beside,) = notices(house, LetterKind.COLLEAGUE_ANSWERED)
        assert beside.recipient.address == ANA
        assert "Resposta do Bruno." in beside.text
        (remark,) = notices(house, LetterKind.TRANSCRIPT)
        assert remark.recipient.address == BRUNO
        assert "outra pessoa da equipe" in remark.text
        with house.app.storage.read() as work:
            texts = [one.text for one in work.tickets.messages(house.tickets()[0].number)]
        assert texts[1:] == ["Resposta da Ana.", "Resposta do Bruno."]
