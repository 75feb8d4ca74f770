"""Dates as people write them: ``03/12/2026``, *3 de dezembro*, *amanhã*, *próxima sexta* → ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from mailbot.catalogue.field_specs import FieldSpec
from mailbot.catalogue.folding import fold_words, plain_lines
from mailbot.evidence.field_kinds.checked import LONGEST_SHOWN, Checked

_NUMERIC = re.compile(
    r"(?<![\d/.-])(\d{1,2})\s?[/.-]\s?(\d{1,2})(?:\s?[/.-]\s?(\d{4}|\d{2}))?(?![\d/-]|\.\d)"
    r"|(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)"
)
_MONTHS = (
    "janeiro", "fevereiro", "marco", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
    "novembro", "dezembro",
)  # fmt: skip
_WRITTEN = re.compile(
    r"(?<!\w)(\d{1,2})(?:o|º|°)?\s(?:de\s)?(" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS) + r")"
    r"(?:\.?\s(?:de\s)?(\d{4}))?(?!\w)"
)
_RELATIVE = {"hoje": 0, "amanha": 1, "depois de amanha": 2, "ontem": -1, "anteontem": -2}
_RELATIVE_WORDS = re.compile(r"\b(depois de amanha|amanha|hoje|anteontem|ontem)\b")
_WEEKDAYS = ("segunda", "terca", "quarta", "quinta", "sexta", "sabado", "domingo")
_WEEKDAY = re.compile(r"\b(?:proxim[ao]|nest[ae]|dest[ae]|ess[ae]|est[ae])\s(" + "|".join(_WEEKDAYS) + r")\b")
_FARTHEST_DAYS = 36_600


def day(spec: FieldSpec, raw: str, today: date) -> Checked:
    """The one date in ``raw``; a year that is not written is the one whose day comes next after ``today``, or came
    last where the field wants a date of the past.

    ``not_a_date``, ``several_dates``, ``date_in_the_past``, ``date_in_the_future``.
    """
    found = list(dict.fromkeys(_dates(spec, raw[:LONGEST_SHOWN], today)))
    if len(found) != 1:
        return Checked(raw, "several_dates" if found else "not_a_date")
    value = found[0]
    if abs((value - today).days) > _FARTHEST_DAYS:
        return Checked(raw, "not_a_date")
    if not spec.lies_right(value, today):
        return Checked(raw, "date_in_the_past" if value <= today else "date_in_the_future")
    return Checked(value.isoformat())


def _dates(spec: FieldSpec, text: str, today: date) -> Iterator[date]:
    for match in _NUMERIC.finditer(text):
        found = (
            _day(int(match[4]), int(match[5]), int(match[6]))
            if match[4]
            else _of_parts(spec, int(match[1]), int(match[2]), match[3], today)
        )
        if found is not None:
            yield found
    folded = " ".join(plain_lines(text).split())
    for match in _WRITTEN.finditer(folded):
        month = next(number for number, name in enumerate(_MONTHS, start=1) if name.startswith(match[2][:3]))
        found = _of_parts(spec, int(match[1]), month, match[3], today)
        if found is not None:
            yield found
    words = fold_words(text)
    for match in _RELATIVE_WORDS.finditer(words):
        yield today + timedelta(days=_RELATIVE[match[1]])
    for match in _WEEKDAY.finditer(words):
        ahead = (_WEEKDAYS.index(match[1]) - today.weekday()) % 7 or 7
        yield today + timedelta(days=ahead)


def _of_parts(spec: FieldSpec, day_of_month: int, month: int, year: str | None, today: date) -> date | None:
    if year:
        return _day(int(year) + (2000 if len(year) == 2 else 0), month, day_of_month)
    candidates = [
        found
        for one in range(today.year - 4, today.year + 5)
        if (found := _day(one, month, day_of_month)) is not None
    ]
    past = [one for one in candidates if one <= today]
    ahead = [one for one in candidates if one >= today]
    if spec.day in ("past", "today_or_past"):
        return past[-1] if past else None
    return ahead[0] if ahead else None


def _day(year: int, month: int, day_of_month: int) -> date | None:
    try:
        return date(year, month, day_of_month)
    except ValueError:
        return None
