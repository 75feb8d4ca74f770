"""What a mail asks for: certain, or a candidate to confirm; never a guess between two (R000-09, DOMAIN C.7)."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.load import load_catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import DocumentKind, FieldOrigin, FieldValue
from mailbot.domain.mail import Classification
from mailbot.triage.classify import classify, classify_subject, read_subject_line, strip_prefixes

CATALOGUE = load_catalogue(Path(__file__).resolve().parents[2] / "config")
TYPES = tuple(CATALOGUE.request_types.values())
CHANGE = "inspection_location_change"
ALL_THREE = (DocumentKind.BOLETO, DocumentKind.PAYMENT_RECEIPT, DocumentKind.DRIVER_LICENCE)


def of_subject(subject: str) -> Classification:
    return classify_subject(subject, TYPES, CATALOGUE.units)


def of_mail(
    subject: str = "",
    body: str = "",
    *,
    fields: tuple[FieldValue, ...] = (),
    documents: tuple[DocumentKind, ...] = (),
) -> Classification:
    return classify_mail(subject, {CHANGE: fields}, body, documents, TYPES)


def classify_mail(
    subject: str,
    fields: Mapping[str, tuple[FieldValue, ...]],
    body: str,
    documents: tuple[DocumentKind, ...],
    types: Sequence[RequestType],
) -> Classification:
    says = read_subject_line(subject, types, CATALOGUE.units)
    return classify(says, fields, body, documents, types, CATALOGUE.units)


@pytest.mark.parametrize(
    ("subject", "matched"),
    [
        ("ALTERAÇÃO DE LOCAL", "subject"),
        ("alteracao de local", "subject"),
        (unicodedata.normalize("NFD", "Alteração de Local"), "subject"),
        ("ALTERAÃ‡ÃƒO DE LOCAL", "subject"),
        ("ALTERA??O DE LOCAL", "subject"),
        ("ALTERA\ufffd\ufffdO DE LOCAL", "subject"),
        ("ALTERAÇÃO\xa0DE\u200b LOCAL", "subject"),
        ("ALTERAÇÃO_DE_LOCAL", "subject"),
        ("“Alteração de local”.", "subject"),
        ("Assunto: ALTERAÇÃO DE LOCAL", "subject"),
        ("ALTERAÇÃO DO LOCAL", "subject"),
        ("[ALTERAÇÃO DE LOCAL]", "subject"),
        ("АLTERAÇÃО DE LОСAL", "subject"),
        ("ALTERAÇÃO DE LOCAL - placa ABC1D23", "subject"),
        ("ALTERAÇÃO DE LOCAL (URGENTE)", "subject"),
        ("Solicito alteração de local", "subject_alias"),
        ("Alteração de locais", "subject_alias"),
        ("Alteração do local da vistoria", "subject_alias"),
        ("RES: ENC: Re[2]: RES.: Fwd: [EXTERNO] [SPAM] *****SPAM***** Alteração de local", "subject"),
        ("Aleração de Local", "subject_typo"),
        ("Alteraçao de locla", "subject_typo"),
        ("ALTERACAODELOCAL", "subject_typo"),
        ("Alteração de loca - placa ABC1D23", "subject_typo"),
        ("Alteração de Rio Verde para Anápolis", "subject_title"),
        ("RES: alteração de rio verde p/ ap. de goiânia", "subject_title"),
    ],
)
def test_a_sure_subject_decides(subject: str, matched: str) -> None:
    found = of_subject(subject)
    assert found.request_type == CHANGE
    # A courtesy before the canonical words may make an alias of the subject or the subject itself.
    assert found.matched == matched or {found.matched, matched} == {"subject", "subject_alias"}
    assert not found.ask


@pytest.mark.parametrize(
    "subject",
    [
        "Mudança de local",
        "Troca de local",
        "Transferência",
        "não quero alteração de local",
        "Cancelar alteração de local",
        "Desistência da alteração de local",
        "ALTERAÇÃO DE LOCAL DE ENTREGA",
        "ALTERAÇÃO DE LOCALIZAÇÃO",
        "alteração de local ou de data",
    ],
)
def test_synonyms_negation_and_near_misses_are_asked(subject: str) -> None:
    found = of_subject(subject)
    assert found.request_type is None
    assert found.ask
    assert found.candidates[0].request_type == CHANGE


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "(sem assunto)",
        "Comprovante",
        "ALTERAÇÃO DE DATA",
        "Pedido de alteração de data",
        "Solicitação de alteração de data",
        "Alteração de DATA para 25/11",
        "Alteração de 20/11 para 25/11",
        "Alteração cadastral",
        "Local de alteração",
        "????????? ?? ?????",
    ],
)
def test_other_subjects_propose_nothing(subject: str) -> None:
    found = of_subject(subject)
    assert found.request_type is None
    assert not found.ask


def test_an_automatic_answer_to_the_subject_is_not_taken_for_it() -> None:
    assert of_subject("Resposta automática: Alteração de local").request_type is None


def another_type(subject: str) -> RequestType:
    return RequestType(key="another", name="Another", subject=subject, queue="geral")


def test_nothing_is_guessed_between_two_types_that_are_as_near() -> None:
    types = (*TYPES, another_type("ALTERAÇÃO DE LOCAS"))
    found = classify_subject("ALTERAÇÃO DE LOCAA", types, CATALOGUE.units)
    assert found.request_type is None
    assert found.ask
    assert {candidate.request_type for candidate in found.candidates} == {CHANGE, "another"}


def test_the_exact_subject_of_one_type_wins_over_the_typo_of_another() -> None:
    types = (*TYPES, another_type("ALTERAÇÃO DE LOCAS"))
    assert classify_subject("ALTERAÇÃO DE LOCAS", types, CATALOGUE.units).request_type == "another"


def test_cancelling_is_no_negation_where_the_type_is_called_so() -> None:
    types = (*TYPES, another_type("CANCELAMENTO DE BOLETO"))
    assert classify_subject("Cancelamento de boleto", types, CATALOGUE.units).request_type == "another"


@pytest.mark.parametrize(
    ("subject", "rest"),
    [
        ("RES: ENC: Olá", "Olá"),
        ("Re[2]: RE (3): Fwd:Fw:  Olá", "Olá"),
        ("[EXTERNO] ***SPAM*** AW: WG: SV: Olá", "Olá"),
        ("\u200bRES\xa0: Olá", "Olá"),
        ("[Chamado #2026-000123] Olá", "Olá"),
        ("Reembolso: Olá", "Reembolso: Olá"),
        ("Resultado", "Resultado"),
        ("RES:", ""),
        ("", ""),
    ],
)
def test_prefixes_of_mail_programs_are_cut(subject: str, rest: str) -> None:
    assert strip_prefixes(subject) == rest


def labelled(key: str, value: str = "x", *, valid: bool = True) -> FieldValue:
    return FieldValue(key=key, value=value, valid=valid, origin=FieldOrigin.LABEL)


def test_two_labelled_fields_of_its_own_decide_where_the_subject_is_wrong() -> None:
    found = of_mail("Ajuda", fields=(labelled("origin_unit"), labelled("destination_unit")))
    assert (found.request_type, found.matched) == (CHANGE, "fields")


def test_one_field_and_two_documents_decide() -> None:
    found = of_mail("Ajuda", fields=(labelled("destination_unit"),), documents=ALL_THREE[:2])
    assert (found.request_type, found.matched) == (CHANGE, "fields")


def test_contact_details_as_in_any_signature_decide_nothing() -> None:
    fields = (labelled("phone"), labelled("email"), labelled("requester_name"))
    assert of_mail("Ajuda", fields=fields).request_type is None


def test_invalid_fields_decide_nothing() -> None:
    fields = (labelled("origin_unit", valid=False), labelled("destination_unit", valid=False))
    assert of_mail("Ajuda", fields=fields).request_type is None


def test_all_three_documents_decide() -> None:
    found = of_mail("Documentos", documents=ALL_THREE)
    assert (found.request_type, found.matched) == (CHANGE, "documents")


def test_a_boleto_alone_decides_nothing() -> None:
    assert of_mail("Boleto", "segue boleto", documents=(DocumentKind.BOLETO,)).request_type is None


@pytest.mark.parametrize(
    "body",
    [
        "Solicito a alteração de local da minha vistoria de Rio Verde para Jataí.",
        "Quero fazer a alteração de Rio Verde para Anápolis, por favor",
        "Bom dia, quero mudar de unidade, de Goiânia para Ap. de Goiânia",
    ],
)
def test_a_sentence_that_asks_and_names_both_places_decides(body: str) -> None:
    found = of_mail("Oi", body)
    assert (found.request_type, found.matched) == (CHANGE, "body")


def test_a_synonym_in_the_subject_and_both_places_in_the_body_decide() -> None:
    assert of_mail("Mudança de local", "de Rio Verde para Jataí").request_type == CHANGE


@pytest.mark.parametrize(
    "body",
    [
        "Não quero mais a alteração de local de Rio Verde para Jataí",
        "Viajo de Rio Verde para Jataí amanhã",
        "alteração de local de Rio Verde para Jataí ou de Goiânia para Anápolis?",
    ],
)
def test_a_sentence_that_denies_or_does_not_ask_decides_nothing(body: str) -> None:
    assert of_mail("Oi", body).request_type is None


ASKED = (
    "quero mudar o local da vistoria",
    "Trocar o local",
    "Bom dia. Preciso mudar o local da minha vistoria, por favor.",
    "Gostaria de transferir a vistoria para Anápolis",
    "Não consigo alterar o local pelo site",
    "não posso ir, quero trocar a unidade da vistoria",
    "vocês não poderiam transferir a minha vistoria para Anápolis?",
)


@pytest.mark.parametrize("body", ASKED)
def test_a_sentence_that_asks_without_both_places_is_asked_about(body: str) -> None:
    found = of_mail("", body)
    assert (found.request_type, found.ask, found.matched) == (None, True, "body_suggestion")
    assert found.candidates[0].request_type == CHANGE


@pytest.mark.parametrize("subject", ["Quero mudar o local da vistoria", "trocar o local", "Transferir a vistoria"])
def test_a_synonym_with_articles_in_the_subject_never_decides_alone(subject: str) -> None:
    found = of_subject(subject)
    assert (found.request_type, found.ask, found.matched) == (None, True, "subject_suggestion")


@pytest.mark.parametrize("body", ASKED)
def test_a_sentence_that_asks_decides_with_two_documents_or_a_labelled_place(body: str) -> None:
    assert of_mail("", body, documents=ALL_THREE[:2]).matched == "documents"
    assert of_mail("", body, fields=(labelled("destination_unit"),)).matched == "fields"


@pytest.mark.parametrize(
    "told",
    [
        {"body": "Hoje está marcada em Rio Verde, gostaria em Anápolis"},
        {"fields": (labelled("destination_unit"),)},
        {"documents": ALL_THREE[:2]},
    ],
)
def test_a_synonym_in_the_subject_decides_with_one_thing_more(told: dict[str, Any]) -> None:
    assert of_mail("Troca do local da vistoria", **told).request_type == CHANGE


def test_a_word_of_a_bank_in_the_subject_is_no_synonym_with_two_documents() -> None:
    assert of_mail("Comprovante de transferência", documents=ALL_THREE[:2]).request_type is None


@pytest.mark.parametrize(
    "body",
    [
        "preciso alterar o local da minha vistoria de Rio Verde para Anápolis",
        "Não consigo ir até aí, quero mudar o local da vistoria de Rio Verde para Anápolis",
        "Não consegui alterar o local pelo site, de Rio Verde para Anápolis",
        "O boleto é de Rio Verde. Quero mudar o local da vistoria, pois moro em Anápolis.",
        "Como não posso ir solicito a alteração do local da minha vistoria de Rio Verde para Anápolis",
    ],
)
def test_a_sentence_with_articles_between_and_both_places_decides(body: str) -> None:
    assert of_mail("", body).matched == "body"


DENIED = (
    "não quero mudar o local",
    "desisti da alteração",
    "Não quero mais mudar o local da vistoria de Rio Verde para Anápolis",
    "n quero mudar o local de Rio Verde para Anápolis",
    "Não quero, de forma alguma, mudar o local de Rio Verde para Anápolis",
    "não quero alterar de Rio Verde para Anápolis",
    "não preciso mais da mudança de Rio Verde para Anápolis",
    "não sei se quero mudar o local de Rio Verde para Anápolis",
    "Pedi para mudar o local da vistoria de Rio Verde para Anápolis. Desisti.",
    "Cancelem a alteração de local de Rio Verde para Anápolis",
    "Desconsiderem meu pedido de alteração de Rio Verde para Anápolis",
)


@pytest.mark.parametrize("body", DENIED)
@pytest.mark.parametrize("subject", ["", "Mudança de local", "Vistoria"])
def test_a_denial_is_never_taken_whatever_else_is_there(subject: str, body: str) -> None:
    fields = (labelled("origin_unit"), labelled("destination_unit"))
    found = of_mail(subject, body, fields=fields, documents=ALL_THREE)
    assert (found.request_type, found.ask) == (None, False)


def test_a_denial_in_the_subject_is_never_taken_either() -> None:
    fields = (labelled("origin_unit"), labelled("destination_unit"))
    assert of_mail("Desisti da alteração", "de Rio Verde para Jataí", fields=fields).request_type is None


@pytest.mark.parametrize(
    "body",
    [
        "quero mudar o local de entrega",
        "preciso trocar o local da prova",
        "transferir a vistoria para segunda-feira",
        "transferir a vistoria de segunda para terça",
        "transferir a vistoria para o dia 25",
    ],
)
def test_a_change_of_something_else_is_not_asked_about(body: str) -> None:
    assert not of_mail("", body).ask


def test_what_a_type_is_called_takes_nothing_back() -> None:
    types = (*TYPES, another_type("CANCELAMENTO DE PEDIDO"))
    found = classify_mail("", {}, "Solicito o cancelamento do meu pedido", (), types)
    assert (found.ask, found.candidates[0].request_type) == (True, "another")


def test_a_sentence_that_asks_for_two_types_is_no_guess() -> None:
    types = (*TYPES, another_type("MUDANÇA DE PLACA"))
    body = "Quero a mudança da placa e também mudar o local da vistoria"
    found = classify_mail("", {}, body, ALL_THREE[:1], types)
    assert (found.request_type, found.ask) == (None, True)
    assert {one.request_type for one in found.candidates} == {CHANGE, "another"}


def test_negation_in_the_subject_is_asked_even_with_all_fields() -> None:
    fields = (labelled("origin_unit"), labelled("destination_unit"))
    found = of_mail("Não quero alteração de local", fields=fields)
    assert found.request_type is None
    assert found.ask


def test_a_right_subject_needs_nothing_else() -> None:
    assert of_mail("ALTERAÇÃO DE LOCAL", "não sei").matched == "subject"


def test_candidates_come_in_order_of_confidence() -> None:
    other = RequestType(
        key="other",
        name="Other",
        queue="geral",
        fields=(FieldSpec(key="cpf", kind=FieldKind.CPF, label="CPF", question="?"),),
    )
    fields = {CHANGE: (labelled("origin_unit"),), "other": ()}
    found = classify_mail("Troca de local", fields, "", (), (other, *TYPES))
    confidences = [candidate.confidence for candidate in found.candidates]
    assert confidences == sorted(confidences, reverse=True)
    assert found.candidates[0].request_type == CHANGE


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_subject_and_no_body_raises(subject: str, body: str) -> None:
    found = of_mail(subject, body)
    assert (found.request_type is None) or found.confidence >= 0.8


@pytest.mark.parametrize(
    "piece",
    [
        "RES: ",
        "[",
        "*",
        "[a]",
        "?",
        "a?",
        "\u0301",
        "Ã‡",
        "alteração de local ",
        "de ",
        "(",
        "Re[2]:",
        "não ",
        "abc. ",
    ],
)
def test_a_subject_of_a_megabyte_is_read_in_no_time(piece: str) -> None:
    begun = time.thread_time()
    of_mail(piece * (1_000_000 // len(piece)), piece * (200_000 // len(piece)))
    strip_prefixes(piece * (1_000_000 // len(piece)))
    assert time.thread_time() - begun < 5
