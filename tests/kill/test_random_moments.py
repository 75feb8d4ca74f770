"""The real process is killed at random moments while mails flow; and more than one process works at a time."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import SMTP

import pytest

from mailbot.domain.events import LetterKind, LetterStatus
from mailbot.domain.ticket import Status
from tests.kill.site import AGENT, LONG_LEASES, PATIENCE_SECONDS, Site, assert_nothing_lost_or_doubled

pytestmark = pytest.mark.kill

CUSTOMERS = 20
KILLING_SECONDS = 12.0
ROUNDS_AT_LEAST = 3


@contextmanager
def agent_at_work(site: Site) -> Iterator[None]:
    """The agent refuses every request of which a notice comes; each once, however often the notice comes."""
    end = threading.Event()
    answered: set[str] = set()

    def work() -> None:
        while not end.wait(0.3):
            for raw in site.servers.messages(AGENT):
                notice = BytesParser(policy=SMTP).parsebytes(raw)
                # All letters about a ticket have one subject; the echo of a decision asks for no other.
                ticket = str(notice["Subject"])
                if site.address in str(notice["From"]) and ticket not in answered:
                    answered.add(ticket)
                    site.agent_replies(raw, "#negar Fora do prazo.\n")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def kill_while_mails_flow(site: Site) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    customers = [site.servers.new_user("cliente") for _ in range(CUSTOMERS)]
    message_ids: list[str] = []

    def feed() -> None:
        for customer in customers:
            message_ids.append(site.customer_writes(customer))
            time.sleep(KILLING_SECONDS / CUSTOMERS * chance.uniform(0.2, 1.2))

    feeder = threading.Thread(target=feed)
    feeder.start()
    rounds = 0
    end = time.monotonic() + KILLING_SECONDS
    with agent_at_work(site):
        while rounds < ROUNDS_AT_LEAST or time.monotonic() < end:
            rounds += 1
            with site.daemon():
                site.wait(lambda now=rounds: len(started(site)) >= now, "the start of the daemon")
                # Mostly in the thick of it: what has piled up is worked off in the first second.
                time.sleep(chance.uniform(0, 0.9))
        feeder.join()
        with site.daemon() as process:
            site.wait(lambda: len(started(site)) > rounds, "the last start")
            site.wait(lambda: all_are_refused(site, len(customers)), "the end of all requests")
            site.wait(lambda: site.all_is_done() and not left_to_a_person(site), "the last letters")
            assert site.stop_politely(process) == 0
    assert_nothing_lost_or_doubled(site, message_ids, customers)
    for customer in customers:
        told = Counter(letter.letter for letter in site.letters() if letter.to == customer)
        assert told[LetterKind.DECISION] == 1
        assert told[LetterKind.TICKET_OPENED] == 1
    site.wait(lambda: not site.servers.messages(site.address), "an empty mailbox")


def left_to_a_person(site: Site) -> int:
    """A letter that was killed three times past DATA waits for a person, who has it sent again; how many did."""
    with site.storage() as storage:
        with storage.read() as work:
            waiting = work.outbox.browse(status=LetterStatus.NEEDS_PERSON)
        assert len(waiting) <= 3
        for letter in waiting:
            with storage.write() as work:
                assert work.outbox.retry(letter.message_id, now=datetime.now(UTC))
            site.sent_again.add(f"<{letter.message_id}>")
    return len(waiting)


def started(site: Site) -> list[dict[str, object]]:
    return site.log_lines("daemon.started") if site.log.exists() else []


def all_are_refused(site: Site, wanted: int) -> bool:
    # It may be the agent's notice that never came.
    left_to_a_person(site)
    tickets = site.tickets()
    return len(tickets) == wanted and all(ticket.status is Status.RESOLVED for ticket in tickets)


def test_killed_at_random_moments_it_loses_and_doubles_nothing(site: Site) -> None:
    kill_while_mails_flow(site)


def test_killed_at_random_moments_on_real_servers_it_loses_and_doubles_nothing(real_site: Site) -> None:
    kill_while_mails_flow(real_site)


@pytest.mark.parametrize("step", ["before the final dot", "after the final dot"])
def test_what_a_person_has_sent_again_brings_everything_to_its_end(site: Site, step: str) -> None:
    """What happens by chance above: the agent's notice and the customer's letter are each killed three times."""
    customer = site.servers.new_user("cliente")
    message_id = site.customer_writes(customer)
    dying = ["-m", "tests.kill.stopping", "--at", step, "--", "run", "--once"]
    while any(letter.status is not LetterStatus.NEEDS_PERSON for letter in site.letters()) or not site.letters():
        assert site.run(*dying) in (-signal.SIGKILL, 1)
    with agent_at_work(site), site.daemon() as process:
        site.wait(lambda: all_are_refused(site, 1), "the end of the request")
        site.wait(lambda: site.all_is_done() and not left_to_a_person(site), "the last letters")
        assert site.stop_politely(process) == 0
    assert len(site.sent_again) >= 2
    assert_nothing_lost_or_doubled(site, [message_id], [customer])


def test_two_daemons_and_commands_beside_them_do_everything_once(site: Site) -> None:
    customers = [site.servers.new_user("cliente") for _ in range(12)]
    message_ids = [site.customer_writes(customer) for customer in customers[:4]]
    with site.daemon() as first, site.daemon() as second:
        message_ids += [site.customer_writes(customer) for customer in customers[4:8]]
        beside = [site.start("-m", "mailbot", "run", "--once") for _ in range(2)]
        message_ids += [site.customer_writes(customer) for customer in customers[8:]]
        site.wait(lambda: len(site.tickets()) == 12 and site.all_is_done(), "all to be done")
        assert [process.wait(PATIENCE_SECONDS) for process in beside] == [0, 0]
        site.wait(lambda: len(site.log_lines("daemon.started")) == 2, "both to hear a signal")
        # The one that did nothing wakes and finds nothing.
        assert site.stop_politely(first) == 0
        last = site.customer_writes(customers[0])
        site.wait(lambda: len(site.tickets()) == 13 and site.all_is_done(), "the second to take over")
        assert site.stop_politely(second) == 0
    assert last
    assert_nothing_lost_or_doubled(site, message_ids, customers[1:])
    # Nobody died: no letter may have left twice, not even the same.
    for customer in customers:
        ours = [raw for raw in site.servers.messages(customer) if site.address.encode() in raw]
        assert len(ours) == len([letter for letter in site.letters() if letter.to == customer])


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="POSIX only")
def test_a_second_start_takes_over_at_once_what_a_killed_one_held(site: Site) -> None:
    customer = site.servers.new_user("cliente")
    site.customer_writes(customer)
    at = [*LONG_LEASES, "--at", "before examine", "--", "run"]
    assert site.run("-m", "tests.kill.stopping", *at) == -9
    with site.daemon() as process:
        site.wait(lambda: len(site.letters_to(customer)) == 1, "the letter")
        assert site.stop_politely(process) == 0
    [mail] = site.mails()
    assert (mail.deaths, mail.attempts) == (1, 0)
