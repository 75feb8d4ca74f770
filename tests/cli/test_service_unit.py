"""The systemd unit that `mailbot init` writes: valid, tight, and wide enough for the program.

systemd itself does not run here. What its strictest walls do is done by the same means: the system calls that the
unit allows by libseccomp, memory that is never both writable and executable by prctl.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.demo.servers import EmbeddedServers
from tests.cli.command import run_mailbot
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, mail
from tests.kill.site import Embedded, Site

CONFINED = "tests.cli.confined"
# What README says; lower is tighter, by systemd's own count.
EXPOSURE_AT_MOST = 1.9

pytestmark = pytest.mark.systemd


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `mailbot init` writes."""
    place = tmp_path_factory.mktemp("unit")
    assert run_mailbot("init", "house", cwd=place).code == 0
    return place / "house"


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_systemd_finds_no_fault_with_it(folder: Path) -> None:
    verified = analyze("verify", folder / "mailbot.service")
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_it_is_valid_in_a_folder_with_an_odd_name(tmp_path: Path) -> None:
    assert run_mailbot("init", "with space and %n", cwd=tmp_path).code == 0
    verified = analyze("verify", tmp_path / "with space and %n" / "mailbot.service")
    assert (verified.returncode, verified.stderr) == (0, "")


def test_systemd_counts_it_as_little_exposed(folder: Path) -> None:
    judged = analyze("security", "--offline=true", folder / "mailbot.service")
    figure = re.search(r"Overall exposure level for mailbot.service: ([\d.]+)", judged.stdout)
    assert figure is not None, judged.stderr
    assert float(figure[1]) <= EXPOSURE_AT_MOST


def directives(folder: Path, name: str) -> list[str]:
    text = (folder / "mailbot.service").read_text("utf-8")
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def system_calls(*names: str) -> set[str]:
    """The system calls in these words of SystemCallFilter, groups in groups taken apart."""
    found: set[str] = set()
    for name in names:
        if not name.startswith("@"):
            found.add(name)
            continue
        listed = analyze("syscall-filter", name).stdout.splitlines()[1:]
        words = [line.strip() for line in listed if line.strip() and not line.strip().startswith("#")]
        assert words, name
        found |= system_calls(*words)
    return found


def allowed_system_calls(folder: Path) -> set[str]:
    # What starts a program and ends it is allowed in any case (systemd.exec(5)).
    allowed = system_calls("@default")
    for line in directives(folder, "SystemCallFilter"):
        if line.startswith("~"):
            allowed -= system_calls(*line[1:].split())
        else:
            allowed |= system_calls(*line.split())
    return allowed


@pytest.fixture(scope="module")
def embedded() -> Iterator[Embedded]:
    with EmbeddedServers() as servers:
        yield Embedded(servers)


@pytest.fixture
def confinement(folder: Path, tmp_path: Path) -> list[str]:
    """``python …`` for a mailbot behind the unit's walls."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd: systemd-analyze not found")
    assert directives(folder, "MemoryDenyWriteExecute") == ["yes"]
    [families] = directives(folder, "RestrictAddressFamilies")
    [namespaces] = directives(folder, "RestrictNamespaces")
    listed = tmp_path / "allowed"
    listed.write_text("\n".join(sorted(allowed_system_calls(folder))), "ascii")
    return [
        "-m",
        CONFINED,
        "--system-calls",
        str(listed),
        "--address-families",
        families,
        "--namespaces",
        namespaces,
        "--",
    ]


def test_a_mail_with_its_documents_goes_all_the_way_behind_the_walls(
    embedded: Embedded, confinement: list[str], tmp_path: Path
) -> None:
    site = Site(embedded, tmp_path)
    customer, other = embedded.new_user("cliente"), embedded.new_user("cliente")
    with_documents = mail(REQUEST, sender=customer, files=[BOLETO, RECEIPT, LICENCE])
    # A mail of this size is read by a child process, as every document is.
    large = mail("Qual o prazo?", sender=other, subject="Dúvida", files=[("foto.bin", b"x" * 6_000_000)])
    for raw, sender in ((with_documents, customer), (large, other)):
        addressed = raw.replace(b"atendimento@example.com.br", site.address.encode())
        embedded.deliver(addressed.replace(b"\n", b"\r\n"), sender=sender, to=site.address)
    with site.daemon(*confinement, "run") as process:
        site.wait(lambda: site.letters_to(customer) and site.letters_to(other), "the letters", seconds=60)
        assert site.stop_politely(process) == 0
    assert "not permitted" not in site.log.read_text()
    assert [one.outcome for one in site.mails()] == ["ticket", "ticket"]
    kinds = {finding.kind for ticket in site.tickets() for finding in ticket.documents}
    assert kinds >= {"boleto", "payment_receipt", "driver_licence"}


def test_a_child_that_reads_documents_leaves_the_network_behind_there_too(confinement: list[str]) -> None:
    program = (
        "from mailbot.isolation.serving import _leave_the_network, has_no_network; "
        "_leave_the_network(); print(has_no_network())"
    )
    ran = subprocess.run(
        [sys.executable, *confinement, "python", "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "True\n"


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("import os; os.chroot('/')", "PermissionError"),
        ("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "Error"),
        ("import mmap; mmap.mmap(-1, 4096, prot=7)", "PermissionError"),
        # A namespace of mounts, which the unit does not grant.
        (
            "import ctypes, os; os.close(3 if ctypes.CDLL(None).unshare(0x20000) == 0 else -1)",
            "Bad file descriptor",
        ),
    ],
)
def test_the_walls_of_these_tests_are_real(confinement: list[str], program: str, error: str) -> None:
    ran = subprocess.run(
        [sys.executable, *confinement, "python", "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert error in ran.stderr.splitlines()[-1]
