"""``mailbot doctor --probe``: mails from a mailbox to itself, and what became of them on the way.

Three mails: a plain one, one to a plus-address, and one with forged ``Authentication-Results`` under our own
authserv-id (or forged stamps of Exchange), as a stranger could send it. All carry our loop mark, so that the
daemon discards them. They are looked for in the mailbox and, should a daemon be quicker, among the stored mails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from mailbot.cli.checkup import Finding, State
from mailbot.cli.server_checkup import CLOCK_TOLERANCE, ids_on
from mailbot.domain.addressing import AddressTag, ReplyAddressing, tagged_address
from mailbot.domain.errors import ServerAway, UnreadableMail
from mailbot.domain.exchange import Delivered, Envelope, NotReached, OutcomeUnknown, Refused
from mailbot.domain.handles import LOOP_MARK_HEADER, loop_mark, new_handle

if TYPE_CHECKING:
    from mailbot.bootstrap import App
    from mailbot.connections import Connection
    from mailbot.domain.mail import InboundMail
    from mailbot.flows.ports import MailSource

_LOOK_EVERY_SECONDS = 1.0
_AUTHENTICATION_RESULTS = "authentication-results"
_EXCHANGE_AUTH_SOURCE = "x-ms-exchange-organization-authsource"


class ProbeKind(StrEnum):
    """What a probe is to find out."""

    PLAIN = "plain"
    PLUS = "plus-address"
    FORGED = "forged results"


@dataclass(slots=True, kw_only=True)
class _Probe:
    """One mail on its way; ``token`` is how it is known again, ``forged_mark`` stands in the forged field only."""

    kind: ProbeKind
    token: str
    forged_mark: str
    envelope: Envelope
    trouble: str = ""
    sent_at: datetime | None = None
    came_after_seconds: float | None = None
    received_at: datetime | None = None
    mail: InboundMail | None = None


@dataclass(slots=True, kw_only=True)
class _Watch:
    """Where the probes are looked for: folders, each with the first UID that may be new and those seen."""

    places: list[tuple[MailSource, int, set[str]]] = field(default_factory=list)


def probe_mailbox(app: App, connection: Connection, authserv_id: str, wait_seconds: float) -> Iterator[Finding]:
    """Send the probes and report; ``authserv_id``, or Exchange's stamps, are forged unless it is empty. Raises
    nothing of the servers."""
    check = f"probe {connection.mailbox.key}"
    probes = _made(app, connection, authserv_id)
    watch = _Watch()
    try:
        _begin(app, connection, watch)
        asyncio.run(_send(connection, probes))
        _wait(app, watch, probes, wait_seconds)
    except ServerAway as error:
        yield Finding(check=check, state=State.UNREACHABLE, message=str(error))
        return
    finally:
        for source, _, _ in watch.places:
            source.close()
    for probe in probes:
        yield _arrival(check, connection, probe, wait_seconds)
    yield from _verdicts(check, connection, probes, authserv_id)


# --- sending -------------------------------------------------------------------------------------------------


def _made(app: App, connection: Connection, authserv_id: str) -> list[_Probe]:
    forge = authserv_id or _is_on_exchange(connection)
    kinds = [ProbeKind.PLAIN, ProbeKind.PLUS, *([ProbeKind.FORGED] if forge else [])]
    return [_probe(app, connection, kind, authserv_id) for kind in kinds]


def _probe(app: App, connection: Connection, kind: ProbeKind, authserv_id: str) -> _Probe:
    mailbox = connection.mailbox
    token, forged_mark = new_handle(), new_handle()
    to = tagged_address(mailbox.address, AddressTag.REPLY, token) if kind is ProbeKind.PLUS else mailbox.address
    message = EmailMessage(policy=SMTP)
    if kind is ProbeKind.FORGED and _is_on_exchange(connection):
        message["X-MS-Exchange-Organization-AuthAs"] = "Internal"
        message["X-MS-Exchange-Organization-AuthSource"] = f"{forged_mark}.forged.invalid"
    elif kind is ProbeKind.FORGED:
        # The mark stands where a result has its reason, so that the field is well-formed (RFC 8601 §2.2).
        forged = f'{authserv_id}; dmarc=pass reason="{forged_mark}" header.from={mailbox.domain}'
        message["Authentication-Results"] = forged
    message["From"] = mailbox.address
    message["To"] = to
    message["Subject"] = f"mailbot probe ({kind}) {token}"
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<probe.{token}@{mailbox.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    key = app.settings.require_secret_key()
    message[LOOP_MARK_HEADER] = loop_mark(key, token, mailbox.address, to)
    message.set_content("A probe of `mailbot doctor --probe`. It can be deleted.\n")
    return _Probe(
        kind=kind,
        token=token,
        forged_mark=forged_mark,
        envelope=Envelope(sender=mailbox.address, recipient=to, message=message.as_bytes()),
    )


def _is_on_exchange(connection: Connection) -> bool:
    return connection.mailbox.spec.authentication.profile == "microsoft365"


async def _send(connection: Connection, probes: Sequence[_Probe]) -> None:
    from mailbot.adapters.smtp import SmtpTransport
    from mailbot.catalogue.mailboxes import MailServerName

    tokens = connection.tokens_at(MailServerName.SMTP)
    transport = SmtpTransport(connection.smtp, tokens=tokens, max_connections=1)
    try:
        for probe in probes:
            outcome = await transport.send(probe.envelope, _nothing)
            match outcome:
                case NotReached():
                    raise ServerAway(f"{connection.smtp.host}: {outcome.reason}")
                case Refused():
                    probe.trouble = f"refused with {outcome.code} {outcome.response}"
                case Delivered() | OutcomeUnknown():
                    probe.sent_at = datetime.now(UTC)
    finally:
        await transport.close()


async def _nothing() -> None:
    """Nothing is to be noted before a probe leaves."""


# --- waiting -------------------------------------------------------------------------------------------------


def _begin(app: App, connection: Connection, watch: _Watch) -> None:
    """Open every folder, read-only, before anything is sent."""
    from mailbot.catalogue.mailboxes import SettleMode
    from mailbot.connections import source_of

    spec = connection.mailbox.spec.model_copy(update={"settle": SettleMode.NONE})
    looking = replace(connection, mailbox=replace(connection.mailbox, spec=spec))
    for plan, planned in app.plans():
        if planned is connection:
            source = source_of(looking, plan.folder)
            watch.places.append((source, 0, set()))
            state = source.open()
            seen = {entry.uid for entry in source.list_mails(state.uid_next)}
            watch.places[-1] = (source, state.uid_next, seen)


def _wait(app: App, watch: _Watch, probes: Sequence[_Probe], wait_seconds: float) -> None:
    """Look again and again until all have come or the time is over."""
    give_up_at = time.monotonic() + wait_seconds
    while any(_is_awaited(probe) for probe in probes):
        for source, first_uid, seen in watch.places:
            _look(app, source, first_uid, seen, probes)
        _look_at_stored(app, probes)
        if time.monotonic() >= give_up_at:
            return
        if any(_is_awaited(probe) for probe in probes):
            watch.places[0][0].wait(_LOOK_EVERY_SECONDS)


def _is_awaited(probe: _Probe) -> bool:
    return probe.sent_at is not None and probe.mail is None


def _look(app: App, source: MailSource, first_uid: int, seen: set[str], probes: Sequence[_Probe]) -> None:
    new = [entry for entry in source.list_mails(first_uid) if entry.uid not in seen]
    seen.update(entry.uid for entry in new)
    for fetched in source.fetch([entry.uid for entry in new], header_only=True):
        _recognise(app, fetched.raw, fetched.received_at, probes)


def _look_at_stored(app: App, probes: Sequence[_Probe]) -> None:
    """A daemon that runs takes the mails from the mailbox; then they are in its log."""
    from mailbot.adapters.storage.unit_of_work import SqlStorage
    from mailbot.cli.database import NoDatabaseYet, OtherSchema, existing_database

    try:
        database = existing_database(app.settings)
    except (NoDatabaseYet, OtherSchema):
        return
    try:
        with SqlStorage(database).read() as work:
            rows = work.mails.browse(limit=50)
    finally:
        database.close()
    app.open_storage()
    for row in rows:
        if any(_is_awaited(probe) and probe.token in row.subject for probe in probes):
            _recognise(app, app.blobs.get(row.raw_digest), row.received_at, probes)


def _recognise(app: App, raw: bytes, received_at: datetime, probes: Sequence[_Probe]) -> None:
    from mailbot.mime.structure import header_only

    try:
        mail = app.reader.read(header_only(raw))
    except UnreadableMail:
        return
    for probe in probes:
        if _is_awaited(probe) and probe.sent_at is not None and probe.token in mail.subject:
            probe.mail, probe.received_at = mail, received_at
            probe.came_after_seconds = (datetime.now(UTC) - probe.sent_at).total_seconds()


# --- what it means -------------------------------------------------------------------------------------------


def _arrival(check: str, connection: Connection, probe: _Probe, wait_seconds: float) -> Finding:
    if probe.mail is not None and probe.came_after_seconds is not None:
        message = f"{probe.kind}: came after {probe.came_after_seconds:.1f} s"
        return Finding(check=check, state=State.OK, message=message)
    what = probe.trouble or f"did not come within {wait_seconds:g} s"
    message = f"{probe.kind}: {what}"
    if probe.kind is not ProbeKind.PLUS:
        advice = "look into the spam folder and the server's log; a longer wait: --wait"
        if probe.kind is ProbeKind.FORGED:
            advice = "the server may refuse such mail, which is good; else look into the spam folder"
            return Finding(check=check, state=State.NOTE, message=message, advice=advice)
        return Finding(check=check, state=State.PROBLEM, message=message, advice=advice)
    if connection.mailbox.reply_addressing is ReplyAddressing.PLUS:
        advice = "set reply_addressing: plain, or let the server deliver plus-addresses"
        return Finding(check=check, state=State.PROBLEM, message=message, advice=advice)
    advice = "nothing to do: reply_addressing is plain"
    return Finding(check=check, state=State.NOTE, message=message, advice=advice)


def _verdicts(check: str, connection: Connection, probes: Sequence[_Probe], authserv_id: str) -> Iterator[Finding]:
    came = [probe for probe in probes if probe.mail is not None]
    yield from _plus_verdict(check, connection, came)
    on_exchange = _is_on_exchange(connection)
    verdict = _forged_stamp_verdict if on_exchange else _forged_verdict
    yield from (verdict(check, probe, authserv_id) for probe in came if probe.kind is ProbeKind.FORGED)
    if not authserv_id and not on_exchange:
        message = "forged results: not tried, no authserv-id is known"
        yield Finding(check=check, state=State.NOTE, message=message)
    for probe in came[:1]:
        written = ids_on(probe.mail) if probe.mail else []
        message = f"authserv-ids on our own mail: {', '.join(written) or 'none'}"
        yield Finding(check=check, state=State.NOTE, message=message)
    yield from _clock_verdict(check, came)


def _plus_verdict(check: str, connection: Connection, came: Sequence[_Probe]) -> Iterator[Finding]:
    plus_came = any(probe.kind is ProbeKind.PLUS for probe in came)
    if plus_came and connection.mailbox.reply_addressing is ReplyAddressing.PLAIN:
        message = "plus-addresses arrive"
        advice = "reply_addressing: plus would let bounces and replies find their letter more surely"
        yield Finding(check=check, state=State.NOTE, message=message, advice=advice)


def _forged_verdict(check: str, probe: _Probe, authserv_id: str) -> Finding:
    """Our server must remove or rename results that claim to be its own (RFC 8601 §5)."""
    headers = probe.mail.headers if probe.mail else ()
    bearing = [name for name, value in headers if probe.forged_mark in value]
    if _AUTHENTICATION_RESULTS in bearing:
        return Finding(
            check=check,
            state=State.PROBLEM,
            message=f"a forged result of {authserv_id} came through: anybody could pass for anybody",
            advice="let the server remove Authentication-Results under its own id; until then unset the "
            "authserv-id (authentication profile: none)",
        )
    how = f"renamed to {bearing[0]}" if bearing else "removed"
    return Finding(check=check, state=State.OK, message=f"a forged result of {authserv_id} was {how}")


def _forged_stamp_verdict(check: str, probe: _Probe, _: str) -> Finding:
    """Exchange must take away stamps that it did not write itself."""
    headers = probe.mail.headers if probe.mail else ()
    if any(name == _EXCHANGE_AUTH_SOURCE and probe.forged_mark in value for name, value in headers):
        return Finding(
            check=check,
            state=State.PROBLEM,
            message="a forged stamp of Exchange came through: anybody could pass for anybody",
            advice="this server is no Exchange, or keeps foreign organisation headers: take received_by out of "
            "mailboxes.yaml",
        )
    return Finding(check=check, state=State.OK, message="a forged stamp of Exchange was removed")


def _clock_verdict(check: str, came: Sequence[_Probe]) -> Iterator[Finding]:
    for probe in came[:1]:
        if probe.received_at is None or probe.sent_at is None:
            continue
        # Received between sending and now, unless a clock is wrong.
        early = probe.sent_at - probe.received_at
        late = probe.received_at - datetime.now(UTC)
        off = max(early, late)
        if off > CLOCK_TOLERANCE:
            direction = "behind" if early > late else "ahead of"
            message = f"the mail server's clock is {round(off.total_seconds())} s {direction} ours"
            yield Finding(check=check, state=State.PROBLEM, message=message, advice="set the clocks by NTP")
