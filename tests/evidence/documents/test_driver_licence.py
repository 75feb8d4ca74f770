"""What driver's licences say: the layout since 2022, the one before, the PDF of the app (DOMAIN C.5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.documents.mrz import check_digit, find_mrz
from tests.evidence.pages import TODAY, facts, page, read, read_pages

SINCE_2022 = """REPÚBLICA FEDERATIVA DO BRASIL
SECRETARIA NACIONAL DE TRÂNSITO
CARTEIRA NACIONAL DE HABILITAÇÃO / DRIVER LICENSE / PERMISO DE CONDUCCIÓN
2 e 1 NOME E SOBRENOME  1ª HABILITAÇÃO
MARIA DE SOUZA LIMA  12/03/2010
3 DATA, LOCAL E UF DE NASCIMENTO
15/07/1985, GOIÂNIA, GO
4a DATA EMISSÃO  4b VALIDADE  ACC
10/05/2023  09/05/2033
4c DOC IDENTIDADE / ÓRG EMISSOR / UF
1234567 SSP GO
4d CPF  5 Nº REGISTRO  9 CAT HAB
529.982.247-25  88296247261  AB
NACIONALIDADE  FILIAÇÃO
BRASILEIRO(A)  ANA DE SOUZA
7 ASSINATURA DO PORTADOR"""
BEFORE_2022 = """REPÚBLICA FEDERATIVA DO BRASIL
DEPARTAMENTO NACIONAL DE TRÂNSITO
CARTEIRA NACIONAL DE HABILITAÇÃO
NOME
MARIA DE SOUZA LIMA
DOC. IDENTIDADE / ÓRG. EMISSOR / UF
1234567 SSP GO
CPF  DATA NASCIMENTO
529.982.247-25  15/07/1985
FILIAÇÃO
ANA DE SOUZA
Nº REGISTRO  VALIDADE  1ª HABILITAÇÃO
88296247261  09/05/2033  12/03/2010
LOCAL  DATA EMISSÃO
GOIÂNIA, GO  10/05/2020"""
# One value under each label, as the text layer of a PDF often has it.
STACKED = SINCE_2022.replace("  ", "\n")
SAID = {
    "holder_name": "MARIA DE SOUZA LIMA",
    "tax_id": "52998224725",
    "licence_number": "88296247261",
    "birth_date": "1985-07-15",
    "valid_until": "2033-05-09",
}
MRZ = "I<BRA882962472<61<<<<<<<<<<<<<<\n8507158F3305094BRA<<<<<<<<<<<2\nMARIA<<DE<SOUZA<LIMA<<<<<<<<<<"


@pytest.mark.parametrize("text", [SINCE_2022, BEFORE_2022], ids=["since 2022", "before"])
def test_a_licence_of_either_layout_is_read(text: str) -> None:
    reading = read(text)
    assert (reading.kind, facts(reading)) == (DocumentKind.DRIVER_LICENCE, SAID)


def test_front_and_back_on_two_pages_are_one_licence() -> None:
    reading = read_pages(
        page(SINCE_2022), page(f"CARTEIRA NACIONAL DE HABILITAÇÃO\nOBSERVAÇÕES EAR\nACC A B\n{MRZ}", number=2)
    )
    assert (reading.kind, facts(reading), reading.parts) == (DocumentKind.DRIVER_LICENCE, SAID, ())


def test_the_machine_readable_zone_makes_dates_and_name_of_a_photograph_certain() -> None:
    found = find_mrz(MRZ, today=TODAY)
    assert found is not None
    assert (found.birth_date.isoformat(), found.valid_until.isoformat()) == ("1985-07-15", "2033-05-09")
    assert facts(read(f"{SINCE_2022}\n{MRZ}", ocr=0.7)) == SAID


@pytest.mark.parametrize("wrong", [MRZ.replace("8507158", "8507155"), MRZ.replace("3305094", "3306094"), "I<BRA"])
def test_a_zone_with_a_wrong_check_digit_says_nothing(wrong: str) -> None:
    assert find_mrz(wrong, today=TODAY) is None


def test_the_check_digit_is_icao_s() -> None:
    # ICAO 9303-3, appendix A: the document number of the specimen.
    assert check_digit("L898902C3") == 6
    assert check_digit("740812") == 2


def test_dates_that_only_a_label_of_a_photograph_says_are_for_a_person() -> None:
    text = SINCE_2022.replace("12/03/2010", "").replace("10/05/2023", "")
    assert not {"birth_date", "valid_until"} & set(facts(read(text, ocr=0.9)))


def test_a_name_that_ocr_read_once_is_for_a_person() -> None:
    reading = read(SINCE_2022, ocr=0.95)
    assert "holder_name" not in facts(reading)
    assert ("holder_name", SAID["holder_name"]) in [(fact.name, fact.value) for fact in reading.guesses]


def test_a_wrong_check_digit_of_the_number_is_a_reason_to_look_and_no_refusal() -> None:
    reading = read(SINCE_2022.replace("88296247261", "88296247262"))
    assert (reading.kind, facts(reading)["licence_number"]) == (DocumentKind.DRIVER_LICENCE, "88296247262")
    assert "licence_number_check_digits" in reading.reasons


@pytest.mark.parametrize(
    "text",
    [
        "QR-CODE\nDocumento assinado com certificado digital\nAssinador Serpro / SENATRAN",
        ("CERTIFICADO DE REGISTRO E LICENCIAMENTO DE VEÍCULO - DIGITAL\nSECRETARIA NACIONAL DE TRÂNSITO\n"
        "CÓDIGO RENAVAM 1\nCHASSI 9BW\nNOME MARIA\nCPF 529.982.247-25\nAssinador Serpro / SENATRAN"),
        ("REPÚBLICA FEDERATIVA DO BRASIL\nCARTEIRA DE IDENTIDADE\nREGISTRO GERAL 1234567\nNOME MARIA\nFILIAÇÃO\n"
        "NATURALIDADE GOIÂNIA\nCPF 529.982.247-25"),
        "MINISTÉRIO DA FAZENDA\nCADASTRO DE PESSOAS FÍSICAS\nNome MARIA\nNúmero de inscrição 529.982.247-25",
        "Agendamento da renovação da Carteira Nacional de Habilitação\nTaxa R$ 108,00\nCategoria B",
    ],
)  # fmt: skip
def test_other_cards_and_papers_are_no_licence(text: str) -> None:
    assert read(text).kind is not DocumentKind.DRIVER_LICENCE


def test_a_field_s_number_is_no_part_of_its_label_whatever_ocr_made_of_it() -> None:
    for number in ("4b", "ab", "4h", "Ab"):
        text = SINCE_2022.replace("4b VALIDADE", f"{number} VALIDADE")
        assert text.count(f"{number} VALIDADE") == 1
        again = replace(page(text, ocr=0.9), again="15/07/1985\n09/05/2033")
        assert facts(read_pages(again))["valid_until"] == SAID["valid_until"]


def test_the_day_of_issue_is_not_taken_for_a_validity_that_was_not_seen() -> None:
    """Red print gets lost in a grey scan, and the day of issue stands beside it."""
    lost = SINCE_2022.replace("10/05/2023  09/05/2033", "10/05/2023")

    def said(text: str) -> str | None:
        seen_twice = replace(page(text, ocr=0.9), again=text)
        return facts(read_pages(seen_twice)).get("valid_until")

    assert said(SINCE_2022) == "2033-05-09"
    assert said(lost) is None
    assert said(lost.replace("4a DATA EMISSÃO  ", "")) is None
