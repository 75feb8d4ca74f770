"""An IMAP server in threads, small enough to read, whose faults are switched on one by one.

It speaks as much of RFC 9051 as mailbot asks for. ``answers`` replaces what it says to a command, ``log`` has
every command that came, ``cut_fetch_after`` ends the answer to a FETCH of bodies after so many bytes.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self

Answer = Callable[["Session", str, str], None]


@dataclass
class StoredMail:
    """A mail in a scripted folder."""

    raw: bytes
    flags: set[str] = field(default_factory=set)
    date: str = "20-Nov-2026 09:30:00 -0300"
    size: int | None = None


@dataclass
class Folder:
    """A scripted folder."""

    uid_validity: int = 7
    mails: dict[int, StoredMail] = field(default_factory=dict)
    uid_next: int = 1

    def add(self, raw: bytes, uid: int | None = None) -> int:
        """Put a mail in; return its UID."""
        number = uid or self.uid_next
        self.mails[number] = StoredMail(raw)
        self.uid_next = max(self.uid_next, number + 1)
        return number

    def uids(self, uid_set: str) -> list[int]:
        """UIDs of a sequence set; ``n:*`` names the last one at least, as RFC 9051 says."""
        present = sorted(self.mails)
        found: set[int] = set()
        for part in uid_set.split(","):
            first, _, last = part.partition(":")
            if last == "*":
                found.update(uid for uid in present if uid >= int(first))
                found.update(present[-1:])
            else:
                found.update(uid for uid in present if int(first) <= uid <= int(last or first))
        return sorted(found)


class Session:
    """One connection."""

    def __init__(self, server: ScriptedImap, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.file = connection.makefile("rb")
        self.selected: Folder | None = None
        self.read_only = False
        self.idling = False

    @property
    def folder(self) -> Folder:
        """The selected folder."""
        assert self.selected is not None
        return self.selected

    def send(self, text: str | bytes) -> None:
        """Send bytes as they are."""
        self.connection.sendall(text.encode("latin-1") if isinstance(text, str) else text)

    def ok(self, tag: str, text: str = "done") -> None:
        """Complete a command."""
        self.send(f"{tag} OK {text}\r\n")

    def no(self, tag: str, text: str = "refused") -> None:
        """Refuse a command."""
        self.send(f"{tag} NO {text}\r\n")

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on under TLS."""
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rb")

    def hang_up(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.file.close()
        self.connection.close()

    def run(self) -> None:
        """Greet and answer until somebody has had enough."""
        try:
            self.send(self.server.greeting)
            while line := self.file.readline():
                tag, _, rest = line.decode("latin-1").rstrip("\r\n").partition(" ")
                if not self.server.answer(self, tag, rest):
                    return
        except (OSError, ValueError):
            pass
        finally:
            self.hang_up()


class ScriptedImap:
    """The server; a context manager that listens on a free loopback port."""

    def __init__(
        self,
        mails: Iterable[bytes] = (),
        *,
        capabilities: str = "IMAP4rev1 UIDPLUS MOVE IDLE NAMESPACE AUTH=PLAIN",
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        self.host = host
        self.capabilities = capabilities
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.greeting = b"* OK ready\r\n"
        self.folders = {"INBOX": Folder()}
        self.permanent_flags: str | None = r"(\Deleted \Seen \*)"
        self.namespace = '(("" "/"))'
        self.separator = "/"
        self.log: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.cut_fetch_after: int | None = None
        # What happens at the cut, and to whoever is told to hang: an event that the end of the test sets.
        self.hang = False
        self.closing = threading.Event()
        self.sessions: list[Session] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        for raw in mails:
            self.inbox.add(raw)

    @property
    def inbox(self) -> Folder:
        """The folder INBOX."""
        return self.folders["INBOX"]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for session in self.sessions:
            # Only shut down: the session's own thread may be reading and closes it.
            with contextlib.suppress(OSError):
                session.connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        if self.implicit_tls and self.tls is not None:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        # Answers are sent in pieces, and none waits for the acknowledgement of the one before.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(self, connection)
        self.sessions.append(session)
        session.run()

    # --- for tests ---------------------------------------------------------------------------------------

    def commands(self, name: str) -> list[str]:
        """All commands that begin so."""
        return [line for line in self.log if line.startswith(name)]

    def wait_for(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Return as soon as the condition holds; fail if it does not in time."""
        limit = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < limit, self.log
            time.sleep(0.002)

    def push(self, line: bytes) -> None:
        """Say something to the session that idles, as soon as one does."""
        self.wait_for(lambda: any(session.idling for session in self.sessions))
        for session in self.sessions:
            if session.idling:
                session.send(line)

    # --- commands ----------------------------------------------------------------------------------------

    def answer(self, session: Session, tag: str, rest: str) -> bool:
        """Answer one command; false when the session is over."""
        name, _, arguments = rest.partition(" ")
        if name.upper() == "UID":
            second, _, arguments = arguments.partition(" ")
            name = f"UID {second}"
        name = name.upper()
        self.log.append(rest)
        if name in self.answers:
            self.answers[name](session, tag, arguments)
            return True
        method = getattr(self, "_" + name.lower().replace(" ", "_"), None)
        if method is None:
            session.send(f"{tag} BAD unknown command\r\n")
            return True
        method(session, tag, arguments)
        return name != "LOGOUT"

    def _capability(self, session: Session, tag: str, _: str) -> None:
        session.send(f"* CAPABILITY {self.capabilities}\r\n")
        session.ok(tag)

    def _starttls(self, session: Session, tag: str, _: str) -> None:
        assert self.tls is not None
        session.ok(tag)
        session.start_tls(self.tls)

    def _login(self, session: Session, tag: str, _: str) -> None:
        session.ok(tag)

    def _authenticate(self, session: Session, tag: str, _: str) -> None:
        session.send("+ \r\n")
        self.log.append(session.file.readline().decode("ascii").strip())
        session.ok(tag)

    def _logout(self, session: Session, tag: str, _: str) -> None:
        session.send("* BYE\r\n")
        session.ok(tag)

    def _noop(self, session: Session, tag: str, _: str) -> None:
        session.send(f"* {len(session.folder.mails)} EXISTS\r\n")
        session.ok(tag)

    def _namespace(self, session: Session, tag: str, _: str) -> None:
        session.send(f"* NAMESPACE {self.namespace} NIL NIL\r\n")
        session.ok(tag)

    def _list(self, session: Session, tag: str, arguments: str) -> None:
        pattern = _names(arguments)[-1]
        if not pattern:
            session.send(f'* LIST (\\Noselect) "{self.separator}" ""\r\n')
        for name in self.folders:
            if name == pattern:
                session.send(f'* LIST () "{self.separator}" "{name}"\r\n')
        session.ok(tag)

    def _create(self, session: Session, tag: str, arguments: str) -> None:
        self.folders[_names(arguments)[0]] = Folder()
        session.ok(tag)

    def _subscribe(self, session: Session, tag: str, _: str) -> None:
        session.ok(tag)

    def _select(self, session: Session, tag: str, arguments: str) -> None:
        name = _names(arguments)[0]
        if name not in self.folders:
            session.no(tag, "[NONEXISTENT] no such folder")
            return
        folder = session.selected = self.folders[name]
        session.send("* FLAGS (\\Deleted \\Seen)\r\n")
        session.send(f"* {len(folder.mails)} EXISTS\r\n* 0 RECENT\r\n")
        session.send(f"* OK [UIDVALIDITY {folder.uid_validity}] .\r\n* OK [UIDNEXT {folder.uid_next}] .\r\n")
        if self.permanent_flags is not None:
            session.send(f"* OK [PERMANENTFLAGS {self.permanent_flags}] .\r\n")
        session.ok(tag, "[READ-ONLY] done" if session.read_only else "[READ-WRITE] done")

    def _examine(self, session: Session, tag: str, arguments: str) -> None:
        session.read_only = True
        self._select(session, tag, arguments)

    def _uid_search(self, session: Session, tag: str, arguments: str) -> None:
        words = arguments.split()
        found = set(session.folder.mails)
        while words:
            word = words.pop(0).upper()
            if word == "UID":
                found &= set(session.folder.uids(words.pop(0)))
            elif word in ("KEYWORD", "UNKEYWORD", "DELETED", "UNDELETED"):
                flag = r"\Deleted" if word.endswith("DELETED") else words.pop(0)
                having = {uid for uid, mail in session.folder.mails.items() if flag in mail.flags}
                found = found - having if word.startswith("UN") else found & having
        session.send(f"* SEARCH {' '.join(map(str, sorted(found)))}\r\n")
        session.ok(tag)

    def _fetch(self, session: Session, tag: str, arguments: str) -> None:
        number, _, items = arguments.partition(" ")
        uid = sorted(session.folder.mails)[int(number) - 1]
        session.send(self.fetch_line(session.folder, uid, items))
        session.ok(tag)

    def _uid_fetch(self, session: Session, tag: str, arguments: str) -> None:
        uid_set, _, items = arguments.partition(" ")
        lines = [self.fetch_line(session.folder, uid, items) for uid in session.folder.uids(uid_set)]
        whole = b"".join(lines) + f"{tag} OK done\r\n".encode()
        if "BODY" not in items or self.cut_fetch_after is None:
            session.send(whole)
            return
        session.send(whole[: self.cut_fetch_after])
        if self.hang:
            self.closing.wait(120)
        session.hang_up()

    def fetch_line(self, folder: Folder, uid: int, items: str) -> bytes:
        """The untagged FETCH for one mail."""
        mail = folder.mails[uid]
        parts = [f"UID {uid}".encode()]
        if "INTERNALDATE" in items:
            parts.append(f'INTERNALDATE "{mail.date}"'.encode())
        if "RFC822.SIZE" in items:
            parts.append(f"RFC822.SIZE {len(mail.raw) if mail.size is None else mail.size}".encode())
        if section := re.search(r"BODY\.PEEK\[(\w*)\]", items):
            body = mail.raw if not section[1] else mail.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            parts.append(f"BODY[{section[1]}] {{{len(body)}}}\r\n".encode() + body)
        number = sorted(folder.mails).index(uid) + 1
        return f"* {number} FETCH (".encode() + b" ".join(parts) + b")\r\n"

    def _uid_store(self, session: Session, tag: str, arguments: str) -> None:
        uid_set, _, flags = arguments.partition(" +FLAGS.SILENT ")
        for uid in session.folder.uids(uid_set):
            session.folder.mails[uid].flags.update(flags.strip("()").split())
        session.ok(tag)

    def _uid_copy(self, session: Session, tag: str, arguments: str) -> None:
        if target := self._target(session, tag, arguments):
            for uid in session.folder.uids(arguments.partition(" ")[0]):
                target.add(session.folder.mails[uid].raw)
            session.ok(tag)

    def _uid_move(self, session: Session, tag: str, arguments: str) -> None:
        if target := self._target(session, tag, arguments):
            for uid in session.folder.uids(arguments.partition(" ")[0]):
                target.add(session.folder.mails[uid].raw)
                self._remove(session, uid)
            session.ok(tag)

    def _target(self, session: Session, tag: str, arguments: str) -> Folder | None:
        name = _names(arguments.partition(" ")[2])[0]
        if name not in self.folders:
            session.no(tag, "[TRYCREATE] no such folder")
        return self.folders.get(name)

    def _uid_expunge(self, session: Session, tag: str, arguments: str) -> None:
        for uid in session.folder.uids(arguments):
            if r"\Deleted" in session.folder.mails[uid].flags:
                self._remove(session, uid)
        session.ok(tag)

    def _expunge(self, session: Session, tag: str, _: str) -> None:
        self._uid_expunge(session, tag, "1:*")

    @staticmethod
    def _remove(session: Session, uid: int) -> None:
        number = sorted(session.folder.mails).index(uid) + 1
        del session.folder.mails[uid]
        session.send(f"* {number} EXPUNGE\r\n")

    def _idle(self, session: Session, tag: str, _: str) -> None:
        session.send("+ idling\r\n")
        session.idling = True
        try:
            line = session.file.readline()
        finally:
            session.idling = False
        if line:
            self.log.append(line.decode("latin-1").strip())
            session.ok(tag)


def _names(arguments: str) -> list[str]:
    """Folder names, quoted or not."""
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|(\S+)', arguments)]
