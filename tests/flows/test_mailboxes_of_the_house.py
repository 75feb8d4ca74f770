"""Several mailboxes on one bot: a mail to the wrong one, and one mail to two of them (issue 5, point 9)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mailbot.bootstrap import App
from mailbot.domain.events import Audience, EventKind
from mailbot.domain.ledger import MailOutcome, conversation_key
from mailbot.flows.archive import Archive, kept_mails, rows_that_count
from mailbot.flows.recount import Recounter
from mailbot.flows.remember import StoredKnowledge
from tests.flows.house import (
    AUTHSERV_ID,
    BOLETO,
    LICENCE,
    MAILBOX,
    NOON,
    RECEIPT,
    REPOSITORY,
    REQUEST,
    TestHouse,
    mail,
    reply_to,
)

PAPERS = (BOLETO, RECEIPT, LICENCE)
AGENCY = "agencia@aurora.example.com.br"
UNTOLD = "condominio@lar.example.com.br"

_MAILBOXES = """\
mailboxes:
  - key: default
    name: Vistorias
    env_prefix: MAILBOT
    request_types: [inspection_location_change, boleto_cancellation, general]
    authentication: {{profile: authserv_id, authserv_id_env: MAILBOT_AUTHSERV_ID}}
  - key: agency
    name: Agência Aurora
    request_types: [general, contact_add]
    authentication: {{profile: {agency}}}
  - key: homes
    name: Lar Condomínios
    request_types: [general{homes}]
    authentication: {{profile: none}}
"""


def house_of_three(
    tmp_path: Path, *, agency: str = f"authserv_id, authserv_id: {AUTHSERV_ID}", homes: str = ""
) -> TestHouse:
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    (config / "mailboxes.yaml").write_text(_MAILBOXES.format(agency=agency, homes=homes), encoding="utf-8")
    folder = tmp_path / "house"
    folder.mkdir()
    more = {
        f"{key}_{name}": value
        for key, address in (("agency", AGENCY), ("homes", UNTOLD))
        for name, value in (
            ("address", address),
            ("imap_url", f"maildir://{folder / key}"),
            ("smtp_url", "smtp://127.0.0.1:9"),
        )
    }
    return TestHouse(folder, now=NOON, config_dir=config, **more)


def written_to(raw: bytes, *addresses: str) -> bytes:
    return raw.replace(f"To: {MAILBOX}".encode(), f"To: {', '.join(addresses)}".encode(), 1)


def receive_at(house: TestHouse, mailbox: str, raw: bytes) -> MailOutcome:
    house.collect(raw, mailbox=mailbox)
    return house.process()


def test_a_request_sent_to_the_wrong_mailbox_opens_where_it_is_offered_and_is_answered_from_there(
    tmp_path: Path,
) -> None:
    with house_of_three(tmp_path) as house:
        raw = written_to(mail(REQUEST, files=PAPERS), AGENCY)

        assert receive_at(house, "agency", raw) is MailOutcome.TICKET

        (ticket,) = house.tickets()
        assert (ticket.mailbox, ticket.rerouted_from) == ("default", "agency")
        assert ticket.request_type == "inspection_location_change"
        (letter,) = house.letters(Audience.REQUESTER)
        assert (letter.mailbox, letter.sender_name) == ("default", "Vistorias")
        assert "Seu e-mail chegou a Agência Aurora. Quem cuida deste assunto é Vistorias" in letter.text
        assert "Agência Aurora" in letter.html
        with house.app.storage.read() as work:
            (event,) = [one for one in work.tickets.events(ticket.number) if one.kind is EventKind.REROUTED]
        assert (event.old, event.new) == ("agency", "default")


def test_agents_see_that_a_request_came_to_another_mailbox_also_when_it_becomes_complete_later(
    tmp_path: Path,
) -> None:
    with house_of_three(tmp_path) as house:
        receive_at(house, "agency", written_to(mail(REQUEST), AGENCY))
        (question,) = house.letters(Audience.REQUESTER)
        assert "chegou a Agência Aurora" in question.text

        house.receive(reply_to(question, "Seguem.", files=PAPERS))

        notices = house.letters(Audience.STAFF)
        assert notices
        assert all(one.mailbox == "default" for one in notices)
        assert all(
            "O e-mail chegou a Agência Aurora e foi encaminhado para Vistorias" in one.text for one in notices
        )
        # The customer was told once.
        assert "Agência Aurora" not in house.letters(Audience.REQUESTER)[-1].text


@pytest.mark.parametrize("order", [("agency", "default"), ("default", "agency")])
def test_one_mail_to_two_mailboxes_is_one_ticket_in_the_one_that_offers_it_whichever_is_first(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    with house_of_three(tmp_path) as house:
        raw = written_to(mail(REQUEST, message_id="both"), MAILBOX, AGENCY)

        outcomes = [receive_at(house, mailbox, raw) for mailbox in order]

        assert outcomes == [MailOutcome.TICKET, MailOutcome.DUPLICATE]
        (ticket,) = house.tickets()
        assert ticket.mailbox == "default"
        (letter,) = house.letters(Audience.REQUESTER)
        assert letter.mailbox == "default"


@pytest.mark.parametrize("sender", ["maria@example.com.br", ""])
def test_two_daemons_never_have_both_copies_of_a_mail_in_hand(tmp_path: Path, sender: str) -> None:
    with house_of_three(tmp_path) as house:
        raw = written_to(
            mail(REQUEST, message_id="both", sender=sender or "maria@example.com.br"), MAILBOX, AGENCY
        )
        if not sender:
            raw = raw.replace(b"From: maria@example.com.br\n", b"", 1)
        house.collect(raw, mailbox="agency")
        house.collect(b"X-Seen-By: second server\n" + raw, mailbox="default")
        second: App = house.open()
        with house.app.storage.write() as work:
            held = house.app.intake._claim(work)

        assert held is not None
        assert second.intake.process_next(early=True) is None

        house.app.intake.process(held)
        house.app.intake.stop()
        assert second.intake.process_next(early=True) is MailOutcome.DUPLICATE
        (ticket,) = house.tickets()
        assert ticket.mailbox == "default"
        assert len(house.letters(Audience.REQUESTER)) <= 1


def test_copies_of_a_mail_of_nobody_are_one_conversation_and_other_mails_of_nobody_are_not() -> None:
    assert conversation_key("", "a@b", "one") == conversation_key("", "a@b", "two")
    assert conversation_key("", "a@b", "one") != conversation_key("", "c@d", "one")
    assert conversation_key("", "", "one") != conversation_key("", "", "two")
    assert len(conversation_key("", "x" * 5000 + "\udcff", "one")) < 320


def test_what_fits_no_type_is_read_where_it_came(tmp_path: Path) -> None:
    with house_of_three(tmp_path) as house:
        receive_at(house, "agency", written_to(mail("Bom dia, obrigado por tudo!", subject="Elogio"), AGENCY))

        (ticket,) = house.tickets()
        assert (ticket.mailbox, ticket.rerouted_from, ticket.request_type) == ("agency", "", "general")
        (letter,) = house.letters(Audience.REQUESTER)
        assert letter.mailbox == "agency"


def test_nobody_guesses_between_two_other_mailboxes_unless_one_of_them_was_written_to(tmp_path: Path) -> None:
    with house_of_three(tmp_path, homes=", inspection_location_change") as house:
        receive_at(house, "agency", written_to(mail(REQUEST), AGENCY))
        receive_at(house, "agency", written_to(mail(REQUEST, sender="jose@example.com.br"), AGENCY, UNTOLD))

        ambiguous, named = house.tickets()
        assert (ambiguous.mailbox, ambiguous.request_type) == ("agency", "general")
        assert (named.mailbox, named.rerouted_from) == ("homes", "agency")


def test_a_missing_paper_sent_to_the_wrong_mailbox_comes_to_the_request_that_waits_for_it(tmp_path: Path) -> None:
    with house_of_three(tmp_path) as house:
        house.receive(mail(REQUEST, files=(BOLETO, RECEIPT)))

        outcome = receive_at(house, "agency", written_to(mail("Segue.", subject="Doc", files=(LICENCE,)), AGENCY))

        assert outcome is MailOutcome.MESSAGE
        (ticket,) = house.tickets()
        assert ticket.missing == ()
        assert {one.mailbox for one in house.letters()} == {"default"}


def test_an_answer_that_comes_to_another_mailbox_is_answered_from_the_tickets_own(tmp_path: Path) -> None:
    with house_of_three(tmp_path) as house:
        house.receive(mail(REQUEST, files=(BOLETO, RECEIPT)))
        (question,) = house.letters(Audience.REQUESTER)

        receive_at(house, "agency", reply_to(question, "Segue.", files=(LICENCE,)))

        assert len(house.tickets()) == 1
        assert {one.mailbox for one in house.letters()} == {"default"}


def test_an_agents_answer_gets_past_no_verification_by_way_of_a_mailbox_that_has_none(tmp_path: Path) -> None:
    with house_of_three(tmp_path, agency="none") as house:
        house.receive(mail(REQUEST, files=PAPERS))
        notice = house.letters(Audience.STAFF)[0]
        before = len(house.letters(Audience.REQUESTER))

        receive_at(house, "agency", reply_to(notice, "Pode ir a qualquer posto."))

        assert len(house.letters(Audience.REQUESTER)) == before


def test_reprocessing_believes_only_the_server_that_received_a_mail(tmp_path: Path) -> None:
    """Somebody writes the verdict of one mailbox's server into a mail to another, whose server leaves it there."""
    with house_of_three(tmp_path, agency="none") as house:
        receive_at(house, "agency", written_to(mail(REQUEST, verified=True), AGENCY))
        (ticket,) = house.tickets()
        assert ticket.mailbox == "default"
        with house.app.storage.read() as work:
            assert [one.unverified for one in work.tickets.messages(ticket.number)] == [True]
        app = house.app
        with app.storage.read() as work:
            messages = work.tickets.messages(ticket.number)
            rows = rows_that_count(work, messages)
        archive = Archive(storage=app.storage, blobs=app.blobs, reader=app.reader)
        kept = kept_mails(archive, rows, ticket, messages, store=False)
        recount = Recounter(app.examination).recount(
            kept, ticket, app.mailboxes["default"], StoredKnowledge(app.storage), in_hands=False
        )

        assert not recount.verified


def test_letters_carry_the_brand_of_the_mailbox_that_answers(tmp_path: Path) -> None:
    company = {
        "vistorias_address": "vistorias@serra.example.com.br",
        "vistorias_imap_url": f"maildir://{tmp_path / 'vistorias'}",
        "vistorias_smtp_url": "smtp://127.0.0.1:9",
    }
    with TestHouse(tmp_path, now=NOON, config_dir=REPOSITORY / "config", **company) as house:
        receive_at(house, "vistorias", written_to(mail(REQUEST), "vistorias@serra.example.com.br"))
        receive_at(house, "default", mail(REQUEST, sender="jose@example.com.br"))

        branded, plain = house.letters(Audience.REQUESTER)
        assert (branded.sender_name, branded.mailbox) == ("Serra Azul Vistorias", "vistorias")
        assert "#1d4e89" in branded.html
        assert "#8fc1f5" in branded.html
        assert "#0f5c8c" not in branded.html
        assert 'alt="Serra Azul Vistorias"' in branded.html
        assert "Segunda a sexta, das 8h às 18h" in branded.text
        (logo,) = branded.files
        assert f"cid:{logo.content_id}" in branded.html
        assert house.app.blobs.get(logo.digest).startswith(b"\x89PNG")
        assert "#0f5c8c" in plain.html
        assert plain.files == ()


def test_a_ticket_speaks_the_language_of_its_mail_and_staff_that_of_the_mailbox(tmp_path: Path) -> None:
    """R003-17."""
    with house_of_three(tmp_path) as house:
        house.receive(
            mail("Hello, I have a question about the inspection of my car. Please help me.", subject="Car")
        )
        house.receive(mail("ok", subject="x", sender="jose@example.com.br"))

        english, undecided = house.tickets()
        assert (english.language, undecided.language) == ("en", "pt-BR")
        letter, _ = house.letters(Audience.REQUESTER)
        assert "Someone from our team will read it and answer here." in letter.text
        assert "Received on 2026-11-23, 12:00." in letter.text
        assert all("Quem lê sua resposta" in one.text for one in house.letters(Audience.STAFF))
        assert all("Aberto em: 23/11/2026 às 12:00" in one.text for one in house.letters(Audience.STAFF))


def test_a_letter_names_what_it_asks_for_in_the_customers_language_and_the_notice_in_the_mailboxs(
    tmp_path: Path,
) -> None:
    """R003-17."""
    with house_of_three(tmp_path) as house:
        text = "Hello, I would like to change the place of my inspection. Please tell me what you need."
        house.receive(mail(text))
        (question,) = house.letters(Audience.REQUESTER)

        house.receive(reply_to(question, "New location: Jataí"))

        assert "Your request for Change of inspection location" in question.text
        assert "New location: ____" in question.text
        (ticket,) = house.tickets()
        assert "destination_unit" not in ticket.missing
        assert all("Alteração de local" in one.text for one in house.letters(Audience.STAFF))
