"""Articles that a confirmation suggests: ``(TicketChange, LetterDesk) -> articles`` (R004-11, R004-12)."""

from __future__ import annotations

from mailbot.catalogue.knowledge import ArticleBlock, ArticleFile, BlockKind
from mailbot.correspondence.article_views import ArticlePart, SuggestedArticle
from mailbot.correspondence.planned import LetterDesk
from mailbot.domain.ticket_change import TicketChange


def suggested_articles(change: TicketChange, desk: LetterDesk) -> tuple[SuggestedArticle, ...]:
    """What may answer the mail that opened the ticket, where its request type wants suggestions; often nothing."""
    ticket, message = change.after, change.message
    kind = desk.catalogue.type(ticket.request_type)
    if not kind.suggest_articles or message is None:
        return ()
    found = desk.catalogue.knowledge.suggest(
        f"{ticket.subject}\n{message.text}",
        request_type=kind.key,
        at_most=kind.suggest_articles,
        language=ticket.language,
    )
    return tuple(_suggestion(one, desk) for one in found)


def _suggestion(article: ArticleFile, desk: LetterDesk) -> SuggestedArticle:
    useful = desk.useful_votes.get(article.key, 0)
    return SuggestedArticle(
        key=article.key,
        title=article.title,
        parts=tuple(ArticlePart(text=block.text, mark=_mark(block)) for block in article.blocks),
        useful=str(useful) if useful else "",
    )


def _mark(block: ArticleBlock) -> str:
    return block.number or ("•" if block.kind is BlockKind.ITEM else "")
