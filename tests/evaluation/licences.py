"""Made-up driver's licences: the card since 2022, the one before, and the PDF of the app."""

from __future__ import annotations

import io
from datetime import date, timedelta
from random import Random

from tests.evaluation.drawing import Paper, pdf
from tests.evaluation.invented import CITIES, TODAY, cpf, cpf_dots, day, licence_number, person
from tests.evaluation.pictures import rendered
from tests.evaluation.sample import Layout, Made

_WEIGHTS = (7, 3, 1)


class _Holder:
    def __init__(self, rng: Random) -> None:
        self.name = person(rng).upper()
        self.born = date(rng.randint(1950, 2005), rng.randint(1, 12), rng.randint(1, 28))
        self.cpf = cpf(rng)
        self.number = licence_number(rng)
        self.first = self.born + timedelta(days=365 * 18 + rng.randint(100, 2500))
        # The older card has not been given out since June 2022.
        self.issued = max(self.first + timedelta(days=370), TODAY - timedelta(days=rng.randint(60, 1500)))
        self.until = self.issued + timedelta(days=rng.choice((1826, 3652)) - 1)
        self.category = rng.choice(("A", "B", "AB", "AD", "E"))
        self.city = rng.choice(CITIES).upper()
        self.identity = f"{rng.randint(1000000, 9999999)} SSP GO"
        self.parents = (person(rng).upper(), person(rng).upper())
        self.mirror = str(rng.randint(10**9, 10**10 - 1))

    def truth(self) -> dict[str, str]:
        return {
            "holder_name": self.name,
            "tax_id": self.cpf,
            "licence_number": self.number,
            "birth_date": self.born.isoformat(),
            "valid_until": self.until.isoformat(),
        }

    def mrz(self) -> tuple[str, str, str]:
        def check(row: str) -> str:
            values = (0 if ch == "<" else int(ch, 36) for ch in row)
            return str(sum(one * _WEIGHTS[index % 3] for index, one in enumerate(values)) % 10)

        born, until = f"{self.born:%y%m%d}", f"{self.until:%y%m%d}"
        number = self.number[:9]
        first = f"I<BRA{number}{check(number)}{self.number[9:]}".ljust(30, "<")
        second = f"{born}{check(born)}M{until}{check(until)}BRA".ljust(29, "<")
        plain = "".join(ch for ch in _plain(self.name) if ch.isalpha() or ch == " ")
        words = plain.split()
        name = f"{words[0]}<<{'<'.join(words[1:])}".ljust(30, "<")[:30]
        return first, second + check(first[5:] + born + until), name


def _plain(text: str) -> str:
    return text.translate(str.maketrans("ÁÀÂÃÉÊÍÓÔÕÚÇ", "AAAAEEIOOOUC"))


def _pair(
    paper: Paper, x: float, y: float, label: str, value: str, *, size: float = 9.5, font: str = "sans"
) -> None:
    paper.text(x, y, label, size=6, font=font, grey=0.25)
    paper.text(x, y + 12, value, size=size, font=f"{font}-bold")


def _card(
    paper: Paper, left: float, top: float, holder: _Holder, font: str = "sans", *, has_green_bar: bool = False
) -> None:
    paper.box(left - 10, top - 24, 400, 250, grey=0.93)
    ink = 0.0
    if has_green_bar:
        paper.bar(left - 10, top - 24, 400, 44, (0.18, 0.49, 0.31))
        ink = 1.0
    paper.text(left + 60, top - 8, "REPÚBLICA FEDERATIVA DO BRASIL", size=9, font=f"{font}-bold", grey=ink)
    paper.text(
        left + 60,
        top + 2,
        "MINISTÉRIO DOS TRANSPORTES - SECRETARIA NACIONAL DE TRÂNSITO",
        size=6,
        font=font,
        grey=ink,
    )
    paper.text(
        left,
        top + 14,
        "CARTEIRA NACIONAL DE HABILITAÇÃO / DRIVER LICENSE / PERMISO DE CONDUCCIÓN",
        size=7.5,
        font=f"{font}-bold",
        grey=ink,
    )
    paper.box(left, top + 24, 78, 100, grey=0.75)
    x = left + 90
    _pair(paper, x, top + 32, "2 e 1 NOME E SOBRENOME", holder.name, font=font)
    _pair(paper, x + 215, top + 32, "1ª HABILITAÇÃO", day(holder.first), font=font)
    _pair(
        paper, x, top + 58, "3 DATA, LOCAL E UF DE NASCIMENTO", f"{day(holder.born)}, {holder.city}, GO", font=font
    )
    _pair(paper, x, top + 84, "4a DATA EMISSÃO", day(holder.issued), font=font)
    _pair(paper, x + 90, top + 84, "4b VALIDADE", day(holder.until), font=font)
    _pair(paper, x + 180, top + 84, "ACC", "", font=font)
    _pair(paper, x, top + 110, "4c DOC IDENTIDADE / ÓRG EMISSOR / UF", holder.identity, font=font)
    _pair(paper, x, top + 136, "4d CPF", cpf_dots(holder.cpf), font=font)
    _pair(paper, x + 110, top + 136, "5 Nº REGISTRO", holder.number, font=font)
    _pair(paper, x + 215, top + 136, "9 CAT HAB", holder.category, font=font)
    _pair(paper, x, top + 162, "NACIONALIDADE", "BRASILEIRO(A)", font=font)
    _pair(paper, x + 110, top + 162, "FILIAÇÃO", holder.parents[0], size=8, font=font)
    paper.text(x + 110, top + 185, holder.parents[1], size=8, font=f"{font}-bold")
    paper.text(left, top + 200, "7 ASSINATURA DO PORTADOR", size=6, font=font)


def _back(paper: Paper, left: float, top: float, holder: _Holder) -> None:
    paper.box(left - 10, top - 10, 400, 200, grey=0.95)
    for index, name in enumerate(("ACC", "A", "A1", "B", "B1", "C", "C1", "D", "D1", "BE")):
        paper.text(left + 12 + 60 * (index % 5), top + 6 + 14 * (index // 5), name, size=7)
    paper.text(left, top + 52, "12 OBSERVAÇÕES", size=6)
    paper.text(left, top + 64, "EAR", size=8)
    paper.text(left, top + 96, "LOCAL", size=6)
    paper.text(left, top + 108, f"{holder.city}, GO", size=8)
    paper.text(left + 260, top + 108, holder.mirror, size=8)
    for index, row in enumerate(holder.mrz()):
        paper.text(left, top + 136 + 15 * index, row, size=13, font="mono")


def _since_2022(rng: Random) -> Made:
    holder, paper = _Holder(rng), Paper(width=470, height=520)
    _card(paper, 45, 50, holder)
    _back(paper, 45, 300, holder)
    return Made("driver_licence", "since_2022", holder.truth(), (paper,))


def _on_a_table(rng: Random) -> Made:
    """Both sides with their green bar on a dark table."""
    holder, paper = _Holder(rng), Paper(width=620, height=700)
    paper.bar(0, 0, 620, 700, (0.36, 0.25, 0.16))
    _card(paper, 120, 110, holder, has_green_bar=True)
    _back(paper, 120, 380, holder)
    return Made("driver_licence", "on_a_table", holder.truth(), (paper,))


def _front_only(rng: Random) -> Made:
    holder, paper = _Holder(rng), Paper(width=470, height=300)
    _card(paper, 45, 50, holder)
    return Made("driver_licence", "front_only", holder.truth(), (paper,))


def _before_2022(rng: Random) -> Made:
    holder, paper = _Holder(rng), Paper(width=400, height=580)
    font = rng.choice(("sans", "serif"))
    paper.box(20, 15, 360, 540, grey=0.93)
    paper.text(110, 34, "REPÚBLICA FEDERATIVA DO BRASIL", size=10, font=f"{font}-bold")
    paper.text(130, 46, "MINISTÉRIO DA INFRAESTRUTURA", size=7, font=font)
    paper.text(90, 56, "DEPARTAMENTO NACIONAL DE TRÂNSITO", size=8, font=font)
    paper.text(85, 68, "CARTEIRA NACIONAL DE HABILITAÇÃO", size=10, font=f"{font}-bold")
    _pair(paper, 50, 92, "NOME", holder.name, font=font)
    paper.box(40, 120, 95, 125, grey=0.72)
    _pair(paper, 150, 126, "DOC. IDENTIDADE / ÓRG. EMISSOR / UF", holder.identity, font=font)
    _pair(paper, 150, 154, "CPF", cpf_dots(holder.cpf), font=font)
    _pair(paper, 260, 154, "DATA NASCIMENTO", day(holder.born), font=font)
    _pair(paper, 150, 182, "FILIAÇÃO", holder.parents[0], size=8, font=font)
    paper.text(150, 206, holder.parents[1], size=8, font=f"{font}-bold")
    _pair(paper, 150, 224, "PERMISSÃO", "", font=font)
    _pair(paper, 215, 224, "ACC", "", font=font)
    _pair(paper, 270, 224, "CAT. HAB.", holder.category, font=font)
    _pair(paper, 45, 262, "Nº REGISTRO", holder.number, font=font)
    _pair(paper, 165, 262, "VALIDADE", day(holder.until), font=font)
    _pair(paper, 270, 262, "1ª HABILITAÇÃO", day(holder.first), font=font)
    _pair(paper, 45, 300, "OBSERVAÇÕES", "EXERCE ATIVIDADE REMUNERADA", size=8, font=font)
    paper.text(45, 372, "ASSINATURA DO PORTADOR", size=6, font=font)
    _pair(paper, 45, 400, "LOCAL", f"{holder.city}, GO", font=font)
    _pair(paper, 270, 400, "DATA EMISSÃO", day(holder.issued), font=font)
    paper.text(45, 450, "ASSINATURA DO EMISSOR", size=6, font=font)
    paper.text(260, 450, holder.mirror, size=8, font=font)
    paper.text(120, 500, "GOIÁS", size=14, font=f"{font}-bold")
    return Made("driver_licence", "before_2022", holder.truth(), (paper,))


def _app_pdf(rng: Random) -> Made:
    """The app's PDF: the card as a picture, beside it what the signer adds."""
    holder, card = _Holder(rng), Paper(width=470, height=520)
    _card(card, 45, 50, holder)
    _back(card, 45, 300, holder)
    picture = rendered(pdf(card), dots_per_inch=200)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=88)
    paper = Paper()
    paper.jpeg(30, 40, data.getvalue(), picture.size, width=380, height=420)
    paper.text(430, 60, "QR-CODE", size=10, font="sans-bold")
    for index in range(900):
        if rng.random() < 0.5:
            paper.box(430 + 4 * (index % 30), 80 + 4 * (index // 30), 4, 4, grey=0.0)
    note = (
        "Documento assinado com certificado digital em conformidade com a Medida Provisória nº 2200-2/2001.",
        "Sua validade poderá ser confirmada por meio do programa Assinador Serpro.",
        "SERPRO / SENATRAN",
    )
    for index, words in enumerate(note):
        paper.text(40, 500 + 14 * index, words, size=8)
    return Made("driver_licence", "app_pdf", holder.truth(), (paper,))


def _app_pdf_card_size(rng: Random) -> Made:
    """The app's PDF with the card not much larger than in life, and a page of words about its signature."""
    holder, card = _Holder(rng), Paper(width=470, height=520)
    _card(card, 45, 50, holder)
    _back(card, 45, 300, holder)
    picture = rendered(pdf(card), dots_per_inch=200)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=85)
    paper = Paper()
    paper.jpeg(40, 60, data.getvalue(), picture.size, width=265, height=293)
    for index, words in enumerate(
        (
            "QR-CODE",
            "Documento assinado com certificado digital em conformidade com a",
            "Medida Provisória nº 2200-2/2001. Sua validade poderá ser confirmada",
            "por meio do programa Assinador Serpro.",
            "As orientações para instalar o Assinador Serpro e realizar a validação",
            "do documento digital estão na página da empresa.",
            "SERPRO / SENATRAN",
        )
    ):
        paper.text(320, 80 + 13 * index, words, size=7)
    return Made("driver_licence", "app_pdf_card_size", holder.truth(), (paper,))


def _patterned(rng: Random) -> Made:
    """The front, printed on a ground of fine lines as against forgers."""
    holder, paper = _Holder(rng), Paper(width=470, height=300)
    _card(paper, 45, 50, holder)
    for index in range(48):
        paper.bar(35, 28 + 5.2 * index, 400, 0.35, (0.72, 0.83, 0.72))
    return Made("driver_licence", "patterned", holder.truth(), (paper,))


def _in_a_case(rng: Random) -> Made:
    """The older card on one half of a sheet, as an office copies it, with its stamp below."""
    holder, paper = _Holder(rng), Paper()
    font = "serif"
    paper.box(60, 60, 360, 250, grey=0.94)
    paper.text(130, 80, "REPÚBLICA FEDERATIVA DO BRASIL", size=9, font=f"{font}-bold")
    paper.text(115, 92, "DEPARTAMENTO NACIONAL DE TRÂNSITO", size=8, font=font)
    paper.text(105, 106, "CARTEIRA NACIONAL DE HABILITAÇÃO", size=10, font=f"{font}-bold")
    _pair(paper, 80, 130, "NOME", holder.name, font=font)
    _pair(paper, 80, 158, "DOC. IDENTIDADE / ÓRG. EMISSOR / UF", holder.identity, font=font)
    _pair(paper, 80, 186, "CPF", cpf_dots(holder.cpf), font=font)
    _pair(paper, 210, 186, "DATA NASCIMENTO", day(holder.born), font=font)
    _pair(paper, 330, 186, "CAT. HAB.", holder.category, font=font)
    _pair(paper, 80, 214, "Nº REGISTRO", holder.number, font=font)
    _pair(paper, 210, 214, "VALIDADE", day(holder.until), font=font)
    _pair(paper, 310, 214, "1ª HABILITAÇÃO", day(holder.first), font=font)
    _pair(paper, 80, 242, "LOCAL", f"{holder.city}, GO", font=font)
    _pair(paper, 310, 242, "DATA EMISSÃO", day(holder.issued), font=font)
    paper.text(80, 290, "ASSINATURA DO EMISSOR", size=6, font=font)
    paper.text(80, 360, "CONFERE COM O ORIGINAL", size=14, font="sans-bold", grey=0.4)
    return Made("driver_licence", "in_a_case", holder.truth(), (paper,))


HELD_OUT = frozenset({"patterned", "in_a_case"})
"""Layouts by which the readers were never mended."""


def families() -> dict[str, Layout]:
    """Every layout."""
    return {
        "since_2022": _since_2022,
        "front_only": _front_only,
        "on_a_table": _on_a_table,
        "before_2022": _before_2022,
        "app_pdf": _app_pdf,
        "app_pdf_card_size": _app_pdf_card_size,
        "patterned": _patterned,
        "in_a_case": _in_a_case,
    }
