"""One language's sentences, dates and numbers: (code or value) → text, from ``phrases.yaml``.

Code decides *which* sentence; the sentence itself stands beside the templates, so that no customer-visible
wording lives in Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

_PLACE = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]{}]*)\{(\w+)\}([^\[\]{}]*)\]")

FALLBACK_CODE = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A sentence by its code in ``phrases.yaml``, with what stands in its ``{places}``; or ready ``text``.

    ``text`` wins where it is set: an agent's own words, a label of the catalogue. ``otherwise`` is the code
    of a more general sentence, for a ``code`` that has none.
    """

    code: str = ""
    otherwise: str = ""
    values: tuple[tuple[str, str], ...] = ()
    text: str = ""


def phrase(code: str, **values: str) -> Phrase:
    """The sentence ``code`` with ``values`` in its places: ``phrase("refused_size", limit="10 MB")``."""
    return Phrase(code=code, values=tuple(values.items()))


def ready(text: str) -> Phrase:
    """Words that are already words of the reader's language."""
    return Phrase(text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The wording of one language. ``phrases`` maps codes to sentences with ``{places}``."""

    language: str
    phrases: Mapping[str, str] = field(repr=False)

    def say(self, wanted: Phrase | None) -> str:
        """The sentence. Where neither code has one, the sentence ``unknown``: a letter never fails for a word
        (the check of the templates names codes without a sentence). A place without value stays empty, and so
        does what stands around it in square brackets: ``limit[ of {limit}]``."""
        return self._sentence(wanted, families=("",))

    def say_to_staff(self, wanted: Phrase | None) -> str:
        """The sentence for an agent, ``staff.<code>``, where there is one; else what everybody reads."""
        return self._sentence(wanted, families=("staff.", ""))

    def fact_label(self, name: str) -> str:
        """What a fact of a document is called, ``fact.<name>``; a name without a sentence stays as it is."""
        return self.phrases.get(f"fact.{name}", name)

    def phrase_of(self, code: str) -> str:
        """The sentence of a ``code``; one without a sentence stays as it is, without what is before its dot."""
        return self.phrases.get(code, code.rpartition(".")[2])

    def _sentence(self, wanted: Phrase | None, families: tuple[str, ...]) -> str:
        if wanted is None:
            return ""
        if wanted.text or not wanted.code:
            return wanted.text
        codes = [
            family + code for code in (wanted.code, wanted.otherwise, FALLBACK_CODE) if code for family in families
        ]
        sentence = next((self.phrases[code] for code in codes if code in self.phrases), "")
        values = dict(wanted.values)
        shown = _OPTIONAL.sub(lambda part: _optional_part(part, values), sentence)
        # The values go in last and once: what looks like a place in them stays text.
        return _PLACE.sub(lambda place: values.get(place[1], ""), shown)

    def date(self, at: datetime, zone: tzinfo) -> str:
        """A day in full, in local time: *terça-feira, 24 de novembro de 2026*."""
        local = at.astimezone(zone)
        return self.say(
            phrase(
                "date.long",
                weekday=self.phrases.get(f"weekday.{local.isoweekday()}", ""),
                day=str(local.day),
                month=self.phrases.get(f"month.{local.month}", ""),
                year=str(local.year),
            )
        )

    def moment(self, at: datetime, zone: tzinfo) -> str:
        """Day and time, short, in local time: *24/11/2026 às 14:30*."""
        local = at.astimezone(zone)
        return self.say(
            phrase(
                "date.moment",
                day=f"{local.day:02}",
                month=f"{local.month:02}",
                year=f"{local.year:04}",
                hour=f"{local.hour:02}",
                minute=f"{local.minute:02}",
            )
        )

    def size(self, size_bytes: int) -> str:
        """A file's size: *1,2 MB*, *340 kB* (powers of ten, as mail programs show it)."""
        if size_bytes >= 1_000_000:
            return f"{size_bytes / 1_000_000:.1f}".replace(".", self.phrases.get("decimal_mark", ".")) + " MB"
        return f"{max(1, round(size_bytes / 1000))} kB"


def _optional_part(part: re.Match[str], values: Mapping[str, str]) -> str:
    before, place, after = part.groups()
    return f"{before}{{{place}}}{after}" if values.get(place) else ""
