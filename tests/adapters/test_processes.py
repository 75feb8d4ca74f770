"""Whether the owner of a claim still lives: known for sure, or not claimed to be known."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mailbot.adapters import processes
from mailbot.adapters.processes import is_dead, this_process

_SAY_NAME = "from mailbot.adapters.processes import this_process; print(this_process())"


def _name_of_a_process_that_ended() -> str:
    done = subprocess.run([sys.executable, "-c", _SAY_NAME], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_this_process_lives() -> None:
    assert not is_dead(this_process())


def test_a_process_of_this_host_that_ended_is_dead() -> None:
    assert is_dead(_name_of_a_process_that_ended())


def test_a_process_of_another_kernel_is_not_taken_for_dead_whatever_its_host_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = _name_of_a_process_that_ended()
    assert is_dead(name)
    monkeypatch.setattr(processes, "_boot_id", lambda: "another host, or this one before its last boot")
    assert not is_dead(name)


def test_a_process_that_ended_is_dead_though_the_host_was_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    name = _name_of_a_process_that_ended()
    monkeypatch.setattr(processes, "_host_name", lambda: "another-name")
    assert is_dead(name)


def test_a_process_that_is_hidden_from_us_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    name = this_process()
    monkeypatch.setattr(processes, "_start_time", lambda _pid: "")
    assert not is_dead(name)


def test_another_process_with_the_id_of_one_that_ended_does_not_stand_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = this_process()
    monkeypatch.setattr(processes, "_start_time", lambda _pid: "1")
    assert is_dead(name)


def test_two_containers_with_one_host_name_do_not_take_each_other_for_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = _name_of_a_process_that_ended()
    monkeypatch.setattr(processes, "_pid_namespace", lambda: "4026531000")
    assert not is_dead(name)


@pytest.mark.parametrize("name", ["", "another host", "host|boot|1|2|3", "a|b|c|d|e|f|g"])
def test_a_name_that_says_nothing_is_not_taken_for_dead(name: str) -> None:
    assert not is_dead(name)
