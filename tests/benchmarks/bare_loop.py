"""The yardstick: the least that a mail-to-ticket loop must do, in one file, by the standard library alone.

FETCH by 50, parse with ``compat32``, decode attachments and write them fsynced, one transaction a mail with a
ticket and a message (SQLite, WAL, synchronous=FULL), one STORE a mail. Nothing in it waits on purpose.

Run as ``python bare_loop.py HOST PORT ADDRESS PASSWORD FOLDER``; prints mails, seconds and CPU seconds as JSON.
The clock runs from the login to the last STORE.
"""

from __future__ import annotations

import email
import imaplib
import itertools
import json
import os
import resource
import sqlite3
import sys
import time
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

_BATCH = 50
_NUMBERS = itertools.count()


def run(host: str, port: int, address: str, password: str, folder: Path) -> int:
    """Take every mail of the INBOX; returns how many."""
    database = _database(folder / "bare.db")
    (folder / "files").mkdir()
    imap = imaplib.IMAP4(host, port)
    imap.login(address, password)
    imap.select("INBOX")
    uids = imap.uid("SEARCH", "UNDELETED")[1][0].split()
    for start in range(0, len(uids), _BATCH):
        batch = b",".join(uids[start : start + _BATCH]).decode()
        answer = imap.uid("FETCH", batch, "(UID BODY.PEEK[])")[1]
        for uid, item in zip(
            uids[start : start + _BATCH], [one for one in answer if type(one) is tuple], strict=True
        ):
            _store(database, folder / "files", item[1])
            imap.uid("STORE", uid.decode(), "+FLAGS.SILENT", "(\\Seen)")
    imap.logout()
    database.close()
    return len(uids)


def _database(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE tickets (id INTEGER PRIMARY KEY, sender TEXT, subject TEXT, status TEXT)")
    database.execute(
        "CREATE TABLE messages (id INTEGER PRIMARY KEY, ticket_id INTEGER, message_id TEXT, body TEXT, files TEXT)"
    )
    return database


def _store(database: sqlite3.Connection, files: Path, raw: bytes) -> None:
    message = email.message_from_bytes(raw)
    body, names = "", []
    for part in message.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_filename():
            names.append(_write(files, f"{next(_NUMBERS)}.bin", content))
        elif not body:
            body = content.decode(part.get_content_charset("utf-8"), "replace")
    database.execute("BEGIN IMMEDIATE")
    ticket = database.execute(
        "INSERT INTO tickets (sender, subject, status) VALUES (?, ?, 'open')",
        (_header(message, "From"), _header(message, "Subject")),
    ).lastrowid
    database.execute(
        "INSERT INTO messages (ticket_id, message_id, body, files) VALUES (?, ?, ?, ?)",
        (ticket, _header(message, "Message-ID"), body, json.dumps(names)),
    )
    database.execute("COMMIT")


def _write(files: Path, name: str, content: bytes) -> str:
    descriptor = os.open(files / name, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, content)
    os.fsync(descriptor)
    os.close(descriptor)
    return name


def _header(message: Message, name: str) -> str:
    return str(make_header(decode_header(message.get(name, ""))))


def main() -> None:
    """Run with the arguments of the command line."""
    host, port, address, password, folder = sys.argv[1:]
    started = time.perf_counter()
    mails = run(host, int(port), address, password, Path(folder))
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {"mails": mails, "seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
