"""A private PostgreSQL: a cluster of its own in a temporary folder, on a free loopback port, by trust."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.peers import find_program
from tests.peers.process import LOOPBACK, PATIENCE_SECONDS, Peer, Supervised, answers

# The server refuses to run as root: one of these runs it then.
_USERS = ("postgres", "nobody")
_SUPERUSER = "mailbot"
# Its own are never used: what Debian's package set up is the machine's. Nothing here is worth a wait for the disk,
# except where speed is measured.
_SETTINGS = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 100
log_min_messages = warning
log_lock_waits = on
{durability}
"""
_NOT_DURABLE = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off"


class PostgreSQL(Peer):
    """A running server. Attributes: `host`, `port`. `durable` says whether a commit waits for the disk, as it does
    in real life."""

    name = "postgresql"
    host = LOOPBACK

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__()
        self.port = self.ports.take()
        self._durable = durable
        self._numbers = itertools.count(1)

    def new_database(self, *, locale: str = "pt-BR", encoding: str = "UTF8") -> str:
        """The URL of an empty database. Its sort order is by default not that of codes, as on most servers."""
        name = f"d{next(self._numbers)}"
        kind = f"LOCALE_PROVIDER icu ICU_LOCALE '{locale}'" if encoding == "UTF8" else "LOCALE 'C'"
        self.run_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' {kind}")
        return self.url(name)

    def url(self, name: str = "postgres") -> str:
        """The URL of a database, for its superuser."""
        return f"postgresql://{_SUPERUSER}@{self.host}:{self.port}/{name}"

    def run_sql(self, statement: str, *, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement outside any transaction; the rows of its result, if it has one."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def drop_connections(self, *, database: str) -> None:
        """Cut off everybody who is connected to the database."""
        self.run_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")

    def stop(self) -> None:
        """Stop at once but in order: connections are cut off, the data is whole."""
        self._stop("fast")
        super().stop()

    def __exit__(self, *_: object) -> None:
        # Killed it would leave a segment of shared memory behind.
        self._stop("immediate")
        super().__exit__()

    def _stop(self, mode: str) -> None:
        if self._running is not None:
            command = [
                _program("pg_ctl"),
                "-D",
                str(self._data),
                "-m",
                mode,
                "-w",
                "-t",
                f"{PATIENCE_SECONDS:.0f}",
                "stop",
            ]
            subprocess.run(_unprivileged(command), check=False, capture_output=True, cwd="/")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _configure(self) -> None:
        self._data.mkdir(mode=0o700)
        if (user := _server_user()) is not None:
            shutil.chown(self._data, user)
        command = [_program("initdb"), "-D", str(self._data), "-U", _SUPERUSER, "-A", "trust", "-E", "UTF8",
                   "--locale=C", "--no-sync"]  # fmt: skip
        subprocess.run(_unprivileged(command), check=True, capture_output=True, cwd="/")
        durability = "" if self._durable else _NOT_DURABLE
        settings = _SETTINGS.format(host=self.host, port=self.port, durability=durability)
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(settings)

    def _launch(self) -> Supervised:
        command = [_program("postgres"), "-D", str(self._data)]
        process = Supervised(_unprivileged(command), folder=self.folder, log=self.log)
        process.wait_until_ready(self._is_ready, "PostgreSQL")
        return process

    def _is_ready(self) -> bool:
        if not answers(self.port):
            return False
        import psycopg

        try:
            self.run_sql("SELECT 1")
        except psycopg.OperationalError:
            # It listens before it lets anybody in.
            return False
        return True


def _program(name: str) -> str:
    found = find_program(name)
    assert found is not None, name
    return found


def _server_user() -> str | None:
    """Who is to run the server; None for ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _USERS if name in known)


def _unprivileged(command: Sequence[str]) -> list[str]:
    user = _server_user()
    if user is None:
        return list(command)
    group = pwd.getpwnam(user).pw_gid
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--", *command]
