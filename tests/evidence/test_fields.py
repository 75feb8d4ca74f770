"""Fields as people write them by mail: labelled, in sentences, in the subject, or only in the From line."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.load import load_catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import FieldOrigin, FieldValue, contradictions
from mailbot.domain.mail import Address
from mailbot.evidence.field_kinds.contact import AREA_CODES, phones_in
from mailbot.evidence.fields import (
    check_places,
    extract_fields,
    labelled_fields,
    mail_text,
    merge_fields,
    read_labels,
)
from mailbot.evidence.values import checked_value

CATALOGUE = load_catalogue(Path(__file__).resolve().parents[2] / "config")
CHANGE = CATALOGUE.type("inspection_location_change")
TODAY = date(2026, 11, 23)
SENDER = Address(address="maria@example.com.br", name="Maria Souza")


def fields_of(text: str, subject: str = "ALTERAÇÃO DE LOCAL", *, first_mail: bool = True) -> dict[str, FieldValue]:
    found = extract_fields(
        CHANGE, mail_text(text), subject, SENDER, CATALOGUE.units, today=TODAY, first_mail=first_mail
    )
    return {value.key: value for value in found}


def route_of(text: str, subject: str = "ALTERAÇÃO DE LOCAL") -> tuple[str | None, str | None]:
    found = fields_of(text, subject)
    values = [found.get(key) for key in ("origin_unit", "destination_unit")]
    origin, destination = (value.value if value is not None and value.valid else None for value in values)
    return origin, destination


def test_a_filled_form_gives_every_field_in_the_order_of_the_catalogue() -> None:
    found = fields_of(
        "Boa tarde,\n\nMotivo: mudei de cidade\npor causa do trabalho\nLocal atual: Rio Verde\nNovo local: Jataí\n"
        "Nome: Maria da Silva\nTelefone: 62 99999-8888\nE-mail: maria.silva@Example.com.br\n\nAtt,\nMaria"
    )
    assert {key: value.value for key, value in found.items()} == {
        "reason": "mudei de cidade\npor causa do trabalho",
        "origin_unit": "Rio Verde",
        "destination_unit": "Jataí",
        "requester_name": "Maria da Silva",
        "phone": "(62) 99999-8888",
        "email": "maria.silva@example.com.br",
    }
    assert list(found) == [spec.key for spec in CHANGE.fields if spec.required]
    assert {value.origin for value in found.values()} == {FieldOrigin.LABEL}


@pytest.mark.parametrize(
    "text",
    [
        "Local atual: Rio Verde\nNovo local: Jataí",
        "Novo local: Jataí\nLocal atual: Rio Verde",
        "LOCAL ATUAL : RIO VERDE - GO\nLOCAL DESEJADO : JATAI/GO",
        "De: Rio Verde / Para: Jataí",
        "De: Rio Verde Para: Jataí",
        "De: Rio Verde, Para: Jataí",
        "de: rio verde\npara: jatai",
        "De Rio Verde para Jataí",
        "*Local atual*: Rio Verde\n*Novo local*: Jataí",
        "**Origem:** Rio Verde\n**Destino:** Jataí",
        "- Origem - Rio Verde\n- Destino – Jataí",
        "• Origem: Rio Verde\n• Destino: Jataí",
        "1) Local atual (unidade do boleto): Rio Verde\n2) Novo local: cidade de Jataí",
        "Local atual   Rio Verde\nNovo local   Jataí",
        "Local atual\tRio Verde\nNovo local\tJataí",
        "| Local atual | Rio Verde |\n| Novo local | Jataí |",
        "Origem   Destino\nRio Verde   Jataí",
        "Local atual\nRio Verde\n\nNovo local\nJataí",
        "Local atual:\n\nRio Verde\nNovo local:\nJataí",
        "Novo local: Jataí; Local atual: Rio Verde",
        "Local atual: Rio Verde | Novo local: Jataí",
        "Local atual Rio Verde\nNovo local Jataí",
        "Local de origem........: RIO VERDE\nLocal de destino.......: JATAÍ",
        "Local atual => Rio Verde\nLocal desejado => Jataí",
        "📍 Local atual: Rio Verde\n📍 Novo local: Jataí",
        "Local atual: Rio Verde, obrigado\nNovo local: Jataí (urgente)",
        "Local\xa0atual: Rio\u200b Verde\nNovo local: JataÃ­",
        "Bom dia, quero mudar da unidade de Rio Verde para a cidade de Jataí, pois me mudei.",
    ],
)
def test_both_places_are_found_in_any_layout(text: str) -> None:
    assert route_of(text) == ("Rio Verde", "Jataí")


def test_a_copied_mail_header_is_no_route() -> None:
    header = "De: Fulano <f@example.com.br>\nEnviado: sexta\nPara: x@example.com.br\nAssunto: Vistoria\n\n"
    assert route_of(header) == (None, None)
    assert route_of(header + "De: Rio Verde\nPara: Jataí") == ("Rio Verde", "Jataí")


def test_a_copied_mail_header_is_no_misunderstood_place_either() -> None:
    header = "De: Fulano de Tal\nEnviado: sexta-feira, 20 de novembro\nPara: Atendimento\nAssunto: Vistoria\n"
    assert {"origin_unit", "destination_unit"}.isdisjoint(fields_of(header))


def test_the_title_form_of_the_subject_gives_both_places() -> None:
    assert route_of("bom dia", "RES: Alteração de Rio Verde para Anápolis") == ("Rio Verde", "Anápolis")


@pytest.mark.parametrize("text", ["de 20/11 para 25/11", "de manhã para Jataí", "Nome da unidade: Rio Verde"])
def test_what_is_no_route_gives_none(text: str) -> None:
    assert route_of(text) == (None, None)


@pytest.mark.parametrize("place", ["Rio Verd", "Goianira", "a definir", "Jataí ou Anápolis", "Jataí, ou Anápolis"])
def test_a_place_that_is_not_known_exactly_is_never_guessed(place: str) -> None:
    found = fields_of(f"Novo local: {place}")["destination_unit"]
    assert (found.valid, found.reason, found.value) == (False, "not_a_unit", place)


def test_two_different_destinations_are_asked_about() -> None:
    found = fields_of("Novo local: Jataí\nNovo local: Anápolis")["destination_unit"]
    assert (found.valid, found.reason) == (False, "contradictory")


def test_a_sentence_with_known_places_beats_a_label_with_an_unknown_one() -> None:
    assert route_of("Local atual: R. Verde\nQuero ir de Rio Verde para Jataí") == ("Rio Verde", "Jataí")


def test_a_label_beats_a_sentence() -> None:
    assert route_of("Novo local: Anápolis\nQuero ir de Rio Verde para Jataí") == ("Rio Verde", "Anápolis")


@pytest.mark.parametrize(
    "text", ["Motivo: ____\nLocal atual: ______\nTelefone:", "Motivo:\n\nTelefone: ...", "Motivo: xxx"]
)
def test_empty_places_of_a_form_are_no_values(text: str) -> None:
    assert set(fields_of(text)) == {"requester_name", "email"}


def test_an_empty_label_does_not_swallow_the_next_one() -> None:
    found = fields_of("Nome:\nTelefone: 62 99999-8888")
    assert found["requester_name"].origin is FieldOrigin.HEADER
    assert found["phone"].value == "(62) 99999-8888"


def test_several_fields_on_one_line_are_told_apart() -> None:
    found = fields_of("Nome: Ana Reis / CPF: 529.982.247-25 / Tel: 62 3333-4444; Motivo: trabalho")
    assert found["requester_name"].value == "Ana Reis"
    assert found["phone"].value == "(62) 3333-4444"
    assert found["reason"].value == "trabalho"


def test_the_from_line_fills_name_and_address() -> None:
    found = fields_of("")
    assert {key: (value.value, value.origin) for key, value in found.items()} == {
        "requester_name": ("Maria Souza", FieldOrigin.HEADER),
        "email": ("maria@example.com.br", FieldOrigin.HEADER),
    }


def test_an_address_as_display_name_is_no_name() -> None:
    sender = Address(address="maria@example.com.br", name="maria@example.com.br")
    found = extract_fields(CHANGE, mail_text(""), "", sender, CATALOGUE.units, today=TODAY)
    assert [value.key for value in found] == ["email"]


def test_a_name_in_a_sentence_is_found() -> None:
    assert (
        fields_of("Meu nome é João Pedro de Souza e preciso de ajuda")["requester_name"].value
        == "João Pedro de Souza"
    )


# --- reason -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Bom dia,\n\nMoro em Jataí agora e o boleto saiu errado.", "Moro em Jataí agora e o boleto saiu errado."),
        ("Quero ir de Rio Verde para Jataí porque me mudei.", "Quero ir de Rio Verde para Jataí porque me mudei."),
        ("mudei de cidade e não consigo ir até aí", "mudei de cidade e não consigo ir até aí"),
        ("Estou trabalhando em outra cidade", "Estou trabalhando em outra cidade"),
        ("minha vistoria caiu longe da minha casa", "minha vistoria caiu longe da minha casa"),
        ("É muito longe pra mim", "É muito longe pra mim"),
        ("Meu carro está na oficina em Anápolis", "Meu carro está na oficina em Anápolis"),
        ("Aguardo retorno, pois viajo na sexta", "Aguardo retorno, pois viajo na sexta"),
        (
            "Não consigo mudar o local pelo site e moro em Jataí",
            "Não consigo mudar o local pelo site e moro em Jataí",
        ),
        ("Olá! Fica mais perto de casa.\nSegue em anexo a CNH.", "Olá! Fica mais perto de casa."),
    ],
)
def test_free_prose_of_the_first_mail_is_the_reason(text: str, reason: str) -> None:
    found = fields_of(text)["reason"]
    assert found.value.replace("\n", " ") in (reason, reason.removeprefix("Olá! "))
    assert found.origin is FieldOrigin.SENTENCE


@pytest.mark.parametrize(
    "text",
    [
        "Bom dia",
        "Bom dia, segue em anexo comprovante, boleto e CNH",
        "Solicito a alteração de local de Rio Verde para Jataí.",
        "Solicito a mudança do local",
        "Att,\nMaria Souza da Silva",
        "Placa: ABC1D23\nVeículo: Gol branco ano 2012 modelo 2013",
        "Maria Souza da Silva Pereira\n(62) 99999-8888",
        "---------- Forwarded message ---------",
        "Muito obrigado pela atenção de sempre",
        "segue anexo",
        "Os documentos estão em anexo conforme solicitado",
        "Segue abaixo os dados solicitados",
        "Solicito alteração de Rio Verde para Anápolis",
        "Boa tarde, solicito a alteração de Rio Verde para Anápolis, por favor",
        "Boa tarde, venho por meio deste solicitar a alteração do local de vistoria",
        "Quero mudar o local da minha vistoria.",
        "quero transferir a minha vistoria para Anápolis",
        "Gostaria de pedir a mudança do meu local de vistoria, por favor, de\nRio Verde para a cidade de Anápolis",
        "Prezada equipe de vistorias, bom dia! Tudo bem? Espero que estejam todos bem",
        "Preciso de ajuda com isso urgente",
        "Aguardo retorno o mais breve possível, nos próximos dias",
        "Qualquer dúvida estou à disposição",
        "Tenham um ótimo dia e bom trabalho",
        "Me chamo Maria Souza da Silva",
        "Conforme conversado por telefone",
        "Não consigo mudar o local pelo site",
        "Rua das Flores, 123, Centro, Anápolis - GO",
        "Esta mensagem é confidencial; se a recebeu por engano ou erro, apague-a.",
    ],
)
def test_greetings_files_signatures_and_the_mere_request_are_no_reason(text: str) -> None:
    assert "reason" not in fields_of(text)


@pytest.mark.parametrize("greeting", ["Bom dia, ", "Olá ", "Boa tarde! ", "Prezados senhores,\n", "oi tudo bem? "])
def test_a_greeting_on_the_same_line_does_not_hide_the_reason(greeting: str) -> None:
    assert (
        "minha vistoria caiu longe"
        in fields_of(f"{greeting}minha vistoria caiu longe da minha casa")["reason"].value
    )


def test_prose_of_a_later_mail_is_no_reason() -> None:
    assert "reason" not in fields_of("Moro em Jataí agora e o boleto saiu errado.", first_mail=False)


def test_a_signature_below_the_reason_is_not_part_of_it() -> None:
    found = fields_of("Motivo: mudei\n\nMaria\n(64) 99999-1234")
    assert found["reason"].value == "mudei"
    assert found["phone"].value == "(64) 99999-1234"


# --- telephones and other kinds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("62 99999-8888", "(62) 99999-8888"),
        ("(062) 99999.8888", "(62) 99999-8888"),
        ("+55 (62) 9 9999-8888", "(62) 99999-8888"),
        ("5562999998888", "(62) 99999-8888"),
        ("64 3621-1234", "(64) 3621-1234"),
        ("meu zap 62 98888 7777 pode chamar", "(62) 98888-7777"),
    ],
)
def test_a_telephone_is_written_in_one_way(text: str, phone: str) -> None:
    assert phones_in(text) == (phone,)


@pytest.mark.parametrize(
    "text",
    [
        "62999888783",
        "529.982.247-25",
        "99999-8888",
        "20 99999-8888",
        "62 19999-8888",
        "34191.10121 34567.880058 71234.570001 6 16670000012345",
        "20/11/2026 14:30",
        "R$ 108,00",
        "62 99999-88889999999",
        "(62) 99999-9999"[:9],
    ],
)
def test_other_numbers_are_no_telephones(text: str) -> None:
    assert phones_in(text) == ()


def test_there_are_67_area_codes() -> None:
    assert len(AREA_CODES) == 67


def test_a_telephone_without_area_code_is_asked_for() -> None:
    found = fields_of("Telefone: 99999-8888")["phone"]
    assert (found.valid, found.reason) == (False, "no_area_code")


def spec_of(kind: FieldKind, *choices: str) -> FieldSpec:
    return FieldSpec(key="x", kind=kind, label="X", question="?", choices=choices)


@pytest.mark.parametrize(
    ("spec", "raw", "value", "reason"),
    [
        (spec_of(FieldKind.CPF), "52998224725", "529.982.247-25", ""),
        (spec_of(FieldKind.CPF), "529.982.247-24", "529.982.247-24", "cpf_check_digits"),
        (spec_of(FieldKind.CNPJ), "12abc34501de35", "12.ABC.345/01DE-35", ""),
        (spec_of(FieldKind.CNPJ), "11222333000182", "11222333000182", "cnpj_check_digits"),
        (spec_of(FieldKind.EMAIL), "Ana.B@Example.COM.br <mailto:x>", "Ana.B@example.com.br", ""),
        (spec_of(FieldKind.EMAIL), "ana@", "ana@", "not_an_email"),
        (spec_of(FieldKind.EMAIL), "a..b@example.com.br", "a..b@example.com.br", "not_an_email"),
        (spec_of(FieldKind.CHOICE, "Alta", "Média"), "MEDIA", "Média", ""),
        (spec_of(FieldKind.CHOICE, "Alta", "Média"), "urgente", "urgente", "not_a_choice"),
        (spec_of(FieldKind.NUMBER), "7 máquinas", "7", ""),
        (spec_of(FieldKind.NUMBER), "sete", "7", ""),
        (spec_of(FieldKind.DATE), "dia 3/12/2026", "2026-12-03", ""),
        (spec_of(FieldKind.DATE), "31/02/2026", "31/02/2026", "not_a_date"),
        (spec_of(FieldKind.TEXT), " a  b ", "a b", ""),
        (spec_of(FieldKind.TEXT), "?", "?", "too_short"),
    ],
)
def test_a_value_is_checked_by_its_kind(spec: FieldSpec, raw: str, value: str, reason: str) -> None:
    found = checked_value(spec, raw, CATALOGUE.units, FieldOrigin.LABEL, today=TODAY)
    assert (found.value, found.reason, found.valid) == (value, reason, not reason)


# --- merging ------------------------------------------------------------------------------------------------


def value(text: str, origin: FieldOrigin = FieldOrigin.LABEL, *, valid: bool = True) -> FieldValue:
    return FieldValue(key="k", value=text, valid=valid, origin=origin)


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (value("a"), value("b"), "b"),
        (value("a", valid=False), value("b", FieldOrigin.HEADER), "b"),
        (value("a"), value("b", valid=False), "a"),
        (value("a", valid=False), value("b", valid=False), "b"),
        (value("a"), value("b", FieldOrigin.SENTENCE), "a"),
        (value("a"), value("b", FieldOrigin.HEADER), "a"),
        (value("a", FieldOrigin.HEADER), value("b", FieldOrigin.SUBJECT), "b"),
        (value("a", FieldOrigin.AGENT), value("b"), "a"),
        (value("a"), value("b", FieldOrigin.AGENT), "b"),
    ],
)
def test_the_better_word_is_kept(old: FieldValue, new: FieldValue, kept: str) -> None:
    assert merge_fields((old,), (new,))[0].value == kept


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (value("a"), replace(value("b"), unverified=True), "a"),
        (replace(value("a"), unverified=True), replace(value("b"), unverified=True), "b"),
        (replace(value("a"), unverified=True), value("b"), "b"),
        (value("a", valid=False), replace(value("b"), unverified=True), "b"),
    ],
)
def test_an_unverified_word_changes_nothing_that_a_verified_mail_said(
    old: FieldValue, new: FieldValue, kept: str
) -> None:
    assert merge_fields((old,), (new,))[0].value == kept


def places(origin: str, destination: str, *, reason: str = "") -> tuple[FieldValue, ...]:
    counted = 1 if reason == "same_unit" else 0
    return (
        FieldValue(key="origin_unit", value=origin),
        FieldValue(
            key="destination_unit", value=destination, valid=not reason, reason=reason, misunderstood=counted
        ),
    )


def test_a_destination_that_is_the_origin_is_not_valid() -> None:
    assert check_places(CHANGE, places("Rio Verde", "Rio Verde")) == places(
        "Rio Verde", "Rio Verde", reason="same_unit"
    )


def test_another_origin_makes_the_destination_valid_again() -> None:
    before = places("Jataí", "Rio Verde", reason="same_unit")
    origin, destination = check_places(CHANGE, before)
    assert (origin, destination.valid, destination.reason) == (before[0], True, "")


@pytest.mark.parametrize(
    "fields",
    [
        places("Rio Verde", "Jataí"),
        places("Rio Verde", "Rio Verde", reason="not_a_unit"),
        places("Rio Verde", "Jataí")[:1],
        places("Rio Verde", "Jataí")[1:],
        (),
    ],
)
def test_other_places_stay_as_they_are(fields: tuple[FieldValue, ...]) -> None:
    assert check_places(CHANGE, fields) == fields


def test_two_equal_places_of_a_type_that_names_none_in_its_title_are_fine() -> None:
    general = CATALOGUE.type("general")
    assert check_places(general, places("Rio Verde", "Rio Verde")) == places("Rio Verde", "Rio Verde")


def test_what_is_not_understood_is_counted_mail_by_mail_until_it_is() -> None:
    wrong = value("12", valid=False)
    once = merge_fields((), (wrong,))
    twice = merge_fields(once, (wrong,))
    assert [one.misunderstood for one in (*once, *twice)] == [1, 2]
    assert (once[0].for_a_person, twice[0].for_a_person) == (False, True)
    right = merge_fields(twice, (value("a"),))
    assert (right[0].value, right[0].misunderstood) == ("a", 0)
    assert merge_fields(twice, ()) == twice


def test_of_contradicting_mails_the_newer_wins_and_the_older_is_remembered() -> None:
    old = merge_fields((), (value("a"),))
    new = merge_fields(old, (value("b"),))
    assert [(one.value, one.earlier) for one in new] == [("b", "a")]
    assert contradictions(old, new) == new
    assert contradictions(new, merge_fields(new, (value("b"),))) == ()
    assert merge_fields((value("a", FieldOrigin.HEADER),), (value("b"),))[0].earlier == ""


def test_the_same_place_twice_is_asked_once_more_and_then_left_to_a_person() -> None:
    first = check_places(CHANGE, merge_fields((), places("Rio Verde", "Rio Verde")))
    again = check_places(CHANGE, merge_fields(first, places("Rio Verde", "Rio Verde")))
    assert [fields[1].for_a_person for fields in (first, again)] == [False, True]


def test_merging_keeps_the_order_and_adds_new_keys_at_the_end() -> None:
    old = (FieldValue(key="b", value="1"), FieldValue(key="a", value="2"))
    new = (FieldValue(key="c", value="3"), FieldValue(key="a", value="4"))
    assert [(field.key, field.value) for field in merge_fields(old, new)] == [("b", "1"), ("a", "4"), ("c", "3")]


# --- which type's words a mail has --------------------------------------------------------------------------


def labelled_of_all(text: str, form: str) -> dict[str, set[FieldValue]]:
    """Of each type the valid values behind labels, as they are taken when the mail is read for that type."""
    found = {}
    for kind in CATALOGUE.request_types.values():
        fields = extract_fields(kind, mail_text(text, filled_form=form), "", SENDER, CATALOGUE.units, today=TODAY)
        found[kind.key] = {one for one in fields if one.valid and one.origin is FieldOrigin.LABEL}
    return found


def read_for_all(text: str, form: str) -> dict[str, tuple[FieldValue, ...]]:
    words = mail_text(text, filled_form=form)
    types = CATALOGUE.request_types.values()
    return {kind.key: labelled_fields(read_labels(kind, words, CATALOGUE.units, today=TODAY)) for kind in types}


def test_labelled_fields_of_all_types_are_those_that_each_type_takes() -> None:
    text = (
        "Olá,\n\nLocal atual: Rio Verde\nNovo local: Jataí\nCPF: 111.444.777-35 CNPJ: 11.222.333/0001-81\nPrazo: ?"
    )
    form = "Motvo: mudei de cidade\nLocal atual: Goiânia"
    found = read_for_all(text, form)
    assert {key: {one for one in fields if one.valid} for key, fields in found.items()} == labelled_of_all(
        text, form
    )
    assert {one.value for one in found[CHANGE.key]} >= {"Jataí", "mudei de cidade"}


# --- hostile text -------------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    ["Local atual", "Novo local", "De", "Para", ":", " ", "\n", "-", "|", "Rio Verde", "Jataí", "Motivo", "____",
     "(62) 99999-8888", "Telefone", "*", "\u200b", "\u0301", "?", "(", "@", "Assunto: x\n", "\t", "x" * 50]
)  # fmt: skip


@given(st.lists(_PIECES | st.text(max_size=20), max_size=30), st.lists(_PIECES, max_size=10))
def test_whatever_text_has_the_labelled_fields_that_each_type_takes(text: list[str], form: list[str]) -> None:
    found = read_for_all("".join(text), "".join(form))
    valid = {key: {one for one in fields if one.valid} for key, fields in found.items()}
    assert valid == labelled_of_all("".join(text), "".join(form))


@given(st.lists(_PIECES | st.text(max_size=20), max_size=30), st.booleans())
def test_whatever_was_read_behind_labels_before_the_fields_are_the_same(text: list[str], first_mail: bool) -> None:
    words = mail_text("".join(text))
    asked = (words, "", SENDER, CATALOGUE.units)
    labelled = read_labels(CHANGE, words, CATALOGUE.units, today=TODAY)
    read_once = extract_fields(CHANGE, *asked, first_mail=first_mail, today=TODAY, labelled=labelled)
    assert read_once == extract_fields(CHANGE, *asked, first_mail=first_mail, today=TODAY)


@given(st.lists(_PIECES | st.text(max_size=20), max_size=60), st.text(max_size=200))
def test_no_text_raises_and_every_key_comes_once(pieces: list[str], subject: str) -> None:
    found = extract_fields(CHANGE, mail_text("".join(pieces)), subject, SENDER, CATALOGUE.units, today=TODAY)
    keys = [value.key for value in found]
    assert keys == [spec.key for spec in CHANGE.fields if spec.key in keys]
    known = {unit.name for unit in CATALOGUE.units.units}
    assert all(field.value in known for field in found if field.key.endswith("_unit") and field.valid)
    assert all(len(field.value) <= 2000 for field in found)


@pytest.mark.parametrize(
    "piece",
    ["De: ", "local atual ", "a", "Local atual: Rio Verde\n", "Motivo:\n", "\u0301", "de rio verde para ", "1 ",
     "(", "x@", "- ", "\n", "Nome   ", "a.b.", "+55 ", "[", "____", "| "],
)  # fmt: skip
def test_a_megabyte_of_anything_is_read_in_no_time(piece: str) -> None:
    begun = time.thread_time()
    fields_of(piece * (1_000_000 // len(piece)), piece * (1_000_000 // len(piece)))
    assert time.thread_time() - begun < 4


def test_a_type_without_fields_states_none() -> None:
    bare = RequestType(key="bare", name="Bare", queue="geral")
    assert extract_fields(bare, mail_text("De: Rio Verde"), "", SENDER, CATALOGUE.units, today=TODAY) == ()
