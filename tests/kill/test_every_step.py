"""The process is killed at every step that has a name; a clean round afterwards puts everything right."""

from __future__ import annotations

import signal

import pytest

from mailbot.domain.events import LetterStatus
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST
from tests.kill.site import AGENT, OTHER_AGENT, Site, assert_nothing_lost_or_doubled
from tests.kill.stopping import NOTICE_STEPS, STEPS

pytestmark = pytest.mark.kill


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_loses_and_doubles_nothing(site: Site, step: str) -> None:
    customer = site.servers.new_user("cliente")
    message_id = site.customer_writes(customer)
    stopped = site.run("-m", "tests.kill.stopping", "--at", step, "--", "run", "--once")
    assert stopped == -signal.SIGKILL, site.log.read_text()
    site.round()
    assert_nothing_lost_or_doubled(site, [message_id], [customer])
    assert not site.servers.messages(site.address), "the mail was not settled"
    assert len(site.servers.messages(site.address, "Processados")) == 1
    # A second clean round finds nothing to do.
    before = (site.mails(), site.letters())
    site.round()
    assert (site.mails(), site.letters()) == before


@pytest.mark.parametrize("step", NOTICE_STEPS)
def test_killed_while_a_notices_pages_are_drawn_it_shows_them_all_the_same(site: Site, step: str) -> None:
    customer = site.servers.new_user("cliente")
    message_id = site.customer_writes(customer, "ALTERAÇÃO DE LOCAL", REQUEST, files=(BOLETO, RECEIPT, LICENCE))
    stopped = site.run("-m", "tests.kill.stopping", "--at", step, "--", "run", "--once")
    assert stopped == -signal.SIGKILL, site.log.read_text()
    site.round()
    assert_nothing_lost_or_doubled(site, [message_id], [customer])
    notices = [contents for agent in (AGENT, OTHER_AGENT) for contents in site.letters_to(agent).values()]
    assert notices
    for contents in notices:
        assert len(contents) == 1
        assert str(contents).count("Content-ID: <mbpage-") == 3
        assert "-p1.jpg" in str(contents)


def test_after_three_unknown_outcomes_a_person_must_look(site: Site) -> None:
    customer = site.servers.new_user("cliente")
    site.customer_writes(customer)
    for _ in range(3):
        at = ["--at", "after the final dot", "--", "run", "--once"]
        assert site.run("-m", "tests.kill.stopping", *at) == -signal.SIGKILL
    site.round()
    [status] = {letter.status for letter in site.letters() if letter.to == customer}
    assert status is LetterStatus.NEEDS_PERSON
    copies = site.letters_to(customer)
    assert len(copies) == 1
    assert all(len(contents) == 1 for contents in copies.values())
    site.round()
    assert site.letters_to(customer) == copies
