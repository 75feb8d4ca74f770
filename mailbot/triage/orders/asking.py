"""Words that ask: the requester for papers and fields, the bot for what it knows."""

from __future__ import annotations

from dataclasses import replace

from mailbot.domain.events import EventKind, StoredFile
from mailbot.domain.evidence import Finding
from mailbot.domain.notice_pages import may_have_pages
from mailbot.domain.ticket import Status, Ticket
from mailbot.triage.orders.desk import OrderDesk, Outcome, Problem, Progress, effect, problem
from mailbot.triage.orders.filing import requirement_named
from mailbot.triage.orders.moving import go_to, label_of

_MOST_ITEMS = 12
_LONGEST_ITEM = 120
_SENT_ORIGINALS = (
    "application/pdf",
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/tiff",
    "image/heic",
    "image/gif",
)
_MOST_ORIGINALS_BYTES = 15_000_000


def ask_for(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#pedir item, item``: papers and fields of the type by name, or whatever else by its own words.

    What was shown for a paper that is asked for again no longer counts; agents see it as before, and
    ``#dispensar`` lets it count again. The ticket waits for its requester.
    """
    items = [item for part in argument.split(",") if (item := " ".join(part.split()))]
    kind = desk.kind_of(so_far.ticket)
    if not items:
        return problem("items_missing", items=", ".join(kind.label_for(key) for key in _keys(so_far.ticket, desk)))
    if len(items) > _MOST_ITEMS or any(len(item) > _LONGEST_ITEM for item in items):
        return problem("too_many_items")
    if so_far.ticket.is_finished:
        return problem("finished", status=label_of(so_far.ticket, desk))
    keys, others = [], []
    for item in items:
        key = requirement_named(item, kind)
        if not isinstance(key, Problem):
            keys.append(key)
        elif key.code == "item_ambiguous":
            return key
        else:
            others.append(item)
    ticket = _lacking(so_far.ticket, tuple(dict.fromkeys(keys)), tuple(dict.fromkeys(others)), desk)
    asked = effect(EventKind.ASKED, new=" ".join(keys), detail=", ".join(others))
    so_far = so_far.on(ticket, asked)
    if ticket.status is not Status.AWAITING_REQUESTER:
        going = go_to(so_far, Status.AWAITING_REQUESTER, desk)
        if isinstance(going, Problem):
            return going
        so_far = going
    waiting = replace(so_far.ticket, asked_at=desk.now, reminders_sent=0, due_at=None)
    named = tuple(kind.label_for(key) for key in dict.fromkeys(keys))
    done = replace(so_far, asks=(*so_far.asks, *dict.fromkeys(keys), *dict.fromkeys(others)))
    return done.on(waiting, items=", ".join([*named, *dict.fromkeys(others)]))


def _keys(ticket: Ticket, desk: OrderDesk) -> list[str]:
    kind = desk.kind_of(ticket)
    return [*(str(one.key) for one in kind.documents), *(one.key for one in kind.fields)]


def _lacking(ticket: Ticket, keys: tuple[str, ...], others: tuple[str, ...], desk: OrderDesk) -> Ticket:
    wanted = set(ticket.missing) | set(keys)
    return replace(
        ticket,
        documents=tuple(one for one in ticket.documents if one.requirement not in keys),
        set_aside=_set_aside(ticket, keys),
        fields=tuple(one for one in ticket.fields if one.key not in keys),
        missing=tuple(key for key in _keys(ticket, desk) if key in wanted),
        mismatches=tuple(one for one in ticket.mismatches if one.key not in keys),
        waived=tuple(key for key in ticket.waived if key not in keys),
        asked=tuple(dict.fromkeys([*ticket.asked, *others])),
    )


def _set_aside(ticket: Ticket, keys: tuple[str, ...]) -> tuple[Finding, ...]:
    asked_again = {(one.sha256, one.page): one for one in ticket.set_aside}
    asked_again |= {(one.sha256, one.page): one for one in ticket.documents if one.requirement in keys}
    return tuple(asked_again.values())


def keep_inside(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#nota``: the whole mail is an internal note."""
    del desk
    return so_far.with_text(argument).saying()


def answer(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#responder``: the mail goes to the requester, also from an internal thread."""
    if not (argument.strip() or desk.says_more):
        return problem("text_missing")
    return so_far.with_text(argument).saying()


def nothing_else(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#ajuda``, ``#historico``, ``#abertos``: what is asked for stands in the transcript."""
    del argument, desk
    return so_far.saying()


def send_originals(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#originais``: the files as they came, of types that are safe to open, each sending an event."""
    del argument
    if not desk.originals:
        return problem("no_files")
    chosen = sendable(desk.originals)
    if not chosen:
        return problem("no_sendable_files")
    sent = effect(
        EventKind.ORIGINALS_SENT, new=desk.agent.address, detail=", ".join(one.sha256[:12] for one in chosen)
    )
    done = so_far.on(so_far.ticket, sent, count=str(len(chosen)), left_out=_left_out(desk.originals, chosen))
    return replace(done, files=(*so_far.files, *chosen))


def send_pages(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#documentos``: the pages of the files as pictures that we draw, each sending an event."""
    del argument
    if not desk.originals:
        return problem("no_files")
    chosen = tuple({one.digest: one for one in desk.originals if may_have_pages(one.media_type)}.values())
    if not chosen:
        return problem("no_pages")
    sent = effect(
        EventKind.PAGES_SENT, new=desk.agent.address, detail=", ".join(one.sha256[:12] for one in chosen)
    )
    return replace(so_far.on(so_far.ticket, sent, count=str(len(chosen))), papers=(*so_far.papers, *chosen))


def sendable(files: tuple[StoredFile, ...]) -> tuple[StoredFile, ...]:
    """Documents and pictures by their content, newest first until the letter is full; each file once."""
    chosen: dict[str, StoredFile] = {}
    size_bytes = 0
    for file in reversed(files):
        fits = size_bytes + file.size_bytes <= _MOST_ORIGINALS_BYTES
        if file.media_type in _SENT_ORIGINALS and file.digest not in chosen and fits:
            chosen[file.digest] = file
            size_bytes += file.size_bytes
    return tuple(chosen.values())


def _left_out(files: tuple[StoredFile, ...], chosen: tuple[StoredFile, ...]) -> str:
    count = len({file.digest for file in files}) - len(chosen)
    return str(count) if count else ""
