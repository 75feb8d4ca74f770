"""The marks by which mail programs set off quotes, forwards and signatures, one line at a time.

Takes lines folded by `fold_line` and tells what each of them is: a quoted line, the line or lines that
introduce a quote ("Em … escreveu:"), a header block, a forward's heading, a signature. It cuts nothing:
`mailbot.mime.body` decides what the marks mean. Forms: DOMAIN C.7; RFC 3676 section 4.3 ("-- ") and 4.5
(">"). The patterns recognise Portuguese, Spanish and English mail, and other languages where one word
more is all it takes.

Every pattern is matched against at most `MAX_FOLDED_CHARACTERS` of a line and has no nested repetition,
so that a hostile line costs bounded time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_FOLDED_CHARACTERS = 1_000
# Gmail wraps its attribution at 78 columns; a long name and address make three lines, four is seen with
# an address that breaks at "<".
MAX_ATTRIBUTION_LINES = 4
MAX_ATTRIBUTION_CHARACTERS = 500
# Header lines of one block, with the continuation lines of a long "Para:".
MAX_HEADER_BLOCK_LINES = 30
MAX_CONTINUATION_LINES = 8
MAX_DISCLAIMER_CHARACTERS = 1_000
MAX_DISCLAIMER_LINES = 15
# "--" without its trailing blank is a signature only when little follows: it also divides chapters.
MAX_BARE_SIGNATURE_LINES = 12
_MAX_LABEL_CHARACTERS = 32

_INVISIBLE = dict.fromkeys(
    [
        0x00AD,
        0x200B,
        0x200C,
        0x200D,
        0x200E,
        0x200F,
        0x2060,
        0xFEFF,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ]
)
_FOLDED = {**_INVISIBLE, 0x00A0: " ", 0x202F: " ", 0x2007: " ", 0xFF1A: ":", 0xFF1E: ">", 0x2019: "'"}


def fold_line(line: str) -> str:
    """Take one line; give it trimmed, composed (NFC), without invisible characters, for matching only."""
    folded = line[:MAX_FOLDED_CHARACTERS]
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", folded.translate(_FOLDED))
    return folded.strip()


def _any_of(words: Sequence[str]) -> str:
    return "(?:" + "|".join(words) + ")"


# --- Quoted lines, rules --------------------------------------------------------------------------------

_RULE = re.compile(r"[-–—_=*~]{3,}$")


def is_quoted(folded: str) -> bool:
    """Tell whether the line carries the quote mark of RFC 3676 section 4.5."""
    return folded.startswith(">")


def is_rule(folded: str) -> bool:
    """Tell whether the line is only a drawn rule, such as Outlook's underscores above a quote."""
    return _RULE.match(folded) is not None


# --- Headings of forwards and of quoted originals -------------------------------------------------------

_FORWARD_WORDS = (
    r"forwarded message",
    r"mensage[mn]s? (?:re)?encaminhadas?",
    r"e-?mail encaminhado",
    r"mensaje reenviado",
    r"message (?:transféré|réexpédié)",
    r"weitergeleitete nachricht",
    r"doorgestuurd bericht",
    r"videresendt meddelelse",
    r"vidarebefordrat meddelande",
    r"messaggio inoltrato",
)
_FORWARD_OPENINGS = (
    r"begin forwarded message",
    r"in[ií]cio da mensagem (?:re)?encaminhada",
    r"inicio del mensaje reenviado",
    r"début du message (?:transféré|réexpédié)",
    r"anfang der weitergeleiteten nachricht",
    r"begin doorgestuurd bericht",
    r"inizio messaggio inoltrato",
)
_FORWARD = re.compile(
    rf"(?:[-–—=*_]{{2,}}\s*{_any_of(_FORWARD_WORDS)}\s*(?:por .{{1,80}}|by .{{1,80}})?[-–—=*_:\s]*"
    rf"|[*_]*{_any_of(_FORWARD_OPENINGS)}\s*:[*_]*)$",
    re.IGNORECASE,
)
_ORIGINAL_WORDS = (
    r"mensagem (?:original|de origem|anterior)",
    r"compromisso original",
    r"original (?:message|appointment|e-?mail)",
    r"mensaje original",
    r"message d'origine",
    r"message original",
    r"ursprüngliche nachricht",
    r"originalnachricht",
    r"oorspronkelijk bericht",
    r"oprindelig meddelelse",
    r"ursprungligt meddelande",
    r"originalmeddelande",
    r"messaggio originale",
    r"oryginalna wiadomość",
    r"wiadomość oryginalna",
    r"исходное сообщение",
)
_ORIGINAL = re.compile(rf"[-–—=*_]{{2,}}\s*{_any_of(_ORIGINAL_WORDS)}[-–—=*_:\s]*$", re.IGNORECASE)
_ORIGINAL_BARE = re.compile(rf"{_any_of(_ORIGINAL_WORDS)}\s*:?$", re.IGNORECASE)


def is_forward_heading(folded: str) -> bool:
    """Tell whether the line opens a forwarded mail ("---------- Mensagem encaminhada ---------")."""
    return _FORWARD.match(folded) is not None


def is_original_heading(folded: str) -> bool:
    """Tell whether the line opens a quoted mail ("-----Mensagem original-----")."""
    return _ORIGINAL.match(folded) is not None


def belongs_above_a_quote(folded: str) -> bool:
    """Tell whether a line directly above a quote is a part of it: empty, a rule, an unruled heading."""
    return not folded or is_rule(folded) or _ORIGINAL_BARE.match(folded) is not None


# --- Header blocks: "De: / Enviada em: / Para: / Assunto:" ----------------------------------------------


class _Header(StrEnum):
    """What a labelled line of a quoted header block says."""

    SENDER = "sender"
    SENT = "sent"
    # "Data:" is also the label of a form, so it counts only among addresses or below a rule.
    DATE = "date"
    RECIPIENT = "recipient"
    SUBJECT = "subject"
    COPY = "copy"
    BLIND_COPY = "blind_copy"
    REPLY_TO = "reply_to"
    IMPORTANCE = "importance"
    ATTACHMENTS = "attachments"


_LABELS: dict[str, _Header] = {
    label: header
    for header, labels in (
        (_Header.SENDER, "de|from|von|fra|från|van|od|da|remetente|от|差出人"),
        (
            _Header.SENT,
            "enviado|enviada|enviado em|enviada em|enviado el|data de envio|fecha de envío|sent|sent on",
        ),
        (_Header.SENT, "gesendet|envoyé|verzonden|sendt|skickat|wysłano|inviato|отправлено|送信日時"),
        (_Header.DATE, "data|data/hora|date|fecha|datum|dato|дата|日付"),
        (_Header.RECIPIENT, "para|to|an|à|a|aan|til|till|do|destinatário|кому|宛先"),
        (_Header.SUBJECT, "assunto|subject|asunto|betreff|objet|onderwerp|emne|ämne|temat|oggetto|тема|件名"),
        (_Header.COPY, "cc|c/c|com cópia|kopi|kopie"),
        (_Header.BLIND_COPY, "cco|bcc"),
        (_Header.REPLY_TO, "reply-to|reply to|responder a|responder para"),
        (_Header.IMPORTANCE, "prioridade|importância|importance|priority|prioridad|importancia"),
        (_Header.ATTACHMENTS, "anexos|anexo|attachments|adjuntos|datos adjuntos|categorias"),
    )
    for label in labels.split("|")
}

_MONTHS = (
    r"(?:jan|fev|feb|fév|mar|mär|abr|apr|avr|mai|maj|may|mei|jun|juin|jul|juil|ago|aug|aoû|set|sep|out|oct|okt|ott"
    r"|nov|dez|dec|déc|dic|ene|sty|lut|kwi|cze|lip|sie|wrz|paź|lis|gru)"
)
_DATE = re.compile(
    r"(?:\b\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}\b"
    rf"|\b\d{{1,2}}[.ºª°]?[\s-](?:de\s)?{_MONTHS}"
    rf"|\b{_MONTHS}[a-zçéû]{{0,9}}\.?[\s-]\d{{1,2}}\b"
    r"|\d{4}年\s?\d{1,2}月)",
    re.IGNORECASE,
)
_TIME = re.compile(r"\b\d{1,2}\s?[:.hH]\s?\d{2}\b")
_WEEKDAYS = (
    r"(?:seg|ter|qua|qui|sex|sáb|sab|dom|lun|mié|mie|jue|vie|mon|tue|wed|thu|fri|sat|sun|mar|mer|jeu|ven|sam|dim"
    r"|die|mit|don|fre|son|mo|di|mi|do|fr|sa|so|man|tir|ons|tor|lør|søn|mån|tis|lör|sön|ma|wo|vr|za|zo"
    r"|pon|wt|śr|czw|pt|sob|nd|gio)"
)
_WEEKDAY_WORD = re.compile(rf"{_WEEKDAYS}[\w-]{{0,14}}[.,\s]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LabelledLine:
    header: _Header
    value: str


def _labelled(folded: str) -> _LabelledLine | None:
    colon = folded.find(":", 0, _MAX_LABEL_CHARACTERS)
    if colon < 1:
        return None
    header = _LABELS.get(folded[:colon].strip(" *_\t").casefold())
    if header is None:
        return None
    return _LabelledLine(header=header, value=folded[colon + 1 :].strip(" *_\t"))


def _is_dated(value: str) -> bool:
    return _DATE.search(value) is not None or _TIME.search(value) is not None


def _is_header_block(values: dict[_Header, str], *, below_rule: bool) -> bool:
    """Decide on the headers of a block, by kind.

    "De: Rio Verde / Para: Jataí" is a request (DOMAIN C.7), with "Data:" too: a block names a sender, a
    recipient or a subject, and a moment that looks like one of a mail program's.
    """
    if _Header.SENDER not in values or not ({_Header.RECIPIENT, _Header.SUBJECT} & values.keys()):
        return False
    addressed = any("@" in values.get(kind, "") for kind in (_Header.SENDER, _Header.RECIPIENT, _Header.COPY))
    sent = values.get(_Header.SENT, "")
    if _is_dated(sent):
        named = _TIME.search(sent) is not None or _WEEKDAY_WORD.match(sent) is not None
        return addressed or below_rule or named or _Header.SUBJECT in values
    date = values.get(_Header.DATE, "")
    return _is_dated(date) and (addressed or below_rule or _WEEKDAY_WORD.match(date) is not None)


def holds_time(text: str) -> bool:
    """Tell whether a time of day stands in the text."""
    return _TIME.search(text) is not None


_FLAT_BLOCK = re.compile(
    r"[*_]{0,2}(?:De|From)\s?:[*_]{0,2}\s.{1,200}?"
    r"\s[*_]{0,2}(?:Enviad[oa](?: em| el)?|Sent|Data|Date|Fecha)\s?:"
    r"(.{1,80}?)\s[*_]{0,2}(?:Para|To)\s?:.{1,400}?\s[*_]{0,2}(?:Assunto|Subject|Asunto)\s?:",
    re.IGNORECASE,
)


def _is_flat_block(folded: str) -> bool:
    """Tell whether a whole header block stands in one line, as some web mail writes it."""
    found = _FLAT_BLOCK.match(folded)
    return found is not None and _is_dated(found.group(1))


def header_block_end(folded: Sequence[str], start: int, *, below_rule: bool) -> int | None:
    """Take the lines and the number of one; give the number after the header block that starts there.

    None when no block starts there. Empty lines between headers (HTML turned to text) and continuation
    lines (long lists of recipients) belong to it. `below_rule` says that a rule or a heading stands
    directly above, which makes a doubtful block certain.
    """
    first = _labelled(folded[start])
    if first is None or first.header not in (_Header.SENDER, _Header.SENT, _Header.DATE):
        return None
    if first.header is _Header.SENDER and _is_flat_block(folded[start]):
        return start + 1
    values: dict[_Header, str] = {first.header: first.value}
    end = start + 1
    foreign = 0
    for number in range(start + 1, min(len(folded), start + MAX_HEADER_BLOCK_LINES)):
        line = _labelled(folded[number])
        if line is not None:
            if line.header in values:
                break
            values[line.header] = line.value
            end, foreign = number + 1, 0
            continue
        foreign += 1
        if foreign > MAX_CONTINUATION_LINES or is_quoted(folded[number]) or _ends_headers(folded, number):
            break
    return end if _is_header_block(values, below_rule=below_rule) else None


def _ends_headers(folded: Sequence[str], number: int) -> bool:
    """Tell whether the empty line at `number` ends a block: one blank between two headers does not."""
    if folded[number]:
        return False
    following = number + 1
    return following >= len(folded) or _labelled(folded[following]) is None


# --- Attributions: "Em …, Fulano <…> escreveu:" ---------------------------------------------------------

_WROTE = (
    r"(?:escreveu|escreveram|escribi[oó]|wrote|a écrit|ha scritto|scrisse|schrieb|schreef|skrev"
    r"|napisał(?:a|\(a\))?|написал(?:а|\(а\))?|пишет|napsal(?:\(a\))?|さんは書きました|写道|寫道)"
)
_WROTE_LAST = re.compile(rf"{_WROTE}\s?:$", re.IGNORECASE)
# German and Scandinavian programs put the name after the verb.
_WROTE_INSIDE = re.compile(r"\b(?:schrieb|schreef|skrev|napisał)\b", re.IGNORECASE)
_ZOHO = re.compile(rf"-{{3,}}.*\b{_WROTE}\s?:?\s?-{{3,}}$", re.IGNORECASE)
# "ele escreveu:" introduces the sender's own words about somebody.
_PRONOUN_WROTE = re.compile(
    rf"\b(?:ele|ela|eles|elas|você|voce|vocês|me|nos|lhe|lhes|se|he|she|you|they|él|ella|usted)\s{_WROTE}\s?:$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:Em|No dia|A|Ao?s|On|El|Le|Am|Den|Op|W dniu|Dnia|Il|Il giorno|Dne)\s.{0,40}$",
    re.IGNORECASE | re.DOTALL,
)
_WEEKDAY_LEAD = re.compile(
    rf"\W{{0,3}}(?:{_WEEKDAYS}[\w-]{{0,14}}[.,]{{0,2}}\s{{0,2}}(?:den\s|dia\s)?)?$", re.IGNORECASE
)
_ADDRESS_LAST = re.compile(r"@[\w.-]{1,80}[>)\]]{1,3}\s?:$")
_DIGIT = re.compile(r"\d")
_CITING = re.compile(r"(?:Citando|Quoting|Citar|Zitat von)\s.{1,120}:$", re.IGNORECASE)
_MARKUP_AROUND = " *_-|"


def _is_attribution(text: str, *, above_quoted: bool) -> bool:
    """Decide whether a line, or a few lines joined, introduces a quote.

    `above_quoted` says that a line with ">" follows, which lets weaker forms count.
    """
    wrote = _WROTE_LAST.search(text) is not None or _ZOHO.match(text) is not None
    if wrote and _PRONOUN_WROTE.search(text):
        return False
    date = _DATE.search(text)
    if date is None:
        return False
    lead = text[: date.start()].lstrip(_MARKUP_AROUND)
    bare_start = _WEEKDAY_LEAD.match(lead) is not None
    if not bare_start and _LEAD.match(lead) is None:
        return False
    # "Em 20/11/2026 o gerente escreveu:" alone may be the sender's own sentence.
    precise = "@" in text or above_quoted or _TIME.search(text, date.end()) is not None
    if wrote or _WROTE_INSIDE.search(text, date.end()):
        return precise
    return bare_start and _ADDRESS_LAST.search(text) is not None


def _is_undated_attribution(text: str) -> bool:
    """Decide whether one line above a quote names whom it quotes ("Citando Fulano <…>:")."""
    return _CITING.match(text) is not None or ("@" in text and _WROTE_LAST.search(text) is not None)


def _may_end_attribution(folded: str) -> bool:
    return folded.endswith(":") or (folded.endswith("---") and folded.startswith("---"))


def attribution_start(folded: Sequence[str], last: int, *, above_quoted: bool) -> int | None:
    """Take the lines and the number of one; give where the attribution that ends there starts.

    None when none ends there. The fewest lines that make a whole attribution win, so that a sentence
    above it which happens to start with "Em" is not taken along. `above_quoted` says that the next
    written line carries ">".
    """
    if not _may_end_attribution(folded[last]):
        return None
    # Every dated attribution has a digit; looking for one first keeps a text full of ":" cheap.
    joined = ""
    has_digit = False
    for number in range(last, max(-1, last - MAX_ATTRIBUTION_LINES), -1):
        line = folded[number]
        joined = f"{line} {joined}" if joined else line
        if not line or is_quoted(line) or len(joined) > MAX_ATTRIBUTION_CHARACTERS:
            break
        has_digit = has_digit or _DIGIT.search(line) is not None
        if has_digit and _is_attribution(joined, above_quoted=above_quoted):
            return number
    return last if above_quoted and _is_undated_attribution(folded[last]) else None


# --- Signatures ---------------------------------------------------------------------------------------

_DEVICES = _any_of(
    (
        r"iphone|ipad|ipod|smartphone|celular|telefone|telem[oó]vel|m[oó]vil|galaxy|samsung|android",
        r"motorola|moto|xiaomi|redmi|huawei|lg|nokia|blackberry|windows phone|tablet",
        r"aparelho|dispositivo|outlook|hotmail",
        r"yahoo|gmail|uol|bol|terra|ig|icloud|proton ?mail|webmail|spark|zoho|mail|e-?mail|correio",
    )
)
_SENT_BY = (
    r"(?:do|da|de|desde|pelo|pela|via|atrav[eé]s d[oae]|a partir d[oae]|por|com o|usando o)"
    r"(?: (?:meu|minha|mi|app|aplicativo|o|a|um|uma)){0,3}"
)
_GET_OUTLOOK = (
    r"(?:obter|obtenha|baixe|instale|obtener|obt[eé]n|descargar|get|télécharger|holen sie sich)"
    r" (?:o |a |el )?outlook (?:para|for|pour|für)"
)
_SENT_ELSEWHERE = (
    r"(?:envoyé de mon|von meinem|gesendet von meinem|sendt fra min|skickat från min|verstuurd vanaf mijn"
    r"|inviato da|wysłane z)"
)
_MOBILE_SIGNATURES = tuple(
    re.compile(rf"\W{{0,3}}{pattern}$", re.IGNORECASE)
    for pattern in (
        rf"enviad[oa] (?:automaticamente )?{_SENT_BY}(?: [\w-]+){{0,2}}? {_DEVICES}\b[^,;:!?@]{{0,60}}",
        rf"{_GET_OUTLOOK} .{{1,160}}",
        r"sent from my(?: [\w'’+-]{1,25}){1,5}\W{0,3}",
        rf"sent (?:from|via|using|with)(?: the)?(?: [\w-]+){{0,2}}? {_DEVICES}\b[^,;!?@]{{0,80}}",
        rf"{_SENT_ELSEWHERE}(?: [\w'’-]{{1,25}}){{1,5}}\W{{0,3}}",
        r"(?:yahoo mail|mail do yahoo): (?:busque|pesquise|search).{0,120}",
    )
)
# A mobile signature starts with one of these; the cheap test spares every other line six patterns.
_MOBILE_STARTS = re.compile(
    r"\W{0,3}(?:envi|obte|obté|baix|inst|desc|get |tél|hole|sent |envo|von |gese|send|skic|vers|invi"
    r"|wysł|yaho|mail )",
    re.IGNORECASE,
)
_BARE_LINK = re.compile(r"[<(\[]?https?://\S+$", re.IGNORECASE)

_DISCLAIMER_OPENING = re.compile(
    r"[\W_]{0,6}(?:aviso (?:legal|de confidencialidade|de privacidade|importante)"
    r"|(?:nota|cl[aá]usula|termo|declara[cç][aã]o) de confidencialidade|confidencialidade|confidentiality"
    r"|disclaimer|legal notice|lgpd\b|lei geral de prote[cç][aã]o"
    r"|(?:esta|a presente) (?:mensagem|comunica[cç][aã]o)"
    r"|(?:este|esse|o presente) (?:e-?mail|correio|material)"
    r"|as informa[cç][oõ]es (?:contidas|existentes|transmitidas|constantes|nesta|neste|deste|desta)"
    r"|a informa[cç][aã]o (?:contida|transmitida)|o conte[uú]do d(?:esta|este|essa|esse)"
    r"|em (?:conformidade|atendimento|cumprimento|observ[aâ]ncia|respeito) (?:com a|à|a) (?:lgpd|lei)"
    r"|de acordo com a (?:lgpd|lei geral)|this (?:e-?mail|message|communication|transmission)"
    r"|the (?:information|contents?) (?:contained|in|of) "
    r"|este (?:correo|mensaje)|la informaci[oó]n contenida)",
    re.IGNORECASE,
)
_DISCLAIMER_SECRET = re.compile(
    r"confidenci|confidential|sigilos|privilegi|reservad|lgpd|13\.?709|protegid|dados pessoais", re.IGNORECASE
)
_DISCLAIMER_ADDRESSEE = re.compile(
    r"destinat[aá]ri|destinad|uso exclusivo|n[aã]o autorizad|por engano|por erro|erroneamente|intended"
    r"|recipient|tratamento d[eo]s? dados|dados pessoais|divulga|retransmi|desconsider"
    r"|elimine|apague|prohibid|proibid",
    re.IGNORECASE,
)
# A paragraph in which somebody asks for something is no footer, whatever it says of the law.
_FIRST_PERSON = re.compile(
    r"\b(?:solicito|pe[cç]o|gostaria|quero|requeiro|preciso|venho|estou|envio|segue|seguem|encaminho)\b",
    re.IGNORECASE,
)
_PRINTING = re.compile(
    r"[\W_]{0,6}(?:antes de imprimir\b.{0,120}(?:meio ambiente|natureza|respons|pense|necess)"
    r"|(?:pense|preserve|respeite)\b.{0,60}(?:meio ambiente|natureza|imprimir)"
    r"|please consider the environment|before printing|antes de imprimir este)",
    re.IGNORECASE,
)


def is_mobile_signature(folded: str) -> bool:
    """Tell whether the line is a program's own signature ("Enviado do meu iPhone")."""
    if len(folded) > 220 or _MOBILE_STARTS.match(folded) is None:
        return False
    return any(pattern.match(folded) for pattern in _MOBILE_SIGNATURES)


def is_bare_link(folded: str) -> bool:
    """Tell whether the line is only a link, as stands below some programs' signatures."""
    return _BARE_LINK.match(folded) is not None


def is_signature_delimiter(raw: str, folded: Sequence[str], start: int, stop: int) -> bool:
    """Tell whether the line `start`, `raw` as written, is the delimiter of RFC 3676 section 4.3.

    One that lost its trailing blank counts when few lines follow up to `stop`.
    """
    if folded[start] != "--":
        return False
    if raw == "-- ":
        return True
    following = 0
    for number in range(start + 1, stop):
        following += bool(folded[number])
        if following > MAX_BARE_SIGNATURE_LINES:
            return False
    return True


def is_disclaimer(folded: Sequence[str], start: int, stop: int) -> bool:
    """Tell whether a confidentiality or LGPD footer starts at the line `start`, within lines up to `stop`."""
    line = folded[start]
    if _PRINTING.match(line):
        return True
    if _DISCLAIMER_OPENING.match(line) is None:
        return False
    paragraph = " ".join(folded[start : min(stop, start + MAX_DISCLAIMER_LINES)])[:MAX_DISCLAIMER_CHARACTERS]
    return (
        _DISCLAIMER_SECRET.search(paragraph) is not None
        and _DISCLAIMER_ADDRESSEE.search(paragraph) is not None
        and _FIRST_PERSON.search(paragraph) is None
    )
