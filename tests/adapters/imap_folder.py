"""A folder on the scripted IMAP server; answers that a test may give it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mailbot.adapters.imap import ImapSource
from mailbot.adapters.imap_connection import ImapTiming
from mailbot.domain.mailbox import Security, ServerAddress, Settle
from tests.adapters.scripted_imap import Answer, ScriptedImap, Session

MAILS = [
    f"Subject: pedido {number}\r\nFrom: ana@example.com.br\r\n\r\nbom dia {number}\r\n".encode()
    for number in range(1, 4)
]
# Longer than any test lasts: what ends a wait is then never the time.
LONG_SECONDS = 600.0
PATIENT = ImapTiming(
    connect_seconds=60, read_seconds=60, command_seconds=120, idle_seconds=LONG_SECONDS, poll_seconds=LONG_SECONDS
)
IMPATIENT = replace(PATIENT, connect_seconds=0.2, read_seconds=0.2, command_seconds=0.5)
PASSWORD = "correct horse"


def address_of(server: ScriptedImap, security: Security = Security.PLAIN, **changes: Any) -> ServerAddress:
    facts: dict[str, Any] = {"username": "ana@example.com.br", "password": PASSWORD, "host": "127.0.0.1"}
    return ServerAddress(security=security, port=server.port, **(facts | changes))


def source_of(server: ScriptedImap, /, settle: Settle = Settle.MOVE, **changes: Any) -> ImapSource:
    facts: dict[str, Any] = {
        "mailbox": "default",
        "server": address_of(server),
        "folder": "INBOX",
        "processed_folder": "Processados",
        "timing": PATIENT,
    }
    return ImapSource(settle=settle, **(facts | changes))


class Opened:
    """A source that is open, and closed at the end."""

    def __init__(self, server: ScriptedImap, /, settle: Settle = Settle.MOVE, **changes: Any) -> None:
        self.source = source_of(server, settle, **changes)

    def __enter__(self) -> ImapSource:
        self.source.open()
        return self.source

    def __exit__(self, *_: object) -> None:
        self.source.close()


def grow_impatient(source: ImapSource) -> None:
    """From now on nothing may take long: opening, which is to succeed, has had its time."""
    source._timing = IMPATIENT
    source._client._imap.sock.settimeout(IMPATIENT.read_seconds)


def refuse(text: str) -> Answer:
    return lambda session, tag, _: session.no(tag, text)


def say(*lines: str) -> Answer:
    """Say the lines (``TAG`` stands for the tag)."""
    return lambda session, tag, _: session.send("".join(f"{line}\r\n" for line in lines).replace("TAG", tag))


def say_and_hang_up(text: str) -> Answer:
    def answer(session: Session, tag: str, _: str) -> None:
        session.send(text.replace("TAG", tag))
        session.hang_up()

    return answer


def say_nothing(session: Session, tag: str, arguments: str) -> None:
    pass
