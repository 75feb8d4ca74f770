"""Process 000 on real servers: every mail in ``process_000/`` with the letters beside it (R000-01 to R000-25).

``NAME.eml`` is what a customer sends, ``NAME.letters.txt`` what lies in their mailbox afterwards and what agents
get, in order, with numbers, days and reference lines left open.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

from mailbot.domain.ticket import Resolution, Status
from tests.acceptance.desk import Desk, parsed, text_of
from tests.peers.stack import MailStack

FOLDER = Path(__file__).parent / "process_000"
OUTCOMES = {
    "happy": (Status.OPEN, None),
    "unpaid-boleto": (Status.RESOLVED, Resolution.GUIDED),
    "under-100-km": (Status.RESOLVED, Resolution.DENIED),
    "self-service": (Status.RESOLVED, Resolution.GUIDED),
    "failed-elsewhere": (Status.RESOLVED, Resolution.DENIED),
    "middle-band": (Status.OPEN, None),
}


def test_r000_each_mail_gets_the_letters_that_stand_beside_it(mail_stack: MailStack, tmp_path: Path) -> None:
    desk = Desk(mail_stack, tmp_path)
    people = {name: desk.customer("Maria Aparecida Souza") for name in OUTCOMES}
    with desk.open_for_business():
        for name, person in people.items():
            desk.receives(_addressed(FOLDER / f"{name}.eml", person, desk.mailbox), person)
        desk.settled(len(people))
        desk.all_arrived()
        tickets = {ticket.requester.address: ticket for ticket in reversed(desk.tickets())}
        for name, person in people.items():
            ticket = tickets[person.addr_spec]
            assert (ticket.status, ticket.resolution) == OUTCOMES[name], name
            letters = [*desk.letters_as_written(person), *_notices(desk, person)]
            written = "\n\n=====\n\n".join(_open_places(text_of(letter), desk, person) for letter in letters)
            assert written == (FOLDER / f"{name}.letters.txt").read_text("utf-8").rstrip("\n"), name


def _addressed(file: Path, person: Address, mailbox: str) -> bytes:
    mail = parsed(file.read_bytes())
    for name, value in (("From", person), ("To", mailbox)):
        del mail[name]
        mail[name] = value
    return bytes(mail)


def _notices(desk: Desk, person: Address) -> list[EmailMessage]:
    """What agents got about this person."""
    return [
        letter
        for agent in (desk.ana, desk.bruno)
        for letter in desk.letters_as_written(agent)
        if person.addr_spec in text_of(letter)
    ]


_OPEN = (
    (re.compile(r"\d{4}-\d{6}"), "NÚMERO"),
    (re.compile(r"\[mb-[a-z2-7]{20}\]"), "[REFERÊNCIA]"),
    (re.compile(r"\w+(?:-feira)?, \d{1,2} de \w+ de \d{4}"), "DIA"),
    (re.compile(r"\d{2}/\d{2}/\d{4} às \d{2}:\d{2}"), "HORA"),
)


def _open_places(text: str, desk: Desk, person: Address) -> str:
    """``text`` without what differs from one run to the next."""
    for pattern, word in _OPEN:
        text = pattern.sub(word, text)
    # Two of these people send the same papers: whose came second is told, and that is chance.
    text = "".join(line for line in text.splitlines(keepends=True) if "em outro chamado: NÚMERO" not in line)
    return text.replace(person.addr_spec, "CLIENTE").replace(desk.mailbox, "CAIXA").rstrip("\n")
