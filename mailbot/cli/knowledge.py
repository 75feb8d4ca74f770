"""``mailbot knowledge``: the articles that confirmations suggest, what people think of them, and what is found."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.context import open_app, read_catalogue, read_settings, set_up_logging
from mailbot.cli.listing import Json, Limit, fail, print_table
from mailbot.cli.output import own_errors, print_json

if TYPE_CHECKING:
    from mailbot.catalogue.knowledge import ArticleFile
    from mailbot.domain.self_service import ArticleVotes

app = typer.Typer(help="Articles that answer questions before a person does.", no_args_is_help=True)


@app.command("list")
def list_articles(json: Json = False) -> None:
    """List the articles with their votes."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        articles = house.catalogue.knowledge.articles
        with house.storage.read() as work:
            votes = work.feedback.votes()
    if json:
        print_json([{**_as_json(one), **_votes(votes.get(one.key))} for one in articles])
        return
    rows = [
        (one.key, one.title, one.language, _types(one), *map(str, _votes(votes.get(one.key)).values()))
        for one in articles
    ]
    print_table(("article", "title", "language", "request types", "useful", "not useful"), rows)


@app.command()
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What somebody asks.")],
    request_type: Annotated[str, typer.Option("--type", metavar="KEY", help="Of this request type.")] = "general",
    language: Annotated[str, typer.Option(metavar="LANGUAGE", help="Language of the articles.")] = "pt-BR",
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Show which articles a confirmation would suggest for a text, best first; often none."""
    with own_errors():
        catalogue = read_catalogue(read_settings())
    if not catalogue.has_type(request_type):
        raise fail(
            f"knowledge search: no request type {request_type!r}; there are {', '.join(catalogue.request_types)}"
        )
    found = catalogue.knowledge.suggest(text, request_type=request_type, at_most=limit or 10, language=language)
    if json:
        print_json([_as_json(one) for one in found])
        return
    print_table(("article", "title"), [(one.key, one.title) for one in found])


def _as_json(article: ArticleFile) -> dict[str, Any]:
    return {
        "key": article.key,
        "title": article.title,
        "language": article.language,
        "request_types": article.request_types if article.request_types == "*" else list(article.request_types),
    }


def _votes(votes: ArticleVotes | None) -> dict[str, int]:
    return {"useful": votes.useful if votes else 0, "not_useful": votes.not_useful if votes else 0}


def _types(article: ArticleFile) -> str:
    return "all" if article.request_types == "*" else ", ".join(article.request_types)
