"""``python -m tests.kill.stopping --at STEP -- run --once``: mailbot, with a misfortune at a named step.

The functions of the program are wrapped from outside, by their names; the program itself knows nothing of it.
``kill`` is SIGKILL to itself; ``raise`` an exception that nobody foresaw; ``pause`` waits for a file to vanish.
``--mail TEXT`` narrows steps of reading down to mails with this text, ``--times N`` gives the misfortune so many
times in this process. ``--set`` shortens a time limit. ``--where`` says whether it happens here, in the helpers
that are called in during a rush, or in both; ``--set-in-helpers`` is for their time limits, ``--set-at-work`` for
those that are to be short from their first mail on. With ``--slowly`` each mail takes a while, here and there, and
with ``--await-helpers N`` the first one until so many have theirs in hand.
"""

from __future__ import annotations

import argparse
import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

Misfortune = Callable[[str], None]

COMMITS = {
    "collect": ("mail_store", "MailStore", "add"),
    "claim mail": ("mail_store", "MailStore", "claim"),
    "intake": ("mail_store", "MailStore", "finish"),
    "claim letter": ("outbox_store", "OutboxStore", "claim"),
    "transmitting": ("outbox_store", "OutboxStore", "mark_transmitting"),
    "record": ("outbox_store", "OutboxStore", "record"),
}
"""Name of a commit → the store's method that makes a transaction this commit."""

CALLS = {
    "store raw mail": ("mailbot.flows.collect", "Collector", "_row", "before"),
    "settle": ("mailbot.adapters.imap", "ImapSource", "settle", "both"),
    "read": ("mailbot.mime.isolation", "IsolatedReader", "read", "both"),
    "store files": ("mailbot.flows.handle_mail", "MailHandler", "_store_files", "both"),
    "examine": ("mailbot.flows.examine", "Examiner", "examine", "both"),
    "write ticket": ("mailbot.adapters.storage.ticket_store", "TicketStore", "add", "after"),
    "write letter": ("mailbot.adapters.storage.outbox_store", "OutboxStore", "add", "after"),
    "tick": ("mailbot.flows.upkeep", "Upkeep", "tick", "before"),
    "compose": ("mailbot.flows.delivery", "Delivery", "_compose", "both"),
}

AT_WORK = "at-work."
"""Beginning of the name of a file by which a helper tells that it has a mail in hand."""

SLOW_SECONDS = 0.05
# Less than a mail may be in hand.
AWAITED_SECONDS = 100.0

SENT_COMMITS = {"saved copies": ("sent_store", "SentStore", "copies_are_there")}
SENT_CALLS = {
    "save copy": ("mailbot.adapters.imap_sent", "ImapSentFolder", "save", "both"),
    "keep answers": ("mailbot.flows.sent_folder", "SentFolderKeeper", "_keep", "both"),
    "remember visit": ("mailbot.flows.sent_folder", "SentFolderKeeper", "_remember_visit", "both"),
}
"""Steps of a mailbox that has a Sent folder."""

SENT_STEPS = (
    *(f"{when} the commit of {name}" for name in SENT_COMMITS for when in ("before", "after")),
    *(f"{when} {name}" for name in SENT_CALLS for when in ("before", "after")),
)

NOTICE_COMMITS = {
    "claim notice": ("notice_store", "NoticeStore", "claim"),
    "complete notice": ("notice_store", "NoticeStore", "complete"),
}
NOTICE_CALLS = {
    "draw pages": ("mailbot.flows.notice_pages", "NoticePages", "_drawings", "both"),
    "keep pictures": ("mailbot.adapters.storage.paper_store", "PaperStore", "keep_drawings", "both"),
}
"""Steps of a notice that shows pages."""

NOTICE_STEPS = (
    *(f"{when} the commit of {name}" for name in NOTICE_COMMITS for when in ("before", "after")),
    *(f"{when} {name}" for name in NOTICE_CALLS for when in ("before", "after")),
)

SMTP_STEPS = ("before DATA", "before the final dot", "after the final dot", "after the final answer")

STEPS = (
    *(f"{when} the commit of {name}" for name in COMMITS for when in ("before", "after")),
    *(f"{when} {name}" for name, (*_, when_too) in CALLS.items() for when in ("before", "after")
      if when_too in (when, "both")),
    *SMTP_STEPS,
    "in the middle of a migration",
)  # fmt: skip


def main() -> None:
    """Wrap, then run mailbot's own command line."""
    parser = _parser()
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    _tell_helpers(arguments)
    if arguments.where == "helpers":
        arguments.at = ""
    prepare(arguments)
    from mailbot.cli.main import main as mailbot

    sys.argv = ["mailbot", *arguments.command]
    mailbot()


def helpers_at_work(folder: Path) -> list[int]:
    """Process ids of the helpers that have had a mail in hand, where mailbot runs in ``folder``."""
    return [int(file.name.removeprefix(AT_WORK)) for file in folder.glob(f"{AT_WORK}*")]


def _tell_helpers(arguments: argparse.Namespace) -> None:
    """Wrap what runs in helpers; they are forked off this process."""
    import importlib

    helpers_of_run: Any = importlib.import_module("mailbot.cli.helpers_of_run")

    told = [word for assignment in arguments.set_in_helpers for word in ("--set", assignment)]
    if arguments.where != "here":
        told += ["--at", arguments.at, "--how", arguments.how, "--mail", arguments.mail]
        told += ["--times", str(arguments.times), *(["--flag", str(arguments.flag)] if arguments.flag else [])]
    told += ["--slowly"] if arguments.slowly else []
    told += ["--await-helpers", str(arguments.await_helpers)] if arguments.await_helpers else []
    work_off = helpers_of_run.work_off

    def at_work() -> None:
        for assignment in arguments.set_at_work:
            _set_time(assignment)
        Path(f"{AT_WORK}{os.getpid()}").touch()

    def prepared(*args: Any, **kwargs: Any) -> Any:
        prepare(_parser().parse_args(told))
        _before_each_mail(at_work)
        return work_off(*args, **kwargs)

    helpers_of_run.work_off = prepared


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--at", default="", choices=["", *STEPS, *SENT_STEPS, *NOTICE_STEPS])
    parser.add_argument("--how", default="kill", choices=["kill", "raise", "pause", "disk-full"])
    parser.add_argument("--where", default="here", choices=["here", "helpers", "everywhere"])
    parser.add_argument("--mail", default="")
    parser.add_argument("--times", type=int, default=10**9)
    parser.add_argument("--flag", type=Path, default=None)
    parser.add_argument("--set", action="append", default=[], metavar="MODULE.NAME=SECONDS")
    parser.add_argument("--set-in-helpers", action="append", default=[], metavar="MODULE.NAME=SECONDS")
    parser.add_argument("--set-at-work", action="append", default=[], metavar="MODULE.NAME=SECONDS")
    parser.add_argument("--slowly", action="store_true")
    parser.add_argument("--await-helpers", type=int, default=0)
    return parser


def prepare(arguments: argparse.Namespace) -> None:
    """Wrap the program's functions as the arguments say."""
    left = [arguments.times]
    # What is wrapped here is wrapped in helpers as well, which have misfortunes of their own.
    process = os.getpid()

    def strike(step: str) -> None:
        if step != arguments.at or left[0] <= 0 or os.getpid() != process:
            return
        left[0] -= 1
        if arguments.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
        if arguments.how == "raise":
            raise RuntimeError("a misfortune made for a test")
        if arguments.how == "disk-full":
            from mailbot.domain.errors import StorageUnavailable

            raise StorageUnavailable("no space left on device")
        arguments.flag.write_text("here", encoding="ascii")
        while arguments.flag.exists():
            time.sleep(0.01)

    for assignment in arguments.set:
        _set_time(assignment)
    _wrap_commits(strike)
    _wrap_calls(strike, arguments.mail.encode())
    _wrap_smtp(strike)
    _wrap_migrations(strike)
    if arguments.slowly:
        _before_each_mail(lambda: time.sleep(SLOW_SECONDS))
    if arguments.await_helpers:
        _before_each_mail(lambda: _await_helpers(arguments.await_helpers))


def _set_time(assignment: str) -> None:
    """Make a time limit of the program shorter, of whatever type it is."""
    import importlib

    path, _, value = assignment.partition("=")
    name, _, attribute = path.rpartition(".")
    module = importlib.import_module(name)
    old = getattr(module, attribute)
    new = timedelta(seconds=float(value)) if isinstance(old, timedelta) else type(old)(float(value))
    setattr(module, attribute, new)


def _wrap_commits(strike: Misfortune) -> None:
    import importlib

    from mailbot.adapters.storage.engine import Database

    here = threading.local()
    for name, (module, owner, method) in (COMMITS | SENT_COMMITS | NOTICE_COMMITS).items():
        store = getattr(importlib.import_module(f"mailbot.adapters.storage.{module}"), owner)

        def noting(original: Callable[..., Any], name: str = name) -> Callable[..., Any]:
            @functools.wraps(original)
            def call(*args: Any, **kwargs: Any) -> Any:
                result = original(*args, **kwargs)
                # A claim that found nothing is no claim.
                if result is not None or not name.startswith("claim"):
                    here.names.append(name)
                return result

            return call

        setattr(store, method, noting(getattr(store, method)))
    original = Database.write

    @contextmanager
    def write(self: Database) -> Iterator[Connection]:
        here.names = []
        with original(self) as connection:
            yield connection
            names = list(here.names)
            for name in names:
                strike(f"before the commit of {name}")
        for name in names:
            strike(f"after the commit of {name}")

    Database.write = write  # type: ignore[method-assign]


def _wrap_calls(strike: Misfortune, only: bytes) -> None:
    import importlib

    for name, (module, owner, method, when) in (CALLS | SENT_CALLS | NOTICE_CALLS).items():
        cls = getattr(importlib.import_module(module), owner)

        def wrapped(original: Callable[..., Any], name: str = name, when: str = when) -> Callable[..., Any]:
            @functools.wraps(original)
            def call(*args: Any, **kwargs: Any) -> Any:
                matters = not only or any(only in one for one in args if isinstance(one, bytes))
                if matters and when != "after":
                    strike(f"before {name}")
                result = original(*args, **kwargs)
                if matters and when != "before":
                    strike(f"after {name}")
                return result

            return call

        setattr(cls, method, wrapped(getattr(cls, method)))


def _before_each_mail(act: Callable[[], None]) -> None:
    from mailbot.flows.intake import Intake

    process, here = Intake.process, os.getpid()

    @functools.wraps(process)
    def later(*args: Any, **kwargs: Any) -> Any:
        if os.getpid() == here:
            act()
        return process(*args, **kwargs)

    Intake.process = later  # type: ignore[method-assign]


def _await_helpers(number: int) -> None:
    give_up_at = time.monotonic() + AWAITED_SECONDS
    while len(helpers_at_work(Path())) < number and time.monotonic() < give_up_at:
        time.sleep(0.01)


def _wrap_smtp(strike: Misfortune) -> None:
    from mailbot.adapters.smtp_connection import SmtpConnection

    connection = SmtpConnection
    data, write, answer = connection._data, connection._write, connection._final_answer

    async def _data(self: Any, message: bytes) -> Any:
        strike("before DATA")
        return await data(self, message)

    def _write(self: Any, chunk: bytes) -> None:
        is_dot = chunk == b".\r\n"
        if is_dot:
            strike("before the final dot")
        write(self, chunk)
        if is_dot:
            strike("after the final dot")

    async def _final_answer(self: Any, *args: Any) -> Any:
        result = await answer(self, *args)
        strike("after the final answer")
        return result

    for name, wrapped in (("_data", _data), ("_write", _write), ("_final_answer", _final_answer)):
        setattr(connection, name, wrapped)


def _wrap_migrations(strike: Misfortune) -> None:
    from alembic.ddl.impl import DefaultImpl

    create_index = DefaultImpl.create_index

    def striking(self: DefaultImpl, *args: Any, **kwargs: Any) -> None:
        strike("in the middle of a migration")
        create_index(self, *args, **kwargs)

    DefaultImpl.create_index = striking  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
