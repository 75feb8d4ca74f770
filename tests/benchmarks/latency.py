"""``latency``: from a mail's arrival at the MX to the first letter accepted by the submission server.

Postfix takes the mail, hands it to Dovecot by LMTP, Dovecot rings (IDLE), mailbot does the rest.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.benchmarks.daemon import Recorder, processed, running_daemon
from tests.benchmarks.household import fill, scratch, settings
from tests.benchmarks.mix import small_mail
from tests.benchmarks.options import Options
from tests.benchmarks.report import Figure
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until

_GOAL_SECONDS = 1.0
_MAILS = 100
_BOMB_MAILS = 5000
_OTHERS = 40
_SENDER_DOMAIN = "cliente.example.com.br"


def latency(
    options: Options, dovecot: Dovecot, postfix: Postfix, database_url: str | None = None
) -> Iterator[Figure]:
    """100 mails one after another at random intervals; then 40 while one sender's thousands are worked off.

    With the URL of an empty database the calm part only, there.
    """
    mails = min(_MAILS, options.mails)
    bomb = min(_BOMB_MAILS, options.mails * 5 // 2)
    with scratch() as folder, Recorder() as recorder:
        address = fill(dovecot, "bot", [])
        given = _settings(folder, dovecot, recorder, address, database_url)
        with running_daemon(given, folder):
            wait_until(
                lambda: "first_contact" in (folder / "daemon.log").read_text(), "the first look", seconds=30
            )
            calm = [_latency(postfix, recorder, address, number) for number in range(mails)]
            if database_url is not None:
                yield from _figures("p95 of an arrival on PostgreSQL", calm, f"{mails} mails")
                return
            dovecot.append_all(
                address, (small_mail(number, address, f"bomba@{_SENDER_DOMAIN}", seed=2) for number in range(bomb))
            )
            begun = processed(folder)
            under_fire = [_latency(postfix, recorder, address, mails + number) for number in range(_OTHERS)]
            done = processed(folder) - begun
    yield from _figures("p95 of an arrival", calm, f"{mails} mails")
    detail = f"{_OTHERS} mails while {done} of the others were worked off"
    yield from _figures(f"the same beside {bomb} mails of one sender", under_fire, detail, is_asked=False)


def _settings(
    folder: Path, dovecot: Dovecot, recorder: Recorder, address: str, database_url: str | None
) -> dict[str, str]:
    login = f"{quote(address, safe='')}:{quote(dovecot.users[address], safe='')}"
    return settings(
        folder,
        imap_url=f"imap://{login}@127.0.0.1:{dovecot.imap_port}/INBOX",
        smtp_url=f"smtp://127.0.0.1:{recorder.port}",
        address=address,
        database_url=database_url,
    )


def _latency(postfix: Postfix, recorder: Recorder, address: str, number: int) -> float:
    """Seconds for one mail of a new sender."""
    time.sleep(random.uniform(0.05, 0.5))
    sender = f"pessoa{number}@{_SENDER_DOMAIN}"
    raw = small_mail(number, address, sender)
    postfix.deliver(sender, [address], raw)
    arrived = time.perf_counter()
    wait_until(lambda: sender in recorder.accepted_at, f"a letter to {sender}", seconds=120)
    return recorder.accepted_at[sender] - arrived


def _figures(what: str, seconds: list[float], detail: str, *, is_asked: bool = True) -> Iterator[Figure]:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    spread = f"p50 {statistics.median(seconds):.3f} s, slowest {max(seconds):.3f} s; {detail}"
    if is_asked:
        goal, met = f"< {_GOAL_SECONDS:g} s", p95 < _GOAL_SECONDS
        yield Figure(benchmark="latency", what=what, value=p95, unit="s", goal=goal, met=met, detail=spread)
    else:
        yield Figure(benchmark="latency", what=what, value=p95, unit="s", detail=spread)
