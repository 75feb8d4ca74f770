"""Processes forked off a fork server: each hears, says and ends for itself, and none outlives the program unasked.

A test's own process has threads and must not be forked, so what is tested runs in programs of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from mailbot.isolation.fork_server import ForkServer
from tests.peers.process import wait_until

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")

BEGINNING = """
import os, signal, sys, threading, time
from mailbot.isolation import fork_server as module
from mailbot.isolation.fork_server import ForkServer

# However busy the machine is; a test whose fork server says nothing shortens it.
module._TOLD_SECONDS = 60

known = "as it was"
prepared = 0

def prepare():
    global prepared
    prepared += 1

def say(reports, *words):
    reports.write(" ".join(map(str, words)).encode() + b"\\n")

def heard(forked):
    forked.wait_for_begin()
    forked.orders.close()
    said = forked.reports.read().decode().split()
    forked.wait()
    return said, forked.exit_code

def server_of(work):
    return ForkServer(name="forked", prepare=prepare, work=work)
"""


def start(program: str, folder: Path) -> subprocess.Popen[str]:
    file = folder / "program.py"
    file.write_text(BEGINNING + textwrap.dedent(program), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def said_by(program: str, folder: Path) -> list[str]:
    process = start(program, folder)
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    return output.split()


def is_gone(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_a_process_sees_the_program_as_it_was_and_says_how_it_ended(tmp_path: Path) -> None:
    program = """
        def work(orders, reports):
            say(reports, os.getpid(), known, prepared)
            return 7

        server = server_of(work)
        known = "changed"
        for _ in range(2):
            forked = server.begin()
            said, code = heard(forked)
            print(int(said[0]) == forked.pid != os.getpid(), *said[1:], code)
        server.close()
    """
    assert said_by(program, tmp_path) == ["True", "as", "it", "was", "1", "7"] * 2


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="needs Linux")
def test_where_memory_runs_out_it_goes_before_the_program_and_the_fork_server(tmp_path: Path) -> None:
    program = """
        def score(process):
            with open(f"/proc/{process}/oom_score_adj") as file:
                return int(file.read())

        def work(orders, reports):
            say(reports, score("self"), score(os.getppid()))
            return 0

        server = server_of(work)
        said, code = heard(server.begin())
        ours = score("self")
        print(int(said[0]) == min(1000, ours + 200), int(said[1]) == ours, code)
        server.close()
    """
    assert said_by(program, tmp_path) == ["True", "True", "0"]


def test_several_work_side_by_side_until_their_own_orders_end(tmp_path: Path) -> None:
    program = """
        def work(orders, reports):
            say(reports, "here")
            while orders.read(1):
                pass
            return 0

        server = server_of(work)
        ours = [server.begin() for _ in range(3)]
        for one in ours:
            one.wait_for_begin()
            print(one.reports.readline().decode())
        ours[1].orders.close()
        ours[1].wait()
        print(ours[1].exit_code, *[os.path.exists(f"/proc/{one.pid}") for one in ours])
    """
    assert said_by(program, tmp_path) == ["here", "here", "here", "0", "True", "False", "True"]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("sys.exit(3)", 3),
        ("sys.exit()", 0),
        ("os._exit(5)", 5),
    ],
)
def test_however_a_process_ends_its_program_hears_of_it(how: str, code: int, tmp_path: Path) -> None:
    program = f"""
        def work(orders, reports):
            {how}

        server = server_of(work)
        print(heard(server.begin()))
    """
    assert " ".join(said_by(program, tmp_path)) == f"([], {code})"


def test_an_error_ends_only_the_process_in_which_it_happens(tmp_path: Path) -> None:
    program = """
        def work(orders, reports):
            1 / 0

        server = server_of(work)
        print(heard(server.begin()), heard(server.begin()))
    """
    process = start(program, tmp_path)
    output, errors = process.communicate(timeout=120)
    assert output.strip() == "([], 1) ([], 1)"
    assert errors.count("ZeroDivisionError") == 2
    assert "division by zero" not in errors, "the words of an error may be somebody's"


def test_where_it_cannot_get_ready_nobody_waits_and_it_tries_again(tmp_path: Path) -> None:
    program = """
        errors = [SystemExit(1), OSError("no memory")]

        def prepare():
            if errors:
                raise errors.pop()

        server = server_of(lambda orders, reports: 7)
        print(*[heard(server.begin()) for _ in range(2)])
    """
    # The first time nothing was asked for.
    assert " ".join(said_by(program, tmp_path)) == "([], None) ([], 7)"


def test_a_fork_server_that_is_stopped_is_ended_and_keeps_nobody(tmp_path: Path) -> None:
    program = """
        def work(orders, reports):
            say(reports, "here")
            orders.read(1)
            return 0

        module._TOLD_SECONDS = 0.2
        server = server_of(work)
        forked = server.begin()
        forked.reports.readline()
        os.kill(server._pid, signal.SIGSTOP)
        print(*heard(forked))
        try:
            server.begin()
        except OSError:
            print("none")
    """
    assert " ".join(said_by(program, tmp_path)) == "[] None none"


def test_where_nobody_is_told_of_a_childs_end_a_fork_server_closes_all_the_same(tmp_path: Path) -> None:
    program = """
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        server = server_of(lambda orders, reports: 7)
        print(heard(server.begin())[1])
        server.close()
    """
    assert said_by(program, tmp_path) == ["7"]


def test_what_cannot_be_forked_does_not_begin_and_the_next_may(tmp_path: Path) -> None:
    program = """
        fork, refused = os.fork, []

        def forks():
            if os.getpid() != program and not refused:
                refused.append(None)
                raise BlockingIOError("Resource temporarily unavailable")
            return fork()

        os.fork, program = forks, os.getpid()
        server = server_of(lambda orders, reports: 7)
        print(heard(server.begin()), heard(server.begin()))
    """
    assert " ".join(said_by(program, tmp_path)) == "([], None) ([], 7)"


def test_a_fork_server_that_hangs_is_ended_with_what_it_was_asked_for(tmp_path: Path) -> None:
    program = """
        def prepare():
            time.sleep(60)

        server = server_of(lambda orders, reports: 0)
        forked = server.begin()
        forked.kill()
        print(heard(forked))
        try:
            server.begin()
        except OSError:
            print("none")
    """
    assert " ".join(said_by(program, tmp_path)) == "([], None) none"


def test_it_gets_ready_before_anything_is_asked_for(tmp_path: Path) -> None:
    program = f"""
        def prepare():
            open({str(tmp_path / "ready")!r}, "w").close()

        server = ForkServer(name="forked", prepare=prepare, work=lambda orders, reports: 0)
        give_up_at = time.monotonic() + 60
        while not os.path.exists({str(tmp_path / "ready")!r}) and time.monotonic() < give_up_at:
            time.sleep(0.01)
        print(os.path.exists({str(tmp_path / "ready")!r}), heard(server.begin()))
    """
    assert " ".join(said_by(program, tmp_path)) == "True ([], 0)"


def test_what_has_threads_is_not_forked() -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait, daemon=True)
    thread.start()
    try:
        with pytest.raises(OSError, match="threads"):
            ForkServer(name="forked", prepare=lambda: None, work=lambda _orders, _reports: 0)
    finally:
        end.set()
        thread.join()


def test_no_descriptor_is_left_over_in_program_fork_server_or_process(tmp_path: Path) -> None:
    program = """
        def descriptors(process):
            return len(os.listdir(f"/proc/{process}/fd"))

        def work(orders, reports):
            say(reports, descriptors("self"))
            return 0

        server = server_of(work)
        before = descriptors("self")
        for _ in range(20):
            heard(server.begin())
        print(descriptors("self") - before)
        give_up_at = time.monotonic() + 60
        # Standard streams, what it is asked by, and what wakes it; what it has just given it may hold still.
        while descriptors(server._pid) != 6 and time.monotonic() < give_up_at:
            time.sleep(0.01)
        print(descriptors(server._pid))
        # Standard streams, orders, reports, and the folder that is being listed.
        print(*heard(server.begin())[0])
    """
    assert said_by(program, tmp_path) == ["0", "6", "6"]


def test_signals_to_the_whole_group_are_for_the_program_to_answer(tmp_path: Path) -> None:
    program = """
        def work(orders, reports):
            say(reports, os.getpid())
            orders.read(1)
            say(reports, "asked", "to", "go")
            return 0

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        server = server_of(work)
        forked = server.begin()
        forked.reports.readline()
        for number in (signal.SIGINT, signal.SIGTERM):
            os.killpg(0, number)
        print(*heard(forked))
        print(heard(server.begin())[1])
    """
    assert " ".join(said_by(program, tmp_path)) == "['asked', 'to', 'go'] 0 0"


def test_of_a_killed_program_only_what_has_work_to_finish_is_left_and_then_nothing(tmp_path: Path) -> None:
    program = """
        def work(orders, reports):
            # The program's end is the end of the orders.
            orders.read(1)
            time.sleep(0.5)
            return 0

        server = server_of(work)
        forked = server.begin()
        forked.wait_for_begin()
        print(forked.pid, server._pid, flush=True)
        time.sleep(60)
    """
    process = start(program, tmp_path)
    assert process.stdout is not None
    forked, server = map(int, process.stdout.readline().split())
    process.kill()
    process.communicate(timeout=120)
    wait_until(lambda: is_gone(server), "the fork server to go")
    wait_until(lambda: is_gone(forked), "the process to go")


def test_a_process_whose_fork_server_is_killed_goes_on_and_ends_with_nobody_knowing_how(tmp_path: Path) -> None:
    program = """
        def work(orders, reports):
            say(reports, "here")
            orders.read(1)
            say(reports, "still")
            return 0

        server = server_of(work)
        forked = server.begin()
        forked.reports.readline()
        os.kill(server._pid, signal.SIGKILL)
        print(*heard(forked))
        server.close()
    """
    assert " ".join(said_by(program, tmp_path)) == "['still'] None"


def test_standard_output_is_the_programs_alone(tmp_path: Path) -> None:
    program = """
        def work(orders, reports):
            print("for the log", flush=True)
            say(reports, sys.stdin.read() == "")
            return 0

        server = server_of(work)
        print(heard(server.begin()))
    """
    process = start(program, tmp_path)
    output, errors = process.communicate(timeout=120)
    assert (output.strip(), errors.strip()) == ("(['True'], 0)", "for the log")


def test_a_program_without_standard_streams_has_helpers_too(tmp_path: Path) -> None:
    program = f"""
        for stream in (0, 1, 2):
            os.close(stream)

        def work(orders, reports):
            print("nowhere")
            return 3

        server = server_of(work)
        _, code = heard(server.begin())
        open({str(tmp_path / "code")!r}, "w").write(str(code))
    """
    start(program, tmp_path).communicate(timeout=120)
    assert (tmp_path / "code").read_text() == "3"


def test_a_process_may_have_children_of_its_own(tmp_path: Path) -> None:
    program = """
        import subprocess

        def work(orders, reports):
            say(reports, subprocess.run([sys.executable, "-c", "raise SystemExit(4)"]).returncode)
            return 0

        server = server_of(work)
        print(heard(server.begin()))
    """
    assert " ".join(said_by(program, tmp_path)) == "(['4'], 0)"


def test_it_bears_its_name(tmp_path: Path) -> None:
    program = """
        def work(orders, reports):
            say(reports, open("/proc/self/comm").read())
            return 0

        server = server_of(work)
        print(heard(server.begin())[0])
    """
    if not Path("/proc/self/comm").exists():
        pytest.skip("this system has no /proc")
    assert said_by(program, tmp_path) == ["['forked']"]
