"""``python -m tests.soak.helper``: a helper of ``tests.soak.daemon`` in a rush, with the same number raised."""

from __future__ import annotations

from mailbot.cli.worker import main
from tests.soak.daemon import raise_the_cap

if __name__ == "__main__":
    raise_the_cap()
    main()
