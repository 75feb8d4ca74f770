"""``delivery``: letters a second to Postfix, claim, mark and result of each committed singly."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.benchmarks.household import fill, run, scratch, settings_on
from tests.benchmarks.mix import make_mix
from tests.benchmarks.options import Options
from tests.benchmarks.report import Figure
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix

_GOAL = 100
_MOST_MAILS = 600


def delivery(options: Options, dovecot: Dovecot, postfix: Postfix) -> Iterator[Figure]:
    """The letters that a mix of mails caused, all waiting; two connections, as the sample mailbox allows."""
    rates = [_rate(min(options.mails, _MOST_MAILS), dovecot, postfix) for _ in range(options.runs)]
    rate = statistics.median(rates)
    yield Figure(
        benchmark="delivery",
        what="letters to Postfix",
        value=rate,
        unit="a second",
        goal=f"≥ {_GOAL}",
        met=rate >= _GOAL,
        detail="runs: " + ", ".join(f"{one:.0f}" for one in rates),
    )


def _rate(mails: int, dovecot: Dovecot, postfix: Postfix) -> float:
    with scratch() as folder:
        address = fill(dovecot, "bot", make_mix(mails, "caixa@example.com.br"))
        settings = settings_on(folder, dovecot, postfix, address)
        run(["-m", "tests.benchmarks.intake_run"], settings, folder)
        said = run(["-m", "tests.benchmarks.delivery_run"], settings, folder).said
        if said["sent"] < mails // 2 or said["failed"]:
            raise AssertionError(f"the letters did not leave: {said}")
        return float(said["sent"] / said["seconds"])
