"""One round of the product without delivery, in a process of its own: mailbox → tickets and queued letters.

Prints JSON; the clock runs from the first look at the mailbox to the last commit. With a file's name as the
argument a profile is left there.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import resource
import sys
import time
from dataclasses import asdict
from pathlib import Path
from unittest.mock import patch

from mailbot.bootstrap import build_app
from mailbot.cli.context import set_up_logging
from mailbot.cli.helpers_of_run import fork_server_of
from mailbot.flows.delivery import DeliveryCount
from mailbot.mime.isolation import keep_large_memory_apart
from mailbot.round import run_once
from mailbot.settings import load_settings


class _NoDelivery:
    """Leaves every letter in the outbox."""

    async def run_round(self, stop: asyncio.Event, _bell: asyncio.Event, **_: object) -> DeliveryCount:
        """Nothing."""
        await stop.wait()
        return DeliveryCount()


def _cpu_seconds() -> float:
    """Processor time of this process and of the helpers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Run with the settings of the environment."""
    set_up_logging()
    app = build_app(load_settings(dotenv=Path("none")))
    keep_large_memory_apart()
    app.fork_server = fork_server_of(app, for_a_round=True)
    # Tables are made before the clock starts: the yardstick's are, too.
    app.open_storage()
    app.database.close()
    with patch.object(app, "delivery", _NoDelivery):
        profile = cProfile.Profile() if len(sys.argv) > 1 else None
        before = _cpu_seconds()
        started = time.perf_counter()
        if profile is not None:
            profile.enable()
        count = run_once(app)
        if profile is not None:
            profile.disable()
            profile.dump_stats(sys.argv[1])
        seconds = time.perf_counter() - started
    app.close()
    cpu_seconds = _cpu_seconds() - before
    sys.stdout.write(json.dumps({**asdict(count), "seconds": seconds, "cpu_seconds": cpu_seconds}) + "\n")


if __name__ == "__main__":
    main()
