"""Subject, fields found, body and kinds of attachments + request types → :class:`Classification`.

The subject is asked first: exact, alias, the type's own title, a typo. Where it decides nothing, labelled
fields, words of the body and kinds of attachments propose; what is certain is taken, everything else is a
candidate that somebody has to confirm. Synonyms and negation never decide by subject alone, and nothing is
guessed between two types (REQUIREMENTS *Wrong subject*, R000-09, DOMAIN C.7).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailbot.catalogue.field_specs import FieldKind
from mailbot.catalogue.folding import fold, fold_words, plain_prepositions, repair_mojibake, same_words
from mailbot.catalogue.places import read_title, route_in
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.units import UnitTable
from mailbot.domain.evidence import DocumentKind, FieldOrigin, FieldValue
from mailbot.domain.mail import Classification
from mailbot.triage.asking import (
    NEGATIONS,
    Sentence,
    Stance,
    is_named_in,
    names_two_units,
    sentence_of,
    sentences_of,
    stance,
)
from mailbot.triage.resemblance import SUGGEST_RATIO, TYPO_RATIO, likeness, near
from mailbot.triage.type_choice import ASK_CONFIDENCE, Hint, chosen

__all__ = ["SubjectLine", "classify", "classify_subject", "fold", "read_subject_line", "strip_prefixes"]

_BY_BODY_CONFIDENCE = 0.7
_TELLING_KEYWORDS = 3
_MOST_TITLES = 50
_MOST_WORDS_OF_A_NAME = 30
_LONGEST_SUBJECT = 2000
_LONGEST_BODY = 50_000
_NO_UNITS = UnitTable()

# --- prefixes -----------------------------------------------------------------------------------------------

_REPLY_WORDS = (
    "re|res|resp|resposta|ref|r|rif|enc|encaminhado|encaminhada|encaminhando|fw|fwd|fwd fw|aw|antw|antwort|wg|wtr"
    "|sv|vs|vl|vb|vá|tr|rv|rép|réf|i|pd|odp|ynt|ilt|bls|trs|doorst|далее|отв|на|回复|回覆|答复|答覆|转发|轉寄|転送|返信"
    "|assunto|asunto|subject|betreff|objet|oggetto"
)
_PREFIX = re.compile(
    rf"\s*(?:(?:{_REPLY_WORDS})\s{{0,3}}(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^\d{{1,3}}|\d{{1,3}})?\.?\s{{0,3}}[:：]"
    r"|\[[^\[\]]{1,60}\]|\*{2,10}[^*\n]{1,40}\*{2,10}|\{[^{}\n]{1,40}\}|<[^<>\n@]{1,40}>"
    r"|[-–—_.,:;|>*\"'“”«»]{1,10})\s*",
    re.IGNORECASE,
)
_TAG_CONTENT = re.compile(r"\s*[\[{<*]+([^\[\]{}<>*]+)[\]}>*]+\s*")


def strip_prefixes(subject: str) -> str:
    """``subject`` without what mail programs and gateways put before it: ``RES: ENC: Re[2]: [EXTERNO] …``.

    Invisible characters are removed and broken UTF-8 is repaired; case and accents stay. A subject that is
    nothing but a bracketed text gives that text.
    """
    visible = "".join(ch for ch in repair_mojibake(subject) if unicodedata.category(ch) != "Cf")
    position, last_tag = 0, ""
    while match := _PREFIX.match(visible, position):
        tag = _TAG_CONTENT.fullmatch(match.group())
        last_tag = tag.group(1).strip() if tag else last_tag
        position = match.end()
    return visible[position:].strip() or last_tag


# --- what Portuguese subjects say around the canonical words -------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DOUBTS = _words("ou duvida duvidas pergunta informacao informacoes reclamacao negada negado indeferida")
_LEAD_INS = _words(
    """solicito solicitacao solicitar solicitando solicitamos pedido pedindo peco pedir requerimento requeiro
    requer favor por gentileza urgente urgencia urgentissimo boa bom tarde dia noite ola oi prezados segue preciso
    quero gostaria necessito desejo de da do das dos a o as os uma um para minha meu nossa referente ref sobre com
    vistoria veicular veiculo carro moto placa detran processo formulario novo nova 1 2"""
)
_BELONGS_TO = frozenset({"de", "do", "da", "dos", "das", "no", "na"})
_INSPECTION = frozenset({"vistoria", "vistorias", "inspecao", "minha", "meu", "nossa"})
_HAS_DIGIT = re.compile(r"\d")


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    """Memory of the catalogue's own words; never called with a sender's text."""
    return plain_prepositions(fold_words(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """A type's names, folded: those that are sure, each with what it is matched as, those that merely suggest it,
    between blanks, and all of them. *Cancelamento*, of ``own_words``, negates nothing where it is what the type is
    called."""

    sure: Mapping[str, str]
    suggested: tuple[str, ...]
    all: tuple[str, ...]
    own_words: frozenset[str]


def _names(request_type: RequestType) -> _Names:
    return _folded_names(request_type.subject, request_type.aliases, request_type.suggestions)


@lru_cache(maxsize=256)
def _folded_names(subject: str, aliases: tuple[str, ...], suggestions: tuple[str, ...]) -> _Names:
    sure = {_folded(subject): "subject"} if subject else {}
    for alias in aliases:
        sure.setdefault(_folded(alias), "subject_alias")
    suggested = tuple(_folded(suggestion) for suggestion in suggestions)
    return _Names(
        sure=sure,
        suggested=tuple(f" {suggestion} " for suggestion in suggested),
        all=(*sure, *suggested),
        own_words=frozenset(word for name in sure for word in name.split()),
    )


# --- the subject --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectLine:
    """A subject, and what it says about each type of request."""

    subject: str
    hints: tuple[Hint, ...]

    @property
    def decided(self) -> Classification:
        """What it says alone; ``matched`` is ``subject``, ``subject_alias``, ``subject_title`` or ``subject_typo``
        where it decides."""
        return chosen(self.hints)


def read_subject_line(subject: str, types: Sequence[RequestType], units: UnitTable = _NO_UNITS) -> SubjectLine:
    """What ``subject`` says about ``types``; never raises, and takes a bounded part of a hostile subject."""
    text = plain_prepositions(fold_words(strip_prefixes(subject[:_LONGEST_SUBJECT])))
    words = tuple(text.split())
    heads = _heads(words, units)
    folded = _FoldedSubjectLine(
        text=text,
        spaced=f" {text} ",
        sentence=sentence_of(words),
        negations=NEGATIONS.intersection(words),
        heads=heads,
        near=_names_near(text, heads, types),
    )
    hints = (_subject_hint(request_type, folded, units) for request_type in types) if words else ()
    return SubjectLine(subject=subject, hints=tuple(hint for hint in hints if hint is not None))


def classify_subject(subject: str, types: Sequence[RequestType], units: UnitTable = _NO_UNITS) -> Classification:
    """What ``subject`` alone says (:attr:`SubjectLine.decided`); never raises."""
    return read_subject_line(subject, types, units).decided


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoldedSubjectLine:
    """A subject as names are held against it: folded, the same between blanks, its words, those that turn it
    round, and by their number its first words, where what follows them would leave a name its meaning; ``near``
    are the sure names of all types that may be like it."""

    text: str
    spaced: str
    sentence: Sentence
    negations: frozenset[str]
    heads: Mapping[int, str]
    near: frozenset[str]


def _heads(words: Sequence[str], units: UnitTable) -> dict[int, str]:
    counts = range(1, min(len(words), _MOST_WORDS_OF_A_NAME + 1))
    return {count: " ".join(words[:count]) for count in counts if _may_follow(words[count:], units)}


def _subject_hint(request_type: RequestType, subject: _FoldedSubjectLine, units: UnitTable) -> Hint | None:
    key, names = request_type.key, _names(request_type)
    if not subject.negations <= names.own_words:
        about = _mentions(names, subject.spaced) or is_named_in(names.all, subject.sentence, units)
        return Hint(request_type=key, confidence=ASK_CONFIDENCE, matched="subject_negated") if about else None
    exact = _exact_subject(key, names, subject.text)
    if exact is not None:
        return exact
    title = read_title(request_type, subject.sentence.words, units)
    if title is not None and _may_follow(title.rest, units):
        return Hint(request_type=key, confidence=1.0, matched="subject_title", certain=True)
    return _containing_subject(key, names, subject, units) or _similar_subject(key, names, subject, units)


def _is_negated(words: Sequence[str]) -> bool:
    return not NEGATIONS.isdisjoint(words)


def _mentions(names: _Names, spaced: str) -> bool:
    """Whether any name of the type, sure or suggested, stands in words between blanks."""
    return any(f" {name} " in spaced for name in names.all)


def _exact_subject(key: str, names: _Names, words: str) -> Hint | None:
    # Only a subject with lost letters may be a name without being the same.
    if words in names.sure or "?" in words:
        for wanted, matched in names.sure.items():
            if same_words(words, wanted):
                return Hint(request_type=key, confidence=1.0, matched=matched, certain=True)
    return None


def _containing_subject(key: str, names: _Names, subject: _FoldedSubjectLine, units: UnitTable) -> Hint | None:
    """Canonical words with more around them: certain if the rest changes nothing (a plate, a courtesy)."""
    best: Hint | None = None
    for wanted, matched in names.sure.items():
        if wanted not in subject.text:
            continue
        before, found, after = subject.spaced.partition(f" {wanted} ")
        if not found or " " not in wanted:
            continue
        harmless = all(word in _LEAD_INS or _HAS_DIGIT.search(word) for word in before.split())
        if harmless and _may_follow(after.split(), units):
            return Hint(request_type=key, confidence=0.98, matched=matched, certain=True)
        best = best or Hint(request_type=key, confidence=0.7, matched="subject_part")
    return best


def _may_follow(rest: Sequence[str], units: UnitTable) -> bool:
    """Whether words after the canonical ones leave its meaning alone.

    ``de Rio Verde para Jataí`` and ``placa ABC1D23`` do; ``de entrega`` makes another thing of it.
    """
    if not _DOUBTS.isdisjoint(rest) or _is_negated(rest):
        return False
    if rest and rest[0] in _BELONGS_TO:
        return len(rest) > 1 and (rest[1] in _INSPECTION or units.at(rest, 1) is not None)
    return True


def _similar_subject(key: str, names: _Names, subject: _FoldedSubjectLine, units: UnitTable) -> Hint | None:
    """Typos in the whole subject or in its first words, then synonyms, then what merely resembles."""
    closest = max([_similarity(subject, wanted) for wanted in subject.near.intersection(names.sure)], default=0.0)
    if closest >= TYPO_RATIO:
        return Hint(request_type=key, confidence=round(closest / 100, 3), matched="subject_typo", certain=True)
    if subject.spaced in names.suggested or is_named_in(names.all, subject.sentence, units):
        return Hint(request_type=key, confidence=0.6, matched="subject_suggestion")
    if any(suggestion in subject.spaced for suggestion in names.suggested):
        # One word of many, *comprovante de transferência*: with other signs it does not count as a synonym.
        return Hint(request_type=key, confidence=0.6, matched="subject_similar")
    if closest >= SUGGEST_RATIO:
        return Hint(request_type=key, confidence=ASK_CONFIDENCE, matched="subject_similar")
    return None


def _names_near(words: str, heads: Mapping[int, str], types: Sequence[RequestType]) -> frozenset[str]:
    """The sure names that have letters enough in common with a subject, or with as many of its first words."""
    names, by_count = _sure_names(tuple([(one.subject, one.aliases) for one in types]))
    found = set(near(words, names))
    for count, head in heads.items():
        if count in by_count:
            found.update(near(head, by_count[count]))
    return frozenset(found)


@lru_cache(maxsize=64)
def _sure_names(
    named: tuple[tuple[str, tuple[str, ...]], ...],
) -> tuple[Sequence[str], Mapping[int, Sequence[str]]]:
    """All sure names of types with these subjects and aliases, and the same by the number of their words."""
    names = [name for subject, aliases in named for name in _folded_names(subject, aliases, ()).sure]
    by_count: dict[int, list[str]] = {}
    for name in names:
        by_count.setdefault(name.count(" ") + 1, []).append(name)
    return names, by_count


def _similarity(subject: _FoldedSubjectLine, wanted: str) -> float:
    """How alike the subject, or as many of its first words as ``wanted`` has, are to ``wanted``: 0, or from
    :data:`SUGGEST_RATIO` to 100."""
    whole = likeness(subject.text, wanted) if len(subject.text) <= 2 * len(wanted) else 0.0
    head = subject.heads.get(wanted.count(" ") + 1) if whole < TYPO_RATIO else None
    return whole if head is None else max(whole, likeness(head, wanted))


# --- everything else ----------------------------------------------------------------------------------------

# Contact details stand in every signature and tell nothing about what is wanted.
_TELLING_KINDS = frozenset(
    {
        FieldKind.UNIT,
        FieldKind.CPF,
        FieldKind.CNPJ,
        FieldKind.CHOICE,
        FieldKind.NUMBER,
        FieldKind.DATE,
        FieldKind.MONEY,
        FieldKind.TIME_WINDOWS,
        FieldKind.CONTRACT,
        FieldKind.SERIALS,
    }
)


def classify(
    says: SubjectLine,
    fields_found: Mapping[str, tuple[FieldValue, ...]],
    body_text: str,
    document_kinds: Iterable[DocumentKind],
    types: Sequence[RequestType],
    units: UnitTable = _NO_UNITS,
) -> Classification:
    """What the mail asks for, of the ``types`` for which its subject was read.

    ``fields_found`` has, by request type, the fields that the mail states behind labels, in that type's terms;
    ``document_kinds`` the kinds of its attachments, where known. ``request_type`` of the result is ``None``
    unless certain; ``ask`` is true where at least one candidate is worth a question. Never raises.
    """
    subject, of_subject = says.subject, {hint.request_type: hint for hint in says.hints}
    if any(hint.certain for hint in of_subject.values()):
        return chosen(of_subject.values())
    body_text = body_text[:_LONGEST_BODY]
    body = fold_words(body_text)
    body_words = f" {plain_prepositions(body)} "
    subject_words = f" {plain_prepositions(fold_words(subject[:_LONGEST_SUBJECT]))} "
    said_in_subject, said_in_body = sentences_of(subject[:_LONGEST_SUBJECT]), sentences_of(body_text)
    kinds = frozenset(document_kinds)
    types_with = _types_with_keyword(tuple([kind.keywords for kind in types]))
    hints = []
    for request_type in types:
        said = _said(request_type, said_in_subject, said_in_body, units)
        told = _Told(
            subject=of_subject.get(request_type.key),
            said=said,
            fields=_field_weight(request_type, fields_found.get(request_type.key, ())),
            documents=len(kinds & {document.key for document in request_type.documents}),
            keywords=len(found := _keywords_in(request_type, body_words)),
            new_keywords=sum(word not in subject_words for word in found),
            own_keywords=sum(types_with[word] == 1 for word in found),
            route=_asks_in_sentence(request_type, body, units, of_subject.get(request_type.key), said),
        )
        hint = _weighed(request_type, told)
        if hint is not None:
            hints.append(hint)
    return chosen(hints)


def _said(
    request_type: RequestType, subject: Sequence[Sentence], body: Sequence[Sentence], units: UnitTable
) -> Stance:
    """What the body says, unless the subject takes it back: *desisti da alteração*."""
    names = _names(request_type).all
    denied = stance(names, subject, units) is Stance.DENIES
    return Stance.DENIES if denied else stance(names, body, units)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """All that a mail says about one type. Of its keywords ``own_keywords`` are no other type's,
    ``new_keywords`` do not stand in the subject; ``route``: a sentence asks for it with both units named."""

    subject: Hint | None
    said: Stance
    fields: float
    documents: int
    keywords: int
    own_keywords: int
    new_keywords: int
    route: bool

    @property
    def asked(self) -> bool:
        """Whether the subject has a synonym or the body asks in a sentence: certain with one thing more."""
        by_synonym = self.subject is not None and self.subject.matched == "subject_suggestion"
        return by_synonym or self.said is Stance.ASKS


def _weighed(request_type: RequestType, told: _Told) -> Hint | None:
    by_subject = 0.0 if told.subject is None else told.subject.confidence
    weight = 0.3 * told.fields + 0.15 * told.documents + 0.1 * min(told.keywords, 4) + 0.4 * told.route
    confidence = round(max(by_subject, min(0.9, 0.5 * by_subject + weight)), 3)
    signs = told.own_keywords + told.asked + (told.subject is not None)
    if told.said is Stance.ASKS:
        confidence = max(confidence, ASK_CONFIDENCE)
    negated = told.subject is not None and told.subject.matched == "subject_negated"
    denied = negated or told.said is Stance.DENIES
    decided = None if denied else _decided_by(told, required=sum(one.required for one in request_type.documents))
    if decided is not None:
        confidence = max(confidence, 0.85)
        return Hint(
            request_type=request_type.key, confidence=confidence, matched=decided, certain=True, signs=signs
        )
    if not denied and not request_type.documents and _told_by_body(told):
        confidence = max(confidence, _BY_BODY_CONFIDENCE)
        return Hint(
            request_type=request_type.key,
            confidence=confidence,
            matched="body",
            certain=True,
            by_body=True,
            signs=signs,
        )
    if confidence <= 0:
        return None
    if told.said is Stance.DENIES and not negated:
        # Somebody who gives it up needs no advice on how to ask: a person reads it.
        confidence = min(confidence, ASK_CONFIDENCE - 0.1)
        return Hint(request_type=request_type.key, confidence=confidence, matched="negated")
    undecided = "body_suggestion" if told.said is Stance.ASKS else "nothing"
    matched = undecided if told.subject is None else told.subject.matched
    return Hint(request_type=request_type.key, confidence=confidence, matched=matched)


def _decided_by(told: _Told, *, required: int) -> str | None:
    """What makes the type certain, or nothing; ``required``: how many documents the type must have."""
    if told.fields >= 2 or (told.fields >= 1 and (told.documents >= 2 or told.asked)):
        return "fields"
    if told.route:
        return "body"
    if told.asked and told.documents >= 2:
        return "documents"
    if told.documents >= max(required, 2) and (told.documents >= 3 or told.keywords >= 2):
        return "documents"
    return None


def _told_by_body(told: _Told) -> bool:
    """Whether the words say it where no paper could: a request in a sentence with a word of the type, a synonym in
    the subject with another one, or several such words."""
    if told.said is Stance.ASKS:
        return told.keywords >= 1
    return (told.asked and told.new_keywords >= 1) or (
        told.keywords >= _TELLING_KEYWORDS and told.own_keywords >= 1
    )


def _field_weight(request_type: RequestType, found: tuple[FieldValue, ...]) -> float:
    """Valid labelled fields of the type's own: 1 each, ½ for free text; contact details count nothing."""
    weight = 0.0
    for value in found:
        spec = request_type.field(value.key)
        if spec is None or not value.valid or value.origin is not FieldOrigin.LABEL or spec.default is not None:
            continue
        if spec.kind in _TELLING_KINDS:
            weight += 1
        elif spec.kind is FieldKind.TEXT:
            weight += 0.5
    return weight


def _keywords_in(request_type: RequestType, body_words: str) -> list[str]:
    return [word for word in _spaced_keywords(request_type.keywords) if word in body_words]


@lru_cache(maxsize=256)
def _spaced_keywords(keywords: tuple[str, ...]) -> Sequence[str]:
    """Keywords, folded and between blanks, each once."""
    return list(dict.fromkeys(f" {_folded(keyword)} " for keyword in keywords))


@lru_cache(maxsize=64)
def _types_with_keyword(keywords_of_types: tuple[tuple[str, ...], ...]) -> Mapping[str, int]:
    """Of how many types each keyword, as :func:`_spaced_keywords` has it, is one."""
    return Counter(word for keywords in keywords_of_types for word in _spaced_keywords(keywords))


def _asks_in_sentence(
    request_type: RequestType, body: str, units: UnitTable, subject: Hint | None, said: Stance
) -> bool:
    """Whether the body names both places and body or subject ask for the type."""
    if len(request_type.title_fields) < 2 or not body:
        return False
    words = body.split()
    suggested = subject is not None and subject.matched in ("subject_suggestion", "subject_similar")
    if suggested or said is Stance.ASKS:
        return route_in(words, units) is not None or names_two_units(body, units)
    return _asks_by_title(request_type, words, units)


def _asks_by_title(request_type: RequestType, words: Sequence[str], units: UnitTable) -> bool:
    """Whether the type's own title stands in the body, without a *not* before it."""
    first = _folded(request_type.title).split(" ", 1)[0]
    starts = [index for index, word in enumerate(words) if word == first][:_MOST_TITLES]
    return any(
        read_title(request_type, words[start : start + 40], units) is not None
        and not _is_negated(words[max(0, start - 5) : start])
        for start in starts
    )
