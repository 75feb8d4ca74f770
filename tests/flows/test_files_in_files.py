"""Files in a forwarded mail and in ``winmail.dat`` count as if they were attached (issue 4, 1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import pytest

from mailbot.domain.events import Audience
from mailbot.domain.evidence import DocumentKind, Verdict
from mailbot.flows.reprocess import tasks_for
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail
from tests.winmail import winmail

ALL_PAPERS = (BOLETO, RECEIPT, LICENCE)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as made:
        yield made


def forwarding(*forwarded: bytes) -> bytes:
    """A request with mails attached to it as ``message/rfc822``."""
    message = BytesParser(EmailMessage, policy=default).parsebytes(mail(REQUEST))
    message.make_mixed()
    for raw in forwarded:
        message.add_attachment(BytesParser(EmailMessage, policy=default).parsebytes(raw))
    return bytes(message)


def in_winmail(files: Sequence[tuple[str, bytes]], **how: object) -> bytes:
    return mail(REQUEST, files=[("winmail.dat", winmail(files, **how))])  # type: ignore[arg-type]  # handed on


def papers_of(house: TestHouse) -> dict[str, tuple[DocumentKind, Verdict]]:
    (ticket,) = house.tickets()
    assert ticket.missing == ()
    return {one.filename: (one.kind, one.verdict) for one in ticket.documents}


EXPECTED = {
    "boleto.pdf": (DocumentKind.BOLETO, Verdict.ACCEPTED),
    "comprovante.pdf": (DocumentKind.PAYMENT_RECEIPT, Verdict.ACCEPTED),
    "cnh.pdf": (DocumentKind.DRIVER_LICENCE, Verdict.ACCEPTED),
}


def test_papers_in_a_forwarded_mail_count(house: TestHouse) -> None:
    despachante = mail("Segue tudo.", sender="despachante@example.net", files=ALL_PAPERS)
    house.receive(forwarding(despachante))
    assert papers_of(house) == EXPECTED


def test_papers_in_a_mail_that_was_forwarded_twice_count(house: TestHouse) -> None:
    inner = forwarding(mail("Segue.", sender="despachante@example.net", files=[RECEIPT, LICENCE]))
    house.receive(forwarding(inner, mail("E o boleto.", files=[BOLETO])))
    assert papers_of(house) == EXPECTED


def test_papers_in_winmail_dat_count(house: TestHouse) -> None:
    house.receive(in_winmail(ALL_PAPERS))
    assert papers_of(house) == EXPECTED
    assert "winmail" not in house.letters(Audience.REQUESTER)[0].text


def test_papers_of_a_message_in_winmail_dat_count(house: TestHouse) -> None:
    house.receive(in_winmail([BOLETO], messages=[winmail([RECEIPT, LICENCE])]))
    assert papers_of(house) == EXPECTED


def test_a_broken_winmail_dat_is_named_and_the_papers_are_asked_for(house: TestHouse) -> None:
    packed = winmail(ALL_PAPERS)
    house.receive(mail(REQUEST, files=[("winmail.dat", packed[: len(packed) // 2])]))
    (ticket,) = house.tickets()
    assert set(ticket.missing) == {"boleto", "payment_receipt", "driver_licence"}
    assert [(one.filename, one.verdict) for one in ticket.documents] == [("winmail.dat", Verdict.REFUSED_TYPE)]
    assert "✘ winmail[.]dat" in house.letters(Audience.REQUESTER)[0].text


@pytest.mark.parametrize("packed", [True, False], ids=["winmail.dat", "forwarded"])
def test_looking_again_at_such_a_mail_changes_nothing(house: TestHouse, packed: bool) -> None:
    house.receive(in_winmail(ALL_PAPERS) if packed else forwarding(mail("Segue.", files=ALL_PAPERS)))
    (result,) = [house.app.reprocess().do(task) for task in tasks_for(house.mails())]
    assert not result.changed
