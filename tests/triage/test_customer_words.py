"""Customer words by themselves: what counts as one and what is a message."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.correspondence.query_letters import WORDS_IN_HELP
from mailbot.correspondence.wording import load_words
from mailbot.domain.mail import Address, InboundMail
from mailbot.domain.self_service import CustomerWord
from mailbot.triage.customer_words import customer_query
from tests.triage.situations import attachment

TEMPLATES = Path(__file__).parents[2] / "templates"
MARIA = Address(address="maria@cliente.example", name="Maria")


def mail(subject: str = "", text: str = "", **changes: object) -> InboundMail:
    return InboundMail(message_id="m1@x", sender=MARIA, subject=subject, new_text=text, **changes)  # type: ignore[arg-type] # any field


@pytest.mark.parametrize(
    ("line", "word", "argument"),
    [
        ("STATUS", CustomerWord.STATUS, ""),
        ("status 2026-000123", CustomerWord.STATUS, "2026-000123"),
        ("Status?", CustomerWord.STATUS, ""),
        ("MEUS CHAMADOS", CustomerWord.MY_TICKETS, ""),
        ("meus tickets", CustomerWord.MY_TICKETS, ""),
        ("DETALHES 123", CustomerWord.DETAILS, "123"),
        ("detalhe nº 123", CustomerWord.DETAILS, "123"),
        ("Detalhes #2026-000123.", CustomerWord.DETAILS, "2026-000123"),
        ("cancelar chamado 000123", CustomerWord.CANCEL, "000123"),
        ("\u200bAJUDA\u00a0", CustomerWord.HELP, ""),
        ("\uff21\uff2a\uff35\uff24\uff21", CustomerWord.HELP, ""),
    ],
)
def test_a_word_counts_as_subject_and_as_first_line(line: str, word: CustomerWord, argument: str) -> None:
    for one in (mail(subject=line), mail(subject="RES: qualquer", text=line)):
        found = customer_query(one)
        assert found is not None
        assert (found.word, found.argument) == (word, argument)


@pytest.mark.parametrize(
    ("line", "word", "language"),
    [
        ("MY TICKETS", CustomerWord.MY_TICKETS, "en"),
        ("Mis casos", CustomerWord.MY_TICKETS, "es"),
        ("MEUS CHAMADOS", CustomerWord.MY_TICKETS, "pt-BR"),
        ("DETALLES 123", CustomerWord.DETAILS, "es"),
        ("Ayuda", CustomerWord.HELP, "es"),
        ("TYPE: General service", CustomerWord.TYPE, "en"),
        ("TIPO: Reembolso", CustomerWord.TYPE, ""),
        ("STATUS", CustomerWord.STATUS, ""),
        ("CANCELAR 123", CustomerWord.CANCEL, ""),
    ],
)
def test_a_word_that_one_language_has_alone_tells_it(line: str, word: CustomerWord, language: str) -> None:
    found = customer_query(mail(subject=line))
    assert found is not None
    assert (found.word, found.language) == (word, language)


@pytest.mark.parametrize(
    ("language", "name", "values"),
    [
        (language, name, values)
        for language in ("pt-BR", "en", "es")
        for name, values in (
            ("parts.useful_line", {"key": "arquivo-grande"}),
            ("parts.not_useful_line", {"key": "arquivo-grande"}),
            ("parts.solved_line", {"ticket_number": "2026-000123"}),
            ("parts.rating_great_line", {"ticket_number": "2026-000123"}),
            ("parts.rating_good_line", {"ticket_number": "2026-000123"}),
            ("parts.rating_bad_line", {"ticket_number": "2026-000123"}),
            ("ticket_status.details_line", {"ticket_number": "2026-000123"}),
            ("ticket_list.help_line", {}),
        )
    ],
)
def test_what_the_links_of_our_letters_fill_in_is_understood_in_every_language(
    language: str, name: str, values: dict[str, str]
) -> None:
    words = load_words(TEMPLATES / language, language)
    ours = load_words(TEMPLATES / "pt-BR", "pt-BR")

    found, expected = (customer_query(mail(subject=one.phrases[name].format_map(values))) for one in (words, ours))

    assert found is not None and expected is not None
    assert (found.word, found.argument, found.value) == (expected.word, expected.argument, expected.value)


@pytest.mark.parametrize("language", ["pt-BR", "en", "es"])
@pytest.mark.parametrize("word", WORDS_IN_HELP)
def test_a_word_is_understood_as_the_help_of_every_language_spells_it(language: str, word: CustomerWord) -> None:
    spelled = load_words(TEMPLATES / language, language).phrases[f"customer_word.{word}"]
    line = f"{spelled}: x" if word is CustomerWord.TYPE else spelled

    found = customer_query(mail(subject=line))

    assert found is not None and found.word is word


@pytest.mark.parametrize(
    "line",
    [
        "status do meu pedido",
        "meu status",
        "Status: aprovado",
        "detalhes do imóvel",
        "cancelar boleto",
        "cancelar 12 boletos",
        "ajuda com o boleto",
        "RE: STATUS",
        "Enc: AJUDA",
        "#ajuda",
        "MEUS CHAMADOS SUMIRAM",
        "",
    ],
)
def test_a_line_that_holds_more_is_no_word(line: str) -> None:
    assert customer_query(mail(subject=line)) is None
    assert customer_query(mail(text=line)) is None


@pytest.mark.parametrize(
    "text",
    [
        "Olá!",
        "Obrigada",
        "Maria Souza\nAnalista Financeiro\n(64) 99999-1234",
        "Att.\nMaria\nqualquer coisa, enfim.",
    ],
)
def test_a_courtesy_or_a_signature_takes_nothing_from_a_word(text: str) -> None:
    assert customer_query(mail(subject="STATUS", text=text)) is not None
    assert customer_query(mail(text=f"STATUS\n{text}")) is not None


@pytest.mark.parametrize(
    "text", ["preciso disso hoje", "Quando fica pronto?", "O portão quebrou.", "x" * 61, "A\n" * 7]
)
def test_whoever_says_more_than_the_word_is_read_by_a_person(text: str) -> None:
    assert customer_query(mail(subject="STATUS", text=text)) is None


def test_a_withdrawal_takes_its_reason_with_it() -> None:
    found = customer_query(mail(subject="CANCELAR 123", text="Já resolvi por telefone, obrigada."))
    assert found is not None and found.note == "Já resolvi por telefone, obrigada."


def test_the_first_line_counts_more_than_the_subject() -> None:
    found = customer_query(mail(subject="STATUS", text="DETALHES 7"))
    assert found is not None and found.word is CustomerWord.DETAILS


def test_a_file_makes_a_message_of_a_question_but_a_logo_does_not() -> None:
    assert customer_query(mail(subject="STATUS", attachments=(attachment(),))) is None
    assert customer_query(mail(subject="STATUS", attachments=(attachment(inline=True),))) is not None


@given(st.text(), st.text())
def test_whatever_is_written_is_read_without_harm(subject: str, text: str) -> None:
    customer_query(mail(subject=subject, text=text))


@pytest.mark.parametrize(
    "text", ["status " * 200_000, "status " + "#" * 1_000_000, "\n" * 1_000_000 + "x", "é" * 10**6]
)
def test_endless_text_takes_no_time(text: str) -> None:
    began = time.thread_time()
    customer_query(mail(subject=text, text=text))
    assert time.thread_time() - began < 1.0
