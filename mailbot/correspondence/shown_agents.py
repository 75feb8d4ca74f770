"""What requesters see of the agents who answer them: ``(agent, LetterDesk) -> name``, and no address of theirs.

Who stands below a letter is a setting of ``staff.yaml``; letters themselves always come from the mailbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mailbot.catalogue.staff import ShownAgents
from mailbot.correspondence.planned import LetterDesk
from mailbot.domain.mail import Address

_BEFORE = r"(?<![\w.+%-])"
_AFTER = r"(?![\w-]|\.\w)"


def shown_name(agent: Address | None, desk: LetterDesk) -> str:
    """How a letter to a requester names the agent; nothing where only the queue is named."""
    if agent is None:
        return ""
    staff = desk.catalogue.staff
    spec = staff.agent(staff.agent_key_for(agent.address) or "")
    if spec is not None and spec.shown_as:
        return spec.shown_as
    return "" if staff.show_agents is ShownAgents.QUEUE else agent.name


def without_agents_addresses(text: str, desk: LetterDesk) -> str:
    """``text`` with the mailbox's address in place of every agent's: what is answered to those is seen by nobody
    else. Unchanged where ``staff.yaml`` lets them stand."""
    staff = desk.catalogue.staff
    if not staff.hide_agents_addresses or "@" not in text:
        return text
    return _any_of(agent.address for agent in staff.agents).sub(desk.mailbox_address, text)


def _any_of(addresses: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(addresses, key=len, reverse=True)
    return re.compile(_BEFORE + "(?:" + "|".join(map(re.escape, longest_first)) + ")" + _AFTER, re.IGNORECASE)
