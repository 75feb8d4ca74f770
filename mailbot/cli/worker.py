"""``python -m mailbot.cli.worker``: a helper's process (see ``mailbot/worker.py``); nobody starts it by hand.

The daemon's settings come as one line of JSON on standard input, which then stays open until the helper is to go.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mailbot.bootstrap import build_app
from mailbot.cli.context import set_up_logging
from mailbot.settings import load_settings
from mailbot.worker import work_off

_NO_DOTENV = Path("/nonexistent/.env")


def main() -> None:
    """Work until the input ends."""
    set_up_logging()
    environment = json.loads(sys.stdin.buffer.readline() or b"{}")
    app = build_app(load_settings(environment, dotenv=_NO_DOTENV))
    try:
        work_off(app, sys.stdin.buffer, sys.stdout.buffer, early="--early" in sys.argv[1:])
    finally:
        app.close()


if __name__ == "__main__":
    main()
