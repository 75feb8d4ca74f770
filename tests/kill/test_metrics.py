"""A real daemon that is scraped; and one that is not, which pays nothing for it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from tests.kill.site import Site
from tests.peers.process import Ports

pytestmark = pytest.mark.kill


@pytest.fixture
def port() -> Iterator[int]:
    ports = Ports()
    yield ports.take()
    ports.close()


def scrape(port: int) -> str:
    """What Prometheus would get; "" if nobody answers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text
    except OSError:
        # Also one that hangs up, or does not answer in time.
        return ""


def test_what_a_daemon_does_can_be_read_on_its_port(site: Site, port: int) -> None:
    site.settings["MAILBOT_METRICS_PORT"] = str(port)
    customer = site.servers.new_user("qclientela")
    site.customer_writes(customer, text="qpalavra")
    lines = (
        'mailbot_mails_collected_total{mailbox="default"} 1.0',
        'mailbot_mails_processed_total{outcome="ticket"} 1.0',
        'letters_attempted_total{mailbox="default",result="sent"}',
        "mailbot_intake_seconds_count 1.0",
        "mailbot_database_up 1.0",
        "mailbot_loops_hanging 0.0",
    )
    text = ""

    def has_them_all() -> bool:
        nonlocal text
        text = scrape(port)
        return all(line in text for line in lines)

    with site.daemon() as process:
        site.wait(lambda: site.letters_to(customer), "the letter")
        site.wait(has_them_all, "all to be counted")
        assert site.stop_politely(process) == 0
    assert re.search(
        r'mailbot_last_collect_timestamp_seconds\{folder="INBOX",mailbox="default"\} 1\.\d+e\+09', text
    )
    assert "process_resident_memory_bytes" in text
    assert [word for word in ("qclientela", "qpalavra", "@", site.address) if word in text] == []
    assert not scrape(port)


def test_what_helpers_work_off_is_counted_with_the_rest(site: Site, port: int) -> None:
    site.settings |= {"MAILBOT_METRICS_PORT": str(port), "MAILBOT_WORKERS": "1"}
    for _ in range(12):
        site.customer_writes(site.servers.new_user("cliente"))
    with site.app() as app:
        # So that all of them wait when the daemon looks for the first time.
        for collector in app.collectors():
            assert collector.hold_lease()
            collector.collect_once()
            collector.drop_lease()
            collector.close()
    flag = site.folder / "flag"
    slow = ["-m", "tests.kill.stopping", "--at", "before examine", "--how", "pause", "--flag", str(flag)]
    slow += ["--times", "1", "--set", "mailbot.crew.MAILS_PER_HELPER=2"]
    # The daemon does not leave the rush to its helper.
    slow += ["--set", "mailbot.crew._LOOK_EVERY_SECONDS=0", "--set", "mailbot.crew._SILENT_SECONDS=0", "--", "run"]
    with site.daemon(*slow) as process:
        # The daemon has the first mail in hand; a helper works the others off meanwhile.
        site.wait(lambda: len(site.tickets()) == 11, "the helper's tickets")
        flag.unlink()
        site.wait(lambda: 'mails_processed_total{outcome="ticket"} 12.0' in scrape(port), "all to be counted")
        site.wait(lambda: "mailbot_intake_seconds_count 1.0" in scrape(port), "its own to be measured")
        assert site.stop_politely(process) == 0


def test_a_port_that_is_taken_keeps_no_mail_waiting(site: Site, port: int) -> None:
    site.settings["MAILBOT_METRICS_PORT"] = str(port)
    customer = site.servers.new_user("cliente")
    site.customer_writes(customer)
    with socket.create_server(("127.0.0.1", port)), site.daemon() as process:
        site.wait(lambda: site.letters_to(customer), "the letter")
        assert site.log_lines("daemon.metrics_not_served")
        assert site.stop_politely(process) == 0


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"MAILBOT_METRICS_HOST": "0.0.0.0"}, "MAILBOT_METRICS_HOST"),
        ({"MAILBOT_METRICS_PORT": "70000"}, "MAILBOT_METRICS_PORT"),
        ({"MAILBOT_METRICS_PORT": "http"}, "MAILBOT_METRICS_PORT"),
    ],
)
def test_figures_for_strangers_and_ports_that_are_none_stop_the_start(
    site: Site, port: int, settings: dict[str, str], word: str
) -> None:
    site.settings |= {"MAILBOT_METRICS_PORT": str(port), **settings}
    assert site.run("-m", "mailbot", "run", "--once") == 2
    assert word in site.log.read_text()


def test_strangers_may_read_them_if_the_administrator_says_so(site: Site, port: int) -> None:
    site.settings |= {"MAILBOT_METRICS_PORT": str(port), "MAILBOT_METRICS_HOST": "0.0.0.0"}
    site.settings["MAILBOT_METRICS_ALLOW_REMOTE"] = "true"
    with site.daemon() as process:
        site.wait(lambda: scrape(port), "an answer")
        assert site.stop_politely(process) == 0


def test_a_missing_extra_is_named(site: Site, port: int) -> None:
    site.settings["MAILBOT_METRICS_PORT"] = str(port)
    program = (
        "import sys, importlib.machinery as m\n"
        "find = m.PathFinder.find_spec\n"
        "hide = lambda name, *rest: None if name == 'prometheus_client' else find(name, *rest)\n"
        "m.PathFinder.find_spec = hide\n"
        "from mailbot.cli.main import main; sys.argv = ['mailbot', 'run', '--once']; main()"
    )
    assert site.run("-c", program) == 2
    assert "pip install 'mailbot[metrics]'" in site.log.read_text()


def test_without_a_port_the_library_is_not_even_imported(site: Site) -> None:
    program = (
        "import sys; from pathlib import Path; from mailbot.bootstrap import build_app; "
        "from mailbot.settings import load_settings; import mailbot.daemon; "
        "app = build_app(load_settings()); assert app.metrics is None; assert app.escalation is None; "
        "print('prometheus_client' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env=site.environment,
        cwd=site.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == "False\n"
