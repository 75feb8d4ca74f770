"""What ``mailbot doctor`` tries at the mail servers: log-in, folders, the way out, who vouches for senders."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, assert_never

from mailbot.cli.checkup import Finding, State
from mailbot.cli.login_checkup import sending_advice, server_advice
from mailbot.domain.errors import (
    ConfigurationError,
    CredentialsRefused,
    FolderMissing,
    ServerAway,
    ServerThrottles,
    StorageUnavailable,
    UnreadableMail,
)
from mailbot.domain.exchange import (
    Delivered,
    Envelope,
    FolderState,
    NotReached,
    OutcomeUnknown,
    Refused,
    SendOutcome,
)
from mailbot.triage.authentication import ExchangeStamp, exchange_stamp, is_host_of

if TYPE_CHECKING:
    from mailbot.adapters.smtp import SmtpTransport
    from mailbot.bootstrap import App
    from mailbot.catalogue.load import Catalogue
    from mailbot.connections import Connection
    from mailbot.domain.mail import FetchedMail, InboundMail
    from mailbot.flows.ports import MailSource
    from mailbot.settings import Settings

CLOCK_TOLERANCE = timedelta(minutes=2)
_NEWEST_MAILS = 20
_UIDS_TO_LOOK_AT = 50


def check_switched_off(settings: Settings, catalogue: Catalogue) -> Iterator[Finding]:
    """Mailboxes whose variables are not all set."""
    from mailbot.connections import switched_off

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
    from mailbot.connections import source_of

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
            findings.extend(_settling(f"incoming {name}", connection, state))
        except (ServerAway, StorageUnavailable) as error:
            findings.append(_away(f"incoming {name}", error, connection, "IMAP"))
        finally:
            source.close()
    return Incoming(findings=tuple(findings), newest=tuple(newest))


def _settling(check: str, connection: Connection, state: FolderState) -> Iterator[Finding]:
    """A problem where mails cannot be marked as taken in the way that is configured."""
    from mailbot.catalogue.mailboxes import SettleMode

    if connection.mailbox.spec.settle is SettleMode.KEYWORD and not state.keeps_keywords:
        yield Finding(
            check=check,
            state=State.PROBLEM,
            message="settle is keyword, and this server keeps no keyword of ours: taken mails stay unmarked",
            advice="set settle: move; or settle: none, if every mail should stay as it came (our own records keep "
            "it from being read twice)",
        )


def _newest(source: MailSource, uid_next: int) -> list[FetchedMail]:
    entries = source.list_mails(max(1, uid_next - _UIDS_TO_LOOK_AT))[-_NEWEST_MAILS:]
    return source.fetch([entry.uid for entry in entries], header_only=True)


def _where(connection: Connection) -> str:
    if connection.imap is None:
        return f"Maildir {connection.maildir}"
    return f"{connection.imap.host}:{connection.imap.port}, logged in, folder selected"


def _away(check: str, error: ServerAway, connection: Connection, protocol: str) -> Finding:
    spec = connection.mailbox.spec
    variable = spec.imap_url_env if protocol == "IMAP" else spec.smtp_url_env
    by_token = server_advice(connection, protocol, error)
    if by_token is not None:
        advice = by_token
    elif isinstance(error, CredentialsRefused):
        advice = f"check user name and password in {variable}; some providers want an app password"
    elif isinstance(error, ServerThrottles):
        advice = "the server holds us back for a while, and nothing is lost; if it goes on: do other programs use "
        advice += "this mailbox, and may this user or application open it?"
    else:
        advice = f"check {variable} and the network; the daemon keeps trying and loses nothing"
    return Finding(check=check, state=State.UNREACHABLE, message=str(error), advice=advice)


# --- the provider's limits --------------------------------------------------------------------------------------


def check_provider(connection: Connection) -> Iterator[Finding]:
    """Which provider's habits are expected, and whether the configuration asks for more than it allows."""
    mailbox = connection.mailbox
    provider, spec = mailbox.provider, mailbox.spec
    check = f"provider {mailbox.key}"
    limits = [
        text
        for figure, text in (
            (provider.smtp_connections, f"{provider.smtp_connections} connections for sending"),
            (provider.imap_connections, f"{provider.imap_connections} for reading"),
            (provider.letters_per_minute, f"{provider.letters_per_minute} letters a minute"),
            (provider.letters_per_day, f"{provider.letters_per_day} a day"),
        )
        if figure is not None
    ]
    known = f"{provider.name}: at most {', '.join(limits)}" if limits else f"{provider.name}: no limits are known"
    yield Finding(check=check, state=State.OK, message=known)
    folders = len(spec.folders)
    for name, stated, allowed in (
        ("max_connections", spec.max_connections, provider.smtp_connections),
        ("max_per_minute", spec.max_per_minute, provider.letters_per_minute),
        ("folders", folders, provider.imap_connections),
    ):
        if stated is not None and allowed is not None and stated > allowed:
            message = f"{name} asks for {stated}, and {provider.name} allows {allowed}"
            advice = f"set {name} to {allowed} at most in mailboxes.yaml: what goes beyond is refused or delayed"
            yield Finding(check=check, state=State.PROBLEM, message=message, advice=advice)


# --- the Sent folder -----------------------------------------------------------------------------------------


def check_sent_folder(app: App, connection: Connection) -> list[Finding]:
    """Is there a Sent folder, is it watched, who saves our letters there, and could they be saved?"""
    from mailbot.connections import sent_folder_of

    spec = connection.mailbox.spec
    check = f"sent folder {spec.key}"
    if not (spec.watches_sent_folder or connection.saves_copies):
        message = f"not watched; {_who_saves(connection)}"
        return [Finding(check=check, state=State.NOTE, message=message)]
    folder = sent_folder_of(connection)
    try:
        folder.open()
        watched = "is watched" if spec.watches_sent_folder else "is not watched"
        message = f"{folder.name} {watched}; {_who_saves(connection)}"
        findings = [Finding(check=check, state=State.OK, message=message)]
    except FolderMissing as error:
        findings = [_no_sent_folder(check, connection, error)]
    except (ServerAway, StorageUnavailable) as error:
        findings = [_away(check, error, connection, "IMAP")]
    finally:
        folder.close()
    return [*findings, *_failed_copies(app, check, spec.key)]


def _who_saves(connection: Connection) -> str:
    if connection.saves_copies:
        return "our letters are saved there"
    mailbox = connection.mailbox
    if mailbox.spec.save_sent == "auto" and mailbox.provider.saves_sent:
        return f"{mailbox.provider.name} saves what it sends"
    return "our letters are not saved"


def _no_sent_folder(check: str, connection: Connection, error: FolderMissing) -> Finding:
    """A folder that somebody named must be there; without one that the server names, nothing is watched."""
    spec = connection.mailbox.spec
    is_wanted = spec.sent_folder_name is not None or spec.save_sent == "always"
    likely = f"; likely {', '.join(error.lookalikes)}" if error.lookalikes else ""
    return Finding(
        check=check,
        state=State.PROBLEM if is_wanted else State.NOTE,
        message=f"{error}: nobody sees what people write from the mailbox, and our letters are not saved",
        advice=f"set sent_folder in mailboxes.yaml to the folder's name{likely}",
    )


def _failed_copies(app: App, check: str, mailbox: str) -> list[Finding]:
    from mailbot.adapters.storage.unit_of_work import SqlStorage
    from mailbot.cli.database import NoDatabaseYet, OtherSchema, existing_database

    try:
        database = existing_database(app.settings)
        try:
            with SqlStorage(database).read() as work:
                failed = work.sent.failed_copies(mailbox)
        finally:
            database.close()
    except (NoDatabaseYet, OtherSchema, StorageUnavailable):
        # The check of the database says it.
        return []
    if not failed.count:
        return []
    return [
        Finding(
            check=check,
            state=State.PROBLEM,
            message=f"{failed.count} letters left and could not be saved there; last: {failed.last_error}",
            advice="is the mailbox full? The letters themselves are sent: see `mailbot outbox list`",
        )
    ]


# --- outgoing ------------------------------------------------------------------------------------------------


class _FarEnough(Exception):
    """Raised where the letter itself would be sent: nothing leaves."""


def check_outgoing(connection: Connection) -> list[Finding]:
    """Connect, say EHLO, log in, and name ourselves as sender and recipient; no mail is sent."""
    return asyncio.run(_check_outgoing(connection))


async def _check_outgoing(connection: Connection) -> list[Finding]:
    from mailbot.adapters.smtp import SmtpTransport
    from mailbot.catalogue.mailboxes import MailServerName

    mailbox, smtp = connection.mailbox, connection.smtp
    check = f"outgoing {mailbox.key}"
    transport = SmtpTransport(smtp, tokens=connection.tokens_at(MailServerName.SMTP), max_connections=1)
    try:
        findings = [
            _tried(
                check,
                connection,
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


def _tried(check: str, connection: Connection, place: str, outcome: SendOutcome | None) -> Finding:
    match outcome:
        case None | Delivered() | OutcomeUnknown():
            return Finding(check=check, state=State.OK, message=f"{place}, logged in, takes our address as sender")
        case NotReached():
            error: type[ServerAway] = CredentialsRefused if outcome.credentials_refused else ServerAway
            return _away(check, error(f"{place}: {outcome.reason}"), connection, "SMTP")
        case Refused():
            return Finding(
                check=check,
                state=State.PROBLEM,
                message=f"{place} refuses our own address: {outcome.code} {outcome.response}",
                advice=sending_advice(connection, outcome.response)
                or "may this user send as MAILBOT_ADDRESS? Is the address spelled right?",
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


def newest_headers(app: App, connection: Connection, newest: Sequence[FetchedMail]) -> list[InboundMail]:
    """The headers of the newest mails in the mailbox and of those that are stored already."""
    raws = (*(one.raw for one in newest), *_stored(app, connection.mailbox.key))
    return [mail for raw in raws if (mail := _header_of(app, raw))]


def authserv_ids(connection: Connection, mails: Sequence[InboundMail]) -> AuthservIds:
    """Ids on these mails."""
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
        app.open_storage()
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


def check_exchange(mailbox: str, received_by: str | None, mails: Sequence[InboundMail]) -> Finding:
    """Did the newest mails come through Exchange servers whose stamps may be believed, and through which?

    ``received_by`` is what the configuration says of them. Only what was seen here should stand there: on a
    mailbox to which mail comes by another way, anybody could write Exchange's stamps.
    """
    check = f"senders {mailbox}"
    stamps = [stamp for mail in mails if (stamp := exchange_stamp(mail))]
    seen = f"{len(stamps)} of {len(mails)} newest mails carry one stamp of Exchange"
    if received_by is None:
        return _unconfirmed(check, stamps, len(mails), seen)
    through = sum(
        is_host_of(one.received_by, received_by) and is_host_of(one.auth_source, received_by) for one in stamps
    )
    if through * 2 > len(mails):
        message = f"{through} of {len(mails)} newest mails came through {received_by} with one stamp of Exchange"
        return Finding(check=check, state=State.OK, message=message)
    if not mails:
        message = f"{received_by}: no mail to compare with; try --probe"
        return Finding(check=check, state=State.NOTE, message=message)
    return Finding(
        check=check,
        state=State.PROBLEM,
        message=f"only {through} of {len(mails)} newest mails came through {received_by}; {seen}",
        advice="does mail come another way by now? Without received_by doctor says what it sees",
    )


def _unconfirmed(check: str, stamps: Sequence[ExchangeStamp], mails: int, seen: str) -> Finding:
    proposed = _common_domain([host for one in stamps for host in (one.received_by, one.auth_source)])
    if proposed is not None and len(stamps) * 2 > mails:
        seen += f", all from {proposed}"
        advice = f"set received_by: {proposed} under authentication in mailboxes.yaml; --probe tries whether the "
        advice += "stamps can be forged"
    else:
        advice = "is this mailbox on Exchange, and does its mail come there first? Send it a mail and try again"
    message = f"Exchange is not confirmed, so nobody is verified and agents' # words are refused; {seen}"
    return Finding(check=check, state=State.PROBLEM, message=message, advice=advice)


_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})


def _common_domain(hosts: Sequence[str]) -> str | None:
    """The longest domain in which all hosts lie; ``None`` if it is one that anybody can have a host in."""
    common: list[str] = []
    for labels in zip(*(reversed(host.split(".")) for host in hosts), strict=False):
        if len(set(labels)) > 1:
            break
        common.insert(0, labels[0])
    if len(common) < 2 or (len(common) == 2 and common[0] in _SECOND_LEVEL):
        return None
    return ".".join(common)


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
