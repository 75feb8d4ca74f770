"""One round of the product without delivery, in a process of its own: mailbox → tickets and queued letters.

Prints JSON; the clock runs from the first look at the mailbox to the last commit. With a file's name as the
argument a profile is left there.
"""

from __future__ import annotations

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
from mailbot.flows.delivery import DeliveryCount
from mailbot.round import run_once
from mailbot.settings import load_settings


class _NoDelivery:
    """Leaves every letter in the outbox."""

    async def deliver_all(self) -> DeliveryCount:
        """Nothing."""
        return DeliveryCount()


def main() -> None:
    """Run with the settings of the environment."""
    set_up_logging()
    app = build_app(load_settings(dotenv=Path("none")))
    # Tables are made before the clock starts: the yardstick's are, too.
    app.database.close()
    with patch.object(app, "delivery", _NoDelivery):
        profile = cProfile.Profile() if len(sys.argv) > 1 else None
        before = resource.getrusage(resource.RUSAGE_SELF)
        started = time.perf_counter()
        if profile is not None:
            profile.enable()
        count = run_once(app)
        if profile is not None:
            profile.disable()
            profile.dump_stats(sys.argv[1])
        seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    app.close()
    cpu_seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    sys.stdout.write(json.dumps({**asdict(count), "seconds": seconds, "cpu_seconds": cpu_seconds}) + "\n")


if __name__ == "__main__":
    main()
