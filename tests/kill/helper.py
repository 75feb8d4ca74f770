"""``python -m tests.kill.helper``: a helper in a rush, with the misfortune that ``stopping.py`` told it of."""

from __future__ import annotations

from mailbot.cli.worker import main
from tests.kill.stopping import prepare_helper

if __name__ == "__main__":
    prepare_helper()
    main()
