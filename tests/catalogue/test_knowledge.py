"""Articles: read from Markdown, found by what people ask, and rather not suggested than wrongly."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.knowledge import ArticleFile, BlockKind, KnowledgeBase
from mailbot.catalogue.load import load_catalogue
from mailbot.domain.errors import ConfigurationError

CONFIG = Path(__file__).parents[2] / "config"
KNOWLEDGE = load_catalogue(CONFIG).knowledge


def found(text: str, request_type: str = "general") -> list[str]:
    return [one.key for one in KNOWLEDGE.suggest(text, request_type=request_type, at_most=3)]


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("Não consigo mandar, o ARQUIVO é muito grande!", "arquivo-grande"),
        ("anexo nao foi aceito, qual o limite?", "arquivo-grande"),
        ("Como verifico os meus tickets?", "meus-chamados"),
        ("gostaria de inserir um novo usuario de contato", "novo-contato"),
        ("Onde vejo o meu planejamento de atividades?", "meu-planejamento"),
        ("como faço para avaliar as respostas do chamado", "avaliar-respostas"),
    ],
)
def test_r004_11_an_article_is_found_by_what_people_ask_without_accents(question: str, article: str) -> None:
    assert found(question)[0] == article


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Bom dia, o portão da garagem quebrou e preciso de um técnico.",
        "Segunda via do boleto de novembro, por favor.",
        "O site está fora do ar!",
        "Preciso de um contato do financeiro.",
        "Meu chamado está parado, quero uma resposta.",
        "grande",
    ],
)
def test_no_article_is_suggested_rather_than_a_wrong_one(question: str) -> None:
    assert found(question) == []


def article(key: str, title: str, **more: object) -> ArticleFile:
    return ArticleFile.model_validate({"key": key, "title": title, "body": "Texto.", **more})


def test_the_better_article_comes_first_and_no_more_than_wanted() -> None:
    base = KnowledgeBase.of(
        [
            article("a", "Segunda via", keywords=("boleto",)),
            article("b", "Segunda via do boleto", keywords=("boleto", "segunda via")),
        ]
    )
    asked = "quero a segunda via do boleto"
    assert [one.key for one in base.suggest(asked, request_type="x", at_most=5)] == ["b", "a"]
    assert [one.key for one in base.suggest(asked, request_type="x", at_most=1)] == ["b"]


def test_articles_of_other_request_types_and_languages_are_not_suggested() -> None:
    base = KnowledgeBase.of(
        [
            article("a", "x", keywords=("boleto",), request_types=("one",)),
            article("b", "x", keywords=("boleto",), language="en"),
        ]
    )
    assert base.suggest("boleto", request_type="other", at_most=3) == ()
    assert [one.key for one in base.suggest("boleto", request_type="one", at_most=3)] == ["a"]


def test_markdown_becomes_parts_of_plain_text() -> None:
    body = "Um **texto** com\n[ajuda](https://example.com.br/a).\n\n3. três\n4. quatro\n\n- ponto\n\n<b>html</b>"
    blocks = article("a", "x", body=body).blocks
    assert [(one.kind, one.number, one.text) for one in blocks] == [
        (BlockKind.PARAGRAPH, "", "Um texto com ajuda (https://example.com.br/a)."),
        (BlockKind.ITEM, "3.", "três"),
        (BlockKind.ITEM, "4.", "quatro"),
        (BlockKind.ITEM, "", "ponto"),
        (BlockKind.PARAGRAPH, "", "<b>html</b>"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("Sem cabeçalho.", None, "must begin with a line of ---"),
        ("---\ntitle: x\nkeyword: [a]\n---\nTexto.", 3, "did you mean 'keywords'"),
        ("---\ntitle: x\nrequest_types: [generl]\n---\nTexto.", 3, "did you mean 'general'"),
        ("---\ntitle: x\n---\n", None, "at least 1 character"),
        ("---\ntitle: [\n---\nTexto.", None, "not YAML"),
    ],
)
def test_a_mistake_in_an_article_is_told_with_file_and_line(
    tmp_path: Path, text: str, line: int | None, said: str
) -> None:
    config = tmp_path / "config"
    shutil.copytree(CONFIG, config)
    (config / "knowledge" / "novo.md").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as failed:
        load_catalogue(config)
    (problem,) = failed.value.problems
    assert problem.source == "knowledge/novo.md" and said in problem.message
    assert line is None or problem.line == line


def test_a_folder_without_articles_is_sound(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(CONFIG, config, ignore=shutil.ignore_patterns("knowledge"))
    assert load_catalogue(config).knowledge.suggest("boleto", request_type="general", at_most=3) == ()


@given(st.text())
def test_whatever_is_asked_is_searched_without_harm(text: str) -> None:
    found(text)


def test_a_hundred_articles_are_searched_fast() -> None:
    base = KnowledgeBase.of(article(f"a{n}", f"Título número {n} sobre boletos e anexos") for n in range(100))
    began = time.thread_time()
    base.suggest("boleto " * 100_000, request_type="x", at_most=3)
    assert time.thread_time() - began < 0.5
