"""``mailbot customers search | show | add | link | import``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, assert_never

import typer

from mailbot.cli.context import open_app, set_up_logging
from mailbot.cli.customer_lists import ListedCustomer, WrongList, read_list
from mailbot.cli.listing import Json, Limit, fail, local, no_such_ticket, print_table, print_title, progress
from mailbot.cli.output import Exit, complain, own_errors, print_json, say, visible
from mailbot.domain.customer import (
    Company,
    Contract,
    Customer,
    CustomerEvent,
    CustomerKind,
    CustomerSearch,
    EntryProblem,
    Person,
    PersonFound,
    written_cnpj,
    written_cpf,
    written_phone,
)
from mailbot.domain.errors import ConcurrentChange
from mailbot.domain.events import ADMIN
from mailbot.domain.ticket import Ticket

if TYPE_CHECKING:
    from mailbot.bootstrap import App
    from mailbot.flows.customers import Refused, Saved

app = typer.Typer(name="customers", help="Customers: search, show, add, link, import.", no_args_is_help=True)

NO_FILTER = "at least one filter must be filled"
"""R002-03, in the words of its source."""

_BATCH = 200

_SENTENCES = {
    EntryProblem.LAST_NAME_MISSING: "the surname is required (--last-name)",
    EntryProblem.EMAIL_MISSING: "a person needs an e-mail address (--email)",
    EntryProblem.EMAIL_OR_MOBILE_MISSING: "a company needs an e-mail address or a mobile (--email, --mobile)",
    EntryProblem.COMPANY_MISSING: "the company's name is required (--company)",
    EntryProblem.CNPJ_MISSING: "the CNPJ is required (--cnpj)",
    EntryProblem.NOT_A_CPF: "this is no CPF: its check digits do not fit",
    EntryProblem.NOT_A_CNPJ: "this is no CNPJ: its check digits do not fit",
    EntryProblem.NOT_A_PHONE: "this is no telephone number with an area code",
    EntryProblem.NOT_AN_EMAIL: "this is no e-mail address",
    EntryProblem.EMAIL_OF_ANOTHER: "e-mail and numbers belong to another customer",
    EntryProblem.CPF_OF_ANOTHER: "this CPF belongs to another customer",
    EntryProblem.CONTRACT_OF_ANOTHER: "this contract belongs to another customer",
    EntryProblem.A_PERSON_IS_NO_COMPANY: "a person never becomes a company: enter a company of its own",
    EntryProblem.A_COMPANY_IS_NO_PERSON: "a company is no person",
}


@app.command("search")
def search(  # noqa: PLR0913 - each is an option of the command
    words: Annotated[
        list[str] | None, typer.Argument(help="All must occur, in any field, whatever case and accents.")
    ] = None,
    *,
    name: Annotated[str, typer.Option("--name", help="Part of the full name.")] = "",
    last_name: Annotated[str, typer.Option("--last-name", help="Part of the surname.")] = "",
    company: Annotated[str, typer.Option("--company", help="Part of a company's name.")] = "",
    cpf: Annotated[str, typer.Option("--cpf", help="Part of a CPF, punctuated or not.")] = "",
    cnpj: Annotated[str, typer.Option("--cnpj", help="Part of a CNPJ, punctuated or not.")] = "",
    phone: Annotated[str, typer.Option("--phone", help="Digits of a mobile.")] = "",
    email: Annotated[str, typer.Option("--email", help="Part of an address.")] = "",
    contract: Annotated[str, typer.Option("--contract", help="Part of a contract's number.")] = "",
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Persons by any part of any field; companies appear with the person who is their contact."""
    wanted = CustomerSearch(
        words=" ".join(words or []),
        name=name,
        last_name=last_name,
        company=company,
        cpf=cpf,
        cnpj=cnpj,
        phone=phone,
        email=email,
        contract=contract,
    )
    set_up_logging()
    if wanted.is_empty:
        raise fail(NO_FILTER)
    with own_errors(), closing(open_app()) as house:
        with house.storage.read() as work:
            found = work.customers.search(wanted, limit=limit)
        if json:
            print_json([_found_as_json(one) for one in found])
        else:
            print_table(
                ("ID", "NAME", "CPF", "E-MAIL", "MOBILE", "COMPANIES", "CONTRACTS"), map(_found_as_row, found)
            )


@app.command("show")
def show(
    customer: Annotated[int, typer.Argument(metavar="ID", help="As `customers search` lists it.")],
    *,
    json: Json = False,
) -> None:
    """One customer with addresses, contracts, contacts and all that was done to the record."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        with house.storage.read() as work:
            record = _known(work.customers.get(customer), customer)
            events = work.customers.events(customer)
            people = work.customers.get_many([record.owner, *record.authorised])
            accounts = work.customers.accounts_of(customer) if isinstance(record, Person) else []
        accounts = [one for one in accounts if one.id != customer]
        if json:
            print_json(
                {
                    **customer_as_json(record),
                    "accounts": [one.id for one in accounts],
                    "events": [_event_as_json(one) for one in events],
                }
            )
        else:
            _print_customer(record, people, accounts)
            _print_events(events, house)


@app.command("add")
def add(  # noqa: PLR0913 - each is an option of the command
    *,
    kind: Annotated[
        CustomerKind | None, typer.Option("--kind", help="By default a company if --company or --cnpj is given.")
    ] = None,
    first_name: Annotated[str, typer.Option("--first-name", help="Of the person, or a company's contact.")] = "",
    last_name: Annotated[str, typer.Option("--last-name", help="Required; a company's contact's.")] = "",
    cpf: Annotated[str, typer.Option("--cpf")] = "",
    company: Annotated[str, typer.Option("--company", help="Name of the company.")] = "",
    cnpj: Annotated[str, typer.Option("--cnpj", help="Numeric or alphanumeric.")] = "",
    email: Annotated[str, typer.Option("--email")] = "",
    mobile: Annotated[str, typer.Option("--mobile", help="With its area code.")] = "",
    language: Annotated[str, typer.Option("--language", help="pt-BR, en, es; empty: the mailbox's.")] = "",
    service: Annotated[list[str] | None, typer.Option("--service", help="May be repeated.")] = None,
    contract: Annotated[str, typer.Option("--contract", metavar="NUMBER")] = "",
    property_address: Annotated[str, typer.Option("--property", help="The contract's property.")] = "",
    contract_kind: Annotated[str, typer.Option("--contract-kind", help="As rent, sale.")] = "",
    corporate: Annotated[bool, typer.Option("--corporate", help="Service orders may be opened for it.")] = False,
    json: Json = False,
) -> None:
    """Enter a customer, or bring the record up to date: to say the same twice does no harm.

    Whose record it is is told by e-mail, CPF and CNPJ. What is left out stays as it was. A company is a record of
    its own beside that of its contact person.
    """
    from mailbot.flows.customers import CustomerForm, Refused, save

    contracts = (Contract(number=contract, property_address=property_address, kind=contract_kind),)
    form = CustomerForm(
        kind=kind,
        first_name=first_name,
        last_name=last_name,
        cpf=cpf,
        company=company,
        cnpj=cnpj,
        email=email,
        mobile=mobile,
        language=language,
        services=tuple(service or []),
        contracts=contracts if contract else (),
        corporate=corporate,
    )
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        with house.storage.write() as work:
            saved = save(work, form, actor=ADMIN, now=house.clock.now())
        if isinstance(saved, Refused):
            raise _refusal(saved)
        if json:
            print_json(_saved_as_json(saved))
        else:
            say(f"{_outcome(saved)} customer {saved.customer_id}" + _through(saved))


@app.command("link")
def link_(  # noqa: PLR0913 - each is an option of the command
    customer: Annotated[int, typer.Argument(metavar="ID", help="As `customers search` lists it.")],
    *,
    email: Annotated[str, typer.Option("--email", help="One more address of this customer.")] = "",
    contract: Annotated[str, typer.Option("--contract", metavar="NUMBER", help="One more contract.")] = "",
    property_address: Annotated[str, typer.Option("--property", help="The contract's property.")] = "",
    contract_kind: Annotated[str, typer.Option("--contract-kind", help="As rent, sale.")] = "",
    person: Annotated[
        list[int] | None, typer.Option("--person", metavar="ID", help="May write for this account from now on.")
    ] = None,
    remove_person: Annotated[
        list[int] | None, typer.Option("--remove-person", metavar="ID", help="May not any longer.")
    ] = None,
    ticket: Annotated[str, typer.Option("--ticket", metavar="NUMBER", help="Whose ticket it is.")] = "",
    json: Json = False,
) -> None:
    """Link an address, a contract, a person or a ticket to a customer."""
    from mailbot.flows.customers import Links, Refused, link

    given = Contract(number=contract, property_address=property_address, kind=contract_kind)
    links = Links(
        email=email,
        contract=given if contract else None,
        authorise=tuple(person or []),
        revoke=tuple(remove_person or []),
    )
    set_up_logging()
    if links == Links() and not ticket:
        raise fail("say what to link: --email, --contract, --person, --remove-person or --ticket")
    with own_errors(), closing(open_app()) as house:
        now = house.clock.now()
        with house.storage.write() as work:
            record = _known(work.customers.get(customer), customer)
            number = ticket.removeprefix("#")
            known = work.tickets.get(number) if number else None
            if number and known is None:
                raise no_such_ticket(ticket)
            linked = link(work, record, links, actor=ADMIN, now=now)
            if isinstance(linked, Refused):
                raise _refusal(linked)
        if known is not None:
            _say_whose(
                house, known, linked, done=f"linked to customer {linked.id}, but " if links != Links() else ""
            )
        if json:
            print_json({**customer_as_json(linked), "ticket": number or None})
        else:
            say(f"linked to customer {linked.id}")


def _say_whose(house: App, ticket: Ticket, customer: Customer, *, done: str) -> None:
    """``done`` is what has been done already, to be said where this is not."""
    try:
        whose = house.staff_desk.say_whose(ticket, customer)
    except ConcurrentChange:
        message = f"{done}the ticket changed meanwhile; look at it and say it again"
        raise fail(message, Exit.NEEDS_A_LOOK) from None
    if whose.refusal is not None:
        raise fail(f"{done}the ticket stays as it was ({whose.refusal})", Exit.NEEDS_A_LOOK)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="UTF-8, comma or semicolon, headings first.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; enter nothing.")] = False,
    json: Json = False,
) -> None:
    """Enter a list of customers, or bring the records up to date; a list that was read before changes nothing.

    Headings are the names of the fields: kind, first_name, last_name, cpf, company, cnpj, email, mobile, language,
    services (parted by |), corporate, contract, property, contract_kind. A customer with several contracts
    stands in several lines. What cannot be entered is named with its line, the rest goes on.
    """
    set_up_logging()
    try:
        listed = read_list(file)
    except WrongList as error:
        raise fail(str(error)) from None
    with own_errors(), closing(open_app()) as house:
        report = _import_all(house, listed, dry_run=dry_run)
    if json:
        print_json(report)
    else:
        say(", ".join(f"{name} {report[name]}" for name in ("created", "updated", "unchanged", "refused")))
    if report["refused"]:
        raise typer.Exit(Exit.NEEDS_A_LOOK)


class _NothingIsKept(Exception):
    """Ends a transaction of a dry run."""


def _import_all(house: App, listed: Sequence[ListedCustomer], *, dry_run: bool) -> dict[str, Any]:
    """Enter the list in batches; a dry run is one transaction that is taken back."""
    report: dict[str, Any] = {"created": 0, "updated": 0, "unchanged": 0, "refused": 0, "problems": []}
    size = max(1, len(listed)) if dry_run else _BATCH
    with progress("entering", len(listed)) as done:
        for start in range(0, len(listed), size):
            batch = listed[start : start + size]
            with suppress(_NothingIsKept):
                _enter(house, batch, report, dry_run=dry_run)
            done(len(batch))
    return report


def _enter(house: App, batch: Iterable[ListedCustomer], report: dict[str, Any], *, dry_run: bool) -> None:
    from mailbot.flows.customers import Refused, save

    with house.storage.write() as work:
        for one in batch:
            saved = save(work, one.form, actor=ADMIN, now=house.clock.now())
            if isinstance(saved, Refused):
                report["refused"] += 1
                report["problems"].append({"line": one.line, "problems": list(saved.problems)})
                complain(f"mailbot: line {one.line}: {_why(saved)}")
            else:
                report[_outcome(saved)] += 1
        if dry_run:
            raise _NothingIsKept


def _known(record: Customer | None, customer_id: int) -> Customer:
    if record is None:
        raise fail(f"there is no customer {customer_id}")
    return record


def _refusal(refused: Refused) -> typer.Exit:
    return fail(_why(refused))


def _why(refused: Refused) -> str:
    sentence = "; ".join(_SENTENCES[one] for one in refused.problems)
    others = ", ".join(map(str, refused.records))
    return f"{sentence} (customer {others})" if others else sentence


def _outcome(saved: Saved) -> str:
    if saved.created:
        return "created"
    return "updated" if saved.changed else "unchanged"


def _through(saved: Saved) -> str:
    return "" if saved.person_id == saved.customer_id else f", through person {saved.person_id}"


# --- JSON ------------------------------------------------------------------------------------------------------


def _saved_as_json(saved: Saved) -> dict[str, Any]:
    return {"id": saved.customer_id, "person": saved.person_id, "outcome": _outcome(saved)}


def customer_as_json(record: Customer) -> dict[str, Any]:
    """A record: every key always, whatever its kind."""
    person = record if isinstance(record, Person) else None
    company = record if isinstance(record, Company) else None
    return {
        "id": record.id,
        "kind": CustomerKind.PERSON if person else CustomerKind.COMPANY,
        "name": record.name,
        "first_name": person.first_name if person else None,
        "last_name": person.last_name if person else None,
        "cpf": person.cpf or None if person else None,
        "mobile": person.mobile or None if person else None,
        "company": company.company if company else None,
        "cnpj": company.cnpj if company else None,
        "corporate": company.corporate if company else False,
        "owner": record.owner,
        "authorised": list(record.authorised),
        "addresses": [{"address": one.address, "verified": one.verified} for one in record.addresses],
        "contracts": [
            {"number": one.number, "property_address": one.property_address, "kind": one.kind}
            for one in record.contracts
        ],
        "services": list(record.services),
        "language": record.language or None,
        "confirmed": record.confirmed,
    }


def _found_as_json(found: PersonFound) -> dict[str, Any]:
    return {**customer_as_json(found.person), "companies": [customer_as_json(one) for one in found.companies]}


def _event_as_json(event: CustomerEvent) -> dict[str, Any]:
    return {
        "at": event.at,
        "actor": event.actor,
        "kind": event.kind,
        "field": event.field,
        "old": event.old,
        "new": event.new,
    }


# --- for people ------------------------------------------------------------------------------------------------


def _found_as_row(found: PersonFound) -> Sequence[str]:
    person = found.person
    records: tuple[Customer, ...] = (person, *found.companies)
    return (
        str(person.id),
        person.name + ("" if person.confirmed else " (unconfirmed)"),
        written_cpf(person.cpf),
        ", ".join(one.address for one in person.addresses),
        written_phone(person.mobile),
        ", ".join(f"{one.company} ({one.id})" for one in found.companies),
        ", ".join(one.number for record in records for one in record.contracts),
    )


def _print_customer(record: Customer, people: Sequence[Customer], accounts: Sequence[Customer]) -> None:
    say(visible(f"{record.id}  {record.name}" + ("" if record.confirmed else "  (unconfirmed)")))
    match record:
        case Person():
            rows = [("CPF", written_cpf(record.cpf)), ("mobile", written_phone(record.mobile))]
        case Company():
            rows = [("CNPJ", written_cnpj(record.cnpj))]
            rows += [("contact", f"{one.name} ({one.id})") for one in people if one.id == record.owner]
            rows += [("corporate", "yes")] if record.corporate else []
        case _:
            assert_never(record)
    rows += [("e-mail", one.address + ("" if one.verified else " (not verified)")) for one in record.addresses]
    rows += [
        ("contract", "  ".join(part for part in (one.number, one.kind, one.property_address) if part))
        for one in record.contracts
    ]
    rows += [("may write", f"{one.name} ({one.id})") for one in people if one.id in record.authorised]
    rows += [("writes for", f"{one.name} ({one.id})") for one in accounts]
    rows += [("services", ", ".join(record.services)), ("language", record.language)]
    for label, value in rows:
        if value:
            say(visible(f"  {label:<11}{value}"))


def _print_events(events: Iterable[CustomerEvent], house: App) -> None:
    print_title("Done to the record")
    print_table(
        ("AT", "ACTOR", "KIND", "FIELD", "OLD", "NEW"),
        [(local(one.at, house.calendar.zone), one.actor, one.kind, one.field, one.old, one.new) for one in events],
    )
