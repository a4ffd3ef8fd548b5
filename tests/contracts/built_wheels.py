"""Builds a distribution's wheel and unpacks it into a folder, as an installer would."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

DISTRIBUTIONS = Path(__file__).parents[1] / "distributions"


def unpack_wheel(project: Path, site: Path) -> Path:
    """Build ``project`` out of its tree and unpack it into ``site``; returns the wheel."""
    copy = site.parent / f"{project.name}-source"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(site.parent / "wheels"),
        str(copy),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = (site.parent / "wheels").glob(f"{project.name.replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return wheel
