"""A statement that is asked for every mail: ``CompiledStatement(statement)``, then ``run(connection, values)``.

Its words, and how each value is written, are worked out once. From then on both go straight to SQLite's driver:
what SQLAlchemy does anew at every execution takes longer than SQLite's own part, while all others wait to write. A
database at the other end of a line is asked by way of SQLAlchemy, which knows when the line is broken. Only for
what every mail runs; all else goes the ordinary way. Of SQLAlchemy's compiler it takes ``insert_prefetch``,
``positiontup`` and ``post_compile_params``: to be looked at when its version moves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Delete, Insert, Select, TextClause, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.schema import DefaultGenerator, ScalarElementColumnDefault
from sqlalchemy.types import TypeEngine

Statement = Select[*tuple[Any, ...]] | CompoundSelect[Any] | Insert | Update | Delete | TextClause
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
        return by_name if self.order is None else tuple(map(by_name.__getitem__, self.order))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a statement came to: its rows, each value as the driver has it, and how many rows it changed."""

    rows: Sequence[Sequence[Any]]
    rowcount: int

    def scalar(self) -> Any:
        """The first value of the first row, ``None`` where there is no row."""
        return self.rows[0][0] if self.rows else None

    def scalar_one(self) -> Any:
        """The first value of the only row. Raises ``ValueError`` where there is none, or more than one."""
        [row] = self.rows
        return row[0]


class CompiledStatement:
    """One statement without lists of parameters. The first values that an INSERT gets say which columns are
    given, the others get their defaults.

    What comes back is as the driver has it, so that only numbers and texts are to be asked for; with :meth:`row`
    and :meth:`rows` each value is as its column's type has it.
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._layouts: dict[str, _Layout] = {}
        self._readers: dict[str, tuple[tuple[str, _Process], ...]] = {}

    def run(self, connection: Connection, values: Values) -> Outcome:
        """Execute it; the values by the names of the statement's parameters, or of the columns of an INSERT."""
        layout = self._layout(connection.dialect, values)
        parameters = layout.parameters(values)
        if _is_close_by(connection):
            return _run_by_driver(connection, layout.sql, parameters)
        result = connection.exec_driver_sql(layout.sql, parameters)
        rowcount = result.rowcount
        return Outcome(rows=result.all() if result.returns_rows else (), rowcount=rowcount)

    def run_many(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Execute it for each of these, in order."""
        if not rows:
            return
        layout = self._layout(connection.dialect, rows[0])
        many = [layout.parameters(row) for row in rows]
        if not _is_close_by(connection):
            connection.exec_driver_sql(layout.sql, many)
            return
        for parameters in many:
            _run_by_driver(connection, layout.sql, parameters)

    def row(self, connection: Connection, values: Values) -> Row | None:
        """Its first row by the names of its columns, each value as its column's type has it."""
        return next(iter(self.rows(connection, values)), None)

    def rows(self, connection: Connection, values: Values) -> list[Row]:
        """All its rows, so."""
        found = self.run(connection, values).rows
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


def _is_close_by(connection: Connection) -> bool:
    """Whether the database is in our own process; but whoever listens to its statements is to hear of all."""
    return connection.dialect.name == "sqlite" and not connection.engine.dispatch.before_cursor_execute


def _run_by_driver(connection: Connection, sql: str, parameters: Any) -> Outcome:
    """Execute by SQLite's driver itself; its errors are told like all others."""
    if not connection.in_transaction():
        connection.begin()
    driver: Any = connection.connection.driver_connection
    try:
        cursor = driver.execute(sql, parameters)
        return Outcome(rows=cursor.fetchall(), rowcount=cursor.rowcount)
    except sqlite3.Error as error:
        raise DBAPIError.instance(sql, parameters, error, sqlite3.Error, dialect=connection.dialect) from error


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
