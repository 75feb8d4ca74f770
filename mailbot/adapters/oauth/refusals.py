"""What a provider's refusal means: its words → LoginExpired, CredentialsRefused or ServerAway. Pure.

The codes are Microsoft Entra's (AADSTS…) and those of RFC 6749 §5.2 with Google's descriptions. Microsoft says
that its codes may change: one that is not known here is a refusal like any other, told in the provider's words.
"""

from __future__ import annotations

import re

from mailbot.domain.errors import CredentialsRefused, LoginExpired, ServerAway
from mailbot.domain.logins import LoginCredential

_LONGEST_TEXT = 300

# Client secret expired; refresh token expired, unused for too long or ended by a new password or policy.
_EXPIRED = re.compile(r"AADSTS(?:7000222|700082|700081|700084|70008|70043|50173|50089)\b")
# A certificate's end is told under the code of every wrong signature.
_EXPIRED_CERTIFICATE = re.compile(r"AADSTS700027\b.*\bexpired\b", re.IGNORECASE)
_LATER = re.compile(r"AADSTS(?:90033|90006|90012|90055|50196)\b")
_LATER_ERRORS = frozenset({"temporarily_unavailable", "server_error", "internal_failure"})
# Google asks a person for consent or a password again: to the program that is an end as well.
_ENDED_ERRORS = frozenset({"invalid_grant", "interaction_required"})

# Trace ids and times differ each time, and say nothing to whoever is not the provider.
_TRACES = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp):.*", re.IGNORECASE | re.DOTALL)
_ADDRESS = re.compile(r"\S{1,200}@\S{1,200}")
_LONG_SECRET = re.compile(r"[\w+/=~.-]{60,}")


def refusal(place: str, credential: LoginCredential, error: str, description: str) -> ServerAway:
    """The error to raise for an answer with ``error`` and ``error_description``; ``place`` names the server."""
    said = readable(f"{error}: {description}" if description else error)
    if error in _LATER_ERRORS or _LATER.search(description):
        return ServerAway(f"{place}: no token now: {said}")
    kind = LoginExpired if _has_ended(credential, error, description) else CredentialsRefused
    return kind(f"{place}: no token: {said}")


def _has_ended(credential: LoginCredential, error: str, description: str) -> bool:
    if _EXPIRED.search(description) or _EXPIRED_CERTIFICATE.search(description):
        return True
    return credential is LoginCredential.REFRESH_TOKEN and error in _ENDED_ERRORS


def readable(text: str) -> str:
    """A provider's words on one line, shortened, without addresses, trace ids and what may be a secret."""
    line = " ".join(_TRACES.sub("", text[: 4 * _LONGEST_TEXT]).split())
    line = _LONG_SECRET.sub("…", _ADDRESS.sub("…", line))
    return "".join(character for character in line if character.isprintable())[:_LONGEST_TEXT]
