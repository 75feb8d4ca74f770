"""Folders on an IMAP server by the names that the configuration gives them."""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any


def make_folder(client: Any, name: str) -> str:
    """Create the folder unless it is there; return the name under which it is."""
    candidates = [name]
    if not client.has_capability("NAMESPACE"):
        # Some servers keep everything below INBOX and cannot say so.
        _, separator = _namespace(client)
        candidates += [f"INBOX{separator}{name}"] if separator else []
    for candidate in candidates:
        if client.folder_exists(candidate):
            return candidate
    for candidate in candidates:
        if succeeds(partial(client.create_folder, candidate)):
            # Mail clients show subscribed folders only.
            succeeds(partial(client.subscribe_folder, candidate))
            return candidate
    return name


def server_name(client: Any, name: str) -> str:
    """The server's name for a folder that the configuration writes with ``/`` and without prefix."""
    if name.upper() == "INBOX":
        return name
    prefix, separator = _namespace(client)
    translated = name.replace("/", separator) if separator else name
    return translated if translated.startswith(prefix) else prefix + translated


def _namespace(client: Any) -> tuple[str, str]:
    """Prefix and separator of our own folders (RFC 2342), as far as the server tells."""
    if client.has_capability("NAMESPACE"):
        with suppress(ValueError, TypeError, LookupError):
            prefix, separator = client.namespace().personal[0]
            return str(prefix or ""), str(separator or "")
    listed = client.list_folders("", "")
    separator = listed[0][1] if listed else None
    return "", separator.decode("ascii") if isinstance(separator, bytes) else ""


def succeeds(act: Callable[[], object]) -> bool:
    """Whether the server says OK to what may be refused without harm."""
    try:
        act()
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        return False
    return True
