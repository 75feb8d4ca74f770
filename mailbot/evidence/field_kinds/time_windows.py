"""Times of the week in words → windows: *não posso às terças de manhã*, *segunda a sexta das 8 às 12* (R002-18).

They are kept as one line that reads back as itself: ``não pode: terça-feira, 06:00 às 12:00``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from mailbot.catalogue.folding import plain_lines
from mailbot.evidence.field_kinds.checked import Checked

_LONGEST_TEXT = 1000
_MOST_WINDOWS = 40

NO_RESTRICTION = "sem restrição"
"""How the answer is kept that any time will do."""

_DAYS = ("segunda", "terca", "quarta", "quinta", "sexta", "sabado", "domingo")
_DAY_NAMES = (
    "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo",
)  # fmt: skip
_EVERY_DAY = tuple(range(7))
_WORKING_DAYS = tuple(range(5))
_WEEKEND = (5, 6)

# Half days as people mean them; a restriction is rather too wide than too narrow.
_MORNING = (time(6), time(12))
_AFTERNOON = (time(12), time(18))
_EVENING = (time(18), time(22))
_LUNCH = (time(12), time(14))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """The same hours on some days of the week (0 is Monday); without ``start`` and ``end`` the whole day."""

    days: tuple[int, ...]
    start: time | None = None
    end: time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitTimes:
    """When somebody cannot be visited, and when they said that they can."""

    impossible: tuple[TimeWindow, ...] = ()
    possible: tuple[TimeWindow, ...] = ()


def rules_out(said_by_requester: str, local: datetime) -> bool:
    """Whether a visit that begins at ``local`` time falls into what :func:`time_windows` kept as impossible, or
    outside all that was kept as possible. Of two that disagree the one of fewer days counts: *todos os dias menos
    quarta*."""
    times = read_times(said_by_requester)
    if times is None:
        return False
    against = [len(one.days) for one in times.impossible if _holds(one, local)]
    suits = [len(one.days) for one in times.possible if _holds(one, local)]
    if against and suits:
        return min(against) <= min(suits)
    return bool(against) or (bool(times.possible) and not suits)


def _holds(window: TimeWindow, local: datetime) -> bool:
    if local.weekday() not in window.days:
        return False
    begins_after = window.start is None or window.start <= local.time()
    return begins_after and (window.end is None or local.time() < window.end)


def time_windows(raw: str) -> Checked:
    """The windows of ``raw`` on one line; bare ones are times at which a visit is *not* possible.

    ``not_times``; ``past_midnight`` for hours that end before they begin.
    """
    read = read_times(raw)
    if read is None:
        return Checked(raw, "not_times")
    windows = (*read.impossible, *read.possible)
    if any(one.start is not None and one.end is not None and one.start >= one.end for one in windows):
        return Checked(raw, "past_midnight")
    if len(windows) > _MOST_WINDOWS:
        return Checked(raw, "not_times")
    return Checked(said(read))


def speaks_of_visits(sentence: str) -> bool:
    """Whether a sentence says by itself when somebody can or cannot be visited."""
    text = " ".join(plain_lines(sentence[:_LONGEST_TEXT]).replace("-feira", "").replace(" feira", "").split())
    names_times = any(_windows(text))
    return names_times and (_NOT_AT_HOME.search(text) is not None or _AT_HOME.search(text) is not None)


_NOT_AT_HOME = re.compile(
    r"\bnao (?:posso|podemos|pode|consigo|estou|estarei|estaremos|vou estar|tem ninguem|havera|recebo|da)\b|"
    r"\bninguem em casa\b|\bindisponiv\w+"
)
_AT_HOME = re.compile(
    r"\b(?:so|somente|apenas) (?:posso|estou|consigo)\b|\bdisponiv\w+|\bestou em casa\b|\bposso receber\b"
)


def said(times: VisitTimes) -> str:
    """One line that :func:`read_times` reads as ``times`` again."""
    parts = []
    if times.impossible:
        parts.append(f"não pode: {'; '.join(_shown(one) for one in times.impossible)}")
    if times.possible:
        parts.append(f"pode: {'; '.join(_shown(one) for one in times.possible)}")
    return " | ".join(parts) or NO_RESTRICTION


def read_times(raw: str) -> VisitTimes | None:
    """When somebody cannot and can be visited, as ``raw`` says; ``None`` where it says nothing of times.

    Takes time linear in the length of ``raw``; never raises.
    """
    text = " ".join(plain_lines(raw[:_LONGEST_TEXT]).replace("-feira", "").replace(" feira", "").split())
    text = _NOON.sub(
        lambda match: "12:00" if match[1] == "meio dia" else "00:00", text.replace("meio-dia", "meio dia")
    )
    impossible: list[TimeWindow] = []
    possible: list[TimeWindow] = []
    can = False
    for clause in _clauses(text):
        if _EXCEPT.match(clause):
            can = not can
        elif (polarity := _polarity(clause)) is not None:
            can = polarity
        (possible if can else impossible).extend(_windows(clause))
    if impossible or possible:
        return VisitTimes(impossible=tuple(dict.fromkeys(impossible)), possible=tuple(dict.fromkeys(possible)))
    return VisitTimes() if _ANY_TIME.search(text) else None


_NOON = re.compile(r"\b(meio dia|meia noite)\b")
_ANY_TIME = re.compile(
    r"\b(?:sem restric\w*|nenhum[a]?|nao (?:ha|tenho|tem|existe\w*)(?: nenhuma)? restric\w*|qualquer "
    r"(?:dia|hora\w*|momento|periodo)|tanto faz|livre|a vontade|nao)\b"
)
_EXCEPT = re.compile(r",?\s?(?:exceto|menos)\b")
_CANNOT = re.compile(
    r"\bnao\b|\bnem\b|\bimpossivel\b|\bindisponiv\w+|\bocupad\w+|\btrabalh\w+|\bviaj\w+|\bausent\w+"
)
_CAN = re.compile(
    r"\bpo(?:sso|de|demos|dem|deria\w*)\b|\bdisponiv\w+|\bprefir\w+|\bpreferenc\w+|\blivre\w*|\bsomente\b|\bso\b|\bapenas\b"
    r"|\bestou em casa\b|\bestarei\b|\bmelhor\b|\bconsigo\b"
)
_CLAUSE_END = re.compile(
    r"[;|\n.!?](?!\d)|,?\s(?:mas|porem|exceto|menos)\s|,\s(?=(?:nao\s)?(?:posso|pode|consigo)\b)"
)


def _clauses(text: str) -> Iterator[str]:
    """Parts of which each says either when somebody can or when not; the word that turns it stays in front."""
    start = 0
    for match in _CLAUSE_END.finditer(text):
        yield text[start : match.start()]
        # *exceto* turns what follows.
        start = match.start() if re.search(r"exceto|menos", match.group()) else match.end()
    yield text[start:]


def _polarity(clause: str) -> bool | None:
    """Whether a clause speaks of times that suit; ``None`` where it does not say."""
    if _CANNOT.search(clause):
        return False
    return True if _CAN.search(clause) else None


_DAY_WORD = "|".join(
    ("segundas?", "tercas?", "quartas?", "quintas?", "sextas?", "sabados?", "domingos?", "[2-6](?:a|ª)")
)
_RANGE = re.compile(rf"\b({_DAY_WORD})\s?(?:a|ate|ao|-)\s?(?:a\s|o\s)?({_DAY_WORD})\b")
_DAY = re.compile(rf"\b({_DAY_WORD})\b")
_GROUPS = (
    (re.compile(r"\b(?:fins?|finais|final) de semana\b"), _WEEKEND),
    (re.compile(r"\b(?:dias? uteis|dias? de semana|durante a semana)\b"), _WORKING_DAYS),
    (re.compile(r"\b(?:todos os dias|todo dia|diariamente|qualquer dia)\b"), _EVERY_DAY),
)
_HOUR = r"(\d{1,2})(?:\s?(?:h(?:oras?|rs?|s)?|:)\s?(\d{2})?)?(?:min)?"
_HOURS = re.compile(rf"\b(?:das?|de|entre|as?)?\s?{_HOUR}\s?(?:as|a|ate|e|-)\s?(?:as\s)?{_HOUR}\b")
_UNTIL = re.compile(rf"\b(?:ate|antes d[ae]s?)\s(?:as?\s|o\s)?{_HOUR}\b")
_FROM = re.compile(rf"\b(?:a partir d[aeo]s?|depois d[aeo]s?|apos(?: as?)?)\s{_HOUR}\b")
_AT = re.compile(r"\bas\s(\d{1,2})(?:\s?(?:h(?:oras?|rs?|s)?|:)\s?(\d{2})?)\b")
_HALF_DAYS = (
    (re.compile(r"\b(?:de|pela|na|da|a|das|as)?\s?manhas?\b"), _MORNING),
    (re.compile(r"\b(?:a|de|pela|na|da|as)?\s?tardes?\b"), _AFTERNOON),
    (re.compile(r"\b(?:a|de|pela|na|da|as)?\s?noites?\b"), _EVENING),
    (re.compile(r"\b(?:hora d[eo] )?almoco\b"), _LUNCH),
)

_Hours = tuple[time | None, time | None]


def _windows(clause: str) -> Iterator[TimeWindow]:
    """The windows of one clause: hours belong to the days that are named last before them."""
    marks = sorted([*_days_in(clause), *_hours_in(clause)], key=lambda mark: mark[0])
    days: tuple[int, ...] = ()
    hours: list[_Hours] = []
    early: list[_Hours] = []
    for _, one_days, one_hours in marks:
        if one_days:
            if hours:
                yield from _combined(days, hours)
                days, hours = (), []
            days = (*days, *one_days)
        elif one_hours is not None and days:
            hours.append(one_hours)
        elif one_hours is not None:
            early.append(one_hours)
    # *De manhã às terças*: the hours stand before the days.
    yield from _combined(days, hours or early)
    if hours and early:
        yield from _combined((), early)


def _combined(days: Sequence[int], hours: Sequence[_Hours]) -> Iterator[TimeWindow]:
    on = tuple(sorted(set(days))) or _EVERY_DAY
    if days and not hours:
        yield TimeWindow(days=on)
    for start, end in hours:
        yield TimeWindow(days=on, start=start, end=end)


_Mark = tuple[int, tuple[int, ...], _Hours | None]


def _days_in(clause: str) -> Iterator[_Mark]:
    taken: list[tuple[int, int]] = []
    for match in _RANGE.finditer(clause):
        first, last = _day_of(match[1]), _day_of(match[2])
        span = range(first, last + 1) if first <= last else (*range(first, 7), *range(last + 1))
        taken.append(match.span())
        yield match.start(), tuple(span), None
    for pattern, days in _GROUPS:
        for match in pattern.finditer(clause):
            taken.append(match.span())
            yield match.start(), days, None
    for match in _DAY.finditer(clause):
        if not _overlaps(match.span(), taken):
            yield match.start(), (_day_of(match[1]),), None


def _day_of(word: str) -> int:
    if word[0].isdigit():
        return int(word[0]) - 2
    return next(number for number, name in enumerate(_DAYS) if word.startswith(name))


def _hours_in(clause: str) -> Iterator[_Mark]:
    taken: list[tuple[int, int]] = []
    for match in _HOURS.finditer(clause):
        hours = _time(match[1], match[2]), _time(match[3], match[4])
        if None not in hours:
            taken.append(match.span())
            yield match.start(), (), hours
    for pattern, is_start in ((_UNTIL, False), (_FROM, True)):
        for match in pattern.finditer(clause):
            bound = _time(match[1], match[2])
            if bound is not None and not _overlaps(match.span(), taken):
                taken.append(match.span())
                yield match.start(), (), ((bound, None) if is_start else (None, bound))
    for match in _AT.finditer(clause):
        at = _time(match[1], match[2])
        if at is not None and at.hour < 23 and not _overlaps(match.span(), taken):
            taken.append(match.span())
            yield match.start(), (), (at, time(at.hour + 1, at.minute))
    for pattern, half in _HALF_DAYS:
        for match in pattern.finditer(clause):
            if not _overlaps(match.span(), taken):
                yield match.start(), (), half


def _overlaps(span: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in taken)


def _time(hour: str, minute: str | None) -> time | None:
    if int(hour) > 24 or int(minute or 0) > 59 or (int(hour) == 24 and int(minute or 0)):
        return None
    return time(23, 59) if int(hour) == 24 else time(int(hour), int(minute or 0))


def _shown(window: TimeWindow) -> str:
    days = _shown_days(window.days)
    if window.start is None and window.end is None:
        return days
    if window.start is None:
        return f"{days}, até {window.end:%H:%M}"
    if window.end is None:
        return f"{days}, a partir das {window.start:%H:%M}"
    return f"{days}, {window.start:%H:%M} às {window.end:%H:%M}"


def _shown_days(days: Sequence[int]) -> str:
    if tuple(days) == _EVERY_DAY:
        return "todos os dias"
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{_DAY_NAMES[days[0]]} a {_DAY_NAMES[days[-1]]}"
    names = [_DAY_NAMES[one] for one in days]
    return " e ".join(filter(None, (", ".join(names[:-1]), names[-1])))
