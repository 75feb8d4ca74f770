"""Sentences in templates: what `say` writes, for each language, in HTML and in plain text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError
from markupsafe import escape

from mailbot.correspondence.environment import environment_of
from mailbot.correspondence.words import Words

CSS = "strong { font-weight: 700; } .nowrap { white-space: nowrap; }"
SENTENCES = {
    "greeting": "Olá, {name}!",
    "until": "Responda a este e-mail[ até {until}].",
    "strong": 'Um *e-mail* & "mais": {name}',
    "items.one": "Falta {count} item de {name}",
    "items.other": "Faltam {count} itens de {name}",
    "days.one": "{count} dia",
    "days.other": "{count} dias",
    "deadline": "Prazo: {until}[ ({days})].",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "_style.css").write_text(CSS, "utf-8")
    return tmp_path


def written(folder: Path, source: str, extension: str = "txt", **values: str) -> str:
    (folder / "letters" / f"a.{extension}").write_text(source, "utf-8")
    environment = environment_of(folder, Words(language="pt-BR", phrases=SENTENCES))
    return environment.get_template(f"a.{extension}").render(values)


def test_a_place_is_filled(folder: Path) -> None:
    assert written(folder, '{{ say("greeting", name=who) }}', who="Maria") == "Olá, Maria!"


def test_what_stands_in_brackets_goes_with_its_place(folder: Path) -> None:
    source = '{{ say("until", until=day) }}'
    assert written(folder, source, day="amanhã") == "Responda a este e-mail até amanhã."
    assert written(folder, source, day="") == "Responda a este e-mail."


def test_a_sentence_agrees_with_its_count(folder: Path) -> None:
    source = '{{ say("items", count=n, name=who) }}'
    assert written(folder, source, n="1", who="Ana") == "Falta 1 item de Ana"
    assert written(folder, source, n="0", who="Ana") == "Faltam 0 itens de Ana"


def test_a_sentence_may_stand_in_a_place_and_goes_with_its_count(folder: Path) -> None:
    source = '{{ say("deadline", until=day, days=say("days", count=left)) }}'
    assert written(folder, source, day="24/11", left="2") == "Prazo: 24/11 (2 dias)."
    assert written(folder, source, day="24/11", left="") == "Prazo: 24/11."


def test_html_gets_elements_with_their_style_and_an_e_mail_that_is_not_broken(folder: Path) -> None:
    source = '<p>{{ say("strong", name=strong(theirs(who))) }}</p>'
    html = written(folder, source, "html", who="<b>")
    assert html == (
        '<p>Um <strong style="font-weight: 700;">e\u2011mail</strong> &amp; &#34;mais&#34;: '
        '<strong style="font-weight: 700;"><bdi>&lt;b&gt;</bdi></strong></p>'
    )


def test_plain_text_gets_the_words_alone(folder: Path) -> None:
    source = '{{ say("strong", name=strong(theirs(who))) }} {{ say("greeting", name=nowrap(who)) | upper }}'
    assert written(folder, source, who="<b>") == 'Um e-mail & "mais": <b> OLÁ, <B>!'


def test_a_sentence_as_a_value_is_escaped_once(folder: Path) -> None:
    source = '{% macro box(text) %}[{{ text }}]{% endmacro %}{{ box(say("strong", name=strong(who))) }}'
    html = written(folder, source, "html", who="<b>")
    assert html == (
        '[Um <strong style="font-weight: 700;">e\u2011mail</strong> &amp; &#34;mais&#34;: '
        '<strong style="font-weight: 700;">&lt;b&gt;</strong>]'
    )
    assert written(folder, source, who="<b>") == '[Um e-mail & "mais": <b>]'


def test_the_choice_between_sentences_is_the_templates(folder: Path) -> None:
    source = '{{ subject or (say("greeting", name=who) if who else say("until")) }}'
    assert written(folder, source, subject="", who="Ana") == "Olá, Ana!"
    assert written(folder, source, subject="", who="") == "Responda a este e-mail."


def test_a_sentence_that_there_is_not_writes_nothing(folder: Path) -> None:
    assert written(folder, 'a{{ say("no_such") }}b{{ say("items", name=who) }}c', who="x") == "abc"


def test_a_place_to_which_nothing_is_given_is_empty(folder: Path) -> None:
    assert written(folder, '{{ say("greeting") }}') == "Olá, !"


def test_an_address_is_broken_behind_its_at_sign_only(folder: Path) -> None:
    html = written(folder, "{{ who | address }}", "html", who="<b>@example.com.br")
    assert html == "&lt;b&gt;@<wbr>example.com.br"


@pytest.mark.parametrize("source", ["{{ say(who) }}", "{{ say() }}", '{{ say("a", "b") }}'])
def test_a_sentence_is_named_in_quotes(folder: Path, source: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="in quotes"):
        written(folder, "\n" + source, who="x")


def test_the_languages_own_template_is_taken_before_the_shared_one(folder: Path) -> None:
    (folder / "pt-BR").mkdir()
    (folder / "pt-BR" / "a.txt").write_text("nosso", "utf-8")
    assert written(folder, "de todos") == "nosso"


@given(who=st.text(), day=st.text())
def test_what_people_wrote_is_only_ever_a_value(
    tmp_path_factory: pytest.TempPathFactory, who: str, day: str
) -> None:
    """Places in a value, brackets, stars and Jinja's own marks stay what they are (THREATS 22)."""
    folder = tmp_path_factory.mktemp("templates")
    (folder / "letters").mkdir()
    source = '{{ say("greeting", name=who) }}{{ say("until", until=day) }}'
    given_day = f" até {day}" if day else ""
    assert written(folder, source, who=who, day=day) == f"Olá, {who}!Responda a este e-mail{given_day}."
    html = written(folder, source, "html", who=who, day=day)
    shown_day = f" até {escape(day)}" if day else ""
    assert html == f"Olá, {escape(who)}!Responda a este e\u2011mail{shown_day}."
