"""Whatever people write in whatever order, no byte of a letter to a requester holds what was meant for staff.

Conversations are drawn at random; everything internal in them carries a mark, everything that others than staff
and the requester wrote another. Both are looked for in the letters as they leave (odoo#13717, THREATS 12, 16).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from mailbot.domain.events import STAFF_PURPOSES, Audience, HandlePurpose, LetterKind, OutboundLetter
from mailbot.flows.compositor import Compositor
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REQUEST, TestHouse, mail, reply_to

INSIDE, OTHERS, SIGNED, FILE = "xqinternox", "xqoutrosx", "xqassinaturax", "xqarquivox"
MARKS = (INSIDE, OTHERS, SIGNED, FILE)
ANA, BRUNO = "ana@example.com.br", "bruno@example.com.br"
SIGNATURE = f"\n\n-- \nAna Lima {SIGNED}\nRamal 4321"
STRANGER = f"{OTHERS}@copia.example"


class Conversation:
    """One house, and what people may do in it next."""

    def __init__(self, house: TestHouse, seed: int) -> None:
        self.house = house
        self.random = random.Random(seed)
        files = [
            (f"{FILE}{number}.pdf", content) for number, (_, content) in enumerate((BOLETO, RECEIPT, LICENCE))
        ]
        house.receive(mail(REQUEST, files=files))

    def _notice(self, *purposes: HandlePurpose) -> OutboundLetter | None:
        wanted = [one for one in self.house.letters(Audience.STAFF) if one.purpose in (purposes or STAFF_PURPOSES)]
        return self.random.choice(wanted) if wanted else None

    def _letter(self) -> OutboundLetter | None:
        letters = [one for one in self.house.letters(Audience.REQUESTER) if one.recipient.address == CUSTOMER]
        return self.random.choice(letters) if letters else None

    def _staff(
        self, text: str, *purposes: HandlePurpose, by_another: bool = False, files: tuple[str, ...] = ()
    ) -> None:
        letter = self._notice(*purposes)
        if letter is None:
            return
        attached = [(name, f"%PDF-1.4\n% {name}".encode()) for name in files]
        raw = reply_to(letter, f"{text}{SIGNATURE}", files=attached)
        if by_another:
            sender = BRUNO if letter.recipient.address == ANA else ANA
            raw = raw.replace(f"From: {letter.recipient.address}".encode(), f"From: {sender}".encode())
        self.house.receive(raw)

    def note(self) -> None:
        self._staff(f"#nota {INSIDE}\nNão contar: {INSIDE}", files=(f"{INSIDE}.pdf",))

    def note_with_a_word(self) -> None:
        self._staff(f"#fila geral\n#nota {INSIDE}")

    def answer_to_an_echo(self) -> None:
        self._staff(f"Entre nós: {INSIDE}", HandlePurpose.STAFF_INTERNAL, files=(f"{INSIDE}2.pdf",))

    def answer(self) -> None:
        self._staff("Pode vir na segunda.", HandlePurpose.STAFF_PUBLIC)

    def answer_from_inside(self) -> None:
        self._staff("#responder Pode vir na terça.", HandlePurpose.STAFF_INTERNAL)

    def order(self) -> None:
        words = (
            "#espera",
            "#aprovacao",
            "#historico",
            "#documentos",
            "#originais",
            "#pedir cnh",
            "#autorizar",
            "#reabrir",
        )
        self._staff(self.random.choice(words))

    def bad_order(self) -> None:
        self._staff(f"#autorizr {INSIDE}\n{INSIDE}")

    def colleague_with_her_handle(self) -> None:
        self._staff(f"Com a referência dela: {INSIDE}", HandlePurpose.STAFF_PUBLIC, by_another=True)

    def forged(self) -> None:
        letter = self._notice()
        if letter is not None:
            self.house.receive(reply_to(letter, f"Forjado: {INSIDE}").replace(b"dmarc=pass", b"dmarc=none"))

    def agent_without_handle(self) -> None:
        number = self.house.tickets()[0].number
        subject = f"[Chamado #{number}]"
        self.house.receive(mail(f"Sem referência: {INSIDE}", subject=subject, sender=f"Ana <{ANA}>"))

    def requester(self) -> None:
        letter = self._letter()
        if letter is not None:
            self.house.receive(reply_to(letter, "Alguma novidade?"))

    def stranger_with_the_customers_letter(self) -> None:
        letter = self._letter()
        if letter is None:
            return
        raw = reply_to(letter, f"Sou outra pessoa: {OTHERS}", files=[(f"{OTHERS}.pdf", LICENCE[1] + b"\n%2")])
        self.house.receive(raw.replace(f"From: {CUSTOMER}".encode(), f"From: {STRANGER}".encode()))

    def copy_and_reply_to_somebody_else(self) -> None:
        headers = [("Cc", STRANGER), ("Reply-To", STRANGER)]
        number = self.house.tickets()[0].number
        self.house.receive(mail("Ainda espero.", subject=f"[Chamado #{number}] oi", headers=headers))

    def later(self) -> None:
        self.house.clock.advance(timedelta(hours=30))
        self.house.app.upkeep.tick()

    def steps(self) -> list[Callable[[], None]]:
        return [
            self.note,
            self.note_with_a_word,
            self.answer_to_an_echo,
            self.answer,
            self.answer_from_inside,
            self.order,
            self.bad_order,
            self.colleague_with_her_handle,
            self.forged,
            self.agent_without_handle,
            self.requester,
            self.stranger_with_the_customers_letter,
            self.copy_and_reply_to_somebody_else,
            self.later,
        ]

    def everything_that_left(self) -> list[tuple[OutboundLetter, bytes]]:
        app = self.house.app
        mailbox = app.mailboxes["default"]
        key = app.settings.require_secret_key()
        compositor = Compositor(blobs=app.blobs, secret_key=key)
        now = self.house.clock.now()
        # Also those that something newer overtook: in another hour they would have left.
        with app.storage.read() as work:
            found = [work.outbox.by_message_id(row.message_id) for row in work.outbox.browse()]
        letters = [one for one in found if one is not None and one.audience is Audience.REQUESTER]
        return [(one, compositor.compose(one, mailbox, now=now).message) for one in letters]


def readable(raw: bytes) -> str:
    """Every header and every part of a mail, decoded."""
    message = message_from_bytes(raw, policy=default)
    parts = [str(message.items())]
    for part in message.walk():
        parts.append(str(part.items()))
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            parts.append(content.decode("utf-8", "replace") if isinstance(content, bytes) else "")
    return "\n".join(parts)


@pytest.mark.parametrize("seed", range(4))
def test_no_letter_to_a_requester_holds_what_was_not_for_them(tmp_path: Path, seed: int) -> None:
    with TestHouse(tmp_path) as house:
        talk = Conversation(house, seed)
        steps = talk.steps() * 2
        talk.random.shuffle(steps)
        for step in steps:
            step()
        left = talk.everything_that_left()
        assert len(left) > 1
        for letter, raw in left:
            text = readable(raw)
            own = letter.recipient.address
            # Who wrote from an address of their own may be answered there: about their own request, not this one.
            marks = [mark for mark in MARKS if not (own == STRANGER and mark == OTHERS)]
            found = [mark for mark in marks if mark in text.lower()]
            # The requester's own files are named in the checklist, and never sent back.
            names = [part for part in found if part == FILE]
            assert found == names, (step, letter.letter, found)
            assert not [file for file in letter.files if FILE in file.filename]
            assert not any(address in text for address in (ANA, BRUNO)), letter.letter
            if own != STRANGER:
                assert STRANGER not in text
            assert own in (CUSTOMER, ANA, STRANGER), own


def test_the_marks_would_be_found(tmp_path: Path) -> None:
    """What the property looks for, in a letter that does hold it."""
    with TestHouse(tmp_path) as house:
        talk = Conversation(house, 0)
        notice = next(one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.TICKET_READY)
        house.agent_reply(notice, f"Texto com {INSIDE}")
        assert any(INSIDE in readable(raw) for _, raw in talk.everything_that_left())


def test_a_mail_without_authority_shows_as_not_verified_among_the_messages(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
        notice = next(one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.TICKET_READY)
        house.receive(reply_to(notice, "Dê o carro a ele.").replace(b"dmarc=pass", b"dmarc=none"))
        house.agent_reply(notice, "#historico")
        assert "(nota interna) (não verificado)" in house.letters(Audience.STAFF)[-1].text
