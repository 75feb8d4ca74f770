"""Houses whose staff and request types are a test's own: the sample configuration with some lines changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.flows.house import REPOSITORY

ANA, BRUNO, CARLA = "ana@example.com.br", "bruno@example.com.br", "carla@example.com.br"


def config(
    folder: Path, *, queue: dict[str, Any] | None = None, kind: dict[str, Any] | None = None, **staff: Any
) -> Path:
    """A copy of the sample configuration with three agents in the queue ``geral``; ``queue`` and ``kind`` are laid
    over that queue and the type ``general``, ``staff`` over ``staff.yaml``."""
    target = folder / "config"
    shutil.copytree(REPOSITORY / "config", target)
    path = target / "staff.yaml"
    content = yaml.safe_load(path.read_text())
    general = next(one for one in content["queues"] if one["key"] == "geral")
    general |= {"notify": []} | (queue or {})
    content["agents"] = [
        {"key": name, "name": name.capitalize(), "address": f"{name}@example.com.br"}
        for name in ("ana", "bruno", "carla")
    ]
    path.write_text(yaml.safe_dump(content | staff, allow_unicode=True))
    path = target / "catalogue" / "general.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | (kind or {}), allow_unicode=True))
    return target
