"""A statement that is asked for every mail: ``CompiledStatement(statement)``, then ``run(connection, values)``.

Its words, and how each value is written, are worked out once; from then on both go straight to the driver. What
SQLAlchemy does anew at every execution takes longer than SQLite's own part, while all others wait to write. Only
for what every mail runs; all else goes the ordinary way. Of SQLAlchemy's compiler it takes ``insert_prefetch``,
``positiontup`` and ``post_compile_params``: to be looked at when its version moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Connection, CursorResult, Delete, Insert, Select, TextClause, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.schema import DefaultGenerator, ScalarElementColumnDefault
from sqlalchemy.types import TypeEngine

Statement = Select[Any] | CompoundSelect[Any] | Insert | Update | Delete | TextClause
Values = Mapping[str, Any]
Row = dict[str, Any]
_Process = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """A statement as one kind of database takes it."""

    sql: str
    given: tuple[tuple[str, _Process], ...]
    constants: Values
    # Names in the order in which the driver wants the values; ``None`` where it takes them by name.
    order: tuple[str, ...] | None
    # An INSERT's columns, all of which every row gives; ``None`` for other statements.
    columns: frozenset[str] | None

    def parameters(self, values: Values) -> Any:
        """What the driver gets. Raises ``KeyError`` for a value that is missing, ``ValueError`` for a row of other
        columns than the first."""
        if self.columns is not None and values.keys() != self.columns:
            raise ValueError(f"not the columns of the first row: {sorted(values.keys() ^ self.columns)}")
        by_name = {name: values[name] if write is None else write(values[name]) for name, write in self.given}
        by_name.update(self.constants)
        return by_name if self.order is None else tuple([by_name[name] for name in self.order])


class CompiledStatement:
    """One statement without lists of parameters. The first values that an INSERT gets say which columns are
    given, the others get their defaults.

    What comes back is as the driver has it: only numbers and texts are to be asked for, but with :meth:`row` and
    :meth:`rows`.
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._layouts: dict[str, _Layout] = {}
        self._readers: dict[str, tuple[tuple[str, _Process], ...]] = {}

    def run(self, connection: Connection, values: Values) -> CursorResult[Any]:
        """Execute it; the values by the names of the statement's parameters, or of the columns of an INSERT."""
        layout = self._layout(connection.dialect, values)
        return connection.exec_driver_sql(layout.sql, layout.parameters(values))

    def run_many(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Execute it for each of these, in order."""
        if rows:
            layout = self._layout(connection.dialect, rows[0])
            connection.exec_driver_sql(layout.sql, [layout.parameters(row) for row in rows])

    def row(self, connection: Connection, values: Values) -> Row | None:
        """Its first row by the names of its columns, each value as its column's type has it."""
        return next(iter(self.rows(connection, values)), None)

    def rows(self, connection: Connection, values: Values) -> list[Row]:
        """All its rows, so."""
        found = self.run(connection, values).all()
        readers = self._readers.get(connection.dialect.name)
        if readers is None:
            readers = self._readers[connection.dialect.name] = tuple(_readers(self._statement, connection.dialect))
        return [
            {
                name: value if read is None else read(value)
                for (name, read), value in zip(readers, row, strict=True)
            }
            for row in found
        ]

    def _layout(self, dialect: Dialect, values: Values) -> _Layout:
        layout = self._layouts.get(dialect.name)
        if layout is None:
            layout = self._layouts[dialect.name] = _laid_out(self._statement, dialect, values)
        return layout


def _laid_out(statement: Statement, dialect: Dialect, values: Values) -> _Layout:
    columns = list(values) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    if compiled.post_compile_params:
        raise ValueError("a statement that is prepared has no lists of parameters")
    defaults = {column.key: _constant(column.default) for column in compiled.insert_prefetch}
    given: list[tuple[str, _Process]] = []
    constants: dict[str, Any] = {}
    for name, parameter in compiled.binds.items():
        write = _writer(parameter.type, dialect)
        if name in values:
            given.append((name, write))
        elif parameter.required:
            raise ValueError(f"no value for {name}")
        else:
            constant = defaults.get(name, parameter.value)
            constants[name] = constant if write is None else write(constant)
    order = compiled.positiontup
    return _Layout(
        sql=str(compiled),
        given=tuple(given),
        constants=constants,
        order=None if order is None else tuple(order),
        columns=None if columns is None else frozenset(columns),
    )


def _constant(default: DefaultGenerator | None) -> Any:
    if not isinstance(default, ScalarElementColumnDefault):
        raise TypeError("a column whose default is made anew for every row has to be given")
    return default.arg


def _writer(kind: TypeEngine[Any], dialect: Dialect) -> _Process:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _readers(statement: Statement, dialect: Dialect) -> Iterable[tuple[str, _Process]]:
    if isinstance(statement, TextClause):
        raise TypeError("of a text nobody knows which types its columns have")
    for column in statement.exported_columns:
        yield column.name, column.type.dialect_impl(dialect).result_processor(dialect, None)
