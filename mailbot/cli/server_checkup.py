"""What ``mailbot doctor`` tries at the mail servers: log-in, folders, the way out, who vouches for senders."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, assert_never

from mailbot.cli.checkup import Finding, State
from mailbot.domain.errors import (
    ConfigurationError,
    CredentialsRefused,
    ServerAway,
    StorageUnavailable,
    UnreadableMail,
)
from mailbot.domain.exchange import Delivered, Envelope, NotReached, OutcomeUnknown, Refused, SendOutcome

if TYPE_CHECKING:
    from mailbot.adapters.smtp import SmtpTransport
    from mailbot.bootstrap import App, Connection
    from mailbot.catalogue.load import Catalogue
    from mailbot.domain.mail import FetchedMail, InboundMail
    from mailbot.flows.ports import MailSource
    from mailbot.settings import Settings

CLOCK_TOLERANCE = timedelta(minutes=2)
_NEWEST_MAILS = 20
_UIDS_TO_LOOK_AT = 50


def check_switched_off(settings: Settings, catalogue: Catalogue) -> Iterator[Finding]:
    """Mailboxes whose variables are not all set."""
    from mailbot.bootstrap import switched_off

    for spec, missing in switched_off(settings, catalogue):
        message = f"switched off, not set: {', '.join(missing)}"
        yield Finding(check=f"mailbox {spec.key}", state=State.NOTE, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What was seen of a mailbox on its server."""

    findings: tuple[Finding, ...]
    newest: tuple[FetchedMail, ...] = ()


def check_incoming(app: App, connection: Connection) -> Incoming:
    """Log in, select every folder, and fetch the headers of the newest mails."""
    from mailbot.bootstrap import source_of

    findings: list[Finding] = []
    newest: list[FetchedMail] = []
    for plan, planned in app.plans():
        if planned is not connection:
            continue
        name = f"{plan.mailbox}/{plan.folder}"
        source = source_of(connection, plan.folder)
        try:
            state = source.open()
            newest.extend(_newest(source, state.uid_next))
            findings.append(Finding(check=f"incoming {name}", state=State.OK, message=_where(connection)))
        except (ServerAway, StorageUnavailable) as error:
            findings.append(_away(f"incoming {name}", error, connection.mailbox.spec.imap_url_env))
        finally:
            source.close()
    return Incoming(findings=tuple(findings), newest=tuple(newest))


def _newest(source: MailSource, uid_next: int) -> list[FetchedMail]:
    entries = source.list_mails(max(1, uid_next - _UIDS_TO_LOOK_AT))[-_NEWEST_MAILS:]
    return source.fetch([entry.uid for entry in entries], header_only=True)


def _where(connection: Connection) -> str:
    if connection.imap is None:
        return f"Maildir {connection.maildir}"
    return f"{connection.imap.host}:{connection.imap.port}, logged in, folder selected"


def _away(check: str, error: ServerAway, variable: str) -> Finding:
    if isinstance(error, CredentialsRefused):
        advice = f"check user name and password in {variable}; some providers want an app password"
    else:
        advice = f"check {variable} and the network; the daemon keeps trying and loses nothing"
    return Finding(check=check, state=State.UNREACHABLE, message=str(error), advice=advice)


# --- outgoing ------------------------------------------------------------------------------------------------


class _FarEnough(Exception):
    """Raised where the letter itself would be sent: nothing leaves."""


def check_outgoing(connection: Connection) -> list[Finding]:
    """Connect, say EHLO, log in, and name ourselves as sender and recipient; no mail is sent."""
    return asyncio.run(_check_outgoing(connection))


async def _check_outgoing(connection: Connection) -> list[Finding]:
    from mailbot.adapters.smtp import SmtpTransport

    mailbox, smtp = connection.mailbox, connection.smtp
    check, variable = f"outgoing {mailbox.key}", mailbox.spec.smtp_url_env
    transport = SmtpTransport(smtp, max_connections=1)
    try:
        findings = [
            _tried(
                check,
                variable,
                f"{smtp.host}:{smtp.port}",
                await _try(transport, mailbox.address, mailbox.address),
            )
        ]
        if mailbox.spec.null_sender and findings[0].state is State.OK:
            findings.append(_null_sender(check, await _try(transport, "", mailbox.address)))
    finally:
        await transport.close()
    return findings


async def _try(transport: SmtpTransport, sender: str, recipient: str) -> SendOutcome | None:
    """``None`` if the server would take a letter."""

    async def stop() -> None:
        raise _FarEnough

    try:
        return await transport.send(Envelope(sender=sender, recipient=recipient, message=b"\r\n"), stop)
    except _FarEnough:
        return None


def _tried(check: str, variable: str, place: str, outcome: SendOutcome | None) -> Finding:
    match outcome:
        case None | Delivered() | OutcomeUnknown():
            return Finding(check=check, state=State.OK, message=f"{place}, logged in, takes our address as sender")
        case NotReached():
            error: type[ServerAway] = CredentialsRefused if outcome.credentials_refused else ServerAway
            return _away(check, error(f"{place}: {outcome.reason}"), variable)
        case Refused():
            return Finding(
                check=check,
                state=State.PROBLEM,
                message=f"{place} refuses our own address: {outcome.code} {outcome.response}",
                advice="may this user send as MAILBOT_ADDRESS? Is the address spelled right?",
            )
        case _:
            assert_never(outcome)


def _null_sender(check: str, outcome: SendOutcome | None) -> Finding:
    if isinstance(outcome, Refused):
        message = f"does not take the null sender ({outcome.code}); letters go with the mailbox's address"
        return Finding(check=check, state=State.PROBLEM, message=message, advice="set null_sender: false")
    return Finding(check=check, state=State.OK, message="takes the null sender")


# --- who vouches for senders ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthservIds:
    """Under which authserv-ids the newest mails of a mailbox carry ``Authentication-Results``.

    ``counts`` are (id, mails), most frequent first, of the topmost field of each mail: our own server writes
    above what was there. ``proposed`` is the one that is likely ours; ``configured`` what the settings say.
    """

    mailbox: str
    configured: str
    mails: int
    counts: tuple[tuple[str, int], ...] = ()

    @property
    def proposed(self) -> str | None:
        """The id that stands on top of most of the newest mails."""
        if not self.counts:
            return None
        best, count = self.counts[0]
        return best if count * 2 > self.mails else None


def authserv_ids(app: App, connection: Connection, newest: Sequence[FetchedMail]) -> AuthservIds:
    """Ids on the newest mails in the mailbox and on those that are stored already."""
    mails = [
        mail
        for raw in (*(one.raw for one in newest), *_stored(app, connection.mailbox.key))
        if (mail := _header_of(app, raw))
    ]
    counts = Counter(ids[0] for mail in mails if (ids := ids_on(mail)))
    return AuthservIds(
        mailbox=connection.mailbox.key,
        configured=connection.mailbox.profile.authserv_id,
        mails=len(mails),
        counts=tuple(counts.most_common(10)),
    )


def _stored(app: App, mailbox: str) -> Iterator[bytes]:
    from mailbot.adapters.storage.unit_of_work import SqlStorage
    from mailbot.cli.database import NoDatabaseYet, OtherSchema, existing_database

    if app.settings.secret_key is None:
        return
    try:
        database = existing_database(app.settings)
        try:
            with SqlStorage(database).read() as work:
                rows = work.mails.browse(limit=_NEWEST_MAILS)
        finally:
            database.close()
        for row in rows:
            if row.mailbox == mailbox:
                yield app.blobs.get(row.raw_digest)
    except (ConfigurationError, NoDatabaseYet, OtherSchema, StorageUnavailable, UnreadableMail):
        # The checks of database, key and files say it.
        return


def _header_of(app: App, raw: bytes) -> InboundMail | None:
    from mailbot.mime.structure import header_only

    try:
        return app.reader.read(header_only(raw))
    except UnreadableMail:
        return None


def ids_on(mail: InboundMail) -> list[str]:
    """The authserv-ids of a mail's ``Authentication-Results``, topmost first (RFC 8601 §2.2)."""
    words = (value.partition(";")[0].split() for value in mail.authentication_results)
    return [found[0] for found in words if found]


def check_authserv_id(ids: AuthservIds) -> Finding:
    """Is there an id, and does it stand on the mails?"""
    check = f"senders {ids.mailbox}"
    seen = ", ".join(f"{one} ({count} of {ids.mails} newest mails)" for one, count in ids.counts) or "none"
    if not ids.configured:
        if ids.proposed:
            advice = f"likely MAILBOT_AUTHSERV_ID={ids.proposed}; --probe tries whether it can be forged"
        else:
            advice = "set MAILBOT_AUTHSERV_ID to what your receiving server writes in Authentication-Results"
        return Finding(
            check=check,
            state=State.PROBLEM,
            message=f"no authserv-id is set, so nobody is verified and agents' # words are refused; seen: {seen}",
            advice=advice,
        )
    if ids.configured in dict(ids.counts):
        return Finding(
            check=check, state=State.OK, message=f"{ids.configured} stands on the newest mails; seen: {seen}"
        )
    if not ids.mails:
        return Finding(
            check=check, state=State.NOTE, message=f"{ids.configured}: no mail to compare with; try --probe"
        )
    return Finding(
        check=check,
        state=State.PROBLEM,
        message=f"{ids.configured} stands on none of the {ids.mails} newest mails; seen: {seen}",
        advice=f"likely MAILBOT_AUTHSERV_ID={ids.proposed}"
        if ids.proposed
        else "does the server check mail at all?",
    )


# --- clock ---------------------------------------------------------------------------------------------------


def check_clock(
    received: Iterable[datetime], *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Finding:
    """A mail that was received in the future shows that our clock is behind its server's."""
    here = now()
    newest = max(received, default=None)
    if newest is not None and newest - here > CLOCK_TOLERANCE:
        minutes = round((newest - here).total_seconds() / 60)
        message = f"this machine is {minutes} minutes behind the mail server"
        return Finding(check="clock", state=State.PROBLEM, message=message, advice="set the clock by NTP")
    return Finding(check="clock", state=State.OK, message=here.strftime("%Y-%m-%d %H:%M:%S UTC"))
