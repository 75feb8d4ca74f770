"""``python -m tests.soak.daemon run``: mailbot with one number raised, how many notices an agent gets in an hour.

Beyond it an agent gets summaries, which nobody can answer with a decision; here two agents decide on thousands of
tickets in an hour.
"""

from __future__ import annotations

import inspect

from mailbot.domain.outbox import LetterCaps

_NOTICES = 1_000_000


def raise_the_cap() -> None:
    """For this process."""
    defaults = inspect.unwrap(LetterCaps.__init__).__kwdefaults__
    assert defaults is not None
    defaults["notices_per_agent_and_hour"] = _NOTICES
    assert LetterCaps().notices_per_agent_and_hour == _NOTICES


if __name__ == "__main__":
    raise_the_cap()
    from mailbot.cli.main import main

    main()
