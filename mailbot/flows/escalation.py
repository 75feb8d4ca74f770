"""ESCALATE. What mail itself cannot tell leaves by a command of the administrator's, and so does its end.

``look ─▶ symptoms ─▶ incidents ─▶ what is due ─▶ one notice``. Works without the database. The decisions are
:func:`symptoms_of`, :func:`noted` and :func:`due` (pure); the rest carries them out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from mailbot.domain.errors import AlertNotSent, StorageUnavailable
from mailbot.domain.events import LetterKind, LetterStatus
from mailbot.domain.incidents import Incident, IncidentKind, Notice, NoticeState
from mailbot.domain.troubles import Trouble
from mailbot.flows.ports import AlertChannel, AlertMemory, Clock, Storage
from mailbot.flows.pulse import Pulse

_log = structlog.get_logger("mailbot.alert")

HOUSE_ANSWER_SECONDS = 30.0
"""How long the database may think about :meth:`HouseLook.look`; then it counts as away."""

_LOOK_SECONDS = 30.0
_LOOP = "escalation"
# A log-in that is refused once may be the server's bad moment; nobody mends a password by waiting.
_LOGIN_REFUSED_AFTER = timedelta(minutes=2)
_AGAIN_AFTER = timedelta(hours=6)
# What comes and goes is told once an hour at most.
_SAME_AT_MOST_EVERY = timedelta(hours=1)
_FAILED_ALERTS_COUNT_FOR = timedelta(days=1)
_FAILED_COMMAND_RETRY_SECONDS = 300.0
# Greylisting, a server's bad hour and a rush are over by then.
_WAITS_TOO_LONG = timedelta(hours=1)

_FROM_DATABASE = frozenset(
    {
        IncidentKind.SERVER_AWAY,
        IncidentKind.LOGIN_REFUSED,
        IncidentKind.PROVIDER_LIMIT,
        IncidentKind.ALERT_NOT_SENT,
        IncidentKind.QUARANTINE,
        IncidentKind.LETTERS_STUCK,
        IncidentKind.LETTERS_WAIT,
        IncidentKind.MAILS_WAIT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseSight:
    """What the database tells. The counts are those of which no alert letter tells."""

    troubles: tuple[Trouble, ...] = ()
    alerts_not_sent: tuple[LetterKind, ...] = ()
    quarantined: int = 0
    letters_stuck: int = 0
    letters_wait: tuple[str, ...] = ()
    """Mailboxes whose letters nobody takes, though nothing else tells why."""
    mails_wait: tuple[str, ...] = ()
    """Mailboxes whose mails intake does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is seen at one look; ``house`` is ``None`` while the database does not take part."""

    house: HouseSight | None
    disk_free_bytes: int
    low_disk_bytes: int
    hanging: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """Something wrong that is seen now; it is told if it lasts for ``after``."""

    kind: IncidentKind
    text: str
    after: timedelta
    about: str = ""


def symptoms_of(sight: Sight, after: timedelta) -> list[Symptom]:
    """What is wrong. ``after`` is how long servers and database may be away before it is told."""
    found = []
    if sight.hanging:
        text = f"these loops hang: {', '.join(sight.hanging)}"
        found.append(Symptom(kind=IncidentKind.LOOP_HANGS, text=text, after=timedelta()))
    if sight.disk_free_bytes < sight.low_disk_bytes:
        text = f"only {sight.disk_free_bytes // 1_000_000} MB of disk space are left for mails"
        found.append(Symptom(kind=IncidentKind.DISK_LOW, text=text, after=timedelta()))
    if sight.house is None:
        text = "the database does not take part: mail is neither collected nor answered"
        found.append(Symptom(kind=IncidentKind.DATABASE_AWAY, text=text, after=after))
        return found
    # Of a log-in that will end only some day mail itself tells in time.
    troubles = [trouble for trouble in sight.house.troubles if not trouble.is_coming_expiry]
    return (
        found
        + [_of_server(trouble, after) for trouble in troubles]
        + _of_letters(sight.house)
        + _of_waiting(sight.house, after)
    )


def _of_server(trouble: Trouble, after: timedelta) -> Symptom:
    about = str(trouble.key)
    if trouble.is_login_over:
        text, kind = f"what we log in with has come to its end: {about}", IncidentKind.LOGIN_REFUSED
        return Symptom(kind=kind, about=about, text=text, after=timedelta())
    if trouble.is_login_refused:
        text, kind = f"the server refuses our log-in: {about}", IncidentKind.LOGIN_REFUSED
        return Symptom(kind=kind, about=about, text=text, after=min(after, _LOGIN_REFUSED_AFTER))
    if trouble.is_limit:
        text, kind = f"the provider holds our letters to a limit: {about}", IncidentKind.PROVIDER_LIMIT
        return Symptom(kind=kind, about=about, text=text, after=after)
    text, kind = f"the server does not answer: {about}", IncidentKind.SERVER_AWAY
    return Symptom(kind=kind, about=about, text=text, after=after)


def _of_letters(house: HouseSight) -> list[Symptom]:
    found = []
    if house.alerts_not_sent:
        kinds = ", ".join(sorted(house.alerts_not_sent))
        text = f"alert letters to the administrator do not leave: {kinds}"
        found.append(Symptom(kind=IncidentKind.ALERT_NOT_SENT, text=text, after=timedelta()))
    if house.quarantined:
        text = f"{house.quarantined} mails in quarantine: see `mailbot mails list --outcome quarantined`"
        found.append(Symptom(kind=IncidentKind.QUARANTINE, text=text, after=timedelta()))
    if house.letters_stuck:
        text = f"{house.letters_stuck} letters need a person: see `mailbot outbox list --status needs_person`"
        found.append(Symptom(kind=IncidentKind.LETTERS_STUCK, text=text, after=timedelta()))
    return found


def _of_waiting(house: HouseSight, after: timedelta) -> list[Symptom]:
    """After a standstill there is much to do: only what is not done then either is worth telling."""
    minutes = int(_WAITS_TOO_LONG.total_seconds() // 60)
    letters = f"no letter leaves, and the oldest has waited for more than {minutes} minutes"
    mails = f"the oldest mail has waited for more than {minutes} minutes to be processed"
    return [
        Symptom(kind=kind, about=mailbox, text=f"{text}: {mailbox}", after=after)
        for kind, text, mailboxes in (
            (IncidentKind.LETTERS_WAIT, letters, house.letters_wait),
            (IncidentKind.MAILS_WAIT, mails, house.mails_wait),
        )
        for mailbox in mailboxes
    ]


def noted(
    known: Iterable[Incident], symptoms: Sequence[Symptom], *, hidden: Collection[IncidentKind], now: datetime
) -> list[Incident]:
    """The incidents after this look. Of ``hidden`` kinds nothing can be seen: they stay as they were."""
    seen = {(symptom.kind, symptom.about): symptom for symptom in symptoms}
    after = []
    for incident in known:
        symptom = seen.pop(incident.key, None)
        if symptom is not None:
            after.append(replace(incident, text=symptom.text, since=incident.since or now))
        elif incident.kind in hidden:
            after.append(incident)
        elif incident.is_open or _is_fresh(incident, now):
            after.append(replace(incident, since=None))
    new = [Incident(kind=one.kind, about=one.about, text=one.text, since=now) for one in seen.values()]
    return after + new


def due(
    incidents: Iterable[Incident], symptoms: Sequence[Symptom], *, hidden: Collection[IncidentKind], now: datetime
) -> list[Incident]:
    """The incidents to be told now: those that last, and those that were told and are over."""
    waits = {(symptom.kind, symptom.about): symptom.after for symptom in symptoms}
    return [
        incident
        for incident in incidents
        if incident.kind not in hidden
        and (_is_over(incident) or _is_to_be_told(incident, waits.get(incident.key), now))
    ]


def _is_over(incident: Incident) -> bool:
    return incident.since is None and incident.is_open


def _is_to_be_told(incident: Incident, after: timedelta | None, now: datetime) -> bool:
    if incident.since is None or after is None or now - incident.since < after:
        return False
    every = _AGAIN_AFTER if incident.is_open else _SAME_AT_MOST_EVERY
    return incident.told_at is None or now - incident.told_at >= every


def _is_fresh(incident: Incident, now: datetime) -> bool:
    return incident.told_at is not None and now - incident.told_at < _SAME_AT_MOST_EVERY


def notice_of(told: Sequence[Incident], now: datetime) -> Notice:
    """One notice for all that is due; alarms first."""
    alarms = [incident for incident in told if incident.since is not None]
    over = [incident for incident in told if incident.since is None]
    first = (alarms or over)[0]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    state = NoticeState.ALARM if alarms else NoticeState.RECOVERED
    return Notice(
        state=state,
        subject=f"{'' if alarms else 'over: '}{first.text}{more}",
        lines=(
            *(f"ALARM: {one.text} ({_how_long(one, now)})" for one in alarms),
            *(f"OVER: {one.text}" for one in over),
        ),
    )


def _how_long(incident: Incident, now: datetime) -> str:
    since = incident.since or now
    minutes = int((now - since).total_seconds() // 60)
    return f"since {since.isoformat(timespec='seconds')}, {minutes} min"


class Escalation:
    """Looks, and tells by the command. Used by one thread; several daemons with one memory tell once."""

    def __init__(
        self,
        *,
        channel: AlertChannel,
        memory: AlertMemory,
        look_at: Callable[[], Sight],
        after: timedelta,
        pulse: Pulse,
    ) -> None:
        """``look_at`` never raises and never waits for long; ``after`` is how long servers may be away untold."""
        self._channel = channel
        self._memory = memory
        self._look_at = look_at
        self._after = after
        self._pulse = pulse
        self._not_before = 0.0

    def run(self, end: threading.Event) -> None:
        """Look until ``end``."""
        while not end.is_set():
            self._pulse.promise(_LOOP, after_seconds=_LOOK_SECONDS)
            self.look()
            end.wait(_LOOK_SECONDS)
        self._pulse.end(_LOOP)

    def look(self) -> None:
        """Look once, tell what is due, remember it. Never raises."""
        sight = self._look_at()
        symptoms = symptoms_of(sight, self._after)
        hidden = frozenset() if sight.house is not None else _FROM_DATABASE
        with self._memory.held() as remembered:
            now = datetime.now(UTC)
            incidents = noted(remembered.incidents, symptoms, hidden=hidden, now=now)
            to_tell = due(incidents, symptoms, hidden=hidden, now=now)
            if to_tell and self._tell(to_tell, now):
                keys = {incident.key for incident in to_tell}
                incidents = [_as_told(one, now) if one.key in keys else one for one in incidents]
            remembered.incidents = incidents

    def _tell(self, told: Sequence[Incident], now: datetime) -> bool:
        if time.monotonic() < self._not_before:
            return False
        kinds = sorted({incident.kind.value for incident in told})
        notice = notice_of(told, now)
        try:
            self._channel.tell(notice)
        except AlertNotSent as error:
            self._not_before = time.monotonic() + _FAILED_COMMAND_RETRY_SECONDS
            _log.error("alert command failed", action="alert.command_failed", kinds=kinds, error=str(error))
            return False
        _log.warning("told by command", action="alert.told", kinds=kinds, state=notice.state.value)
        return True


def _as_told(incident: Incident, now: datetime) -> Incident:
    if incident.since is None:
        return replace(incident, is_open=False)
    return replace(incident, is_open=True, told_at=now)


class HouseLook:
    """What :class:`Escalation` looks at."""

    def __init__(
        self,
        *,
        storage: Callable[[], Storage],
        mailboxes: Collection[str],
        tells_by_letter: bool,
        after: timedelta,
        clock: Clock,
    ) -> None:
        """``storage`` may raise ``StorageUnavailable`` itself: a database that is away cannot be opened either.

        ``tells_by_letter``: an administrator's address is set, so that letters tell of quarantine.
        """
        self._storage = storage
        self._mailboxes = mailboxes
        self._tells_by_letter = tells_by_letter
        self._after = after
        self._clock = clock

    def look(self) -> HouseSight | None:
        """``None`` if the database does not take part; asked for a write, for reading may go on without."""
        now = self._clock.now()
        try:
            with self._storage().write() as work:
                troubles = work.house.troubles()
                unsent = work.outbox.alerts_not_sent(
                    written_before=now - self._after, failed_since=now - _FAILED_ALERTS_COUNT_FOR
                )
                # Letters go by the business clock, mails by the real one.
                letters_wait = work.outbox.not_leaving(since=now - _WAITS_TOO_LONG)
                mails_wait = work.mails.not_taken(since=datetime.now(UTC) - _WAITS_TOO_LONG)
                counts = (0, 0)
                if not self._tells_by_letter:
                    counts = (work.mails.count_quarantined(), work.outbox.count_status(LetterStatus.NEEDS_PERSON))
        except StorageUnavailable:
            return None
        away = tuple(one for one in troubles if one.mailbox in self._mailboxes)
        # Of these it is told why nothing leaves.
        explained = {one.mailbox for one in away if one.keeps_letters}
        return HouseSight(
            troubles=away,
            # Of a server that is away the command tells anyway.
            alerts_not_sent=tuple(kind for kind in unsent if not (away and kind is LetterKind.ALERT_SERVER_AWAY)),
            quarantined=counts[0],
            letters_stuck=counts[1],
            letters_wait=tuple(sorted((letters_wait & set(self._mailboxes)) - explained)),
            mails_wait=tuple(sorted(mails_wait & set(self._mailboxes))),
        )
