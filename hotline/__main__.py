"""`python -m hotline` and `hotline`: the command line, interruptible before it is even loaded."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run a command; Ctrl-C ends it without a word, also while the program is still loading."""
    try:
        from hotline.cli import main as run  # noqa: PLC0415 - loading takes a second of its own

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
