"""The administrator's own command as a way out for alarms: started without a shell, with the text on its input.

It gets nothing of our settings and secrets, and no word of customers (there is none in a notice).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from mailbot.domain.errors import AlertNotSent
from mailbot.domain.incidents import Notice

TIME_LIMIT_SECONDS = 30.0
_OURS = "MAILBOT_"
# The last names the folder of a unit's LoadCredential= (systemd.exec(5)).
_SYSTEMD = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "CREDENTIALS_DIRECTORY"})
# By which the database may let us in without a password in its URL, or the place where such a word lies:
# https://www.postgresql.org/docs/current/libpq-envars.html
_LIBPQ = frozenset({"PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSSLKEY"})


class AlertCommand:
    """Runs ``words``, the command with its arguments, once for each notice."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        secret_names: Collection[str] = (),
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """``secret_names`` are variables of ours whose names do not begin as our others do."""
        hidden = _SYSTEMD | _LIBPQ | {*secret_names, *(f"{name}_FILE" for name in secret_names)}
        self._words = list(words)
        self._environment = {
            name: value for name, value in environment.items() if not name.startswith(_OURS) and name not in hidden
        }

    def tell(self, notice: Notice) -> None:
        """Run it. Raises ``AlertNotSent`` unless it ends with 0 within the time limit."""
        subject = f"mailbot on {socket.gethostname()}: {notice.subject}"
        text = "\n".join((subject, "", *notice.lines, ""))
        told = {"MAILBOT_ALERT_STATE": notice.state.value, "MAILBOT_ALERT_SUBJECT": subject}
        try:
            process = subprocess.Popen(
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._environment | told,
                close_fds=True,
                # A session of its own, so that what it starts can be ended with it.
                start_new_session=True,
            )
        except OSError as error:
            raise AlertNotSent(f"it cannot be started: {error.strerror}") from error
        try:
            process.communicate(text.encode(), timeout=TIME_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            _end(process)
            raise AlertNotSent(f"it took longer than {TIME_LIMIT_SECONDS:g} s") from None
        if process.returncode != 0:
            raise AlertNotSent(f"it ended with {process.returncode}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        # What it did not read is lost with it.
        with suppress(OSError):
            process.stdin.close()
