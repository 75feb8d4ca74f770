"""``mailbot health``: is everything on the move? For monitors; asks the database only, no mail server."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mailbot.cli.listing import Json
from mailbot.cli.output import Exit, own_errors, print_json, say

if TYPE_CHECKING:
    from mailbot.bootstrap import App
    from mailbot.domain.troubles import Trouble
    from mailbot.flows.ports import UnitOfWork

# The daemon looks at each folder every 9 minutes at the latest (IDLE is re-issued within them).
_COLLECT_MINUTES: Final = 20
_MAIL_MINUTES: Final = 15
_LETTER_MINUTES: Final = 60
# Monitors wait ten seconds, as a rule.
_ANSWER_SECONDS: Final = 8.0

_MINUTES_AT_LEAST: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when on something is a problem."""

    collect: timedelta = timedelta(minutes=_COLLECT_MINUTES)
    mail: timedelta = timedelta(minutes=_MAIL_MINUTES)
    letter: timedelta = timedelta(minutes=_LETTER_MINUTES)
    quarantined: int = 0


@dataclass(slots=True, kw_only=True)
class Health:
    """What ``health --json`` prints. ``last_collect_at`` is that of the folder that was looked at longest ago."""

    last_collect_at: datetime | None = None
    oldest_pending_mail_at: datetime | None = None
    oldest_pending_letter_at: datetime | None = None
    quarantined: int = 0
    needs_person: int = 0
    disk_free_bytes: int = 0
    problems: list[str]


def health(
    max_collect_age: Annotated[
        int, typer.Option(metavar="MINUTES", min=_MINUTES_AT_LEAST, help="Since a folder was last looked into.")
    ] = _COLLECT_MINUTES,
    max_mail_age: Annotated[
        int, typer.Option(metavar="MINUTES", min=_MINUTES_AT_LEAST, help="Of the oldest mail that waits.")
    ] = _MAIL_MINUTES,
    max_letter_age: Annotated[
        int, typer.Option(metavar="MINUTES", min=_MINUTES_AT_LEAST, help="Of the oldest letter that waits.")
    ] = _LETTER_MINUTES,
    max_quarantined: Annotated[
        int, typer.Option(metavar="COUNT", min=0, help="Mails in quarantine that are nothing new.")
    ] = 0,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="How long the database is waited for.")
    ] = _ANSWER_SECONDS,
    monitor: Annotated[
        bool, typer.Option("--monitor", help="One line with figures, as Nagios and its like read it.")
    ] = False,
    json: Json = False,
) -> None:
    """Say whether mail comes in, is processed, and leaves. For monitors.

    Ends with 0 if all is well, 1 if something needs a look (late mail or letters, quarantine, little disk
    space), 3 if the database or a mail server cannot be reached.
    """
    from mailbot.cli.context import wired_app

    limits = Limits(
        collect=timedelta(minutes=max_collect_age),
        mail=timedelta(minutes=max_mail_age),
        letter=timedelta(minutes=max_letter_age),
        quarantined=max_quarantined,
    )
    with own_errors():
        app = wired_app()
        try:
            found, code = _examined_within(timeout, app, limits)
            now = app.clock.now()
        finally:
            app.close()
    if json:
        print_json(asdict(found))
    elif monitor:
        say(_monitor_line(found, code, limits, now))
    else:
        _show(found)
    raise typer.Exit(code)


def _examined_within(seconds: float, app: App, limits: Limits) -> tuple[Health, Exit]:
    """A database or a disk that hangs must not make the monitor wait: that is the answer, then."""
    answers: SimpleQueue[tuple[Health, Exit] | Exception] = SimpleQueue()

    def examine() -> None:
        try:
            answers.put(_examined(app, limits))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=examine, name="health", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        return Health(problems=[f"no answer from the database or the disk within {seconds:g} s"]), Exit.UNREACHABLE
    if isinstance(answer, Exception):
        raise answer
    return answer


def _examined(app: App, limits: Limits) -> tuple[Health, Exit]:
    from mailbot.adapters.disk import LOW_DISK_BYTES, free_bytes, readable_bytes
    from mailbot.adapters.storage.unit_of_work import SqlStorage
    from mailbot.cli.database import NoDatabaseYet, OtherSchema, existing_database
    from mailbot.domain.errors import StorageUnavailable

    found = Health(disk_free_bytes=free_bytes(app.settings.data_dir), problems=[])
    away = False
    try:
        database = existing_database(app.settings)
        try:
            with SqlStorage(database).read() as work:
                away = _look(app, work, found, limits)
        finally:
            database.close()
    except NoDatabaseYet:
        found.problems.append("there is no database yet: the daemon has never run here")
    except OtherSchema as error:
        found.problems.append(f"{error}: run `mailbot db upgrade` or the right version")
    except StorageUnavailable as error:
        away = True
        found.problems.append(str(error))
    if found.disk_free_bytes < LOW_DISK_BYTES:
        found.problems.append(f"only {readable_bytes(found.disk_free_bytes)} of disk space are left")
    if away:
        return found, Exit.UNREACHABLE
    return found, Exit.NEEDS_A_LOOK if found.problems else Exit.DONE


def _look(app: App, work: UnitOfWork, found: Health, limits: Limits) -> bool:
    """Fill in what the database tells; true if a server is known to be away."""
    from mailbot.domain.events import LetterStatus

    _look_at_folders(app, work, found, limits)
    found.oldest_pending_mail_at = work.mails.oldest_pending()
    found.oldest_pending_letter_at = work.outbox.oldest_waiting()
    found.quarantined = work.mails.count_quarantined()
    found.needs_person = work.outbox.count_status(LetterStatus.NEEDS_PERSON)
    now = app.clock.now()
    for what, since, limit in (
        ("mail", found.oldest_pending_mail_at, limits.mail),
        ("letter", found.oldest_pending_letter_at, limits.letter),
    ):
        if since is not None and now - since > limit:
            found.problems.append(f"the oldest pending {what} has waited {_readable(now - since)}")
    if found.quarantined > limits.quarantined:
        found.problems.append(f"{found.quarantined} mails in quarantine: see `mailbot mails list`")
    if found.needs_person:
        found.problems.append(f"{found.needs_person} letters need a person: see `mailbot outbox list`")
    for key in app.mailboxes:
        failed = work.sent.failed_copies(key)
        if failed.count:
            found.problems.append(
                f"{failed.count} letters are not in the Sent folder of {key}: {failed.last_error}"
            )
    troubles = []
    for trouble in work.house.troubles():
        if trouble.is_coming_expiry:
            found.problems.append(trouble.error)
            continue
        troubles.append(trouble)
        if trouble.is_login_over:
            found.problems.append(f"the log-in has expired: {trouble.error}")
            continue
        moment = trouble.since.isoformat(timespec="seconds")
        what = _what_ails(trouble)
        found.problems.append(f"{trouble.key} {what} since {moment}: {trouble.error}")
    return any(not trouble.is_limit for trouble in troubles)


def _what_ails(trouble: Trouble) -> str:
    if trouble.is_limit:
        return "holds letters back"
    return "refuses our log-in" if trouble.is_login_refused else "does not answer"


def _look_at_folders(app: App, work: UnitOfWork, found: Health, limits: Limits) -> None:
    """Folders are remembered in real time, whatever the business clock says."""
    collected: list[datetime] = []
    for plan, _ in app.plans():
        memory = work.house.folder(plan.mailbox, plan.folder)
        name = f"{plan.mailbox}/{plan.folder}"
        if memory is None or memory.last_collect_at is None:
            found.problems.append(f"{name} was never collected")
            continue
        collected.append(memory.last_collect_at)
        waited = datetime.now(UTC) - memory.last_collect_at
        if waited > limits.collect:
            found.problems.append(f"{name} was last collected {_readable(waited)} ago: does the daemon run?")
    found.last_collect_at = min(collected, default=None)


def _readable(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"


def _monitor_line(found: Health, code: Exit, limits: Limits, now: datetime) -> str:
    """``MAILBOT OK - … | name=value;limit …``, the form of the Monitoring Plugins' guidelines."""
    word = {Exit.DONE: "OK", Exit.NEEDS_A_LOOK: "WARNING"}.get(code, "UNREACHABLE")
    said = "; ".join(found.problems) or "mail comes in, is processed, and leaves"
    # A bar would end the text.
    said = " ".join(said.replace("|", "/").split())
    ages = (
        ("collect_age", found.last_collect_at, datetime.now(UTC), limits.collect),
        ("mail_age", found.oldest_pending_mail_at, now, limits.mail),
        ("letter_age", found.oldest_pending_letter_at, now, limits.letter),
    )
    figures = [
        *(f"{name}={_age_seconds(since, at)}s;{limit.total_seconds():.0f}" for name, since, at, limit in ages),
        f"quarantined={found.quarantined};{limits.quarantined}",
        f"needs_person={found.needs_person};0",
        f"disk_free={found.disk_free_bytes}B",
    ]
    return f"MAILBOT {word} - {said} | {' '.join(figures)}"


def _age_seconds(since: datetime | None, now: datetime) -> int:
    return 0 if since is None else max(0, int((now - since).total_seconds()))


def _show(found: Health) -> None:
    from mailbot.adapters.disk import readable_bytes

    for label, value in (
        ("last collect", found.last_collect_at or "never"),
        ("oldest pending mail", found.oldest_pending_mail_at or "none"),
        ("oldest pending letter", found.oldest_pending_letter_at or "none"),
        ("in quarantine", found.quarantined),
        ("letters for a person", found.needs_person),
        ("disk free", readable_bytes(found.disk_free_bytes)),
    ):
        shown = value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
        say(f"{label:<22} {shown}")
    for problem in found.problems:
        say(f"problem: {problem}")
    if not found.problems:
        say("all is well")
