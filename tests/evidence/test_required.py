"""Which fields are asked for: conditions, groups of which one is enough, and what is never asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mailbot.catalogue.field_groups import alternatives, count_missing
from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.units import UnitTable
from mailbot.domain.evidence import FieldOrigin, FieldValue
from mailbot.domain.mail import Address
from mailbot.evidence.fields import extract_fields, mail_text
from mailbot.evidence.required import missing_fields


def spec(key: str, kind: FieldKind = FieldKind.TEXT, **options: Any) -> FieldSpec:
    return FieldSpec(key=key, kind=kind, label=key.replace("_", " "), **{"question": "?", **options})


TODAY = date(2026, 11, 23)
CUSTOMER = RequestType(
    key="customer",
    name="Cadastro",
    queue="geral",
    fields=(
        spec("person_type", FieldKind.PERSON_TYPE),
        spec("last_name", FieldKind.LAST_NAME),
        spec("company", required_when={"field": "person_type", "equals": "Pessoa jurídica"}),
        spec("cnpj", FieldKind.CNPJ, required_when={"field": "person_type", "equals": "Pessoa jurídica"}),
        spec(
            "email",
            FieldKind.EMAIL,
            one_of="contact",
            required_when={"field": "person_type", "equals": "Pessoa física"},
        ),
        spec("mobile", FieldKind.PHONE, one_of="contact"),
        spec("cpf", FieldKind.CPF, required=False),
        spec("technician", question="", forbidden=True, labels=("técnico",)),
        spec("brand", question="", constant="Hardware"),
        spec("quotation", FieldKind.YES_NO, question="", never_ask=True),
        spec("level", FieldKind.CHOICE, choices=("Alta", "Média"), default_value="Média", required=False),
    ),
)
COMPANY = FieldValue(key="person_type", value="Pessoa jurídica")
PERSON = FieldValue(key="person_type", value="Pessoa física")


def given_value(key: str) -> FieldValue:
    return FieldValue(key=key, value="x")


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        ((), ("person_type", "last_name", "email", "mobile")),
        ((PERSON,), ("last_name", "email")),
        ((PERSON, given_value("mobile")), ("last_name", "email")),
        ((COMPANY,), ("last_name", "company", "cnpj", "email", "mobile")),
        ((COMPANY, given_value("mobile")), ("last_name", "company", "cnpj")),
        ((COMPANY, given_value("email"), given_value("cnpj")), ("last_name", "company")),
    ],
)
def test_r002_08_and_09_what_a_person_and_a_company_must_say(
    known: tuple[FieldValue, ...], missing: tuple[str, ...]
) -> None:
    assert missing_fields(CUSTOMER, known) == missing


def test_what_was_misunderstood_twice_is_left_to_a_person() -> None:
    twice = FieldValue(key="last_name", value="123", valid=False, reason="not_a_name", misunderstood=2)
    assert "last_name" not in missing_fields(CUSTOMER, (PERSON, twice))
    once = FieldValue(key="last_name", value="123", valid=False, reason="not_a_name", misunderstood=1)
    assert "last_name" in missing_fields(CUSTOMER, (PERSON, once))


def test_a_group_of_which_one_is_enough_counts_once_and_names_its_members() -> None:
    missing = missing_fields(CUSTOMER, (COMPANY,))
    assert alternatives(CUSTOMER, "email", missing) == ("email", "mobile")
    assert alternatives(CUSTOMER, "cnpj", missing) == ()
    assert count_missing(CUSTOMER, missing) == 4
    assert alternatives(CUSTOMER, "email", missing_fields(CUSTOMER, (PERSON,))) == ()


def stated(text: str) -> dict[str, FieldValue]:
    sender = Address(address="ana@example.com.br")
    return {
        value.key: value
        for value in extract_fields(CUSTOMER, mail_text(text), "", sender, UnitTable(), today=TODAY)
    }


def test_r001_06_and_23_to_30_a_mail_never_fills_what_is_forbidden_or_constant() -> None:
    found = stated("Técnico: João\nBrand: Outra\nQuotation: sim")
    assert "technician" not in found
    assert (found["brand"].value, found["brand"].origin) == ("Hardware", FieldOrigin.CONSTANT)
    assert found["quotation"].value == "sim"


def test_what_is_usual_stands_until_somebody_says_otherwise() -> None:
    assert stated("")["level"].origin is FieldOrigin.DEFAULT
    assert stated("Level: alta")["level"].value == "Alta"


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("meu cpf é 529.982.247-25", "Pessoa física"),
        ("CNPJ: 11.222.333/0001-81, CPF: 529.982.247-25", "Pessoa jurídica"),
        ("CNPJ: 11.222.333/0001-81\nPerson type: pessoa física", "Pessoa física"),
    ],
)
def test_r002_07_the_number_tells_whether_a_person_or_a_company_writes(text: str, person: str) -> None:
    assert stated(text)["person_type"].value == person


def test_nothing_tells_a_person_from_a_company_without_a_number() -> None:
    assert "person_type" not in stated("Bom dia")


# --- what a catalogue may say -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"minimum": 1}, "minimum and maximum belong"),
        ({"kind": FieldKind.NUMBER, "minimum": 2, "maximum": 1}, "more than maximum"),
        ({"day": "past"}, "day belongs to kind: date"),
        ({"kind": FieldKind.NUMBER, "min_characters": 3}, "min_characters belongs"),
        ({"min_characters": 30, "max_characters": 20}, "more than max_characters"),
        ({"kind": FieldKind.CHOICE, "choices": ("A", {"name": "B", "synonyms": ("a",)})}, "share the name 'a'"),
        ({"kind": FieldKind.CHOICE, "choices": ("A", "B"), "default_value": "C"}, "none of the answers: A, B"),
        ({"constant": "x", "default_value": "y"}, "constant needs no default"),
        ({"forbidden": True, "default": "sender_name"}, "never filled from a mail"),
        ({"required_when": {"field": "k", "equals": "x"}}, "names the field itself"),
        ({"question": ""}, "question is missing"),
        ({"counted": ("máquinas",)}, "counted belongs"),
    ],
)
def test_options_that_do_not_fit_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        spec("k", **options)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ((spec("a", required_when={"field": "b", "equals": "x"}),), "no field 'b'"),
        (
            (spec("a", required_when={"field": "b", "equals": "PX"}), spec("b", FieldKind.PERSON_TYPE)),
            "'PX' is no answer of b: Pessoa física, Pessoa jurídica",
        ),
        ((spec("a", one_of="g"), spec("b")), "'g' has one member only"),
    ],
)
def test_conditions_and_groups_that_cannot_be_are_named(fields: tuple[FieldSpec, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        RequestType(key="t", name="T", queue="q", fields=fields)
