"""What a stage knows of its child process: it asks and hears an answer, or the child failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Protocol, TypeVar

_Answer = TypeVar("_Answer")


class ChildFailed(Exception):
    """The child ended, took too long or sent what no child of ours sends; the next question gets a new one."""


class Child(Protocol):
    """A process that answers one question after the other."""

    def ask(
        self,
        question: Callable[[IO[bytes]], None],
        answer: Callable[[IO[bytes]], _Answer],
        *,
        keep: bool = True,
    ) -> _Answer:
        """Write ``question``, read ``answer``.

        Raises :class:`ChildFailed`, and whatever ``answer`` raises but ``BrokenFrame`` and ``OSError``; after
        either, or where ``keep`` is false, the child is replaced.
        """
        ...

    def close(self) -> None:
        """End the process, if there is one."""
        ...
