"""What is told of an error that nobody foresaw: where it arose, and no word that a sender could have written."""

from __future__ import annotations


def place_of(error: BaseException) -> str:
    """Class, module and line: what a developer needs and no sender can write. For the log."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = type(error).__name__
    if trace is None:
        return name
    return f"{name} in {trace.tb_frame.f_globals.get('__name__', '?')} line {trace.tb_lineno}"


def cause_of(error: BaseException) -> str:
    """The place and the error's first line, at most 200 characters of it. For administrators, not for the log."""
    lines = str(error).splitlines()
    return f"{place_of(error)}: {lines[0][:200] if lines else ''}"
