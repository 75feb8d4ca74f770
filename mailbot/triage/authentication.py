"""Authenticity: what our own receiving server says about the From address.

``(InboundMail, AuthenticationProfile) → Authenticity``. Reads ``Authentication-Results`` (RFC 8601) tolerantly
and trusts narrowly (THREATS 9-11): only results under our exact authserv-id, only ``dmarc`` aligned with the
one From address or ``auth`` of that very address, and nothing at all where two results disagree.

Exchange writes no authserv-id: with the profile ``microsoft365`` what counts is its own stamps, and only on a mail
whose newest ``Received`` and whose ``AuthSource`` name the servers that ``doctor`` has seen (``received_by``).
Exchange takes foreign stamps away where mail enters the organisation; two of a kind prove that nothing did.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from mailbot.domain.mail import Authenticity, InboundMail


class AuthenticationKind(StrEnum):
    """How a mailbox's server marks what it has checked."""

    NONE = "none"
    AUTHSERV_ID = "authserv_id"
    MICROSOFT365 = "microsoft365"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationProfile:
    """A mailbox's way of authentication; ``authserv_id`` is exactly what our server writes, ``received_by`` the
    domain of the Exchange servers that stamp our mail; empty if unset."""

    kind: AuthenticationKind = AuthenticationKind.NONE
    authserv_id: str = ""
    received_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResult:
    """One result of one method: ``dmarc=pass header.from=example.com.br``. Words in lower case."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()

    def only(self, name: str) -> str:
        """The value of the property ``name``; empty if it is absent or stands there with two values."""
        values = {value for key, value in self.properties if key == name}
        return values.pop() if len(values) == 1 else ""


_FIELD_CHARACTERS = 20_000
_FIELDS_AT_MOST = 50


def authenticity_of(mail: InboundMail, profile: AuthenticationProfile) -> Authenticity:
    """``VERIFIED``, ``FAILED`` (our server says ``dmarc=fail``) or, in every doubt, ``UNVERIFIED``."""
    found = _by_profile(mail, profile)
    is_doubled = any(len(mail.all_headers(name)) > 1 for name in _ONCE_AT_MOST)
    return Authenticity.UNVERIFIED if found is Authenticity.VERIFIED and is_doubled else found


_ONCE_AT_MOST = (
    "date",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
)
"""Fields that a mail has once (RFC 5322 §3.6, RFC 2045 §3). A second one above the first is what somebody
put on a signed mail: the signature holds, and the mail says something else (RFC 6376 §8.15)."""


def _by_profile(mail: InboundMail, profile: AuthenticationProfile) -> Authenticity:
    match profile.kind:
        case AuthenticationKind.AUTHSERV_ID:
            return _by_authserv_id(mail, profile.authserv_id)
        case AuthenticationKind.MICROSOFT365:
            return _by_exchange(mail, profile.received_by)
        case AuthenticationKind.NONE:
            return Authenticity.UNVERIFIED
        case _:
            assert_never(profile.kind)


def parse_authentication_results(value: str, authserv_id: str) -> tuple[MethodResult, ...] | None:
    """The results of one header field, or ``None`` if it does not stand under exactly ``authserv_id``.

    The id is compared with case and without unquoting: a spelling that our server would not write, and so might
    not remove, is not ours. What stands in comments or quoted strings never becomes a result.
    """
    body = value[:_FIELD_CHARACTERS].lstrip()
    if not authserv_id or not body.startswith(authserv_id):
        return None
    rest = body[len(authserv_id) :]
    if rest and rest[0] not in " \t;":
        return None
    segments = [list(segment) for segment in _segments(rest)]
    version = segments[0] if segments else []
    if version not in ([], ["1"]):
        return None
    return tuple(result for segment in segments[1:] if (result := _method_result(segment)) is not None)


# --- the decision ------------------------------------------------------------------------------------------


def _by_authserv_id(mail: InboundMail, authserv_id: str) -> Authenticity:
    if not authserv_id or not has_one_plain_sender(mail):
        return Authenticity.UNVERIFIED
    found: dict[str, list[MethodResult]] = {"dmarc": [], "auth": []}
    for value in mail.authentication_results[:_FIELDS_AT_MOST]:
        for result in parse_authentication_results(value, authserv_id) or ():
            if result.method in found:
                found[result.method].append(result)
    if not all(_agree(results) for results in found.values()):
        return Authenticity.UNVERIFIED
    dmarc, auth = (next(iter(found[method]), None) for method in ("dmarc", "auth"))
    if dmarc is not None and dmarc.result == "fail":
        return Authenticity.FAILED
    if dmarc is not None and _dmarc_passed(dmarc, mail):
        return Authenticity.VERIFIED
    if auth is not None and auth.result == "pass" and auth.only("smtp.auth").lower() == mail.sender.address:
        return Authenticity.VERIFIED
    return Authenticity.UNVERIFIED


def _by_exchange(mail: InboundMail, received_by: str) -> Authenticity:
    """``AuthAs: Internal`` says that somebody of the organisation wrote it, logged in as From; of all others
    Exchange says in its ``Authentication-Results`` what DMARC came to."""
    stamp = exchange_stamp(mail)
    if not has_one_plain_sender(mail) or stamp is None or not received_by:
        return Authenticity.UNVERIFIED
    if not all(is_host_of(host, received_by) for host in (stamp.received_by, stamp.auth_source)):
        return Authenticity.UNVERIFIED
    if stamp.auth_as == "Internal":
        return Authenticity.VERIFIED
    return _by_results_without_id(mail) if stamp.auth_as in _FROM_OUTSIDE else Authenticity.UNVERIFIED


def _by_results_without_id(mail: InboundMail) -> Authenticity:
    found = _results_without_id(mail)
    dmarc, compauth = ([one for one in found if one.method == method] for method in ("dmarc", "compauth"))
    if not dmarc or not _agree(dmarc) or not _agree(compauth):
        return Authenticity.UNVERIFIED
    if dmarc[0].result == "fail":
        return Authenticity.FAILED
    # What DMARC lets pass Microsoft's own composite check may still hold to be forged.
    passed = _dmarc_passed(dmarc[0], mail) and not any(one.result == "fail" for one in compauth)
    return Authenticity.VERIFIED if passed else Authenticity.UNVERIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeStamp:
    """What Exchange notes on a mail that it takes in: how the sender was authenticated and by which server, and
    the host of the newest ``Received`` field, which the server of the mailbox itself writes."""

    auth_as: str
    auth_source: str
    received_by: str


_AUTH_AS = "x-ms-exchange-organization-authas"
_AUTH_SOURCE = "x-ms-exchange-organization-authsource"
_FROM_OUTSIDE = frozenset({"Anonymous", "External", "Partner"})


def exchange_stamp(mail: InboundMail) -> ExchangeStamp | None:
    """The stamp of ``mail``; ``None`` if it has none, or two of a kind, of which one must be foreign."""
    auth_as, auth_source = mail.all_headers(_AUTH_AS), mail.all_headers(_AUTH_SOURCE)
    received = mail.all_headers("received")
    # What stands in a comment is what the sending host says of itself.
    words = [word.lower() for word in _tokens(received[0][:_FIELD_CHARACTERS])] if received else []
    if len(auth_as) != 1 or len(auth_source) != 1 or "by" not in words[:-1]:
        return None
    return ExchangeStamp(
        auth_as=auth_as[0].strip(),
        auth_source=auth_source[0].strip().lower(),
        received_by=words[words.index("by") + 1].rstrip("."),
    )


def is_host_of(host: str, domain: str) -> bool:
    """Whether ``host`` is ``domain`` or lies in it."""
    return host == domain or host.endswith(f".{domain}")


def _results_without_id(mail: InboundMail) -> list[MethodResult]:
    """All results that stand under no authserv-id, as Exchange writes them; none where the topmost field has one:
    then another server was the last to judge this mail."""
    fields = [_parse_without_id(value) for value in mail.authentication_results[:_FIELDS_AT_MOST]]
    if not fields or fields[0] is None:
        return []
    return [result for results in fields for result in results or ()]


def _parse_without_id(value: str) -> tuple[MethodResult, ...] | None:
    """``spf=pass (…) smtp.mailfrom=…; dkim=pass …``: the first thing said is a result already."""
    segments = [_method_result(list(segment)) for segment in _segments(value[:_FIELD_CHARACTERS])]
    if segments[0] is None:
        return None
    return tuple(result for result in segments if result is not None)


def _dmarc_passed(dmarc: MethodResult, mail: InboundMail) -> bool:
    """A pass counts for the domain that it names; one that names none might be anybody's."""
    header_from = dmarc.only("header.from").lower().rpartition("@")[2].rstrip(".")
    return dmarc.result == "pass" and header_from != "" and header_from == mail.sender.domain


def _agree(results: list[MethodResult]) -> bool:
    """Two results that differ in verdict or in whom they are about make both worthless (THREATS 10)."""
    return (
        len({(one.result, one.only("header.from").lower(), one.only("smtp.auth").lower()) for one in results}) <= 1
    )


_QUOTED_OR_COMMENT = re.compile(r'"[^"]*"|\([^()]*\)')


def has_one_plain_sender(mail: InboundMail) -> bool:
    """Exactly one From field with exactly one plain ASCII address, no group, no quoted local part (THREATS 11)."""
    fields = mail.all_headers("from")
    if len(mail.from_addresses) != 1 or len(fields) > 1 or mail.from_addresses[0].address != mail.sender.address:
        return False
    if (
        not re.fullmatch(r"[^\s\"(),:;<>@\[\]\\]+@[a-z0-9.-]+", mail.sender.address)
        or not mail.sender.address.isascii()
    ):
        return False
    bare = _QUOTED_OR_COMMENT.sub("", fields[0][:_FIELD_CHARACTERS]).strip() if fields else ""
    return bare.count("<") <= 1 and not bare.endswith(";")


# --- RFC 8601, read tolerantly -----------------------------------------------------------------------------


def _segments(text: str) -> Iterator[Iterator[str]]:
    """The parts between semicolons, each as its words; comments are gone, quoted strings are marked words."""
    words: list[str] = []
    for token in _tokens(text):
        if token == ";":
            yield iter(words)
            words = []
        else:
            words.append(token)
    yield iter(words)


_PLAIN = re.compile(r'[^\s;()"]+')
# A quoted string stays one word and cannot be mistaken for method=result.
_QUOTED_MARK = '"'


def _tokens(text: str) -> Iterator[str]:
    """Words and semicolons; ``name="value"`` is one word. Linear; an unclosed quote or comment eats the rest."""
    at, word = 0, ""
    while at < len(text):
        ch = text[at]
        if ch == '"':
            at, quoted = _quoted(text, at)
            word += _QUOTED_MARK + quoted + _QUOTED_MARK
            continue
        plain = _PLAIN.match(text, at)
        if plain is not None:
            word += plain.group()
            at = plain.end()
            continue
        if word:
            yield word
            word = ""
        if ch == ";":
            yield ";"
        at = _after_comment(text, at) if ch == "(" else at + 1
    if word:
        yield word


def _quoted(text: str, start: int) -> tuple[int, str]:
    """Where the quoted string that begins at ``start`` ends, and what stands in it, blanks made harmless."""
    at, characters = start + 1, []
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        characters.append(text[at])
        at += 1
    return at + 1, "".join(characters)


def _after_comment(text: str, start: int) -> int:
    depth, at = 0, start
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return at


_METHOD = re.compile(r"([a-z][a-z0-9-]*)(?:/[0-9]+)?=([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"([a-z][a-z0-9-]*\.[a-z0-9-]+)=(.*)", re.IGNORECASE | re.DOTALL)


def _method_result(words: list[str]) -> MethodResult | None:
    joined = _joined_at_equals(words)
    if not joined:
        return None
    method = _METHOD.fullmatch(joined[0])
    if method is None:
        return None
    properties = []
    for word in joined[1:]:
        found = _PROPERTY.fullmatch(word)
        if found is not None:
            properties.append((found.group(1).lower(), _unquoted(found.group(2))))
    return MethodResult(
        method=method.group(1).lower(), result=method.group(2).lower(), properties=tuple(properties)
    )


def _joined_at_equals(words: list[str]) -> list[str]:
    """``dmarc = pass`` as the one word that it is (RFC 8601 §2.2 allows blanks around the sign)."""
    joined: list[str] = []
    for word in words:
        if joined and (word.startswith("=") or joined[-1].endswith("=")):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == _QUOTED_MARK:
        return value[1:-1]
    return value
