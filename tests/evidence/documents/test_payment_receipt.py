"""What receipts say, in the words of many banks; above all, whether something was paid (DOMAIN C.4)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mailbot.domain.evidence import DocumentKind
from tests.evidence.pages import facts, page, read, read_pages

VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text("utf-8"))
LINE = "34199.83691 00602.677353 46848.745264 9 16410000010800"

BANCO_DO_BRASIL = f"""15/09/2026    -  BANCO DO BRASIL  -   09:00:00
     COMPROVANTE DE PAGAMENTO DE TITULOS
CLIENTE: MARIA DE SOUZA
================================================
{LINE}
BENEFICIARIO:
VISTORIAS EXEMPLO LTDA
CNPJ:  02.872.448/0001-20
PAGADOR:
MARIA DE SOUZA
CPF: 529.982.247-25
------------------------------------------------
DATA DE VENCIMENTO                    25/11/2026
DATA DO PAGAMENTO                     15/09/2026
VALOR DO DOCUMENTO                        108,00
VALOR COBRADO                             108,00
NR.AUTENTICACAO            F.123.DC4.5C6.78E.901
PAGAMENTOS REALIZADOS APOS AS 15 HORAS SERAO
PROCESSADOS NO PROXIMO DIA UTIL."""
CAIXA = f"""Comprovante de Pagamento de Boleto
Pagador Final / Efetivo
CPF/CNPJ:  529.982.247-25
Nome:  MARIA DE SOUZA
Representação numérica do código de barras:
{LINE}
Beneficiário original / Cedente
Nome Fantasia:  VISTORIAS EXEMPLO
CPF/CNPJ:  02.872.448/0001-20
Data de Efetivação / Agendamento:  11/09/2026
Valor Pago (R$):  108,00"""
SICOOB = f"""SISBR - COMPROVANTE DE PAGAMENTO DE BOLETO
{LINE}
Número do agendamento:  123456
Data Pagamento:  11/09/2026
Pago:  108,00
Situação:  EFETIVADO"""
NUBANK = """Comprovante de transferência
20 NOV 2026 - 22:10:45
Valor
R$ 108,00
Destino
Nome
VISTORIAS EXEMPLO LTDA
CNPJ
02.872.448/0001-20
Origem
Nome
Maria de Souza
CPF
•••.982.247-••
ID da transação:
E18236120202611210110zLXiYrokk4z"""
PAID = {"banco do brasil": BANCO_DO_BRASIL, "caixa": CAIXA, "sicoob": SICOOB, "nubank": NUBANK}


@pytest.mark.parametrize("text", PAID.values(), ids=PAID)
def test_a_receipt_of_a_payment_that_was_made_says_paid(text: str) -> None:
    reading = read(text)
    assert (reading.kind, facts(reading)["status"]) == (DocumentKind.PAYMENT_RECEIPT, "paid")
    assert facts(reading)["amount"] == "108.00"


def test_all_that_a_receipt_of_a_boleto_says_is_read() -> None:
    assert facts(read(BANCO_DO_BRASIL)) == {
        "status": "paid",
        "amount": "108.00",
        "paid_at": "2026-09-15",
        "payer_name": "MARIA DE SOUZA",
        "payee_name": "VISTORIAS EXEMPLO LTDA",
        "payee_tax_id": "02872448000120",
        "boleto_line": LINE.replace(".", "").replace(" ", ""),
        "authentication": "F.123.DC4.5C6.78E.901",
    }


def test_a_pix_s_moment_is_the_printed_one_and_not_that_of_its_id() -> None:
    said = facts(read(NUBANK))
    assert said["paid_at"] == "2026-11-20T22:10:45"
    assert said["pix_end_to_end_id"] == "E18236120202611210110zLXiYrokk4z"
    assert (said["payer_name"], said["payee_name"]) == ("Maria de Souza", "VISTORIAS EXEMPLO LTDA")


SCHEDULED = (
    "Comprovante de agendamento\nPagamento de boleto\nValor R$ 108,00\nData 20/11/2026",
    "Pix agendado\nR$ 108,00\nPara Vistorias\n25/11/2026",
    "COMPROVANTE DE PAGAMENTO\nAgendado para 25/11/2026\nValor 108,00",
    "Comprovante de transferência\nTransferência agendada com sucesso\nValor R$ 108,00\nData 21/11/2026",
    "Comprovante de pagamento\nValor R$ 108,00\nO débito será efetuado em 25/11/2026",
    "Comprovante de pagamento\nR$ 108,00\n20/11/2026\nEste documento não garante a efetivação do pagamento.",
    "Você programou um pagamento\nPagamento programado\nR$ 108,00\nData 25/11/2026",
    "Comprovante de pagamento\nValor 108,00\nPagamento previsto para 25/11/2026",
)
FAILED = (
    "COMPROVANTE DE PAGAMENTO\nVALOR 108,00\n10/11/2026\nO PAGAMENTO ACIMA FOI CANCELADO COM SUCESSO",
    "Comprovante Pix\nSituação: NÃO EFETIVADA\nValor R$ 108,00\n20/11/2026 10:22",
    "Pix devolvido\nR$ 108,00\nData do pagamento 20/11/2026",
    "Pagamento recusado\nComprovante de pagamento\nValor R$ 108,00\n20/11/2026",
    "Comprovante de pagamento\nNão foi possível concluir o pagamento. Consulte seu saldo.\nR$ 108,00\n20/11/2026",
    "Transferência estornada\nValor R$ 108,00\n20/11/2026\nComprovante de transferência",
)


@pytest.mark.parametrize("ocr", [None, 0.95])
@pytest.mark.parametrize("text", SCHEDULED)
def test_what_is_scheduled_is_never_paid(text: str, ocr: float | None) -> None:
    assert facts(read(text, ocr=ocr)).get("status") == "scheduled"


@pytest.mark.parametrize("ocr", [None, 0.95])
@pytest.mark.parametrize("text", FAILED)
def test_what_failed_is_never_paid(text: str, ocr: float | None) -> None:
    assert facts(read(text, ocr=ocr)).get("status") in ("failed", "unknown")


@pytest.mark.parametrize(
    "text",
    [
        "Pix recebido\nR$ 108,00\nDe Maria de Souza\n20/11/2026 10:22",
        "Comprovante de pagamento\nValor R$ 108,00\n20/11/2026\nAguardando autorização",
        "Confira os dados\nValor R$ 108,00\nData do pagamento 20/11/2026\nConfirmar pagamento",
        "Comprovante de Pix\nStatus: em processamento\nValor R$ 108,00\n20/11/2026",
    ],
)
def test_what_came_in_or_is_still_on_its_way_is_not_paid(text: str) -> None:
    assert facts(read(text)).get("status") != "paid"


@pytest.mark.parametrize(
    "misread",
    ["Comprovante de aqendarnento de pagamento", "Cornprovante de agendamcnto de boleto", "Pix agendad0"],
)
def test_a_schedule_that_ocr_misread_is_not_paid(misread: str) -> None:
    text = f"{misread}\nComprovante de pagamento\nValor R$ 108,00\nData 20/11/2026"
    assert facts(read(text, ocr=0.9)).get("status") != "paid"


@pytest.mark.parametrize(
    "footer",
    [
        "SAC 0800 726 0101 Informações, reclamações, cancelamentos",
        "Em caso de pagamento não realizado procure a ouvidoria.",
        "SERAO PROCESSADOS NO PROXIMO DIA UTIL.",
        "Você pode agendar os próximos pagamentos pelo aplicativo.",
    ],
)
def test_a_footer_of_every_receipt_does_not_make_it_scheduled_or_failed(footer: str) -> None:
    assert facts(read(f"{BANCO_DO_BRASIL}\n{footer}"))["status"] == "paid"


def test_without_any_id_a_receipt_is_one() -> None:
    reading = read("Comprovante de pagamento\nValor pago R$ 108,00\nData do pagamento 20/11/2026")
    assert facts(reading) == {"status": "paid", "amount": "108.00", "paid_at": "2026-11-20"}


@pytest.mark.parametrize("one", VECTORS["e2e_valid"], ids=lambda one: one["note"][:12])
def test_published_end_to_end_ids_are_read(one: dict[str, str]) -> None:
    text = f"Pix enviado\nValor R$ 108,00\nData 20/11/2026 23:59\nID da transação\n{one['id']}"
    assert facts(read(text))["pix_end_to_end_id"] == one["id"]


@pytest.mark.parametrize("wrong", VECTORS["e2e_invalid"])
def test_what_is_no_end_to_end_id_is_not_read_as_one(wrong: str) -> None:
    text = f"Pix enviado\nValor R$ 108,00\nData 20/11/2026 23:59\nID da transação\n{wrong}"
    assert "pix_end_to_end_id" not in facts(read(text))


def test_two_amounts_at_one_label_are_not_certain() -> None:
    reading = read("Comprovante de pagamento\nValor pago R$ 108,00\nValor pago R$ 180,00\nData 20/11/2026")
    assert "amount" not in facts(reading)
    assert [fact.value for fact in reading.guesses if fact.name == "amount"] == ["108.00"]


def test_an_amount_that_stands_once_on_a_bad_photograph_is_for_a_person() -> None:
    text = "Comprovante de pagamento\nValor pago R$ 108,00\nData do pagamento 20/11/2026"
    assert "amount" not in facts(read(text, ocr=0.6))
    assert "amount" in facts(read(f"{text}\nTotal R$ 108,00", ocr=0.6))


@pytest.mark.parametrize(
    "text",
    [
        "Comprovante de inscrição e de situação cadastral no CPF\nEmitido em 20/11/2026 10:22",
        "Comprovante de residência\nValor 108,00\n20/11/2026",
        "Minhas chaves Pix\nCPF 529.982.247-25\nChave aleatória\nCadastrar nova chave",
        "Pague com Pix\nR$ 108,00\nPix copia e cola\nEscaneie o QR Code",
        "Comprovante de agendamento de vistoria\nData 25/11/2026 14:00\nUnidade Goiânia",
        "Extrato de conta corrente\nSaldo anterior 10,00\n20/11/2026 Pix enviado 108,00\nSaldo final 5,00",
    ],
)
def test_other_papers_are_no_receipt(text: str) -> None:
    assert read(text).kind is not DocumentKind.PAYMENT_RECEIPT


def test_a_piece_of_a_digitable_line_is_nobody_s_cpf() -> None:
    # Its first eleven digits have right check digits.
    line = "85620000001-1 08003879507-8 66805747207-2 37883690753-5"
    text = f"COMPROVANTE DE PAGAMENTO\nCONVENIO: DETRAN GO\n{line}\nDATA 20/11/2026\nVALOR PAGO: 108,00"
    said = facts(read(text))
    assert (said["payee_name"], "payee_tax_id" in said) == ("DETRAN GO", False)


def test_a_name_is_read_without_the_word_before_it() -> None:
    parties = "dados de quem recebeu\npara Detran Goias\ndados de quem pagou\nde Maria Lima"
    said = facts(read(f"comprovante de Pix\nR$ 108,00\n20/11/2026\n{parties}"))
    assert (said["payee_name"], said["payer_name"]) == ("Detran Goias", "Maria Lima")


def test_the_day_for_which_a_payment_is_scheduled_is_no_day_of_payment() -> None:
    reading = read(SCHEDULED[1])
    assert "paid_at" not in facts(reading)
    assert ("paid_at", "2026-11-25") in [(fact.name, fact.value) for fact in reading.guesses]


def test_a_title_that_ocr_read_is_no_proof_while_the_rest_may_be_lost() -> None:
    text = "COMPROVANTE DE PAGAMENTO DE TITULOS\nDATA DO PAGAMENTO 19/11/2026\nVALOR DO DOCUMENTO 175,76"
    assert facts(read(text, ocr=0.92))["status"] == "unknown"
    assert facts(read(f"{text}\nNR.AUTENTICACAO F.123.DC4.5C6", ocr=0.92))["status"] == "paid"


NUBANK_BOLETO = """Comprovante de pagamento
21 NOV 2026 - 12:51:23
Valor  R$ 108,00
Tipo de pagamento  Boleto
Data de vencimento  14/11/2026
Beneficiário
Nome  VISTORIAS EXEMPLO LTDA
CNPJ  02.872.448/0001-20
Código de barras
34199836910060267735346848745264916410000010800
Autenticação
a0e711af-b504-75cc-9fbc-24f89588a026"""


@pytest.mark.parametrize("ocr", [None, 0.93])
def test_the_day_when_it_was_due_is_not_the_day_when_it_was_paid(ocr: float | None) -> None:
    reading = read(NUBANK_BOLETO, ocr=ocr)
    found = {fact.name: fact.value for fact in (*reading.facts, *reading.guesses)}
    assert found["paid_at"] == "2026-11-21T12:51:23"


def test_what_ocr_read_once_is_for_a_person_and_what_it_read_twice_is_certain() -> None:
    text = "Comprovante de Pix\nValor R$ 108,00\nData do pagamento 20/11/2026\nID da transação ABC"
    assert not {"amount", "paid_at"} & set(facts(read(text, ocr=0.95)))
    again = replace(page(text, ocr=0.95), again="108,00\n20/11/2026")
    assert {"amount": "108.00", "paid_at": "2026-11-20"}.items() <= facts(read_pages(again)).items()
    other = replace(page(text, ocr=0.95), again="188,00\n28/11/2026")
    assert not {"amount", "paid_at"} & set(facts(read_pages(other)))


def test_a_line_that_ocr_read_counts_where_its_amount_is_printed_too() -> None:
    text = f"Comprovante de pagamento de boleto\n{LINE}\nData do pagamento: 11/09/2026\nAutenticação 1A2B3C4D"
    assert "boleto_line" not in facts(read(text, ocr=0.95))
    assert "boleto_line" in facts(read(f"{text}\nValor pago 108,00", ocr=0.95))


@pytest.mark.parametrize(
    "title",
    [
        "Pagamento não\nrealizado",
        "Pagamento não\nconcluído",
        "Seu Pix não foi\nconcluído",
        "Transferência não\nefetivada\nPagamento",
    ],
)
@pytest.mark.parametrize("ocr", [None, 0.93])
def test_a_title_that_goes_on_below_its_not_is_not_paid(title: str, ocr: float | None) -> None:
    text = f"{title}\n22/10/2026 - 20:33:57\nValor\nR$ 108,00\nPara\nVISTORIAS LTDA\nID da transação\nAB12"
    assert facts(read(text, ocr=ocr)).get("status") == "failed"


@pytest.mark.parametrize("misread", ["n ão", "nio", "rião", "n", "não", "ão", "nã o"])
def test_a_not_that_ocr_misread_is_not_taken_for_paid(misread: str) -> None:
    text = f"Pagamento {misread} realizado\n22/10/2026\nValor R$ 108,00\nID da transação AB12"
    assert facts(read(text, ocr=0.9)).get("status") != "paid"


def test_a_receipt_that_names_the_boleto_is_one_document() -> None:
    reading = read(NUBANK_BOLETO)
    assert (reading.kind, reading.parts) == (DocumentKind.PAYMENT_RECEIPT, ())


@pytest.mark.parametrize(
    "rows",
    [
        "Representação numérica do código de  34199.83691 00602.677353 46848.745264 9\nbarras:  16410000010800",
        "Código  34199.83691 00602.677353\nde  46848.745264 9 16410000010800\nbarras",
        "34199.83691 00602.677353\nCódigo de barras\n46848.745264\n9 16410000010800",
    ],
)
def test_a_line_that_goes_on_beside_its_label_is_read(rows: str) -> None:
    text = f"Comprovante de pagamento de boleto\n{rows}\nValor pago: 108,00\nData do pagamento: 11/09/2026"
    assert facts(read(text))["boleto_line"] == "34199836910060267735346848745264916410000010800"


@pytest.mark.parametrize(
    "footer",
    [
        "Central de Atendimento BB\n4004 0001\nSAC\nInformacoes, reclamacoes e cancelamento de\nprodutos.",
        "Deficiente Auditivo 0800 722 0099. Cancelamentos,\nReclamações e Informações. Atendimento 24 horas",
        "Valor Calculado: 108,00",
    ],
)
def test_a_footer_that_ocr_read_does_not_make_it_scheduled_or_failed(footer: str) -> None:
    assert facts(read(f"{BANCO_DO_BRASIL}\n{footer}", ocr=0.93))["status"] == "paid"


@pytest.mark.parametrize(
    "misread",
    [
        "DECLARAMOS QUE O PAGAMENTO ACIMA FOI CANCLADO",
        "TRAN SAC Aq ESTORNADA EM 22/11/2026",
        "Situa ção: NÃ O EFET IVADA",
        "Comprovante de reoeblmento de Pix",
        "Pagamento a guardando aprovação",
    ],
)
def test_a_word_that_ocr_misread_or_cut_is_not_taken_for_paid(misread: str) -> None:
    assert facts(read(f"{BANCO_DO_BRASIL}\n{misread}", ocr=0.93))["status"] != "paid"


def test_a_year_before_a_time_is_no_amount() -> None:
    text = "Comprovante de Pix\nR$ 295,07\n21 out 2026, 11:06:47\nVocê pagou\nPara\nVISTORIAS LTDA"
    assert facts(read(f"{text}\nID da transação AB12"))["amount"] == "295.07"


def test_a_payment_that_was_not_processed_is_a_receipt_of_none() -> None:
    text = "Pagamento não processado\nPagamento de boleto\nBeneficiário X\nVencimento 25/11/2026"
    reading = read(f"{text}\n{LINE}\nValor do pagamento 108,00\nData 20/11/2026")
    assert (reading.kind, facts(reading)["status"]) == (DocumentKind.PAYMENT_RECEIPT, "failed")


def test_a_day_to_come_that_only_ocr_read_is_for_a_person() -> None:
    """One figure taken for another made a payment of this year one of 2028: it is not told as scheduled."""
    later = BANCO_DO_BRASIL.replace("15/09/2026", "15/09/2028")
    assert facts(read(later))["status"] == "scheduled"
    assert facts(read(later.replace("15/09/2028    -", "15/09/2026    -"), ocr=0.93))["status"] == "unknown"


def test_a_company_with_a_slash_in_its_form_is_a_name() -> None:
    text = BANCO_DO_BRASIL.replace("VISTORIAS EXEMPLO LTDA", "VISTORIAS EXEMPLO S/A")
    assert facts(read(text))["payee_name"] == "VISTORIAS EXEMPLO S/A"


def test_a_stamp_beside_the_banks_telephone_numbers_is_none_of_their_line() -> None:
    stamped = f"{BANCO_DO_BRASIL}\nSAC BB 0800 729 0722          ESTORNADO"
    assert facts(read(stamped))["status"] == "failed"
    harmless = f"{BANCO_DO_BRASIL}\nSAC BB 0800 729 0722          Cancelamentos"
    assert facts(read(harmless))["status"] == "paid"


def test_a_mark_that_nobody_read_leaves_the_payment_to_a_person() -> None:
    marked = replace(page(BANCO_DO_BRASIL, ocr=0.93), has_unread_mark=True)
    assert facts(read_pages(replace(marked, has_unread_mark=False)))["status"] == "paid"
    assert facts(read_pages(marked))["status"] == "unknown"


def test_a_day_without_a_label_and_a_time_is_not_certain_in_a_picture_that_shows_others() -> None:
    """Seen aslant, values stand a row above their labels: the due date then has none."""
    moved = (
        "Comprovante de Pagamento de Boleto\nCPF/CNPJ:  08/11/2026\nData do Vencimento:  27/10/2026\n"
        "Data de Efetivação:  175,76\nValor Pago (R$):  27/10/2026 17:22:11\nCódigo da operação:  7755116054"
    )
    assert "paid_at" not in facts(read_pages(replace(page(moved, ocr=0.9), again=moved)))
    with_time = (
        "Comprovante de pagamento\n20 NOV 2026 - 10:22:45\nValor R$ 108,00\nVencimento 25/11/2026\nNSU 1234"
    )
    seen = replace(page(with_time, ocr=0.9), again=with_time)
    assert facts(read_pages(seen))["paid_at"] == "2026-11-20T10:22:45"
