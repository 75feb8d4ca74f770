"""What one sees of the demo: every mail as it happens in the terminal, and all of them in a folder.

Colours and symbols only on a terminal; plain lines elsewhere.
"""

from __future__ import annotations

import base64
import html
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mailbot.demo.post_office import Delivery
from mailbot.domain.mail import InboundMail
from mailbot.mime.parse import parse_mail

_LINES_SHOWN = 7
_LINES_BEFORE_IT = 3
_COLUMNS_SHOWN = 92
_INDENT = "    "
# What Rich puts between four columns, at most.
_BETWEEN_COLUMNS = 12
_SHORTEST_TITLE = 8

TicketRow = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMail:
    """A mail of the journal with what is shown of it; ``stem`` names its files."""

    stem: str
    at: str
    sender: str
    recipient: str
    subject: str
    by_the_bot: bool


class Screen:
    """The terminal. ``mailbox`` is the bot's address: its letters are marked."""

    def __init__(self, console: Console, mailbox: str) -> None:
        self._console = console
        self._mailbox = mailbox

    def part(self, text: str) -> None:
        """A part of the play begins."""
        self._console.print()
        line = "═" if self._fancy else "="
        self._console.rule(f"[bold yellow]{escape(text)}[/]", align="left", characters=line, style="yellow")

    def heading(self, text: str) -> None:
        """A new conversation begins."""
        self._console.print()
        self._console.rule(f"[bold]{escape(text)}[/]", align="left", characters="─" if self._fancy else "-")

    def say(self, text: str) -> None:
        """A sentence of the director."""
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    def complain(self, text: str) -> None:
        """A sentence about something that did not work."""
        self._console.print(f"[bold red]{escape(text)}[/]", highlight=False, soft_wrap=True)

    def mail(self, delivery: Delivery, *, showing: Sequence[str] = ()) -> None:
        """Who wrote to whom, the subject, the first lines of what is new, the attachments; where words of
        ``showing`` stand further below, a few lines from there, too."""
        mail = parse_mail(delivery.raw)
        arrow, clip = ("→", "📎") if self._fancy else ("->", "[file]")
        colour = "green" if mail.sender.address == self._mailbox else "cyan"
        self._console.print()
        self._console.print(
            f"[{colour} bold]{escape(mail.sender.address)}[/] {arrow} [bold]{escape(delivery.mailbox)}[/]",
            highlight=False,
        )
        columns = min(_COLUMNS_SHOWN, self._console.width - len(_INDENT) - 1)
        lines = [f"[bold]{escape(_cut(mail.subject, columns))}[/]"]
        lines += [f"[dim]{escape(line)}[/]" for line in _lines_of(mail, columns, showing)]
        lines += [escape(f"{clip} {file.filename}") for file in mail.attachments if not file.inline]
        for line in lines:
            self._console.print(_INDENT + line, highlight=False, soft_wrap=True)

    def tickets(self, rows: Sequence[TicketRow]) -> None:
        """The table of tickets, oldest first."""
        cells = [_cells_of(row) for row in sorted(rows, key=lambda one: str(one["number"]))]
        table = Table(box=SIMPLE_HEAD if self._fancy else None, pad_edge=False)
        for heading in ("ticket", "of", "status", "title"):
            table.add_column(heading, no_wrap=True)
        # Only the title gives way in a narrow terminal.
        taken = sum(max((len(row[index]) for row in cells), default=0) for index in range(3))
        room = max(self._console.width - taken - _BETWEEN_COLUMNS, _SHORTEST_TITLE)
        for *others, title in cells:
            table.add_row(*(escape(cell) for cell in others), escape(_cut(title, room)))
        self._console.print()
        self._console.print(table)

    @property
    def _fancy(self) -> bool:
        return self._console.is_terminal and (self._console.encoding or "").lower().startswith("utf")


def _cells_of(row: TicketRow) -> tuple[str, str, str, str]:
    requester = row["requester"]
    address = requester.get("address", "") if isinstance(requester, dict) else requester
    status = f"{row['status']}, {row['resolution']}" if row["resolution"] else f"{row['status']}"
    return str(row["number"]), str(address), status, str(row["title"])


def _lines_of(mail: InboundMail, columns: int, showing: Sequence[str]) -> list[str]:
    text = [line.strip() for line in (mail.new_text or mail.full_text).splitlines()]
    lines = [part for line in text for part in textwrap.wrap(line, max(columns, 20))]
    found = [next((at for at, line in enumerate(lines) if words in line), 0) for words in showing if words]
    below = sorted(at for at in found if at >= _LINES_SHOWN)
    shown = lines[: _LINES_BEFORE_IT if below else _LINES_SHOWN]
    for at in below:
        shown += ["…", *lines[at : at + _LINES_SHOWN - _LINES_BEFORE_IT]]
    return [*shown, "…"] if below or len(lines) > _LINES_SHOWN else shown


def _cut(line: str, columns: int) -> str:
    return line if len(line) <= columns else line[: max(columns - 1, 1)] + "…"


# --- the folder --------------------------------------------------------------------------------------------


def write_mails(deliveries: Sequence[Delivery], folder: Path, mailbox: str) -> None:
    """Write every mail as ``.eml`` and as ``.html`` to look at, and an ``index.html`` over them."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = []
    for delivery in deliveries:
        mail = parse_mail(delivery.raw)
        one = ShownMail(
            stem=f"{delivery.number:02d}-{_for_a_file(mail.sender.address)}-to-{_for_a_file(delivery.mailbox)}",
            at=f"{delivery.at.astimezone():%H:%M:%S}",
            sender=mail.sender.address,
            recipient=delivery.mailbox,
            subject=mail.subject,
            by_the_bot=mail.sender.address == mailbox,
        )
        (folder / f"{one.stem}.eml").write_bytes(delivery.raw)
        (folder / f"{one.stem}.html").write_text(_page_of(delivery.raw, mail), encoding="utf-8")
        shown.append(one)
    (folder / "index.html").write_text(_index(shown), encoding="utf-8")


def _for_a_file(address: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", address.partition("@")[0].lower()).strip("-") or "nobody"


def _page_of(raw: bytes, mail: InboundMail) -> str:
    """The mail's own HTML with its pictures in it; or who wrote to whom, the files, and the text."""
    message = message_from_bytes(raw, policy=default)
    part = message.get_body(preferencelist=("html",)) if isinstance(message, EmailMessage) else None
    if isinstance(part, EmailMessage):
        return _with_pictures(str(part.get_content()), mail)
    return _PAGE.format(
        title=html.escape(mail.subject), body=f"{_head_of(mail)}\n<pre>{html.escape(mail.full_text)}</pre>"
    )


def _head_of(mail: InboundMail) -> str:
    """From, To, Subject and the names of the files, as a mail program shows them above the text."""
    rows = [("From", [mail.sender]), ("To", mail.to)]
    lines = [
        (name, ", ".join(f"{one.name} <{one.address}>" if one.name else one.address for one in addresses))
        for name, addresses in rows
    ]
    lines.append(("Subject", mail.subject))
    lines += [("File", file.filename) for file in mail.attachments if not file.inline]
    items = "".join(f"<dt>{name}</dt><dd>{html.escape(value)}</dd>" for name, value in lines)
    return f"<dl>{items}</dl>"


def _with_pictures(page: str, mail: InboundMail) -> str:
    for file in mail.attachments:
        if file.content_id:
            data = base64.b64encode(file.content).decode("ascii")
            page = page.replace(f"cid:{file.content_id.strip('<>')}", f"data:{file.media_type};base64,{data}")
    return page


def _index(mails: Sequence[ShownMail]) -> str:
    items = "\n".join(
        f'<li class="{"bot" if mail.by_the_bot else "person"}">'
        f'<a href="{mail.stem}.html">{html.escape(mail.subject) or "(no subject)"}</a><br>'
        f"<small>{mail.at} · <span>{html.escape(mail.sender)}</span> → {html.escape(mail.recipient)}"
        f' · <a href="{mail.stem}.eml">.eml</a></small></li>'
        for mail in mails
    )
    return _PAGE.format(title="mailbot demo", body=f"<h1>Every mail of the demo</h1>\n<ol>{items}</ol>")


_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
body {{ overflow-wrap: anywhere }} pre {{ white-space: pre-wrap; font: inherit }} li {{ margin-bottom: .7rem }}
.bot span {{ font-weight: 600 }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; padding-bottom: 1rem }}
dl {{ border-bottom: 1px solid; margin: 0 0 1rem }} dt {{ opacity: .7 }} dd {{ margin: 0 }}
</style></head><body>{body}</body></html>
"""
