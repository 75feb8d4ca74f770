"""``mailbot catalogue``: what is offered, and whether it is sound: request types, templates, letters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from mailbot.cli.listing import Json, print_table
from mailbot.cli.output import Exit, complain, own_errors, print_json, say
from mailbot.cli.simulate import facts, simulate

if TYPE_CHECKING:
    from mailbot.catalogue.request_types import RequestType
    from mailbot.domain.errors import Problem
    from mailbot.domain.events import LetterKind

app = typer.Typer(
    help="The services we offer, their letters, and whether all of it is sound.", no_args_is_help=True
)

app.command()(simulate)
app.command()(facts)

# --- check ---------------------------------------------------------------------------------------------------


@app.command()
def check(json: Json = False) -> None:
    """Check every YAML file and every template at once; each problem with file, line and key.

    Ends with 2 if there is any. With --json: a list of problems, empty if all is well.
    """
    with own_errors():
        problems = _problems()
    if json:
        print_json([_problem(one) for one in problems])
    else:
        for problem in problems:
            complain(f"mailbot: {problem}")
        say(f"{len(problems)} problems" if problems else "catalogue and templates are sound")
    raise typer.Exit(Exit.WRONG if problems else Exit.DONE)


def _problems() -> list[Problem]:
    from mailbot.catalogue.load import load_catalogue
    from mailbot.cli.context import read_settings
    from mailbot.correspondence.check import check_templates
    from mailbot.domain.errors import ConfigurationError
    from mailbot.evidence.askable import unreadable_requirements

    try:
        settings = read_settings()
    except ConfigurationError as error:
        return list(error.problems)
    problems: list[Problem] = []
    try:
        problems.extend(unreadable_requirements(load_catalogue(settings.config_dir)))
    except ConfigurationError as error:
        problems.extend(_under(settings.config_dir, problem) for problem in error.problems)
    problems.extend(check_templates(settings.templates_dir))
    return problems


def _under(folder: Path, problem: Problem) -> Problem:
    """The problem with its file's whole path, as an editor wants it."""
    from dataclasses import replace

    if problem.source == str(folder):
        return problem
    return replace(problem, source=str(folder / problem.source))


def _problem(problem: Problem) -> dict[str, Any]:
    return {"file": problem.source, "line": problem.line, "key": problem.key, "message": problem.message}


# --- list, show, schema --------------------------------------------------------------------------------------


@app.command("list")
def list_types(json: Json = False) -> None:
    """List the request types that are offered."""
    with own_errors():
        kinds = _request_types()
    if json:
        print_json([_summary(kind) for kind in kinds])
        return
    rows = [
        (kind.key, kind.name, kind.subject or "—", kind.queue, f"{len(kind.documents)}", f"{len(kind.fields)}")
        for kind in kinds
    ]
    print_table(("REQUEST TYPE", "NAME", "SUBJECT", "QUEUE", "DOCUMENTS", "FIELDS"), rows)


@app.command()
def show(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of a request type.")], json: Json = False
) -> None:
    """Show one request type with all that it asks for."""
    with own_errors():
        kinds = {kind.key: kind for kind in _request_types()}
        kind = kinds.get(key)
        if kind is None:
            _refuse("catalogue show", f"no request type {key!r}; there are {', '.join(kinds)}")
    if json:
        print_json(kind.model_dump(mode="json"))
        return
    _show_type(kind)


@app.command()
def schema(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A kind of file, as catalogue/*.yaml; all of them without it.")
    ] = "",
    json: Json = False,
) -> None:
    """Print the JSON Schema of the configuration files, for editors. It is JSON with or without --json."""
    del json
    from mailbot.catalogue.load import json_schema

    with own_errors():
        schemas = json_schema()
        if file and file not in schemas:
            _refuse("catalogue schema", f"no kind of file {file!r}; there are {', '.join(schemas)}")
    import json as json_library

    chosen = schemas[file] if file else schemas
    say(json_library.dumps(chosen, ensure_ascii=False, indent=2))


def _request_types() -> list[RequestType]:
    from mailbot.cli.context import read_catalogue, read_settings

    return list(read_catalogue(read_settings()).request_types.values())


def _summary(kind: RequestType) -> dict[str, Any]:
    return {
        "key": kind.key,
        "name": kind.name,
        "subject": kind.subject,
        "queue": kind.queue,
        "documents": [str(document.key) for document in kind.documents],
        "fields": [field.key for field in kind.fields],
    }


def _show_type(kind: RequestType) -> None:
    say(f"{kind.name} [{kind.key}], queue {kind.queue}")
    say(f"  subject    {kind.subject or '—'}")
    for label, words in (("also", kind.aliases), ("perhaps", kind.suggestions), ("keywords", kind.keywords)):
        if words:
            say(f"  {label:<10} {', '.join(words)}")
    for document in kind.documents:
        say(f"  document   {document.key}: {document.label}{_optional(document.required)}")
    for field in kind.fields:
        known = f" (labels: {', '.join(field.labels)})" if field.labels else ""
        say(f"  field      {field.key}: {field.label}, {field.kind}{_optional(field.required)}{known}")
    if kind.answer_within_business_hours:
        say(f"  answer     within {kind.answer_within_business_hours} business hours")
    days = ", ".join(str(day) for day in kind.reminders_days)
    say(f"  reminders  after {days or 'no'} days, then {kind.after_reminders} on day {kind.expires_day}")
    for status, label in kind.status_labels.items():
        say(f"  status     {status}: {label}")


def _optional(required: bool) -> str:
    return "" if required else " (optional)"


# --- preview -------------------------------------------------------------------------------------------------


@app.command()
def preview(
    letter: Annotated[str, typer.Argument(metavar="LETTER", help="A letter, as ticket_opened.")],
    request_type: Annotated[
        str, typer.Option("--type", metavar="KEY", help="With the templates of this request type.")
    ] = "",
    language: Annotated[str, typer.Option(metavar="LANGUAGE", help="Language of the letter.")] = "pt-BR",
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the HTML to this file.", dir_okay=False)
    ] = None,
    json: Json = False,
) -> None:
    """Write a letter with sample data: the text here, the HTML to a file."""
    from mailbot.correspondence.render import LetterRenderer
    from mailbot.correspondence.samples import sample_view
    from mailbot.correspondence.wording import languages_in
    from mailbot.domain.errors import ConfigurationError, LetterError, Problem

    with own_errors():
        from mailbot.cli.context import read_settings

        templates = read_settings().templates_dir
        kind = _letter_kind(letter)
        known = [one.key for one in _request_types()] if request_type else []
        if request_type and request_type not in known:
            _refuse("catalogue preview", f"no request type {request_type!r}; there are {', '.join(known)}")
        languages = languages_in(templates)
        if language not in languages:
            _refuse("catalogue preview", f"no language {language!r}; there are {', '.join(languages)}")
        view = sample_view(kind, templates, language=language)
        try:
            written = LetterRenderer(templates).render(
                kind, view, language=language, request_type=request_type or None
            )
        except LetterError as error:
            raise ConfigurationError([Problem(source=str(templates), message=str(error))]) from None
        if html is not None:
            _write(html, written.html)
    if json:
        print_json({"letter": kind, "subject": written.subject, "text": written.text, "html": written.html})
        return
    say(f"{written.subject}\n\n{written.text}")
    if html is not None:
        complain(f"HTML written to {html}")


def _letter_kind(name: str) -> LetterKind:
    from mailbot.domain.events import LetterKind

    try:
        return LetterKind(name)
    except ValueError:
        _refuse("catalogue preview", f"no letter {name!r}; there are {', '.join(LetterKind)}")


def _write(path: Path, html: str) -> None:
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        _refuse(str(path), f"cannot be written: {error.strerror}")


def _refuse(source: str, message: str) -> NoReturn:
    from mailbot.domain.errors import ConfigurationError, Problem

    raise ConfigurationError([Problem(source=source, message=message)])
