"""One customer of a process, whose mails stand in a folder with the letters beside them."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

from mailbot.demo.cast import File
from mailbot.domain.ticket import Status, Ticket
from tests.acceptance.beside import addressed, transcript
from tests.acceptance.desk import Desk, answer, new_mail, parsed, text_of
from tests.peers.process import wait_until

HERE = Path(__file__).parent


class Conversation:
    """One customer of a process, who sends the mails of its folder."""

    def __init__(
        self,
        desk: Desk,
        process: str,
        name: str,
        *,
        person: str = "Maria Aparecida Souza",
        domain: str = "cliente.example",
    ) -> None:
        self.desk, self.name, self.folder = desk, name, HERE / f"process_{process}"
        self.person: Address = desk.customer(person, domain=domain)
        self._letters = 0

    def writes(self, name: str = "", files: tuple[File, ...] = (), **places: str) -> str:
        """A mail of the folder comes from the customer; what they hear."""
        raw = addressed(self.folder / f"{name or self.name}.eml", self.person, self.desk.mailbox, **places)
        if files:
            mail = parsed(raw)
            text = text_of(mail)
            raw = new_mail(self.person, self.desk.mailbox, str(mail["Subject"]), text, files=files)
        self.desk.receives(raw, self.person)
        return self.hears()

    def replies(self, name: str) -> str:
        """The text of a mail of the folder answers the newest letter."""
        text = text_of(parsed((self.folder / f"{name}.eml").read_bytes()))
        letter = self.desk.letters_of(self.person)[-1]
        self.desk.receives(answer(letter, self.person, text), self.person)
        return self.hears()

    def says(self, text: str) -> str:
        """The customer answers the newest letter; what they hear."""
        self.tells(text)
        return self.hears()

    def tells(self, text: str) -> None:
        """The customer answers the newest letter, to which no letter is due."""
        self.desk.receives(answer(self.desk.letters_of(self.person)[-1], self.person, text), self.person)

    def hears(self) -> str:
        """The next letter to the customer."""
        self._letters += 1
        return text_of(self.desk.letter(self.person, self._letters, f"letter {self._letters} of {self.name}"))

    def agent_answers(self, text: str) -> None:
        """Bruno answers his newest notice about this customer."""
        self.desk.agent_sends(answer(self.notice(), self.desk.bruno, text), self.desk.bruno)

    def notice(self, saying: str = "") -> EmailMessage:
        """Bruno's newest notice about this customer that says so."""

        def found() -> list[EmailMessage]:
            letters = self.desk.letters_of(self.desk.bruno)
            about = [one for one in letters if self.person.addr_spec in text_of(one)]
            return [one for one in about if saying in text_of(one)]

        wait_until(lambda: bool(found()), f"a notice of {self.name} that says {saying!r}")
        return found()[-1]

    def from_sector(self) -> list[EmailMessage]:
        """What the sector was sent about this customer."""
        return [one for one in self.desk.letters_of(self.desk.sector) if self.person.addr_spec in text_of(one)]

    def sector_gets(self, count: int) -> EmailMessage:
        """The sector's ``count``-th book of this customer, as soon as it lies there and is known to have left."""
        wait_until(lambda: len(self.from_sector()) >= count, f"book {count} of {self.name}")
        wait_until(lambda: self.ticket.sector_asked_at is not None, "its result")
        books = self.from_sector()
        assert len(books) == count
        return books[-1]

    def sector_answers(self, text: str) -> None:
        """The sector answers its newest book."""
        self.desk.agent_sends(answer(self.from_sector()[-1], self.desk.sector, text), self.desk.sector)

    @property
    def ticket(self) -> Ticket:
        """The customer's only ticket."""
        (ticket,) = [one for one in self.desk.tickets() if one.requester.address == self.person.addr_spec]
        return ticket

    def stands(self, status: Status) -> bool:
        """Whether the ticket is in this status now."""
        return self.ticket.status is status

    def is_as_written(self, *, with_days: bool = False) -> None:
        """What was written to whom is what stands beside the mails; ``with_days``: the promised days as well."""
        self.desk.all_arrived()
        file = self.folder / f"{self.name}.letters.txt"
        assert transcript(self.desk, self.person, with_days=with_days) == file.read_text("utf-8").rstrip("\n"), (
            self.name
        )
