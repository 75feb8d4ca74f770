"""The log of a real daemon on a bad day: each line an object with an action, and nobody's words or secrets."""

from __future__ import annotations

import json
import signal

import pytest

from tests.kill.site import ADMINISTRATOR, AGENT, PASSWORD, Site

pytestmark = pytest.mark.kill

STOPPING = ("-m", "tests.kill.stopping")
WORDS = "qpalavraqsigilosa"
TAX_ID = "529.982.247-25"


def test_each_line_is_an_object_and_none_holds_an_address_or_a_secret(site: Site) -> None:
    customer, poisoner = site.servers.new_user("qclientela"), site.servers.new_user("qveneno")
    site.customer_writes(customer, subject=f"Dúvida {WORDS}", text=f"CPF {TAX_ID}. {WORDS}")
    site.customer_writes(poisoner, text=f"poison {WORDS}")
    raising = [*STOPPING, "--at", "before read", "--how", "raise", "--mail", "poison", "--", "run"]
    with site.daemon(*raising) as process:
        site.wait(lambda: site.letters_to(customer) and site.log_lines("intake.attempt_failed"), "the letter")
        # A password that the server refuses, as when it was changed.
        assert site.stop_politely(process) == 0
    good = dict(site.settings)
    site.settings |= {name: good[name].replace("correct", "qwrong") for name in ("MAILBOT_IMAP_URL",)}
    with site.daemon() as process:
        site.wait(lambda: site.log_lines("collect.away"), "the refused log-in")
        assert site.stop_politely(process) == 0
    site.settings = good
    died = [*STOPPING, "--at", "before settle", "--how", "raise", "--", "run"]
    site.customer_writes(customer, text=WORDS)
    assert site.run(*died) not in (0, -signal.SIGKILL)
    told = site.log.read_text()
    for line in told.splitlines():
        event = json.loads(line)
        assert {"action", "event", "level", "timestamp"} <= event.keys(), line
    letters = site.letters()
    private = {WORDS, TAX_ID, "52998224725", customer, customer.partition("@")[0], poisoner, AGENT, ADMINISTRATOR}
    private |= {site.address, PASSWORD, "qwrong", site.settings["MAILBOT_SECRET_KEY"], "@example"}
    private |= {letter.message_id.partition("@")[0] for letter in letters}
    assert {one for one in private if one in told} == set()
    assert site.log_lines("daemon.loop_died")
    assert site.log_lines("run.error")
