"""Invented people, companies, numbers and days, from a random generator: what the documents are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

TODAY = datetime.now(ZoneInfo("America/Sao_Paulo")).date()
"""The readers ask the clock too: what is paid on a day to come was not paid."""

_FIRST = [
    "Maria",
    "José",
    "Ana",
    "João",
    "Antônia",
    "Francisco",
    "Adriana",
    "Carlos",
    "Juliana",
    "Paulo",
    "Márcia",
    "Pedro",
    "Fernanda",
    "Lucas",
    "Patrícia",
    "Luiz",
    "Aline",
    "Marcos",
    "Sandra",
    "Luís",
    "Camila",
    "Gabriel",
    "Amanda",
    "Rafael",
    "Bruna",
    "Daniel",
    "Jéssica",
    "Marcelo",
    "Letícia",
    "Bruno",
    "Júlia",
    "Eduardo",
    "Luciana",
    "Felipe",
    "Vanessa",
    "Raimundo",
    "Mariana",
    "Rodrigo",
    "Gabriela",
    "Manoel",
    "Vera",
    "Geraldo",
    "Íris",
    "Otávio",
    "Zuleica",
    "Wanderley",
    "Conceição",
]
_LAST = [
    "Silva",
    "Santos",
    "Oliveira",
    "Souza",
    "Rodrigues",
    "Ferreira",
    "Alves",
    "Pereira",
    "Lima",
    "Gomes",
    "Costa",
    "Ribeiro",
    "Martins",
    "Carvalho",
    "Almeida",
    "Lopes",
    "Soares",
    "Fernandes",
    "Vieira",
    "Barbosa",
    "Rocha",
    "Dias",
    "Nascimento",
    "Andrade",
    "Moreira",
    "Nunes",
    "Marques",
    "Machado",
    "Mendes",
    "Freitas",
    "Cardoso",
    "Ramos",
    "Gonçalves",
    "Santana",
    "Teixeira",
    "Araújo",
    "Guimarães",
    "Brandão",
    "Assunção",
    "Queiroz",
]
_TRADES = [
    "Vistorias",
    "Inspeções",
    "Comercial",
    "Serviços",
    "Engenharia",
    "Transportes",
    "Autopeças",
    "Laboratório",
    "Clínica",
    "Escola",
    "Imobiliária",
    "Construtora",
    "Distribuidora",
    "Gráfica",
    "Farmácia",
    "Mercado",
]
_PLACES = """Goiânia Anápolis Rio Verde,Jataí Catalão Itumbiara Luziânia Formosa Caldas Novas,Trindade""".replace(
    ",", " "
).split()
CITIES = ("Goiânia", "Anápolis", "Rio Verde", "Jataí", "Catalão", "Itumbiara", "Caldas Novas", "Trindade")
BANKS = {
    "001": "Banco do Brasil",
    "341": "Itaú Unibanco",
    "237": "Bradesco",
    "104": "Caixa Econômica Federal",
    "033": "Santander",
    "756": "Sicoob",
    "077": "Inter",
    "748": "Sicredi",
}
ISPB = {
    "001": "00000000",
    "341": "60701190",
    "237": "60746948",
    "104": "00360305",
    "033": "90400888",
    "260": "18236120",
    "077": "00416968",
    "756": "02038232",
    "748": "01181521",
    "380": "22896431",
    "323": "10573521",
}


@dataclass(frozen=True, slots=True)
class Invented:
    """One made-up payment and all who have to do with it. ``cents`` is the boleto's amount."""

    person: str
    cpf: str
    company: str
    cnpj: str
    cents: int
    issued: date
    due: date
    paid: datetime
    bank: str
    barcode: str
    line: str
    collection: bool


def person(rng: Random) -> str:
    last = rng.sample(_LAST, rng.choice((2, 2, 3)))
    joined = f" {rng.choice(('de', 'da', 'dos', 'do'))} ".join(last) if rng.random() < 0.3 else " ".join(last)
    first = rng.choice(_FIRST) + (f" {rng.choice(_FIRST)}" if rng.random() < 0.25 else "")
    return f"{first} {joined}"


def company(rng: Random) -> str:
    ending = rng.choice(("Ltda", "S.A.", "ME", "EIRELI", "Ltda EPP"))
    return f"{rng.choice(_TRADES)} {rng.choice(_LAST)} {rng.choice((ending, f'e {rng.choice(_LAST)} {ending}'))}"


def tax_digits(body: str, longest: int) -> str:
    for _ in range(2):
        total = sum((ord(ch) - 48) * (2 + index % (longest - 1)) for index, ch in enumerate(reversed(body)))
        body += str((11 - total % 11) % 11 % 10)
    return body[-2:]


def cpf(rng: Random) -> str:
    body = "".join(rng.choices("0123456789", k=9))
    return body + tax_digits(body, 11)


def cnpj(rng: Random) -> str:
    letters = "0123456789" if rng.random() < 0.9 else "0123456789ABCDEFGHJKLMNPRSTVWXYZ"
    body = "".join(rng.choices(letters, k=8)) + "0001"
    return body + tax_digits(body, 9)


def cpf_dots(number: str) -> str:
    return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"


def cpf_hidden(number: str, star: str = "*") -> str:
    return f"{star * 3}.{number[3:6]}.{number[6:9]}-{star * 2}"


def cnpj_dots(number: str) -> str:
    return f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}"


def brl(cents: int) -> str:
    whole = f"{cents // 100:,}".replace(",", ".")
    return f"{whole},{cents % 100:02}"


def day(value: date) -> str:
    return f"{value.day:02}/{value.month:02}/{value.year}"


def ten(digits: str) -> int:
    total = 0
    for index, ch in enumerate(reversed(digits)):
        product = int(ch) * (2 - index % 2)
        total += product if product < 10 else product - 9
    return (10 - total % 10) % 10


def eleven(digits: str) -> int:
    return sum(int(ch) * (2 + index % 8) for index, ch in enumerate(reversed(digits))) % 11


def bank_codes(rng: Random, bank: str, due: date, cents: int) -> tuple[str, str]:
    """Bar code and line of a bank's boleto (FEBRABAN)."""
    days = (due - date(1997, 10, 7)).days
    factor = days if days <= 9999 else (days - 1000) % 9000 + 1000
    free = "".join(rng.choices("0123456789", k=25))
    rest = f"{factor:04}{cents:010}{free}"
    remainder = 11 - eleven(f"{bank}9{rest}")
    general = remainder if 1 < remainder < 10 else 1
    fields = (f"{bank}9{free[:5]}", free[5:15], free[15:])
    line = "".join(f"{one}{ten(one)}" for one in fields) + f"{general}{factor:04}{cents:010}"
    return f"{bank}9{general}{rest}", line


def collection_codes(rng: Random, cents: int) -> tuple[str, str]:
    """Bar code and line of a collection slip: product 8, segment, identifier 6 or 8 (FEBRABAN)."""
    identifier = rng.choice("68")

    def check(digits: str) -> int:
        if identifier == "6":
            return ten(digits)
        remainder = eleven(digits)
        return 0 if remainder < 2 else 11 - remainder

    head, rest = f"8{rng.choice('1557')}{identifier}", f"{cents:011}" + "".join(rng.choices("0123456789", k=29))
    barcode = f"{head}{check(head + rest)}{rest}"
    blocks = [barcode[start : start + 11] for start in range(0, 44, 11)]
    return barcode, "".join(f"{block}{check(block)}" for block in blocks)


def line_dots(line: str) -> str:
    if len(line) == 48:
        return " ".join(f"{line[start : start + 11]}-{line[start + 11]}" for start in range(0, 48, 12))
    fields = f"{line[:5]}.{line[5:10]} {line[10:15]}.{line[15:21]} {line[21:26]}.{line[26:32]}"
    return f"{fields} {line[32]} {line[33:]}"


def pix_id(rng: Random, bank: str, local: datetime) -> str:
    utc = local + timedelta(hours=3)
    tail = "".join(rng.choices("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", k=11))
    return f"E{ISPB.get(bank, '60701190')}{utc:%Y%m%d%H%M}{tail}"


def licence_number(rng: Random) -> str:
    body = rng.choices(range(10), k=9)
    first = sum(one * weight for one, weight in zip(body, range(9, 0, -1), strict=True)) % 11
    second = sum(one * weight for one, weight in zip(body, range(1, 10), strict=True)) % 11
    if first == 10:
        first, second = 0, second - 2 + (11 if second < 2 else 0)
    return "".join(map(str, body)) + f"{first}{0 if second == 10 else second}"


def invent(rng: Random, *, collection: bool | None = None) -> Invented:
    """A payment between today's last two months and today."""
    slip = rng.random() < 0.3 if collection is None else collection
    issued = TODAY - timedelta(days=rng.randint(5, 60))
    due = issued + timedelta(days=rng.randint(3, 30))
    paid_day = min(issued + timedelta(days=rng.randint(0, 20)), TODAY)
    paid = datetime(  # noqa: DTZ001 - as banks print it, without a zone
        paid_day.year, paid_day.month, paid_day.day, rng.randint(6, 22), rng.randint(0, 59), rng.randint(0, 59)
    )
    cents = rng.choice((10800, 17576, rng.randint(1500, 300_000), rng.randint(300_000, 3_000_000)))
    bank = rng.choice(list(BANKS))
    barcode, line = collection_codes(rng, cents) if slip else bank_codes(rng, bank, due, cents)
    return Invented(
        person=person(rng),
        cpf=cpf(rng),
        company=company(rng),
        cnpj=cnpj(rng),
        cents=cents,
        issued=issued,
        due=due,
        paid=paid,
        bank=bank,
        barcode=barcode,
        line=line,
        collection=slip,
    )
