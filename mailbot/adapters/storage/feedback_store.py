"""What people think of our articles: one vote a person and article (R004-12)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Connection, bindparam, func, select, text

from mailbot.adapters.storage.compiled import CompiledStatement
from mailbot.adapters.storage.tables import UtcDateTime, article_votes
from mailbot.domain.self_service import ArticleVotes

_V = article_votes.c

# Word for word the same in SQLite and PostgreSQL. The newer vote holds.
_VOTE = text(
    "INSERT INTO article_votes (article, voter_address, useful, at) VALUES (:article, :voter, :useful, :at) "
    "ON CONFLICT (article, voter_address) DO UPDATE SET useful = excluded.useful, at = excluded.at"
).bindparams(bindparam("useful", type_=Boolean()), bindparam("at", type_=UtcDateTime()))
_COUNTS = CompiledStatement(
    select(_V.article, _V.useful, func.count().label("how_many")).group_by(_V.article, _V.useful)
)


class FeedbackStore:
    """Rows of ``article_votes`` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def vote(self, article: str, voter: str, *, useful: bool, now: datetime) -> None:
        """Count a vote; an earlier one of the same person on the same article no longer counts."""
        values = {"article": article, "voter": voter, "useful": useful, "at": now}
        self._connection.execute(_VOTE, values)

    def votes(self) -> dict[str, ArticleVotes]:
        """All votes by article; articles without any are left out."""
        counted: dict[str, dict[bool, int]] = {}
        for article, useful, how_many in _COUNTS.run(self._connection, {}).rows:
            counted.setdefault(article, {})[bool(useful)] = how_many
        return {
            article: ArticleVotes(useful=votes.get(True, 0), not_useful=votes.get(False, 0))
            for article, votes in counted.items()
        }
