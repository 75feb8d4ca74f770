"""Text made comparable: what people type and what mail programs break, brought to one plain form.

Nothing folded is ever shown to anybody; it is only compared (DOMAIN C.7).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters of other scripts that look like Latin ones (THREATS 17); capitals and small letters differ in Greek.
_LOOKALIKES = str.maketrans(
    "АВЕІЈКМНОРСТУХЅавеіјкмнорсԁһԛѕтухѵӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβεηικνορτυχ",
    "abeijkmhopctyxsabeijkmhopcdhqstyxvlabezhikmnoptyxabenikvoptux",
)

# UTF-8 read as Windows-1252: a lead of U+00C2, U+00C3 or U+00E2 and its continuation bytes.
_CP1252_BYTES = {bytes([value]).decode("cp1252", "ignore"): value for value in range(0x80, 0xC0)}
_CP1252_BYTES.pop("", None)
_CONTINUATION = "".join(re.escape(ch) for ch in _CP1252_BYTES) + "\x80-\xbf"
_MOJIBAKE = re.compile(f"[ÂÃ][{_CONTINUATION}]|â[{_CONTINUATION}]{{2}}")

_WORD = re.compile(r"[\w?]+")
# A question mark stays only where it stands for a lost letter: ``ALTERA??O``.
_LOST_RUN = re.compile(r"\?{5,}")
_LONE_QUESTION = re.compile(r"(?<![\w?])\?{1,4}|\?{1,4}(?![\w?])")
_MOST_LOST_RUNS = 6
_OF_THE = re.compile(r"\b(?:do|da|dos|das)\b")
_MANY_MARKS = re.compile(r"([\u0300-\u036f]{4})[\u0300-\u036f]+")


def repair_mojibake(text: str) -> str:
    """Undo UTF-8 that was read as Windows-1252 or Latin-1: ``ALTERAÃ‡ÃƒO`` → ``ALTERAÇÃO``."""
    if "Ã" not in text and "Â" not in text and "â" not in text:
        return text
    return _MOJIBAKE.sub(_repaired, text)


def _repaired(match: re.Match[str]) -> str:
    raw = bytes(_CP1252_BYTES.get(ch, ord(ch)) for ch in match.group())
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return match.group()


class _PlainCharacters(dict[int, int | str | None]):
    """What becomes of each character: marks and invisible ones vanish, spaces become one. Filled as they come."""

    def __missing__(self, code: int) -> int | str | None:
        plain = _plain_character(chr(code))
        # A text of nothing but rarities must not fill the memory.
        if len(self) < _MOST_KNOWN_CHARACTERS:
            self[code] = plain
        return plain


_MOST_KNOWN_CHARACTERS = 4096
_PLAIN = _PlainCharacters()


def _plain_character(ch: str) -> int | str | None:
    category = unicodedata.category(ch)
    if category in ("Mn", "Me", "Cf", "Cs"):
        return None
    if category[0] == "Z" or category == "Cc":
        return "\n" if ch == "\n" else " "
    if category == "Pd":
        return "-"
    return "?" if ch == "\ufffd" else ord(ch)


def plain_lines(text: str) -> str:
    """``text`` in lower case without accents, marks and invisible characters; its line breaks stay.

    Handles NFD, mojibake, no-break and zero-width characters, full-width forms and Cyrillic or Greek
    lookalikes; a lost letter (U+FFFD) becomes ``?``. Time is linear in the length of the text.
    """
    if text.isascii():
        lowered = text.lower()
        return lowered if lowered.isprintable() else lowered.translate(_PLAIN)
    repaired = repair_mojibake(text)
    try:
        return _plain_latin(repaired)
    except UnicodeEncodeError:
        # A dash or a curly quote must not make the rest of a text slow.
        pieces = _NO_LATIN.split(repaired)
    pieces[::2] = map(_plain_latin, pieces[::2])
    pieces[1::2] = map(_plain_letters, pieces[1::2])
    return "".join(pieces)


def _plain_latin(text: str) -> str:
    """What :func:`_plain_letters` makes of letters of Latin-1, as nearly all in Portuguese are, ten times as fast.
    Raises ``UnicodeEncodeError`` where there is another."""
    plain = text.encode("latin-1").translate(_PLAIN_OCTETS, _GONE_OCTETS)
    # Of a few, ``ß`` and ``½``, several letters become.
    return _plain_letters(text) if _RARITY in plain else plain.decode("latin-1")


def _plain_letters(text: str) -> str:
    # Marks go before decomposition: long runs of them make canonical reordering quadratic.
    bare = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return bare.translate(_LOOKALIKES).casefold().translate(_PLAIN)


_LATIN = [_plain_letters(chr(code)) for code in range(256)]
_RARITY = b"\0"
_PLAIN_OCTETS = b"".join(one.encode("latin-1") if len(one) == 1 and one < "\u0100" else _RARITY for one in _LATIN)
_GONE_OCTETS = bytes(code for code, one in enumerate(_LATIN) if not one)
_NO_LATIN = re.compile("([^\0-\xff]+)")


def visible_text(text: str) -> str:
    """``text`` as a reader sees it: composed, broken UTF-8 repaired, nothing invisible, plain blanks.

    Case, accents, tabs and line breaks stay, so that it can be shown and stored.
    """
    if text.isascii():
        return text.replace("\r", "")
    repaired = repair_mojibake(text)
    table: dict[int, str | None] = {ord("\r"): None}
    for ch in set(repaired):
        category = unicodedata.category(ch)
        if category in ("Cf", "Cs"):
            table[ord(ch)] = None
        elif category == "Zs" and ch != " ":
            table[ord(ch)] = " "
        elif category in ("Zl", "Zp"):
            table[ord(ch)] = "\n"
    seen = repaired.translate(table) if len(table) > 1 else repaired.replace("\r", "")
    # Long runs of marks make composition quadratic; nobody writes more than a few on one letter.
    return unicodedata.normalize("NFC", _MANY_MARKS.sub(r"\1", seen))


def fold(text: str) -> str:
    """``text`` on one line, in lower case, without accents; underscores are spaces, blanks single."""
    return " ".join(plain_lines(text).replace("_", " ").split())


def fold_words(text: str) -> str:
    """Like :func:`fold`, with punctuation gone as well: ``"Ap. de Goiânia"`` → ``"ap de goiania"``.

    ``?`` stays inside words, where it stands for a letter that was lost on the way (``altera??o``).
    """
    words = " ".join(_WORD.findall(plain_lines(text).replace("_", " ")))
    if "?" not in words:
        return words
    return " ".join(_LONE_QUESTION.sub(" ", _LOST_RUN.sub("????", words)).split())


def plain_prepositions(words: str) -> str:
    """Folded words with one preposition for all: ``do local`` and ``de local`` are the same."""
    return _OF_THE.sub("de", words)


@lru_cache(maxsize=512)
def _with_lost_letters(folded: str) -> re.Pattern[str]:
    parts = re.split(r"\?+", folded)
    return re.compile("[^ ]{1,4}".join(re.escape(part) for part in parts))


def same_words(folded: str, wanted: str) -> bool:
    """Whether two results of :func:`fold_words` are the same, ``?`` in the first standing for lost letters.

    A lost letter may show as one to four question marks, so a run of them matches one to four letters.
    At least half of the letters must have arrived.
    """
    if folded == wanted:
        return True
    if "?" not in folded or len(folded) > 2 * len(wanted) + 8:
        return False
    if len(re.findall(r"\?+", folded)) > _MOST_LOST_RUNS:
        return False
    kept = sum(ch not in "? " for ch in folded)
    return kept * 2 >= len(wanted) and _with_lost_letters(folded).fullmatch(wanted) is not None
