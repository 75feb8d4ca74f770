"""Mails that stand as ``NAME.eml`` in a folder, and the letters that stand beside them."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

from tests.acceptance.desk import Desk, parsed, text_of


def addressed(file: Path, person: Address, mailbox: str, **places: str) -> bytes:
    """The mail from ``person`` to ``mailbox``; ``places`` are words that stand for what a run decides."""
    raw = file.read_text("utf-8")
    for word, value in {"maria@cliente.example": person.addr_spec, **places}.items():
        raw = raw.replace(word, value)
    mail = parsed(raw.encode())
    for name, who in (("From", person), ("To", mailbox)):
        del mail[name]
        mail[name] = who
    return bytes(mail)


def transcript(desk: Desk, person: Address, *, with_days: bool = False) -> str:
    """All letters to a person, all notices about them and what their sector was sent, each in order, without what
    differs from run to run: ``with_days`` where the business clock is set, so that days are always the same."""
    letters = [*desk.letters_as_written(person), *_notices(desk, person)]
    opened = [_open_places(text_of(letter), desk, person, with_days=with_days) for letter in letters]
    return "\n\n=====\n\n".join(opened)


def _notices(desk: Desk, person: Address) -> list[EmailMessage]:
    return [
        letter
        for agent in (desk.ana, desk.bruno, desk.sector)
        for letter in desk.letters_as_written(agent)
        if person.addr_spec in text_of(letter)
    ]


_OPEN = (
    (re.compile(r"\d{4}-\d{6}"), "NÚMERO"),
    (re.compile(r"\[mb-[a-z2-7]{20}\]"), "[REFERÊNCIA]"),
    (re.compile(r"\d{2}/\d{2}/\d{4} às \d{2}:\d{2}"), "HORA"),
    (re.compile(r"\d{2}/\d{2}/\d{4}, \d{2}:\d{2}"), "HORA"),
)


_DAY = re.compile(r"\w+(?:-feira)?, \d{1,2} de \w+ de \d{4}")


def _open_places(text: str, desk: Desk, person: Address, *, with_days: bool) -> str:
    text = text if with_days else _DAY.sub("DIA", text)
    for pattern, word in _OPEN:
        text = pattern.sub(word, text)
    text = text.replace(person.addr_spec, "CLIENTE").replace(desk.mailbox, "CAIXA")
    return text.replace(desk.bruno.addr_spec, "BRUNO").replace(desk.sector.addr_spec, "SETOR").rstrip("\n")
