"""Delivers every letter of a prepared outbox by the real flow, in a process of its own; prints JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from mailbot.bootstrap import build_app
from mailbot.cli.context import set_up_logging
from mailbot.settings import load_settings


async def _deliver_all() -> dict[str, float]:
    app = build_app(load_settings(dotenv=Path("none")))
    app.open_storage()
    delivery = app.delivery()
    app.database.close()
    started = time.perf_counter()
    count = await delivery.deliver_all()
    seconds = time.perf_counter() - started
    app.close()
    return {"sent": count.sent, "failed": count.failed, "seconds": seconds}


def main() -> None:
    """Run with the settings of the environment."""
    set_up_logging()
    sys.stdout.write(json.dumps(asyncio.run(_deliver_all())) + "\n")


if __name__ == "__main__":
    main()
