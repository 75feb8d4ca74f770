"""``mailbot staff list | add | absent | revoke``."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from mailbot.catalogue.on_duty import Duty
from mailbot.catalogue.staff import AgentSpec
from mailbot.cli.context import open_app, set_up_logging
from mailbot.cli.listing import Json, fail, local, print_table
from mailbot.cli.output import own_errors, print_json, say
from mailbot.domain.errors import ConcurrentChange
from mailbot.domain.staffing import AgentRecord, AgentState
from mailbot.flows.staff_changes import RosterDesk, RosterProblem, RosterUnchanged

if TYPE_CHECKING:
    from mailbot.bootstrap import App

app = typer.Typer(name="staff", help="Agents: list, add, absent, revoke.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="KEY", help="As `staff list` shows it.")]

_SENTENCES = {
    RosterProblem.NO_SUCH_AGENT: "nobody on the roster has this key: see `mailbot staff list`",
    RosterProblem.KEY_TAKEN: "this key is taken",
    RosterProblem.ADDRESS_TAKEN: "somebody on the roster has this address",
    RosterProblem.ADDRESS_OF_MAILBOX: "this is the shared mailbox's own address",
    RosterProblem.NO_SUCH_QUEUE: "config/staff.yaml has no such queue",
    RosterProblem.NO_SUCH_DEPUTY: "the deputy must be another agent's key",
}


@app.command("list")
def list_(*, json: Json = False) -> None:
    """Everybody on the roster: from config/staff.yaml, and as it was changed since."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        duty, records = _desk(house).duty(house.clock.now())
        known = {record.key: record for record in records}
        with house.storage.read() as work:
            rows = [
                _as_json(agent, duty, known.get(agent.key), len(work.workload.assigned_to(agent.address)))
                for agent in duty.staff.agents
            ]
        rows += [_as_gone(record) for record in records if record.state is AgentState.REVOKED]
        if json:
            print_json(rows)
            return
        print_table(
            ("KEY", "NAME", "ADDRESS", "QUEUES", "STATUS", "UNTIL", "DEPUTY", "OPEN"),
            [
                (
                    row["key"],
                    row["name"],
                    row["address"],
                    ", ".join(row["queues"]),
                    row["status"],
                    _last_day(row["absent_until"], house),
                    row["deputy"] or "",
                    str(row["open_tickets"]),
                )
                for row in rows
            ],
        )


@app.command("add")
def add(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A short name: small letters, digits, _.")],
    *,
    address: Annotated[str, typer.Option("--address", help="From which they write and where they are told.")],
    name: Annotated[str, typer.Option("--name", help="As customers and colleagues read it.")],
    queue: Annotated[list[str] | None, typer.Option("--queue", help="May be repeated; none: all queues.")] = None,
    json: Json = False,
) -> None:
    """Put an agent on the roster, at once and for every daemon; config/staff.yaml stays as it is."""
    set_up_logging()
    try:
        agent = AgentSpec(key=key, address=address, name=name, queues=tuple(queue) if queue else "*")
    except ValidationError as error:
        wrong = ", ".join(str(one["loc"][0]) for one in error.errors() if one["loc"])
        raise fail(f"this is no agent: {wrong} is not of the right form") from None
    with own_errors(), closing(open_app()) as house:
        try:
            _desk(house).add(agent, now=house.clock.now())
        except RosterUnchanged as why:
            raise fail(_SENTENCES[why.problem]) from None
        if json:
            print_json({"key": agent.key, "address": agent.address})
        else:
            say(f"{agent.key} is on the roster")


@app.command("absent")
def absent(
    key: Who,
    *,
    until: Annotated[str, typer.Option("--until", help="The last day, as 2026-12-31; `back` if they are here.")],
    deputy: Annotated[str, typer.Option("--deputy", help="Key of who hears in their place.")] = "",
    json: Json = False,
) -> None:
    """Note an absence from now on: notices go to the deputy, or to the others of the queue."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        now = house.clock.now()
        end = None if until == "back" else _end_of(until, house)
        if end is not None and end <= now:
            raise fail(f"--until: {until} is over")
        try:
            _desk(house).absent(key, until=end, deputy=deputy, now=now)
        except RosterUnchanged as why:
            raise fail(_SENTENCES[why.problem]) from None
        if json:
            print_json({"key": key, "absent_until": end, "deputy": deputy or None})
        else:
            say(f"{key} is back" if end is None else f"{key} is absent until {until}")


@app.command("revoke")
def revoke(key: Who, *, json: Json = False) -> None:
    """Take an agent off the roster: no letter that they have gives them a right any more, from this moment on, and
    their open tickets go back to their queues, which are told."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        try:
            gone = _desk(house).revoke(key, now=house.clock.now())
        except RosterUnchanged as why:
            raise fail(_SENTENCES[why.problem]) from None
        except ConcurrentChange as error:
            raise fail(f"{error}; nothing was done, try again") from None
        if json:
            print_json({"key": key, "handles": gone.handles, "tickets": list(gone.tickets)})
        else:
            say(f"{key} is off the roster: {gone.handles} handles ended, {len(gone.tickets)} tickets go to others")


def _desk(house: App) -> RosterDesk:
    return RosterDesk(
        storage=house.storage, office=house.office, catalogue=house.catalogue, mailboxes=house.mailboxes
    )


def _end_of(day: str, house: App) -> datetime:
    try:
        last = date.fromisoformat(day)
        return datetime.combine(last + timedelta(days=1), time(), house.calendar.zone)
    except (ValueError, OverflowError):
        raise fail("--until: give a day, as 2026-12-31, or `back`") from None


def _last_day(end: datetime | None, house: App) -> str:
    """The last whole day of an absence that ends at ``end``."""
    return local(end - timedelta(seconds=1), house.calendar.zone).partition(" ")[0] if end is not None else ""


def _as_json(agent: AgentSpec, duty: Duty, record: AgentRecord | None, open_tickets: int) -> dict[str, Any]:
    added = record is not None and record.state is AgentState.ADDED
    return {
        "key": agent.key,
        "name": agent.name,
        "address": agent.address,
        "queues": ["*"] if agent.queues == "*" else list(agent.queues),
        "source": "database" if added else "file",
        "status": "active" if duty.is_here(agent) else "absent",
        "absent_until": record.absent_until if record is not None and not duty.is_here(agent) else None,
        "deputy": duty.away.get(agent.key) or None,
        "open_tickets": open_tickets,
    }


def _as_gone(record: AgentRecord) -> dict[str, Any]:
    return {
        "key": record.key,
        "name": record.name,
        "address": record.address,
        "queues": [],
        "source": "database",
        "status": "revoked",
        "absent_until": None,
        "deputy": None,
        "open_tickets": 0,
    }
