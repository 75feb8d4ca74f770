"""The end of a soak: what stands in the database, the mailboxes and the log, held against what was sent."""

from __future__ import annotations

import csv
import itertools
import json
import os
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.policy import SMTP
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.tables import (
    inbound_mails,
    leases,
    outbox,
    sent_copies,
    server_troubles,
    ticket_events,
    ticket_messages,
    tickets,
)
from mailbot.domain.events import Audience, AuthorRole, EventKind, LetterKind, LetterStatus
from mailbot.domain.ledger import MailOutcome
from tests.soak.people import People, SentMail, Step
from tests.soak.troubles import Cut, Daemons, Sample

_GROWTH_AT_MOST = 1.1
_WARM_SECONDS = 15.0
# A start that finds the database or a server away ends so, and is made again; -9 is never the daemon's own.
_ENDS_THAT_MAY_BE = frozenset({3})
_CANNOT_START = "mailbot: the database does not take part now: "

Row = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What must hold, what was seen, and each case where it does not."""

    what: str
    seen: str
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All figures and checks of a run."""

    figures: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...]

    @property
    def all_well(self) -> bool:
        """Whether nothing is wrong."""
        return not any(check.wrong for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The database as it stands: rows by their tables, each in the order in which they were written."""

    mails: Sequence[Row]
    tickets: Sequence[Row]
    messages: Sequence[Row]
    events: Sequence[Row]
    letters: Sequence[Row]
    leases: Sequence[Row]
    troubles: Sequence[Row]


def look_at_everything(
    folder: Path,
    database_url: str,
    people: People,
    daemons: Daemons,
    cuts: Sequence[Cut],
    *,
    saved: Sequence[bytes],
    drained_after_seconds: float | None,
    exit_codes: Sequence[int],
) -> Found:
    """Everything that can be told of a run whose daemons have ended."""
    stored = read(database_url)
    log = list(log_lines(daemons.site.log))
    write_samples(folder / "samples.csv", daemons.samples)
    checks = (
        Check(
            what="all worked off after the last mail",
            seen=f"{drained_after_seconds:.0f} s" if drained_after_seconds is not None else "not in 600 s",
            wrong=() if drained_after_seconds is not None else ("something still waits",),
        ),
        nothing_lost(people.sent, people.copies, stored),
        one_ticket_a_conversation(people, stored),
        decided_and_told_once(people.sent, stored),
        no_letter_planned_twice(stored),
        first_mails_answered(people.sent, stored),
        every_letter_left(stored),
        letters_arrived_with_one_content(people.letters, stored),
        saved_once(saved, stored),
        in_order_of_collection(stored),
        nothing_in_quarantine(stored),
        leases_given_back(stored),
        memory_is_flat(daemons.samples),
        ends_were_asked_for(daemons.ended, exit_codes),
        nobody_left_behind(folder),
        log_is_clean(log),
    )
    return Found(figures=tuple(figures(people, daemons, cuts, stored, log)), checks=checks)


def read(database_url: str) -> Stored:
    """All rows that count."""
    database = Database(database_url)
    try:
        with database.read() as connection:

            def rows(statement: Any) -> Sequence[Row]:
                return connection.execute(statement).all()

            return Stored(
                mails=rows(select(inbound_mails).order_by(inbound_mails.c.id)),
                tickets=rows(select(tickets).order_by(tickets.c.number)),
                messages=rows(select(ticket_messages).order_by(ticket_messages.c.id)),
                events=rows(select(ticket_events).order_by(ticket_events.c.id)),
                letters=rows(select(outbox).order_by(outbox.c.id)),
                leases=rows(select(leases)),
                troubles=rows(select(server_troubles)),
            )
    finally:
        database.close()


# --- nothing lost, nothing doubled -------------------------------------------------------------------------------


def nothing_lost(sent: Sequence[SentMail], copies: dict[str, int], stored: Stored) -> Check:
    """Each mail has one outcome, each further copy is a duplicate, and nothing else came in."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for mail in stored.mails:
        outcomes[mail.message_id.strip("<>")][mail.outcome] += 1
    wrong = []
    for one in sent:
        wanted: Counter[str] = Counter({MailOutcome.TICKET if one.step is Step.FIRST else MailOutcome.MESSAGE: 1})
        if copies.get(one.message_id):
            wanted[MailOutcome.DUPLICATE] = copies[one.message_id]
        if outcomes[one.message_id] != wanted:
            wrong.append(f"{one.step} {one.message_id}: {dict(outcomes[one.message_id])}")
    known = {one.message_id for one in sent}
    wrong += [
        f"unknown {message_id}: {dict(seen)}" for message_id, seen in outcomes.items() if message_id not in known
    ]
    total = Counter(mail.outcome for mail in stored.mails)
    return Check(
        what="each mail has its outcome once",
        seen=", ".join(f"{count} {outcome}" for outcome, count in total.most_common()),
        wrong=tuple(wrong),
    )


def one_ticket_a_conversation(people: People, stored: Stored) -> Check:
    """No ticket twice, no number left out, and all mails of a conversation in the same ticket."""
    wrong = []
    begun = sum(one.step is Step.FIRST for one in people.sent)
    if sorted(int(ticket.number[-6:]) for ticket in stored.tickets) != list(range(1, begun + 1)):
        wrong.append(f"{len(stored.tickets)} tickets for {begun} conversations, or gaps in their numbers")
    where: dict[str, set[str | None]] = defaultdict(set)
    for mail in stored.mails:
        if mail.outcome != MailOutcome.DUPLICATE:
            where[mail.message_id.strip("<>")].add(mail.ticket_number)
    of_conversation: dict[int, set[str | None]] = defaultdict(set)
    for one in people.sent:
        of_conversation[one.conversation] |= where[one.message_id]
    wrong += [f"conversation {number}: {found}" for number, found in of_conversation.items() if len(found) != 1]
    return Check(what="one ticket a conversation", seen=f"{len(stored.tickets)} tickets", wrong=tuple(wrong))


def decided_and_told_once(sent: Sequence[SentMail], stored: Stored) -> Check:
    """Each agent's mail changed its ticket once, and the requester got one letter of it."""
    ids = {mail.message_id.strip("<>"): mail for mail in stored.mails if mail.outcome == MailOutcome.MESSAGE}
    told = Counter(letter.mail_id for letter in stored.letters if letter.audience == Audience.REQUESTER)
    resolved = Counter(
        event.mail_id
        for event in stored.events
        if event.kind == EventKind.STATUS_CHANGED and event.new == "resolved"
    )
    decided = Counter(event.ticket_number for event in stored.events if event.kind == EventKind.DECIDED)
    wrong, count = [f"ticket {number} decided {times} times" for number, times in decided.items() if times != 1], 0
    for one in sent:
        if one.step is Step.DECISION:
            count += 1
            mail = ids.get(one.message_id)
            if mail is None or told[mail.id] != 1 or resolved[mail.id] != 1:
                wrong.append(f"{one.message_id}: {mail and (mail.id, told[mail.id], resolved[mail.id])}")
    return Check(what="each decision made and told once", seen=f"{count} decisions", wrong=tuple(wrong))


def no_letter_planned_twice(stored: Stored) -> Check:
    """At most one letter for a mail and a person, and no Message-ID twice."""
    caused = Counter(
        (letter.mail_id, letter.recipient_address) for letter in stored.letters if letter.mail_id is not None
    )
    ids = Counter(letter.message_id for letter in stored.letters)
    wrong = [f"{who}: {times} letters" for who, times in caused.items() if times > 1]
    wrong += [f"{message_id}: {times} rows" for message_id, times in ids.items() if times > 1]
    return Check(
        what="one letter for a mail and a person", seen=f"{len(stored.letters)} letters", wrong=tuple(wrong)
    )


def first_mails_answered(sent: Sequence[SentMail], stored: Stored) -> Check:
    """Who wrote first got a letter."""
    answered = {letter.mail_id for letter in stored.letters if letter.audience == Audience.REQUESTER}
    ids = {mail.message_id.strip("<>"): mail.id for mail in stored.mails if mail.outcome == MailOutcome.TICKET}
    firsts = [one.message_id for one in sent if one.step is Step.FIRST]
    return Check(
        what="each first mail answered",
        seen=f"{len(firsts)} first mails",
        wrong=tuple(one for one in firsts if ids.get(one) not in answered),
    )


def every_letter_left(stored: Stored) -> Check:
    """Sent, or cancelled: a newer one to the same person took its place, or the requester wrote before the
    decision had left and the agent was told so."""
    states = Counter(letter.status for letter in stored.letters)
    newest_sent = {
        (letter.ticket_number, letter.recipient_address): letter.id
        for letter in stored.letters
        if letter.status == LetterStatus.SENT
    }
    told_staff = {
        letter.ticket_number: letter.id
        for letter in stored.letters
        if letter.status == LetterStatus.SENT and letter.audience == Audience.STAFF
    }

    def is_accounted_for(letter: Row) -> bool:
        if letter.status != LetterStatus.CANCELLED:
            return bool(letter.status == LetterStatus.SENT)
        newer = newest_sent.get((letter.ticket_number, letter.recipient_address), 0) > letter.id
        taken_back = letter.letter == LetterKind.DECISION and told_staff.get(letter.ticket_number, 0) > letter.id
        return bool(newer or taken_back)

    wrong = [
        f"{letter.message_id} {letter.letter}: {letter.status} {letter.hold_reason} {letter.last_error}"
        for letter in stored.letters
        if not is_accounted_for(letter)
    ]
    seen = ", ".join(f"{count} {status}" for status, count in states.most_common())
    return Check(what="every letter left", seen=seen, wrong=tuple(wrong))


def letters_arrived_with_one_content(letters: dict[str, dict[str, dict[str, int]]], stored: Stored) -> Check:
    """Each letter that is called sent arrived, each that arrived was written, and none with two contents."""
    arrived = {
        (recipient, message_id): contents
        for recipient, theirs in letters.items()
        for message_id, contents in theirs.items()
    }
    wrong = []
    for letter in stored.letters:
        contents = arrived.get((letter.recipient_address, letter.message_id), {})
        if letter.status == LetterStatus.SENT and len(contents) != 1:
            wrong.append(f"{letter.message_id} {letter.letter}: {len(contents)} contents arrived")
    planned = {(letter.recipient_address, letter.message_id) for letter in stored.letters}
    wrong += [f"nobody wrote {message_id}" for _, message_id in arrived.keys() - planned]
    wrong += [f"{message_id}: different contents" for (_, message_id), one in arrived.items() if len(one) > 1]
    again = sum(sum(contents.values()) - 1 for contents in arrived.values())
    return Check(
        what="each letter arrived, with one content",
        seen=f"{len(arrived)} letters; {again} came once more, the same under the same Message-ID",
        wrong=tuple(wrong),
    )


def saved_once(saved: Sequence[bytes], stored: Stored) -> Check:
    """Each letter that left lies in the Sent folder, and none twice."""
    parser = BytesHeaderParser(policy=SMTP)
    kept = Counter(str(parser.parsebytes(raw)["Message-ID"]).strip("<> ") for raw in saved)
    sent = {letter.message_id for letter in stored.letters if letter.status == LetterStatus.SENT}
    wrong = [f"{message_id} is not there" for message_id in sent - kept.keys()]
    wrong += [f"{message_id} never left" for message_id in kept.keys() - sent]
    wrong += [f"{message_id} lies there {times} times" for message_id, times in kept.items() if times > 1]
    return Check(what="each letter saved once in Sent", seen=f"{len(saved)} copies", wrong=tuple(wrong))


def copies_due(database_url: str) -> int:
    """How many letters are still to be saved in the Sent folder."""
    database = Database(database_url)
    try:
        with database.read() as connection:
            due = select(func.count()).select_from(sent_copies).where(sent_copies.c.due_at.is_not(None))
            return connection.scalar(due) or 0
    finally:
        database.close()


def in_order_of_collection(stored: Stored) -> Check:
    """Each sender's mails were finished, and stand in their tickets, in the order in which they were collected."""
    wrong = []
    of_sender: dict[str, list[Row]] = defaultdict(list)
    for mail in stored.mails:
        of_sender[mail.conversation_key].append(mail)
    for mails in of_sender.values():
        for earlier, later in itertools.pairwise(mails):
            if earlier.finished_at and later.finished_at and earlier.finished_at > later.finished_at:
                wrong.append(f"mail {later.id} was finished before {earlier.id} of the same sender")
    sender_of = {mail.id: mail.conversation_key for mail in stored.mails}
    for name, rows in (("event", stored.events), ("message", stored.messages)):
        last: dict[tuple[str, str], int] = {}
        for row in rows:
            if row.mail_id is None:
                continue
            key = (row.ticket_number, sender_of[row.mail_id])
            if last.get(key, 0) > row.mail_id:
                wrong.append(f"{name} of mail {row.mail_id} after one of {last[key]} in {row.ticket_number}")
            last[key] = row.mail_id
    seen_twice = Counter(message.mail_id for message in stored.messages if message.role != AuthorRole.BOT)
    wrong += [
        f"mail {mail_id}: {times} messages" for mail_id, times in seen_twice.items() if mail_id and times > 1
    ]
    return Check(
        what="each sender's mails in order",
        seen=f"{len(of_sender)} senders, {len(stored.events)} events",
        wrong=tuple(wrong),
    )


def nothing_in_quarantine(stored: Stored) -> Check:
    """No mail was quarantined; how many had a daemon die with them, or an attempt fail."""
    wrong = [f"mail {mail.id}: {mail.reason}" for mail in stored.mails if mail.outcome == MailOutcome.QUARANTINED]
    wrong += [f"mail {mail.id}: {mail.attempts} failed attempts" for mail in stored.mails if mail.attempts]
    deaths = Counter(mail.deaths for mail in stored.mails if mail.deaths)
    seen = ", ".join(f"{count} mails with {times} deaths" for times, count in sorted(deaths.items()))
    return Check(what="no quarantine, no failed attempt", seen=seen or "no deaths", wrong=tuple(wrong))


def leases_given_back(stored: Stored) -> Check:
    """After a polite stop nobody owns anything."""
    wrong = [f"mail {mail.id}: {mail.owner}" for mail in stored.mails if mail.owner is not None]
    wrong += [f"letter {letter.id}: {letter.owner}" for letter in stored.letters if letter.owner is not None]
    now = datetime.now(UTC)
    wrong += [f"lease {one.name}: {one.owner}" for one in stored.leases if one.owner and one.lease_until > now]
    wrong += [f"trouble {one.server}: {one.error}" for one in stored.troubles]
    return Check(
        what="leases given back, no trouble left", seen=f"{len(stored.leases)} leases", wrong=tuple(wrong)
    )


# --- the processes -----------------------------------------------------------------------------------------------


def memory_is_flat(samples: Sequence[Sample]) -> Check:
    """The daemons' own memory once they are warm, first third of the run against the last."""
    warm = [one for one in samples if one.age_seconds >= _WARM_SECONDS and one.own_mb]
    end = max((one.at_seconds for one in samples), default=0.0)
    first = [one.own_mb for one in warm if one.at_seconds < end / 3]
    last = [one.own_mb for one in warm if one.at_seconds > end * 2 / 3]
    if not first or not last:
        return Check(what="memory is flat", seen="too short to tell")
    before, after = statistics.median(first), statistics.median(last)
    children = [one.children_mb for one in warm]
    return Check(
        what="memory is flat (median, at most)",
        seen=f"first third {before:.0f} MB, {max(first):.0f}; last third {after:.0f} MB, {max(last):.0f}; "
        f"readers and helpers {statistics.median(children):.0f} MB, {max(children):.0f}",
        wrong=() if after <= before * _GROWTH_AT_MOST else (f"grew by {after / before - 1:.0%}",),
    )


def ends_were_asked_for(ended: Counter[int], exit_codes: Sequence[int]) -> Check:
    """No daemon ended by itself, but for a start without its database; both heard SIGTERM."""
    wrong = [
        f"{times} ended by themselves with {code}"
        for code, times in ended.items()
        if code not in _ENDS_THAT_MAY_BE
    ]
    if any(exit_codes):
        wrong.append(f"exit codes {list(exit_codes)} after SIGTERM")
    seen = ", ".join(f"{times} starts ended with {code}" for code, times in ended.items()) or "none by itself"
    return Check(what="daemons ended only when told", seen=seen, wrong=tuple(wrong))


def nobody_left_behind(folder: Path) -> Check:
    """No process of theirs is left."""
    left = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and int(process.name) != os.getpid():
                where = (process / "cwd").readlink()
                if where == folder:
                    left.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return Check(what="no process left behind", seen=str(len(left)), wrong=tuple(left))


def log_lines(log: Path) -> Iterable[dict[str, Any]]:
    """The log's lines; what is no JSON as ``{"action": "", "event": line}``."""
    with log.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                yield {"action": "", "event": line.strip()}


def log_is_clean(log: Sequence[dict[str, Any]]) -> Check:
    """Nothing at level error, no address, no bare line but of a start that found no database."""
    wrong = Counter(
        f"{line.get('action')}: {line.get('error') or line.get('event')}"
        for line in log
        if line.get("level") == "error" or not (line.get("action") or line["event"].startswith(_CANNOT_START))
    )
    addresses = sum("@qualquer." in json.dumps(line) for line in log)
    lines = [f"{times} × {what}" for what, times in wrong.most_common()]
    lines += [f"{addresses} lines with an address"] if addresses else []
    return Check(what="nothing in the log for a person", seen=f"{len(log)} lines", wrong=tuple(lines))


def write_samples(file: Path, samples: Sequence[Sample]) -> None:
    """For who wants to draw them."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["at_seconds", "age_seconds", "daemon", "own_mb", "children_mb"])
        for one in samples:
            writer.writerow(
                [f"{one.at_seconds:.1f}", f"{one.age_seconds:.1f}", one.daemon, f"{one.own_mb:.1f}",
                 f"{one.children_mb:.1f}"]
            )  # fmt: skip


def figures(
    people: People, daemons: Daemons, cuts: Sequence[Cut], stored: Stored, log: Sequence[dict[str, Any]]
) -> Iterable[tuple[str, str]]:
    """What happened, without judgement."""
    steps = Counter(one.step for one in people.sent)
    yield "mails", f"{people.deliveries} from {len({one.author for one in people.sent})} senders"
    yield "", ", ".join(f"{count} × {step}" for step, count in steps.items())
    yield "", f"{sum(people.copies.values())} copies of mails that were there already"
    yield "kill -9", str(daemons.kills)
    for cut in cuts:
        yield "cut off", f"{cut.server} {cut.how} for {cut.seconds:.0f} s"
    waits = sorted(
        (mail.finished_at - mail.received_at).total_seconds() for mail in stored.mails if mail.finished_at
    )
    if waits:
        median, most = statistics.median(waits), waits[len(waits) * 95 // 100]
        yield "arrival to outcome", f"median {median:.1f} s, 95 % in {most:.1f} s, all in {waits[-1]:.0f} s"
    unknown = Counter(letter.unknown_outcomes for letter in stored.letters if letter.unknown_outcomes)
    yield "letters whose fate was unknown", ", ".join(f"{n} × {times}" for times, n in unknown.items()) or "none"
    warned = Counter(line["action"] for line in log if line.get("level") == "warning")
    for action, times in warned.most_common():
        yield "warned", f"{times} × {action}"
