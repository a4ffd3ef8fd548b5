"""A program kept alive and asked line by line, with small Python programs in Java's place; and sharing one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reelbench.tasks.metrics.caption.java import JavaError, LineProgram, jar, run_once
from reelbench.tasks.metrics.caption.sharing import SOCKET, ask_parent, serve

ECHO = """
import sys, time, os
sys.stdin.reconfigure(encoding="utf-8"); sys.stdout.reconfigure(encoding="utf-8")
for line in sys.stdin:
    if line == "die\\n": sys.exit("out of luck")
    if line == "sleep\\n": time.sleep(60)
    print(line.rstrip("\\n").upper()[:20], flush=True)
"""


@pytest.fixture
def program() -> Iterator[LineProgram]:
    program = LineProgram("ECHO", [sys.executable, "-c", ECHO], start_timeout_s=20, reply_timeout_s=0.5)
    yield program
    program.close()


def test_it_starts_when_asked_and_stays(program: LineProgram) -> None:
    assert program.pid is None
    assert program.ask(["a", "café"]) == ["A", "CAFÉ"]
    pid = program.pid
    assert program.ask(["b"]) == ["B"]
    assert program.pid == pid


def test_nothing_asked_starts_nothing(program: LineProgram) -> None:
    assert program.ask([]) == []
    assert program.pid is None


def test_thousands_of_long_lines_do_not_block_it(program: LineProgram) -> None:
    lines = [f"{k} " + "word " * 500 for k in range(3000)]
    assert [reply.split()[0] for reply in program.ask(lines)] == [str(k) for k in range(3000)]


def test_a_late_reply_is_an_error_and_the_next_question_is_answered(program: LineProgram) -> None:
    program.ask(["warm"])
    with pytest.raises(JavaError, match=r"ECHO was killed: no reply within 0\.5 s"):
        program.ask(["a", "sleep", "b"])
    assert program.ask(["c"]) == ["C"]


def test_a_death_is_reported_with_its_last_words_and_the_next_question_is_answered(
    program: LineProgram,
) -> None:
    with pytest.raises(JavaError, match="ECHO died: out of luck"):
        program.ask(["a", "die", "b"])
    assert program.ask(["c"]) == ["C"]


def test_one_killed_from_outside_is_started_again(program: LineProgram) -> None:
    program.ask(["a"])
    pid = program.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert program.ask(["b"]) == ["B"]


def test_threads_get_their_own_answers(program: LineProgram) -> None:
    answers: dict[int, list[str]] = {}

    def ask(k: int) -> None:
        answers[k] = program.ask([f"t{k}"] * 100)

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {k: [f"T{k}"] * 100 for k in range(8)}


def test_it_does_not_outlive_its_process(tmp_path: Path) -> None:
    code = f"""
import os, sys
from reelbench.tasks.metrics.caption.java import LineProgram
program = LineProgram("ECHO", [sys.executable, "-c", {ECHO!r}])
program.ask(["a"])
print(program.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=60, check=False
    )
    _wait_until(lambda: not Path(f"/proc/{int(done.stdout)}").exists() or _is_zombie(int(done.stdout)))


def test_a_program_that_cannot_start_is_one_line() -> None:
    with pytest.raises(JavaError, match="NOTHING did not start"):
        LineProgram("NOTHING", ["/nowhere/nothing"]).ask(["a"])


def test_a_missing_jar_and_a_failing_run_say_so() -> None:
    with pytest.raises(JavaError, match=r"nothing\.jar is missing; install it with: pip install"):
        jar("meteor", "nothing.jar")
    with pytest.raises(JavaError, match=r"Java failed: .*nothing\.jar"):
        run_once(["-jar", "nothing.jar"], "", 60)


def test_another_process_asks_through_the_socket_and_gets_errors_as_its_own() -> None:
    def ask(lines: list[str]) -> list[str]:
        if "bad" in lines:
            raise JavaError("no luck")
        return [line.upper() for line in lines]

    code = f"""
import os
from reelbench.tasks.metrics.caption.java import JavaError
from reelbench.tasks.metrics.caption.sharing import ask_parent
print(ask_parent(os.environ[{SOCKET!r}], ["a", "é"]))
try: ask_parent(os.environ[{SOCKET!r}], ["bad"])
except JavaError as error: print(error)
"""
    with serve(ask) as path:  # type: ignore[arg-type]
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
        )
        assert os.environ[SOCKET] == path
    assert done.stdout.splitlines() == ["['A', 'É']", "no luck"]
    assert SOCKET not in os.environ
    assert ask_parent(path, ["a"]) is None


def _is_zombie(pid: int) -> bool:
    return ") Z" in Path(f"/proc/{pid}/stat").read_text()


def _wait_until(done: Callable[[], bool]) -> None:
    deadline = threading.Event()
    for _ in range(100):
        if done():
            return
        deadline.wait(0.1)
    pytest.fail("still there after ten seconds")
