"""``intake`` and ``once``: the product and the bare loop over the same mails, in turn, as a ratio of medians."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.household import Usage, fill, run, scratch, settings_on
from tests.benchmarks.mix import make_mix
from tests.benchmarks.options import Options
from tests.benchmarks.report import Figure, say
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix

_HERE = Path(__file__).parent
_GOAL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One pass over the mix."""

    mails: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds


def intake(options: Options, dovecot: Dovecot) -> Iterator[Figure]:
    """Mailbox → committed ticket and queued letter, against the bare loop."""
    pairs = _in_turn(options, lambda: _bare(options, dovecot), lambda: collect_and_intake(options, dovecot))
    yield from _ratios("intake", *pairs)


def once(options: Options, dovecot: Dovecot, postfix: Postfix) -> Iterator[Figure]:
    """``mailbot run --once`` with delivery of all letters to Postfix, an empty run's time subtracted."""
    pairs = _in_turn(options, lambda: _bare(options, dovecot), lambda: _once(options, dovecot, postfix))
    yield from _ratios("once", *pairs)


def _in_turn(options: Options, bare: Callable[[], Run], product: Callable[[], Run]) -> tuple[list[Run], list[Run]]:
    bares, products = [], []
    for number in range(options.runs):
        bares.append(bare())
        products.append(product())
        say(
            f"  run {number + 1}: bare loop {bares[-1].rate:.0f} mails/s ({bares[-1].cpu_seconds:.1f} CPU s), "
            f"product {products[-1].rate:.0f} mails/s ({products[-1].cpu_seconds:.1f} CPU s)"
        )
    return bares, products


def _ratios(name: str, bare: Sequence[Run], product: Sequence[Run]) -> Iterator[Figure]:
    ratio = median_rate(product) / median_rate(bare)
    rates = f"{median_rate(product):.0f} of {median_rate(bare):.0f} mails/s, {product[0].mails} mails"
    yield Figure(
        benchmark=name,
        what="part of the bare loop",
        value=ratio,
        goal=f"≥ {_GOAL}",
        met=ratio >= _GOAL,
        detail=rates,
    )
    cpu = statistics.median(r.cpu_seconds for r in bare) / statistics.median(r.cpu_seconds for r in product)
    yield Figure(benchmark=name, what="the same in CPU time of the process", value=cpu)


def median_rate(runs: Sequence[Run]) -> float:
    """Mails a second."""
    return statistics.median(one.rate for one in runs)


def _bare(options: Options, dovecot: Dovecot) -> Run:
    with scratch() as folder:
        address = fill(dovecot, "bare", make_mix(options.mails, "caixa@example.com.br"))
        arguments = ["127.0.0.1", str(dovecot.imap_port), address, dovecot.users[address], str(folder)]
        done = run([str(_HERE / "bare_loop.py"), *arguments], {}, folder)
        return _counted(done.said, options.mails)


def collect_and_intake(options: Options, dovecot: Dovecot, **further: str) -> Run:
    """One pass of the product without delivery; ``further`` are settings without their prefix."""
    with scratch() as folder:
        address = fill(dovecot, "bot", make_mix(options.mails, "caixa@example.com.br"))
        profile = [str(options.profile)] if options.profile else []
        settings = settings_on(folder, dovecot, None, address)
        settings |= {f"MAILBOT_{name.upper()}": value for name, value in further.items()}
        done = run(["-m", "tests.benchmarks.intake_run", *profile], settings, folder)
        _check(done.said, options.mails)
        return _counted({**done.said, "mails": done.said["processed"]}, options.mails)


def _once(options: Options, dovecot: Dovecot, postfix: Postfix) -> Run:
    with scratch() as folder:
        address = fill(dovecot, "bot", make_mix(options.mails, "caixa@example.com.br"))
        settings = settings_on(folder, dovecot, postfix, address)
        full = run(["-m", "mailbot", "run", "--once", "--json"], settings, folder)
        _check(full.said, options.mails)
        if full.said["letters_sent"] < options.mails // 2 or full.said["letters_failed"]:
            raise AssertionError(f"the letters did not leave: {full.said}")
        empty = _empty_run(settings, folder)
        return Run(
            mails=options.mails,
            seconds=full.seconds - empty.seconds,
            cpu_seconds=full.cpu_seconds - empty.cpu_seconds,
        )


def _empty_run(settings: dict[str, str], folder: Path) -> Usage:
    return run(["-m", "mailbot", "run", "--once", "--json"], settings, folder)


def _check(said: dict[str, int], mails: int) -> None:
    if said["processed"] != mails or said["quarantined"] or said["tickets_opened"] < mails // 3:
        raise AssertionError(f"the product did not do its work: {said}")


def _counted(said: dict[str, float], mails: int) -> Run:
    if said["mails"] != mails:
        raise AssertionError(f"not all mails were taken: {said}")
    return Run(mails=mails, seconds=said["seconds"], cpu_seconds=said["cpu_seconds"])
