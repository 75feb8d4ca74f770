"""What an IMAP server says of a folder without being asked, and waiting for it."""

from __future__ import annotations

import selectors
import socket
import time
from typing import Any

from mailbot.adapters.imap_connection import ImapTiming

# How long the rest of a line, and the answer to DONE, may take while we idle.
_IDLE_LINE_SECONDS = 10.0


class FolderNews:
    """What is known of one folder's size over one connection after another.

    ``told`` is how many mails the server last told us of; ``None`` where our own expunging made it uncertain.
    """

    def __init__(self, timing: ImapTiming) -> None:
        self._timing = timing
        self.told: int | None = None
        self.idle_refused = False

    def heard(self, client: Any) -> bool:
        """Read what the server said of the folder's size by the way; ``True`` if there may be new mail."""
        said = client._imap.untagged_responses
        expunged = len(said.pop("EXPUNGE", []))
        exists = [int(count) for count in said.pop("EXISTS", [])]
        before = self.told
        if exists:
            self.told = exists[-1]
            # In which order both were said is not known: when in doubt, look.
            return before is None or expunged > 0 or exists[-1] != before
        if before is not None:
            self.told = max(before - expunged, 0)
        return False

    def idle(self, client: Any, interrupted: socket.socket, seconds: float) -> bool:
        """Wait by IDLE (RFC 2177) until the server rings, somebody interrupts, or the time is over."""
        connection = client._imap
        give_up_at = time.monotonic() + seconds
        tag = connection._command("IDLE")
        # Untagged lines may come before the continuation.
        while connection._get_response() is not None:
            if connection.tagged_commands[tag]:
                connection.heed(str(connection.tagged_commands.pop(tag)))
                self.idle_refused = True
                return pause(interrupted, min(seconds, self._timing.poll_seconds))
        rang = self.heard(client)
        ended = False
        with selectors.DefaultSelector() as selector:
            selector.register(connection.sock, selectors.EVENT_READ)
            selector.register(interrupted, selectors.EVENT_READ)
            readable = False
            while not rang and not ended:
                if connection.has_input(readable=readable, line_seconds=_IDLE_LINE_SECONDS):
                    readable = False
                    ended, rang = self._hear(client, tag)
                    continue
                ready = {key.fileobj for key, _ in selector.select(max(give_up_at - time.monotonic(), 0))}
                if not ready or interrupted in ready:
                    break
                readable = True
        if not ended:
            connection.send(b"DONE\r\n")
        connection.allow(_IDLE_LINE_SECONDS)
        while not ended:
            ended, heard = self._hear(client, tag, renew=False)
            rang = rang or heard
        connection.heed(str(connection.tagged_commands.pop(tag, "")))
        connection.sock.settimeout(self._timing.read_seconds)
        return rang

    def _hear(self, client: Any, tag: bytes, *, renew: bool = True) -> tuple[bool, bool]:
        """Read one line of IDLE: whether it ended the IDLE, and whether it rings."""
        connection = client._imap
        if renew:
            connection.allow(_IDLE_LINE_SECONDS)
        connection._get_response()
        connection._check_bye()
        # Flags that others change would gather here for as long as we idle.
        for chatter in ("FETCH", "RECENT", "OK", "FLAGS"):
            connection.untagged_responses.pop(chatter, None)
        return bool(connection.tagged_commands.get(tag)), self.heard(client)


def pause(interrupted: socket.socket, seconds: float) -> bool:
    """Wait without IDLE; nothing rings meanwhile."""
    with selectors.DefaultSelector() as selector:
        selector.register(interrupted, selectors.EVENT_READ)
        selector.select(max(seconds, 0))
    return False
