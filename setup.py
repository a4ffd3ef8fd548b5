"""Maps the four rooms of the repository to one import package (see docs/architecture.md)."""

from setuptools import find_packages, setup

ROOMS = {
    "reelbench": "harness",
    "reelbench.tasks": "tasks",
    "reelbench.plugins": "plugins",
    "reelbench.reports": "reports",
}

setup(
    packages=[
        name
        for room, folder in ROOMS.items()
        for name in (room, *(f"{room}.{p}" for p in find_packages(folder)))
    ],
    package_dir=ROOMS,
    package_data={
        "": [
            "py.typed",
            "*.toml",
            "*.html",
            "*.j2",
            "*.css",
            "*.js",
            "*.svg",
            "*.tex",
            "*.md",
            "*.txt",
            "**/*.tmpl",
            "templates/**/*",
        ]
    },
)
