"""A kept child that breaks, hangs, lies or loses its parent costs one question and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from mailbot.isolation.asking import ChildFailed
from mailbot.isolation.frames import as_text, as_type, expect_frame, parse_mapping, write_json
from mailbot.isolation.kept_child import KeptChild
from tests.peers.process import wait_until

MODULE = "tests.isolation.scripted_child"
PARENT = f"""
from mailbot.isolation.frames import write_json
from mailbot.isolation.kept_child import KeptChild
child = KeptChild({MODULE!r}, memory_limit_bytes=1 << 30, time_limit_seconds=60)
child.ask(lambda target: write_json(target, dict(do="echo")), lambda source: source.read(10))
print(child._child.pid, flush=True)
child.ask(lambda target: write_json(target, dict(do="spin")), lambda source: source.read(1))
"""


@pytest.fixture
def child() -> Iterator[KeptChild]:
    made = KeptChild(MODULE, memory_limit_bytes=1 << 30, time_limit_seconds=20)
    yield made
    made.close()


def ask(child: KeptChild, order: str, *, keep: bool = True) -> int:
    """The id of the process that answered."""

    def received(source: IO[bytes]) -> int:
        answer = parse_mapping(expect_frame(source, 1000))
        assert as_text(answer["echo"]) == order
        return as_type(answer["process"], int)

    return child.ask(lambda target: write_json(target, {"do": order}), received, keep=keep)


def test_one_process_answers_many_questions(child: KeptChild) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: ask(child, "echo"), range(20)))) == 1


@pytest.mark.parametrize("order", ["die", "babble", "eat"])
def test_a_child_that_breaks_is_replaced_and_costs_one_question(child: KeptChild, order: str) -> None:
    first = ask(child, "echo")
    with pytest.raises(ChildFailed):
        ask(child, order)
    assert ask(child, "echo") != first
    assert not Path(f"/proc/{first}").exists()


def test_a_child_that_hangs_is_ended_in_time() -> None:
    child = KeptChild(MODULE, memory_limit_bytes=1 << 30, time_limit_seconds=0.5)
    # By the clock: the limit of processor time, which comes a second later, would say something else.
    with pytest.raises(ChildFailed, match="too long"):
        ask(child, "spin")
    child.close()


def test_an_answer_that_is_refused_costs_the_child(child: KeptChild) -> None:
    def refuse(_: IO[bytes]) -> None:
        raise KeyError("refused")

    first = ask(child, "echo")
    with pytest.raises(KeyError):
        child.ask(lambda target: write_json(target, {"do": "echo"}), refuse)
    assert ask(child, "echo") != first


def test_a_child_that_is_not_to_be_kept_is_gone(child: KeptChild) -> None:
    assert not Path(f"/proc/{ask(child, 'echo', keep=False)}").exists()


def test_a_child_that_keeps_much_memory_is_gone_after_its_answer(child: KeptChild) -> None:
    assert not Path(f"/proc/{ask(child, 'hoard')}").exists()


def out_of_memory_score(process: int | str) -> int:
    return int(Path(f"/proc/{process}/oom_score_adj").read_text())


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="needs Linux")
def test_where_memory_runs_out_the_child_goes_before_its_parent(child: KeptChild) -> None:
    ours = out_of_memory_score("self")
    assert out_of_memory_score(ask(child, "echo")) == min(1000, ours + 200)


def test_a_busy_child_does_not_outlive_a_killed_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        process = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait(60)
        wait_until(lambda: not _is_alive(process), "the child to go")


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_has_the_limits_that_were_given_and_nothing_of_ours(
    child: KeptChild, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAILBOT_SECRET_KEY", "segredo")
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        process = ask(child, "echo")
        links = [str(one.readlink()) for one in Path(f"/proc/{process}/fd").iterdir()]
    assert not any(link.endswith("/ours") for link in links)
    assert b"segredo" not in Path(f"/proc/{process}/environ").read_bytes()
    limits = Path(f"/proc/{process}/limits").read_text().splitlines()
    assert any(line.split()[:4] == ["Max", "address", "space", str(1 << 30)] for line in limits)
    (cpu,) = (line.split()[3] for line in limits if line.startswith("Max cpu time"))
    assert 20 <= int(cpu) <= 25
