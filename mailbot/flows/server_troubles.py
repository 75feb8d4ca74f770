"""What a server's answer means for the house's troubles: ``(Outlet, SendOutcome) -> TroubleNews | None``.

Pure but for what it remembers: as long as all is well there is nothing to write down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailbot.domain.exchange import NotReached, Refused, SendOutcome, Throttle
from mailbot.domain.troubles import TroubleKey, trouble_words
from mailbot.flows.outlets import Outlet

# One answer of "too fast" is how a provider paces us; only several in a row are for the administrator.
_WORTH_TELLING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleNews:
    """Troubles that began or go on, in words fit for monitors, and those that are over."""

    noted: Mapping[TroubleKey, str]
    over: frozenset[TroubleKey]


class ServerTroubles:
    """Which troubles of delivery are written down."""

    def __init__(self, outlets: Iterable[Outlet]) -> None:
        # A trouble noted by an earlier process is struck out by the first answer.
        self._written = {trouble for outlet in outlets for trouble in outlet.troubles}

    def news(self, outlet: Outlet, outcome: SendOutcome, *, throttles: int) -> TroubleNews | None:
        """What is to be written down, ``None`` while all is well. ``throttles``: so many answers in a row told us
        that we are too fast."""
        away = _away(outlet, outcome)
        limited = {}
        if isinstance(outcome, Refused) and outcome.throttled is not None:
            if outcome.throttled is Throttle.RATE and throttles < _WORTH_TELLING:
                return None
            answer = f"{outcome.throttled}: {outcome.code} {outcome.response}"
            limited = {outlet.limit_reached: trouble_words(answer)}
        noted = away | limited
        # Who does not answer at all says nothing of the limit, nor of what we log in with.
        answered = {outlet.server_away} if away else set(outlet.troubles)
        over = frozenset((answered - noted.keys()) & self._written)
        return TroubleNews(noted=noted, over=over) if noted or over else None

    def are_written(self, news: TroubleNews) -> None:
        """What was written down need not be written again."""
        self._written |= news.noted.keys()
        self._written -= news.over


def _away(outlet: Outlet, outcome: SendOutcome) -> dict[TroubleKey, str]:
    if not isinstance(outcome, NotReached):
        return {}
    away = {outlet.server_away: trouble_words(outcome.reason, login_refused=outcome.credentials_refused)}
    if outcome.login_expired:
        away[outlet.login_over] = trouble_words(outcome.reason)
    return away
