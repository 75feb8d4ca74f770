"""People's files beyond their mails: pages that were drawn of them, and the tickets in which they were used."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Connection, bindparam, select, text

from mailbot.adapters.storage.compiled import CompiledStatement
from mailbot.adapters.storage.drawing_rows import drawing_from_json, drawing_to_json
from mailbot.adapters.storage.tables import document_uses, page_pictures
from mailbot.domain.drawings import DRAWER_VERSION, FileDrawing
from mailbot.domain.ticket import Ticket
from mailbot.domain.traces import OtherUse

_MOST_USES = 200

# Whoever comes second finds the row.
_KEEP_DRAWING = text(
    "INSERT INTO page_pictures (digest, version, drawing) VALUES (:digest, :version, :drawing) "
    "ON CONFLICT DO NOTHING"
).bindparams(*(bindparam(column.name, type_=column.type) for column in page_pictures.c))
_NOTE_USE = CompiledStatement(
    text(
        "INSERT INTO document_uses (trace, ticket_number) VALUES (:trace, :ticket_number) ON CONFLICT DO NOTHING"
    ).bindparams(*(bindparam(column.name, type_=column.type) for column in document_uses.c))
)


@lru_cache(maxsize=64)
def _other_uses(traces: int, but: int) -> CompiledStatement:
    """Where so many traces were left, but for so many tickets."""
    uses = document_uses.c
    return CompiledStatement(
        select(document_uses)
        .where(
            uses.trace.in_([bindparam(f"trace_{at}", type_=uses.trace.type) for at in range(traces)]),
            *(uses.ticket_number != bindparam(f"but_{at}") for at in range(but)),
        )
        .order_by(uses.ticket_number.desc())
        .limit(_MOST_USES)
    )


class PaperStore:
    """The tables of what files look like and where they were used, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def drawings(self, digests: Sequence[str]) -> list[FileDrawing]:
        """What this version of the program drew of these files."""
        if not digests:
            return []
        query = select(page_pictures).where(
            page_pictures.c.digest.in_(list(digests)), page_pictures.c.version == DRAWER_VERSION
        )
        rows = self._connection.execute(query)
        return [drawing_from_json(row.digest, row.version, row.drawing) for row in rows]

    def keep_drawings(self, made: Sequence[FileDrawing]) -> None:
        """Keep drawings; one that is there already stays."""
        # In one order, so that of two processes that keep the same ones none waits for the other.
        fresh = sorted({(one.digest, one.version): one for one in made}.items())
        rows = [
            {"digest": digest, "version": version, "drawing": drawing_to_json(one)}
            for (digest, version), one in fresh
        ]
        if rows:
            self._connection.execute(_KEEP_DRAWING, rows)

    def other_uses(self, traces: Sequence[str], *, but: Sequence[str]) -> list[OtherUse]:
        """The tickets, but for the numbers in ``but``, in which any of the traces was left."""
        if not traces:
            return []
        values = {f"trace_{at}": trace for at, trace in enumerate(traces)}
        values |= {f"but_{at}": number for at, number in enumerate(but)}
        rows = _other_uses(len(traces), len(but)).run(self._connection, values).rows
        return [OtherUse(digest=trace, ticket_number=number) for trace, number in rows]

    def note_uses(self, ticket: Ticket) -> None:
        """Remember all traces that a ticket's documents leave; to do it twice does no harm."""
        traces = sorted({trace.digest for finding in ticket.documents for trace in finding.traces})
        if traces:
            rows = [{"trace": trace, "ticket_number": ticket.number} for trace in traces]
            _NOTE_USE.run_many(self._connection, rows)
