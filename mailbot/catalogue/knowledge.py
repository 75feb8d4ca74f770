"""Articles that may answer a question before a person does: ``knowledge/*.md`` and the search in them (R004-11).

``KnowledgeBase.suggest(text, request_type, at_most) -> articles``, best first. No suggestion rather than a wrong
one: an article counts only where the text holds one of its keywords, or most of what its title says.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import Field

from mailbot.catalogue.entries import Entry, Key, Text
from mailbot.catalogue.folding import fold_words

LONGEST_ARTICLE = 2500
"""Characters of an article's text: it has to fit into a letter."""

_LONGEST_QUESTION = 4000
_TITLE_COVERED = 0.6
_FEWEST_WORDS = 2


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_K1, _B = 1.2, 0.75
"""The usual constants of BM25."""

_STOP_WORDS = _words(
    """
    a o as os e de da do das dos em no na nos nas um uma uns umas por para com sem que se como qual quais quando
    onde ao aos meu minha meus minhas seu sua seus suas eu voce voces nos ele ela isso isto este esta esse essa
    aquele mais muito ja nao sim ou ser ter foi era esta estou estao tem tenho ha fazer faco bom boa dia tarde
    noite ola obrigado obrigada favor gostaria preciso queria posso pode poderia
    """
)


class BlockKind(StrEnum):
    """What a part of an article is."""

    PARAGRAPH = "paragraph"
    ITEM = "item"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleBlock:
    """A paragraph or an item of a list, as plain text. ``number`` is set for items of a numbered list."""

    kind: BlockKind
    text: str
    number: str = ""


class ArticleHead(Entry):
    """What stands between the ``---`` lines at the top of an article."""

    title: Text
    keywords: tuple[Text, ...] = ()
    request_types: Literal["*"] | tuple[Key, ...] = "*"
    language: Literal["pt-BR", "en", "es"] = "pt-BR"


class ArticleFile(ArticleHead):
    """A file of ``knowledge/``: its name without ``.md`` is the key by which votes name it."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    body: Annotated[str, Field(min_length=1, max_length=LONGEST_ARTICLE)]

    @cached_property
    def blocks(self) -> tuple[ArticleBlock, ...]:
        """The Markdown as parts of plain text: emphasis is dropped, a link stays as its words and address."""
        return tuple(_blocks(MarkdownIt("commonmark", {"html": False}).parse(self.body)))

    def serves(self, request_type: str) -> bool:
        """Whether the article is about requests of this type."""
        return self.request_types == "*" or request_type in self.request_types


def _blocks(tokens: Iterable[Token]) -> Iterator[ArticleBlock]:
    lists: list[int] = []
    in_item = False
    for token in tokens:
        if token.type in ("ordered_list_open", "bullet_list_open"):
            lists.append(int(token.attrGet("start") or 1) if token.type.startswith("ordered") else 0)
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            in_item = True
        elif token.type == "list_item_close" and lists and lists[-1]:
            lists[-1] += 1
        elif token.type in ("inline", "fence", "code_block") and (text := _plain(token)):
            number = f"{lists[-1]}." if in_item and lists and lists[-1] else ""
            kind = BlockKind.ITEM if in_item else BlockKind.PARAGRAPH
            yield ArticleBlock(kind=kind, text=text, number=number)
            in_item = False


def _plain(token: Token) -> str:
    if token.children is None:
        return token.content.strip()
    words, addresses = [], []
    for child in token.children:
        if child.type in ("softbreak", "hardbreak"):
            words.append(" ")
        elif child.type == "link_open":
            addresses.append(str(child.attrGet("href") or ""))
        elif child.type == "link_close":
            words.append(f" ({addresses.pop()})")
        else:
            words.append(child.content)
    return "".join(words).strip()


# --- search --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Indexed:
    article: ArticleFile
    keywords: tuple[str, ...]
    title: frozenset[str]
    terms: Counter[str]
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeBase:
    """All articles, ready to be searched."""

    articles: tuple[ArticleFile, ...] = ()
    _index: tuple[_Indexed, ...] = field(default=(), repr=False)
    _documents_with: Counter[str] = field(default_factory=Counter, repr=False)

    @classmethod
    def of(cls, articles: Iterable[ArticleFile]) -> KnowledgeBase:
        """The articles with their index."""
        ordered = tuple(articles)
        index = tuple(_indexed(one) for one in ordered)
        holding = Counter(term for one in index for term in one.terms)
        return cls(articles=ordered, _index=index, _documents_with=holding)

    def article(self, key: str) -> ArticleFile | None:
        """The article with this key."""
        return next((one for one in self.articles if one.key == key), None)

    def suggest(
        self, text: str, *, request_type: str, at_most: int, language: str = "pt-BR"
    ) -> tuple[ArticleFile, ...]:
        """Articles that may answer ``text``, best first, ``at_most`` of them, often none; accents are free."""
        asked = fold_words(text[:_LONGEST_QUESTION])
        terms = frozenset(_terms(asked))
        found = [
            (self._score(one, terms), one.article)
            for one in self._index
            if one.article.serves(request_type)
            and one.article.language == language
            and self._is_about(one, asked, terms)
        ]
        ranked = sorted(found, key=lambda pair: (-pair[0], pair[1].key))
        return tuple(article for _, article in ranked[:at_most])

    def _is_about(self, one: _Indexed, asked: str, terms: frozenset[str]) -> bool:
        if any(f" {keyword} " in f" {asked} " for keyword in one.keywords):
            return True
        said = one.title & terms
        if len(said) < _FEWEST_WORDS:
            return False
        whole = sum(self._weight(term) for term in one.title)
        return sum(self._weight(term) for term in said) >= _TITLE_COVERED * whole

    def _weight(self, term: str) -> float:
        holding = self._documents_with[term]
        return math.log(1 + (len(self._index) - holding + 0.5) / (holding + 0.5))

    def _score(self, one: _Indexed, terms: frozenset[str]) -> float:
        """Okapi BM25 over title (three times), keywords (twice) and text."""
        average = sum(each.length for each in self._index) / len(self._index)
        norm = _K1 * (1 - _B + _B * one.length / average)
        return sum(
            self._weight(t) * one.terms[t] * (_K1 + 1) / (one.terms[t] + norm) for t in terms & one.terms.keys()
        )


def _indexed(article: ArticleFile) -> _Indexed:
    title = list(_terms(fold_words(article.title)))
    keywords = tuple(fold_words(one) for one in article.keywords)
    terms = Counter(title * 3)
    terms.update([term for one in keywords for term in _terms(one)] * 2)
    terms.update(term for block in article.blocks for term in _terms(fold_words(block.text)))
    return _Indexed(
        article=article, keywords=keywords, title=frozenset(title), terms=terms, length=sum(terms.values())
    )


def _terms(folded: str) -> Iterator[str]:
    """The words that tell something, plurals brought to their singular."""
    for word in folded.split():
        if word not in _STOP_WORDS and len(word) > 1:
            yield word[:-1] if len(word) > 4 and word.endswith("s") else word
