"""Staff words: what an agent orders in the first lines of a reply.

``(new text, aliases) → DirectiveBlock``. Words stand in the unbroken block of ``#`` lines at the top of the new
text, the argument on the same line (INTERFACE *Staff words*); never in quotes, signatures or forwarded parts,
which are not new text (THREATS 28). This module reads; whether the agent may do it is decided elsewhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mailbot.catalogue.folding import fold
from mailbot.domain.staff_words import StaffWord

_FIXED_ALIASES = {"aguardar": StaffWord.ESPERA}


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """One order and the rest of its line; ``typed`` is the line as it stood there."""

    word: StaffWord
    argument: str = ""
    typed: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectiveBlock:
    """What stood at the top of a mail.

    ``directives`` are the lines with a known word; ``unknown`` are any other
    words, as typed. ``remaining_text`` is the message below the block; ``lines`` counts the block's own, of which
    only the first fifty are kept.
    """

    directives: tuple[Directive, ...] = ()
    unknown: tuple[str, ...] = ()
    remaining_text: str = ""
    lines: int = field(default=0, compare=False)

    def has(self, word: StaffWord) -> bool:
        """Whether ``word`` is among the directives."""
        return any(directive.word is word for directive in self.directives)


_LINE_CHARACTERS = 2000
_UNKNOWN_CHARACTERS = 80
_DIRECTIVES_AT_MOST = 50
_TYPED_CHARACTERS = 200
# Emphasis of plain-text parts made from HTML, blanks and invisible characters.
_BEFORE_HASH = " \t\xa0*_\u200b\u200e\u200f\u2060\ufeff"
_AFTER_WORD = " \t\xa0*_:.,;!-\u2013\u2014"


def parse_directives(new_text: str, aliases: Mapping[str, Sequence[str]] | None = None) -> DirectiveBlock:
    """Read the block of ``#`` lines at the top of ``new_text``.

    ``aliases`` maps a staff word to further names for it (``staff.yaml``); an alias never takes a word's own
    name away. Accents and case do not matter. Never raises; a ``#`` line that is no known word is ``unknown``,
    so that nothing meant as an order is sent to a requester as text.
    """
    names = _names(aliases or {})
    lines = new_text.split("\n")
    at = _first_with_text(lines)
    directives: list[Directive] = []
    unknown: list[str] = []
    while at < len(lines) and (line := _hash_line(lines[at])) is not None:
        directive = _directive(line, names)
        if directive is None:
            unknown.append(line.split(maxsplit=1)[0][:_UNKNOWN_CHARACTERS])
        else:
            directives.append(directive)
        at += 1
    # Without a block nothing was taken away, not even lines of invisible characters.
    remaining = lines[at:] if directives or unknown else lines
    return DirectiveBlock(
        lines=len(directives) + len(unknown),
        directives=tuple(directives[:_DIRECTIVES_AT_MOST]),
        unknown=tuple(unknown[:_DIRECTIVES_AT_MOST]),
        remaining_text="\n".join(remaining).strip(),
    )


def _names(aliases: Mapping[str, Sequence[str]]) -> dict[str, StaffWord]:
    names = dict(_FIXED_ALIASES)
    for key, further in aliases.items():
        word = next((one for one in StaffWord if fold(key) == one.value), None)
        if word is not None:
            names.update({fold(name).lstrip("#"): word for name in further})
    return names | {word.value: word for word in StaffWord}


def _first_with_text(lines: list[str]) -> int:
    return next((at for at, line in enumerate(lines) if line.strip(_BEFORE_HASH + "\r")), len(lines))


def _hash_line(line: str) -> str | None:
    """The line from its ``#`` on, or ``None`` if it is not one."""
    bare = line[:_LINE_CHARACTERS].strip().lstrip(_BEFORE_HASH)
    return bare if bare.startswith("#") else None


def _directive(line: str, names: dict[str, StaffWord]) -> Directive | None:
    typed, _, argument = line[1:].replace("\xa0", " ").replace("\t", " ").partition(" ")
    # ``#negar:motivo`` and ``#nota.`` are typed as well.
    head, colon, rest = typed.partition(":")
    word = None if _hides_something(head) else names.get(fold(head).strip(_AFTER_WORD))
    if word is None:
        return None
    argument = f"{rest} {argument}" if colon else argument
    argument = argument.strip().lstrip(_AFTER_WORD).rstrip(" *_")
    return Directive(word=word, argument=argument, typed=line[:_TYPED_CHARACTERS])


def _hides_something(head: str) -> bool:
    """Whether something invisible stands within the word: what it says may not be what its reader saw."""
    return any(unicodedata.category(ch) == "Cf" for ch in head.strip(_BEFORE_HASH))
