"""A ruling ↔ JSON. Unknown keys in stored JSON are ignored, absent ones take defaults."""

from __future__ import annotations

from typing import Any

from mailbot.domain.guidance import FactUsed, Ruling, RulingAction


def ruling_to_json(ruling: Ruling | None) -> dict[str, Any] | None:
    """The ruling as it is kept on its ticket."""
    if ruling is None:
        return None
    return {
        "action": ruling.action.value,
        "row": ruling.row,
        "guidance": ruling.guidance,
        "note": ruling.note,
        "facts": [{"name": one.name, "value": one.value, "certain": one.certain} for one in ruling.facts],
        "doubts": list(ruling.doubts),
        "asks": list(ruling.asks),
        "asks_first": ruling.asks_first,
        "not_needed": list(ruling.not_needed),
        "opens": ruling.opens,
        "linked_ticket": ruling.linked_ticket,
    }


def ruling_from_json(data: dict[str, Any] | None) -> Ruling | None:
    """The ruling as it was kept; ``ValueError`` for an action of a newer version."""
    if data is None:
        return None
    return Ruling(
        action=RulingAction(data["action"]),
        row=data["row"],
        guidance=data.get("guidance", ""),
        note=data.get("note", ""),
        facts=tuple(_fact(one) for one in data.get("facts", ())),
        doubts=tuple(data.get("doubts", ())),
        asks=tuple(data.get("asks", ())),
        asks_first=data.get("asks_first", False),
        not_needed=tuple(data.get("not_needed", ())),
        opens=data.get("opens", ""),
        linked_ticket=data.get("linked_ticket", ""),
    )


def _fact(data: dict[str, Any]) -> FactUsed:
    return FactUsed(name=data["name"], value=data["value"], certain=data.get("certain", True))
