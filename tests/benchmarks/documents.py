"""``documents`` and ``papers``: what reading attached files costs, and how long those wait who send them.

``documents`` reads files as the daemon does, in a process; ``papers`` is the daemon between Postfix and Dovecot.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from urllib.parse import quote

from mailbot.demo import documents as papers_of_the_demo
from mailbot.evidence.isolation import CHILD_MODULE, MEMORY_LIMIT_BYTES, TIME_LIMIT_SECONDS, IsolatedDocumentReader
from mailbot.evidence.reading import read_document
from mailbot.isolation.kept_child import KeptChild
from tests.benchmarks.daemon import Recorder, processed, running_daemon
from tests.benchmarks.household import fill, scratch, settings
from tests.benchmarks.mix import small_mail
from tests.benchmarks.options import Options
from tests.benchmarks.report import Figure
from tests.papers import BARCODE, BOLETO, RECEIPT, page, photograph, picture_pdf, saved, scan
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until

_PDF_GOAL_MS, _PHOTO_GOAL_SECONDS, _MEMORY_GOAL_MB = 150, 3.0, 400
_PAPERS_GOAL_SECONDS, _PHOTOS_GOAL_SECONDS, _PLAIN_GOAL_SECONDS = 3.0, 12.0, 2.0
_PDF = "application/pdf"
_READINGS = 30
_PHOTO_MAILS = 50
_SENDER_DOMAIN = "cliente.example.com.br"
_PHOTO_BYTES = 1_000_000

_HOLDER = papers_of_the_demo.Holder(
    name="João Batista Lima", tax_id="529.982.247-25", licence_number="02650306461", birth_date="14/02/1988"
)
_DUE, _PAID = date(2026, 12, 1), date(2026, 11, 20)
_LICENCE = (
    "REPÚBLICA FEDERATIVA DO BRASIL",
    "CARTEIRA NACIONAL DE HABILITAÇÃO",
    "2 e 1 NOME E SOBRENOME: JOÃO BATISTA LIMA",
    "3 DATA, LOCAL E UF DE NASCIMENTO: 14/02/1988, GOIÂNIA, GO",
    "4d CPF: 529.982.247-25     5 Nº REGISTRO: 02650306461     9 CAT HAB: B",
    "4b VALIDADE: 20/11/2031     FILIAÇÃO: MARIA DE LIMA",
)


def documents(_options: Options) -> Iterator[Figure]:
    """Processor time of a PDF, time of a photograph, and the reader's memory over all formats."""
    digital = [content for _, content in _digital_papers(0)]
    for content in digital:
        read_document("", content, _PDF, "x.pdf")
    times = sorted(_cpu_ms(content) for content in digital * (_READINGS // len(digital)))
    median = statistics.median(times)
    yield Figure(
        benchmark="documents",
        what="born-digital PDF, processor time at the median",
        value=median,
        unit="ms",
        goal=f"< {_PDF_GOAL_MS} ms",
        met=median < _PDF_GOAL_MS,
        detail=f"slowest {times[-1]:.1f} ms of {len(times)}",
    )
    seconds = [_seconds(content) for _, content in _photographs(0) * 3]
    slowest = max(seconds)
    yield Figure(
        benchmark="documents",
        what="photograph of 12 megapixels, the slowest",
        value=slowest,
        unit="s",
        goal=f"< {_PHOTO_GOAL_SECONDS:g} s",
        met=slowest < _PHOTO_GOAL_SECONDS,
        detail=f"median {statistics.median(seconds):.2f} s of {len(seconds)}",
    )
    peaks = {name: _peak_mb(content, media_type) for name, content, media_type in _within_limits()}
    worst = max(peaks, key=lambda name: peaks[name])
    yield Figure(
        benchmark="documents",
        what="resident memory of a reader at most",
        value=peaks[worst],
        unit="MB",
        goal=f"< {_MEMORY_GOAL_MB} MB",
        met=peaks[worst] < _MEMORY_GOAL_MB,
        detail=", ".join(f"{name} {peak:.0f}" for name, peak in peaks.items()),
    )


def papers(_options: Options, dovecot: Dovecot, postfix: Postfix) -> Iterator[Figure]:
    """Arrival to first letter: with three PDFs, with three photographs, and none behind fifty."""
    with scratch() as folder, Recorder() as recorder:
        address = fill(dovecot, "bot", [])
        login = f"{quote(address, safe='')}:{quote(dovecot.users[address], safe='')}"
        given = settings(
            folder,
            imap_url=f"imap://{login}@127.0.0.1:{dovecot.imap_port}/INBOX",
            smtp_url=f"smtp://127.0.0.1:{recorder.port}",
            address=address,
        )
        with running_daemon(given, folder):
            wait_until(lambda: (folder / "mailbot.db").exists(), "the database", seconds=30)
            house = _House(postfix, recorder, address)
            with_pdfs = [house.latency(f"pdf{number}", _digital_papers(number)) for number in range(20)]
            with_photos = [house.latency(f"foto{number}", _photographs(number)) for number in range(20)]
            before = processed(folder)
            many = (
                _mail(address, f"fila{n}@{_SENDER_DOMAIN}", _photographs(100 + n)) for n in range(_PHOTO_MAILS)
            )
            dovecot.append_all(address, many)
            plain = [house.latency(f"simples{number}", []) for number in range(40)]
            passed = processed(folder) - before - len(plain)
    yield _waited("mail with three born-digital documents, p95", with_pdfs, _PAPERS_GOAL_SECONDS, "")
    yield _waited("mail with three photographs, p95", with_photos, _PHOTOS_GOAL_SECONDS, "")
    detail = f"while {passed} of {_PHOTO_MAILS} were worked off"
    yield _waited(f"plain mail behind {_PHOTO_MAILS} with photographs, p95", plain, _PLAIN_GOAL_SECONDS, detail)


class _House:
    """The daemon as its senders see it."""

    def __init__(self, postfix: Postfix, recorder: Recorder, address: str) -> None:
        self._postfix = postfix
        self._recorder = recorder
        self._address = address

    def latency(self, name: str, files: Sequence[tuple[str, bytes]]) -> float:
        """Seconds until the first letter to a new sender is accepted."""
        time.sleep(random.uniform(0.05, 0.3))
        sender = f"{name}@{_SENDER_DOMAIN}"
        raw = (
            _mail(self._address, sender, files)
            if files
            else small_mail(hash(name) % 10_000, self._address, sender)
        )
        self._postfix.deliver(sender, [self._address], raw)
        arrived = time.perf_counter()
        wait_until(lambda: sender in self._recorder.accepted_at, f"a letter to {sender}", seconds=300)
        return self._recorder.accepted_at[sender] - arrived


def _waited(what: str, seconds: Sequence[float], goal: float, detail: str) -> Figure:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    spread = f"p50 {statistics.median(seconds):.2f} s, slowest {max(seconds):.2f} s of {len(seconds)}"
    return Figure(
        benchmark="papers",
        what=what,
        value=p95,
        unit="s",
        goal=f"≤ {goal:g} s",
        met=p95 <= goal,
        detail=f"{spread}; {detail}" if detail else spread,
    )


# --- the files -----------------------------------------------------------------------------------------------


def _digital_papers(number: int) -> list[tuple[str, bytes]]:
    """Three PDFs; of each number others, or what was read would be known already."""
    made = (
        ("boleto.pdf", papers_of_the_demo.boleto(_HOLDER, unit="Rio Verde", due=_DUE)),
        ("comprovante.pdf", papers_of_the_demo.payment_receipt(_HOLDER, due=_DUE, paid=_PAID)),
        ("cnh.pdf", papers_of_the_demo.driver_licence(_HOLDER)),
    )
    return [(name, content + b"%% %d\n" % number) for name, content in made]


def _photographs(number: int) -> list[tuple[str, bytes]]:
    """Three photographs of 12 megapixels with as many bytes as those of a phone have."""
    return [
        (f"IMG_{number}{index}.jpg", (content + b"%d" % number).ljust(_PHOTO_BYTES, b"\0"))
        for index, content in enumerate(_photographed())
    ]


@cache
def _photographed() -> tuple[bytes, ...]:
    dense = (*BOLETO, *(f"{n:02d} Instruções: não receber após o vencimento, cobrar juros" for n in range(18)))
    return (
        saved(photograph(page(dense, barcode=BARCODE))),
        saved(photograph(page(RECEIPT)).rotate(90, expand=True)),
        saved(photograph(page(_LICENCE), tilt_degrees=-4)),
    )


def _mail(address: str, sender: str, files: Sequence[tuple[str, bytes]]) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, address, "ALTERAÇÃO DE LOCAL"
    message["Message-ID"] = f"<papeis-{sender}>"
    message.set_content("Motivo: mudança\nLocal atual: Rio Verde\nNovo local: Jataí\nTelefone: (64) 99876-1234\n")
    for name, content in files:
        maintype, subtype = ("application", "pdf") if name.endswith(".pdf") else ("image", "jpeg")
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return message.as_bytes()


def _within_limits() -> Iterator[tuple[str, bytes, str]]:
    paper = photograph(page(BOLETO, barcode=BARCODE))
    large = paper.resize((5400, 7300))
    yield "JPEG of 12 megapixels", saved(paper), "image/jpeg"
    yield "JPEG of 39", saved(large), "image/jpeg"
    yield "PNG of 39", saved(large, "PNG"), "image/png"
    yield "HEIC of 39", saved(large, "HEIF"), "image/heic"
    yield "WebP of 16", saved(paper.resize((3450, 4600)), "WEBP"), "image/webp"
    yield "PDF with a scan of 39", picture_pdf(large, dpi=600), _PDF
    yield "PDF of ten scans", picture_pdf(*[scan(page(RECEIPT))] * 10), _PDF


# --- measuring -----------------------------------------------------------------------------------------------


def _cpu_ms(content: bytes) -> float:
    began = time.process_time()
    read_document("", content, _PDF, "x.pdf")
    return (time.process_time() - began) * 1000


def _seconds(content: bytes) -> float:
    return _in_a_reader(lambda reader, _: _timed(reader, content))


def _timed(reader: IsolatedDocumentReader, content: bytes) -> float:
    began = time.perf_counter()
    reader.read("", content, "image/jpeg", "x.jpg")
    return time.perf_counter() - began


def _peak_mb(content: bytes, media_type: str) -> float:
    def measured(reader: IsolatedDocumentReader, process: int) -> float:
        reader.read("", content, media_type, "x")
        return _peak_of(process)

    return _in_a_reader(measured)


def _in_a_reader(measure: Callable[[IsolatedDocumentReader, int], float]) -> float:
    """What ``measure`` gives for a fresh reader that has its libraries loaded, and for its process."""
    child = KeptChild(CHILD_MODULE, memory_limit_bytes=MEMORY_LIMIT_BYTES, time_limit_seconds=TIME_LIMIT_SECONDS)
    reader = IsolatedDocumentReader(child)
    before = _children_of_ours()
    reader.abilities()
    (process,) = _children_of_ours() - before
    try:
        return measure(reader, process)
    finally:
        reader.close()


def _children_of_ours() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text(encoding="ascii").split()}


def _peak_of(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
