"""A token endpoint's answer (RFC 6749 §5): JSON in, what was granted out, or the error that it means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mailbot.adapters.oauth.refresh_token_file import RefreshToken, RefreshTokenFile
from mailbot.adapters.oauth.refusals import refusal
from mailbot.adapters.oauth.renewing import Granted
from mailbot.domain.errors import ServerAway
from mailbot.domain.logins import LoginCredential

# RFC 6749 §5.1 only recommends to tell it.
_ASSUMED_LIFETIME_SECONDS = 600.0
_LONGEST_LIFETIME_SECONDS = 86_400.0


def json_object(text: str) -> dict[str, Any]:
    """The answer as JSON; empty where it is none."""
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def granted(place: str, credential: LoginCredential, answer: Mapping[str, Any]) -> Granted:
    """What was granted. Raises ``CredentialsRefused``, ``LoginExpired`` or ``ServerAway``."""
    token = answer.get("access_token")
    if isinstance(token, str) and token:
        return Granted(access_token=token, lifetime_seconds=_lifetime(answer.get("expires_in")))
    error = answer.get("error")
    if not isinstance(error, str) or not error:
        raise ServerAway(f"{place}: the answer holds neither a token nor an error")
    raise refusal(place, credential, error, str(answer.get("error_description") or ""))


def keep_newest(file: RefreshTokenFile, kept: RefreshToken, answer: Mapping[str, Any]) -> None:
    """Save what a token endpoint's answer changes about the refresh token; to be called under the file's lock."""
    stated = answer.get("refresh_token")
    value = stated if isinstance(stated, str) and stated else kept.value
    end = _end_of_refresh_token(answer)
    end_is_known = end is None or (kept.expires_at is not None and _about(end, kept.expires_at))
    if value != kept.value or not end_is_known or file.is_unsaved:
        file.save(RefreshToken(value=value, expires_at=end))


def _about(one: datetime, other: datetime) -> bool:
    # It is told in seconds from now, each time anew.
    return abs((one - other.astimezone(UTC)).total_seconds()) < 3600


def _end_of_refresh_token(answer: Mapping[str, Any]) -> datetime | None:
    """When the refresh token ends, where the provider tells it (Google does for consent with an end)."""
    seconds = _seconds(answer.get("refresh_token_expires_in"))
    return None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)


def _lifetime(stated: object) -> float:
    seconds = _seconds(stated)
    return _ASSUMED_LIFETIME_SECONDS if seconds is None else min(seconds, _LONGEST_LIFETIME_SECONDS)


def _seconds(stated: object) -> float | None:
    # Some send the number as a string.
    if isinstance(stated, str) and stated.isascii() and stated.isdecimal() and len(stated) < 12:
        stated = int(stated)
    if isinstance(stated, int | float) and not isinstance(stated, bool) and 0 < stated < 1e10:
        return float(stated)
    return None
