"""``mailbot import PATH…``: mails that somebody kept, through the same intake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.adapters.mail_files import KeptMail, mail_files, mails_in, total_bytes
from mailbot.bootstrap import App
from mailbot.cli.context import open_app, set_up_logging
from mailbot.cli.listing import Json, fail, one_line, progress
from mailbot.cli.output import Exit, complain, own_errors, print_json, say

if TYPE_CHECKING:
    from mailbot.flows.importing import Importer

_BATCH_MAILS = 50
_BATCH_BYTES = 20_000_000


def import_(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help=".eml, mbox, Maildir, or a folder with such files.")
    ],
    *,
    mailbox: Annotated[
        str | None, typer.Option("--mailbox", metavar="NAME", help="As mailboxes.yaml calls it.")
    ] = None,
    answer: Annotated[bool, typer.Option("--answer", help="Let letters leave because of these mails.")] = False,
    json: Json = False,
) -> None:
    """Import kept mails. Known ones count as duplicates; an import that was interrupted goes on when repeated."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        missing = [path for path in paths if not path.exists()]
        if missing:
            raise fail(f"there is no {', '.join(map(str, missing))}")
        from mailbot.flows.importing import Importer
        from mailbot.leases import take_over_from_the_dead

        name = _mailbox(house, mailbox)
        take_over_from_the_dead(house)
        importer = Importer(
            storage=house.storage, blobs=house.blobs, intake=house.intake, mailbox=name, answer=answer
        )
        broken = _keep_all(importer, paths, house.mailboxes[name].spec.max_wire_bytes)
        with progress("processing", importer.to_process) as done:
            count = importer.process(done)
        left_over = importer.left_over()
    if json:
        print_json(asdict(count))
    else:
        say(
            f"imported {count.imported}, duplicates {count.duplicates}, processed {count.processed}, "
            f"quarantined {count.quarantined}, tickets opened {count.tickets_opened}"
        )
    if left_over:
        complain(f"mailbot: {left_over} of them are still in the hands of another process")
    if broken or left_over or count.quarantined:
        raise typer.Exit(Exit.NEEDS_A_LOOK)


def _mailbox(house: App, name: str | None) -> str:
    """The mailbox that is meant: the one named, else ``default``, else the only one."""
    known = list(house.mailboxes)
    if name is not None and name not in known:
        raise fail(f"no mailbox {name!r} is switched on; there is {', '.join(known)}")
    if name is None and "default" not in known and len(known) > 1:
        raise fail(f"say --mailbox NAME: {', '.join(known)}")
    return name or ("default" if "default" in known else known[0])


def _keep_all(importer: Importer, paths: Sequence[Path], max_bytes: int) -> int:
    """Store the mails of all files; returns how many files could not be read to their end."""
    broken: list[Path] = []
    files = list(_files(paths, broken))
    with progress("reading", total_bytes(files)) as done:
        batch: list[KeptMail] = []
        for mail in (mail for file in files for mail in _mails(file, max_bytes, broken)):
            batch.append(mail)
            done(mail.read_bytes)
            if len(batch) >= _BATCH_MAILS or sum(len(one.raw) for one in batch) >= _BATCH_BYTES:
                _keep(importer, batch)
                batch = []
        _keep(importer, batch)
    return len(broken)


def _files(paths: Sequence[Path], broken: list[Path]) -> Iterator[Path]:
    for path in paths:
        try:
            yield from mail_files(path)
        except OSError as error:
            _complain_of(path, error, broken)


def _mails(file: Path, max_bytes: int, broken: list[Path]) -> Iterator[KeptMail]:
    """The mails of a file; where it breaks, those before it and a complaint: the other files go on."""
    try:
        yield from mails_in(file, max_bytes)
    except (OSError, ValueError) as error:
        _complain_of(file, error, broken)


def _complain_of(path: Path, error: OSError | ValueError, broken: list[Path]) -> None:
    broken.append(path)
    why = (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
    complain(f"mailbot: {one_line(str(path))}: {why}")


def _keep(importer: Importer, batch: Sequence[KeptMail]) -> None:
    from mailbot.flows.importing import MailToImport

    if batch:
        importer.keep(
            [
                MailToImport(raw=one.raw, received_at=one.received_at, oversize_bytes=one.oversize_bytes)
                for one in batch
            ]
        )
