"""Made-up boletos of banks and collection slips after their usual layouts."""

from __future__ import annotations

from random import Random

from tests.evaluation.drawing import Paper
from tests.evaluation.invented import BANKS, CITIES, Invented, brl, cnpj_dots, cpf_dots, day, invent, line_dots
from tests.evaluation.sample import Layout, Made

Box = tuple[str, str, float]


def _truth(of: Invented) -> dict[str, str]:
    truth = {
        "digitable_line": of.line,
        "barcode": of.barcode,
        "amount": f"{of.cents / 100:.2f}",
        "due_date": of.due.isoformat(),
        "payer_name": of.person,
        "payer_tax_id": of.cpf,
        "beneficiary_name": of.company,
        "beneficiary_tax_id": of.cnpj,
        "form": "collection" if of.collection else "bank",
    }
    return truth if of.collection else {**truth, "bank": of.bank}


def _grid(paper: Paper, y: float, boxes: list[Box], font: str, size: float = 8.5) -> float:
    x = 40.0
    for label, value, share in boxes:
        width = 515 * share
        paper.rule(x, y, width)
        paper.rule(x, y, 0, down=26)
        paper.text(x + 3, y + 8, label, size=6.5, font=font)
        paper.text(x + 4, y + 21, value, size=size, font=font)
        x += width
    return y + 26


def _slip(paper: Paper, y: float, of: Invented, rng: Random, font: str, *, foot: str, bars: bool) -> float:
    check = rng.choice("0123456789X")
    paper.text(42, y, BANKS[of.bank], size=12, font=f"{font}-bold")
    paper.text(178, y, f"{of.bank}-{check}", size=13, font=f"{font}-bold")
    paper.right(552, y, line_dots(of.line), size=10.5, font="mono-bold" if rng.random() < 0.3 else f"{font}-bold")
    y += 8
    place = rng.choice(("PAGÁVEL EM QUALQUER BANCO ATÉ O VENCIMENTO", "Pagar preferencialmente no banco emissor"))
    y = _grid(paper, y, [("Local de pagamento", place, 0.74), ("Vencimento", day(of.due), 0.26)], font)
    agency = f"{rng.randint(1, 9999):04}/{rng.randint(10000, 99999)}-{rng.randint(0, 9)}"
    payee = f"{of.company} - CNPJ {cnpj_dots(of.cnpj)}"
    y = _grid(paper, y, [("Beneficiário", payee, 0.74), ("Agência/Código do Beneficiário", agency, 0.26)], font)
    y = _grid(
        paper, y,
        [("Data do documento", day(of.issued), 0.16), ("Nº do documento", str(rng.randint(100, 99999)), 0.16),
         ("Espécie doc.", "DM", 0.12), ("Aceite", "N", 0.1), ("Data processamento", day(of.issued), 0.2),
         ("Nosso número", f"{rng.randint(100, 999)}/{rng.randint(10**7, 10**8 - 1)}-{rng.randint(0, 9)}", 0.26)], font,
    )  # fmt: skip
    y = _grid(
        paper, y,
        [("Uso do banco", "", 0.16), ("Carteira", "109", 0.16), ("Espécie", "R$", 0.12), ("Quantidade", "", 0.15),
         ("Valor", "", 0.15), ("(=) Valor do documento", brl(of.cents), 0.26)], font,
    )  # fmt: skip
    for index, words in enumerate(
        (
            "Instruções (texto de responsabilidade do beneficiário)",
            f"Após o vencimento cobrar multa de 2,00% e juros de R$ {brl(max(3, of.cents // 3000))} ao dia.",
            f"Vistoria veicular - unidade {rng.choice(CITIES)}",
        )
    ):
        paper.text(44, y + 10 + 11 * index, words, size=7.5, font=font)
    right = ("(-) Desconto / Abatimento", "(+) Mora / Multa", "(=) Valor cobrado")
    for index, words in enumerate(right):
        paper.text(424, y + 9 + 14 * index, words, size=6.5, font=font)
    y += 46
    paper.rule(40, y, 515)
    if rng.random() < 0.5:
        paper.text(43, y + 8, "Pagador", size=6.5, font=font)
        paper.text(44, y + 19, f"{of.person.upper()} - CPF: {cpf_dots(of.cpf)}", size=8.5, font=font)
    else:
        paper.text(43, y + 8, "Nome do Pagador/CPF/CNPJ/Endereço", size=6.5, font=font)
        paper.text(44, y + 19, f"{of.person}    CPF/CNPJ: {cpf_dots(of.cpf)}", size=8.5, font=font)
    paper.text(
        44,
        y + 30,
        f"RUA {rng.randint(1, 200)}, QD {rng.randint(1, 90)} - {rng.choice(CITIES).upper()} - GO",
        size=8,
        font=font,
    )
    paper.text(43, y + 42, "Sacador/Avalista", size=6.5, font=font)
    paper.right(552, y + 42, foot, size=7, font=font)
    y += 52
    if bars:
        paper.bars(44, y, of.barcode)
        y += 44
    return y


def _bank_two_parts(rng: Random) -> Made:
    of = invent(rng, collection=False)
    font = rng.choice(("sans", "sans", "serif"))
    paper = Paper()
    y = _slip(paper, 50, of, rng, font, foot="Autenticação mecânica - Recibo do Pagador", bars=False)
    paper.text(40, y + 14, "- " * 110, size=6)
    _slip(paper, y + 50, of, rng, font, foot="Autenticação mecânica - Ficha de Compensação", bars=True)
    return Made("boleto", "bank_two_parts", _truth(of), (paper,))


def _bank_one_part(rng: Random) -> Made:
    of = invent(rng, collection=False)
    paper = Paper(height=500)
    _slip(
        paper,
        50,
        of,
        rng,
        rng.choice(("sans", "serif")),
        foot="Ficha de Compensação - Autenticação mecânica",
        bars=True,
    )
    return Made("boleto", "bank_one_part", _truth(of), (paper,))


def _carnet(rng: Random) -> Made:
    """One of a booklet: a stub to keep on the left, and the slip beside it."""
    of = invent(rng, collection=False)
    paper, font = Paper(width=760, height=330), "sans"
    stub = (
        ("Vencimento", day(of.due)), ("Valor do documento", brl(of.cents)), ("Nosso número", str(rng.randint(10**8, 10**9))),
        ("Beneficiário", of.company[:24]), ("Pagador", of.person.upper()[:24]),
    )  # fmt: skip
    y = 40.0
    for label, value in stub:
        paper.text(14, y, label, size=6.5, font=font)
        paper.text(14, y + 12, value, size=8.5, font=font)
        y += 34
    paper.text(14, y + 10, "Recibo do Pagador", size=7, font=font)
    paper.rule(180, 16, 0, down=290)
    slip = Paper(width=580, height=330)
    _slip(slip, 34, of, rng, font, foot="Autenticação mecânica - Ficha de Compensação", bars=True)
    paper.put(slip, 170)
    return Made("boleto", "carnet", _truth(of), (paper,))


def _bank_app(rng: Random) -> Made:
    """As a fintech mails it: labels above values, the line and the bars."""
    of = invent(rng, collection=False)
    paper, y = Paper(height=760), 60.0
    paper.text(50, y, "Boleto para pagamento", size=16, font="sans-bold")
    rows = (
        ("Beneficiário", of.company), ("CNPJ do beneficiário", cnpj_dots(of.cnpj)), ("Pagador", of.person),
        ("CPF do pagador", cpf_dots(of.cpf)), ("Vencimento", day(of.due)), ("Valor do documento", f"R$ {brl(of.cents)}"),
        ("Data de emissão", day(of.issued)), ("Linha digitável", line_dots(of.line)),
    )  # fmt: skip
    for label, value in rows:
        y += 40
        paper.text(50, y, label, size=8.5, grey=0.35)
        paper.text(50, y + 14, value, size=11)
    paper.bars(50, y + 40, of.barcode)
    paper.text(
        50, y + 100, "Recibo do pagador. Pague em qualquer banco, aplicativo ou lotérica até o vencimento.", size=8
    )
    return Made("boleto", "bank_app", _truth(of), (paper,))


def _state_slip(rng: Random) -> Made:
    of = invent(rng, collection=True)
    paper = Paper(height=560)
    font = rng.choice(("sans", "serif"))
    paper.text(40, 50, "ESTADO DE GOIÁS", size=11, font=f"{font}-bold")
    paper.text(
        40,
        66,
        rng.choice(
            ("DOCUMENTO ÚNICO DE ARRECADAÇÃO - DUA", "DOCUMENTO DE ARRECADAÇÃO DE RECEITAS ESTADUAIS - DARE")
        ),
        size=11,
        font=f"{font}-bold",
    )
    y = _grid(paper, 84, [("Contribuinte", of.person.upper(), 0.6), ("CPF/CNPJ", cpf_dots(of.cpf), 0.4)], font)
    y = _grid(paper, y, [("Órgão favorecido", of.company, 0.6), ("CNPJ do órgão", cnpj_dots(of.cnpj), 0.4)], font)
    y = _grid(
        paper,
        y,
        [
            ("Receita", "TAXA DE VISTORIA", 0.4),
            ("Data de emissão", day(of.issued), 0.3),
            ("Vencimento", day(of.due), 0.3),
        ],
        font,
    )
    y = _grid(
        paper,
        y,
        [
            ("Valor principal", brl(of.cents), 0.33),
            ("Multa", "0,00", 0.33),
            ("Valor total a pagar", brl(of.cents), 0.34),
        ],
        font,
    )
    paper.text(44, y + 24, line_dots(of.line), size=11, font="mono-bold")
    paper.bars(44, y + 36, of.barcode)
    paper.text(
        44,
        y + 96,
        "Pagável em qualquer banco conveniado. Autenticação mecânica no verso. Via do contribuinte",
        size=7.5,
    )
    return Made("boleto", "state_slip", _truth(of), (paper,))


def _city_slip(rng: Random) -> Made:
    of = invent(rng, collection=True)
    paper = Paper(height=520)
    paper.text(40, 50, f"PREFEITURA DE {rng.choice(CITIES).upper()}", size=12, font="sans-bold")
    paper.text(40, 68, "Guia de Recolhimento Municipal", size=11, font="sans-bold")
    rows = (
        ("Nome do contribuinte:", of.person.upper()), ("CPF:", cpf_dots(of.cpf)), ("Favorecido:", of.company),
        ("CNPJ:", cnpj_dots(of.cnpj)), ("Emitido em:", day(of.issued)), ("Pagar até:", day(of.due)),
        ("Total a pagar:", f"R$ {brl(of.cents)}"),
    )  # fmt: skip
    y = 96.0
    for label, value in rows:
        paper.text(44, y, label, size=9.5)
        paper.text(190, y, value, size=9.5, font="sans-bold")
        y += 18
    paper.text(44, y + 20, line_dots(of.line), size=11, font="mono")
    paper.bars(44, y + 32, of.barcode)
    return Made("boleto", "city_slip", _truth(of), (paper,))


def _water_bill(rng: Random) -> Made:
    """A utility's bill: whose it is stands without a label, the line in blocks apart from their check digits."""
    of = invent(rng, collection=True)
    paper = Paper(height=620)
    paper.text(40, 48, of.company.upper(), size=13, font="sans-bold")
    paper.text(40, 62, f"CNPJ {cnpj_dots(of.cnpj)}", size=8)
    paper.text(40, 84, "Fatura de água e esgoto", size=11)
    for index, words in enumerate(
        (
            of.person.upper(),
            f"RUA {rng.randint(1, 200)} - {rng.choice(CITIES).upper()}",
            f"CPF: {cpf_dots(of.cpf)}",
        )
    ):
        paper.text(40, 108 + 13 * index, words, size=9)
    y = _grid(
        paper, 160,
        [("Mês de referência", f"{of.issued:%m/%Y}", 0.3), ("Data de vencimento", day(of.due), 0.35),
         ("Total a pagar", f"R$ {brl(of.cents)}", 0.35)], "sans", size=11,
    )  # fmt: skip
    for index, words in enumerate(("Água", "Esgoto", "Multa por atraso de conta anterior 0,00")):
        paper.text(44, y + 22 + 13 * index, words, size=8.5)
    paper.text(44, 430, "Via do banco", size=8)
    blocks = " ".join(f"{of.line[at : at + 11]} {of.line[at + 11]}" for at in range(0, 48, 12))
    paper.text(44, 450, blocks, size=11, font="mono")
    paper.bars(44, 462, of.barcode)
    return Made("boleto", "water_bill", _truth_of_a_bill(of), (paper,))


def _truth_of_a_bill(of: Invented) -> dict[str, str]:
    said = _truth(of)
    return {
        name: said[name] for name in said if name not in ("payer_name", "beneficiary_name", "beneficiary_tax_id")
    }


def _traffic_slip(rng: Random) -> Made:
    """A department's slip: until when it holds, and a vehicle's numbers beside."""
    of = invent(rng, collection=True)
    paper, font = Paper(height=520), rng.choice(("sans", "serif"))
    paper.text(160, 46, "DEPARTAMENTO ESTADUAL DE TRÂNSITO", size=11, font=f"{font}-bold")
    paper.text(150, 62, "DUA - DOCUMENTO ÚNICO DE ARRECADAÇÃO", size=11, font=f"{font}-bold")
    vehicle = f"ABC{rng.randint(0, 9)}D{rng.randint(10, 99)}   RENAVAM {rng.randint(10**10, 10**11 - 1)}"
    y = _grid(
        paper, 84, [("Nome/Razão social", of.person.upper(), 0.6), ("CPF/CNPJ", cpf_dots(of.cpf), 0.4)], font
    )
    y = _grid(
        paper, y, [("Placa", vehicle, 0.6), ("Número do documento", str(rng.randint(10**9, 10**10)), 0.4)], font
    )
    y = _grid(
        paper, y,
        [("Serviço", "VISTORIA DE VEÍCULO", 0.4), ("Data de emissão", day(of.issued), 0.2),
         ("Validade para pagamento", day(of.due), 0.2), ("Valor total", f"R$ {brl(of.cents)}", 0.2)], font,
    )  # fmt: skip
    paper.text(44, y + 20, "Pague preferencialmente por Pix ou nos bancos conveniados.", size=8, font=font)
    paper.text(44, y + 44, line_dots(of.line), size=11, font=f"{font}-bold")
    paper.bars(44, y + 56, of.barcode)
    said = _truth_of_a_bill(of)
    return Made("boleto", "traffic_slip", {**said, "payer_name": of.person}, (paper,))


def _under_a_letter(rng: Random) -> Made:
    """A company's letter about what is charged, and the slip below it."""
    of = invent(rng, collection=False)
    paper = Paper()
    paper.text(40, 50, of.company, size=14, font="serif-bold")
    for index, words in enumerate(
        (
            f"Olá, {of.person}.",
            f"Segue a cobrança de R$ {brl(of.cents)} com vencimento em {day(of.due)}.",
            "Descrição: laudo de vistoria veicular.",
            "Após o pagamento do boleto a compensação ocorre em até 2 dias úteis.",
        )
    ):
        paper.text(40, 84 + 16 * index, words, size=10, font="serif")
    _slip(paper, 220, of, rng, "serif", foot="Autenticação mecânica - Ficha de Compensação", bars=True)
    return Made("boleto", "under_a_letter", _truth(of), (paper,))


def _condominium(rng: Random) -> Made:
    """What a house's expenses were, and the slip for one's part of them."""
    of = invent(rng, collection=False)
    paper = Paper()
    paper.text(40, 48, f"CONDOMÍNIO {of.company.upper()}", size=11, font="sans-bold")
    paper.text(40, 64, f"Demonstrativo de despesas   Unidade {rng.randint(101, 1204)}", size=9)
    part = of.cents // 4
    for index, (what, cents) in enumerate(
        (("Taxa ordinária", of.cents - 2 * part), ("Água", part), ("Gás", part))
    ):
        paper.text(44, 90 + 14 * index, what, size=9)
        paper.right(540, 90 + 14 * index, brl(cents), size=9)
    paper.text(44, 150, "Recibo do Pagador", size=8)
    _slip(paper, 190, of, rng, "sans", foot="Autenticação mecânica - Ficha de Compensação", bars=True)
    return Made("boleto", "condominium", _truth(of), (paper,))


def _health_guide(rng: Random) -> Made:
    """A council's yearly fee, by agreement: labels with colons in two columns."""
    of = invent(rng, collection=True)
    paper = Paper(height=460)
    paper.text(40, 50, "CONSELHO REGIONAL - GUIA DE ARRECADAÇÃO", size=12, font="serif-bold")
    rows = (
        ("Contribuinte:", of.person, "CPF:", cpf_dots(of.cpf)),
        ("Exercício:", f"{of.due:%Y}", "Vencimento:", day(of.due)),
        ("Emitido em:", day(of.issued), "Valor a recolher:", brl(of.cents)),
    )
    for index, (one, first, two, second) in enumerate(rows):
        y = 90 + 20 * index
        for x, words in ((44, one), (120, first), (330, two), (420, second)):
            paper.text(x, y, words, size=9.5, font="serif")
    paper.text(44, 180, line_dots(of.line), size=11, font="mono-bold")
    paper.bars(44, 192, of.barcode)
    said = _truth_of_a_bill(of)
    return Made("boleto", "health_guide", {**said, "payer_name": of.person}, (paper,))


HELD_OUT = frozenset({"condominium", "health_guide"})
"""Layouts by which the readers were never mended."""


def families() -> dict[str, Layout]:
    """Every layout."""
    return {
        "bank_two_parts": _bank_two_parts,
        "bank_one_part": _bank_one_part,
        "bank_app": _bank_app,
        "carnet": _carnet,
        "state_slip": _state_slip,
        "city_slip": _city_slip,
        "water_bill": _water_bill,
        "traffic_slip": _traffic_slip,
        "under_a_letter": _under_a_letter,
        "condominium": _condominium,
        "health_guide": _health_guide,
    }
