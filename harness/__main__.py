"""``python -m reelbench``: the command line without its console script."""

from reelbench.cli import main

if __name__ == "__main__":
    main()
