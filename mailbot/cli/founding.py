"""``mailbot init``: a folder from which mailbot can run: configuration, templates, ``.env``, systemd unit."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.listing import Json
from mailbot.cli.output import Exit, complain, own_errors, print_json, say
from mailbot.cli.share import shared

_SECRET_BYTES = 48
_EMPTY_SECRET = "MAILBOT_SECRET_KEY=\n"
_READABLE, _PRIVATE = 0o644, 0o600
_NAMED_AT_MOST = 10
_HOMES = ("/home", "/root", "/run/user")


@dataclass(slots=True, kw_only=True)
class _Founded:
    """Paths below the folder: what was written, and what stood there and was left alone."""

    written: list[str] = field(default_factory=list)
    existed: list[str] = field(default_factory=list)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; it is made if missing.")],
    json: Json = False,
) -> None:
    """Write a deployable folder: config/, templates/, .env with a fresh secret and MAILBOT_SEND=hold, and a
    systemd unit.

    Nothing is ever overwritten: what stands there already is left alone and listed, and the command ends
    with 1.
    """
    from mailbot.domain.errors import ConfigurationError, Problem

    with own_errors():
        try:
            founded = _found(folder)
        except OSError as error:
            place = error.filename or folder
            raise ConfigurationError([Problem(source=str(place), message=str(error.strerror))]) from None
    if json:
        print_json({"folder": str(folder), "written": founded.written, "existed": founded.existed})
    else:
        _show(folder, founded)
    raise typer.Exit(Exit.NEEDS_A_LOOK if founded.existed else Exit.DONE)


def _found(folder: Path) -> _Founded:
    founded = _Founded()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content, mode in _files(folder):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Exclusively: also a file that appears this very moment is not overwritten, nor a link followed.
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            founded.existed.append(name)
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        # The process may keep everything to itself; these files hold no secret but .env.
        target.chmod(mode)
        founded.written.append(name)
    return founded


def _files(folder: Path) -> Iterator[tuple[str, bytes, int]]:
    """Every file to be written: its path below the folder, its content, its mode."""
    # The one folder that the unit lets the daemon write; systemd wants it to be there.
    (folder / "var").mkdir(mode=0o700, exist_ok=True)
    for name in ("config", "templates"):
        source = shared(name)
        for path in sorted(one for one in source.rglob("*") if one.is_file()):
            yield f"{name}/{path.relative_to(source).as_posix()}", path.read_bytes(), _READABLE
    yield ".env", _environment().encode(), _PRIVATE
    yield "mailbot.service", _unit(folder).encode(), _READABLE


def _environment() -> str:
    text = shared("env.example").read_text(encoding="utf-8")
    assert _EMPTY_SECRET in text
    return text.replace(_EMPTY_SECRET, f"MAILBOT_SECRET_KEY={secrets.token_urlsafe(_SECRET_BYTES)}\n")


def _unit(folder: Path) -> str:
    text = shared("mailbot.service").read_text(encoding="utf-8")
    # What lies in homes must stay in sight, and only then.
    places = (folder.absolute(), _interpreter(), _interpreter().resolve())
    in_homes = any(place.is_relative_to(home) for home in _HOMES for place in places)
    for name, value in (
        ("@FOLDER@", str(folder.absolute()).replace("%", "%%")),
        ("@DATA@", _unit_word(folder.absolute() / "var")),
        ("@COMMAND@", _command()),
        ("@PROTECT_HOME@", "read-only" if in_homes else "yes"),
    ):
        text = text.replace(name, value)
    return text


def _interpreter() -> Path:
    return Path(sys.executable).absolute()


def _command() -> str:
    """How to start this very installation."""
    beside = _interpreter().with_name("mailbot")
    if beside.is_file():
        return _unit_word(beside)
    found = shutil.which("mailbot")
    return _unit_word(Path(found)) if found else f"{_unit_word(_interpreter())} -m mailbot"


def _unit_word(path: Path) -> str:
    """A path as one word of a line (systemd.unit(5) *Specifiers*, systemd.syntax(7) *Quoting*)."""
    word = str(path).replace("%", "%%")
    return f'"{word}"' if " " in word else word


def _show(folder: Path, founded: _Founded) -> None:
    if founded.written:
        say(f"{folder}: {len(founded.written)} files written")
    for name in founded.existed[:_NAMED_AT_MOST]:
        complain(f"mailbot: exists, left alone: {name}")
    if len(founded.existed) > _NAMED_AT_MOST:
        complain(f"mailbot: and {len(founded.existed) - _NAMED_AT_MOST} more; --json lists them all")
    if ".env" in founded.written:
        say(f"next: fill in {folder / '.env'}, then run `mailbot doctor` in {folder}, then `mailbot run`")
