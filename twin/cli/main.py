"""The command line: arguments in, exit codes out. stdout is data, stderr is talk.

Exit codes: 0 fine, 1 an expectation or a check did not hold, 2 bad input, 70 an internal error (with a report
file), 130 interrupted. Heavy imports happen inside the verbs, so that ``twin --version`` answers at once.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

from twin import __version__

OK, CHECK_FAILED, BAD_INPUT, INTERNAL, INTERRUPTED = 0, 1, 2, 70, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (the console script's entry point)."""
    args = list(sys.argv[1:] if argv is None else argv)
    if args in (["--version"], ["-V"]):
        print(f"twin {__version__}")
        return OK
    import click

    from twin.cli.commands import cli
    from twin.errors import TwinError, printable

    try:
        result = cli.main(args=args, prog_name="twin", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else OK
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except click.UsageError as error:
        hint = error.ctx.command_path if error.ctx is not None else "twin"
        print(f"twin: {printable(error.format_message())} (see '{hint} --help')", file=sys.stderr)
        return BAD_INPUT
    except click.ClickException as error:
        print(f"twin: {printable(error.format_message())}", file=sys.stderr)
        return BAD_INPUT
    except TwinError as error:
        print(f"twin: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        _drop_stdout()
        return OK
    except SystemExit:  # click leaves so when a pipe is closed, and after completing a word
        if "_TWIN_COMPLETE" in os.environ:
            raise
        _drop_stdout()
        return OK
    except OSError as error:
        # Files are read and written where their errors are named; what is left is stdout itself.
        if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            _drop_stdout()
            print(f"twin: cannot write the output: {error.strerror}", file=sys.stderr)
            return BAD_INPUT
        return _report(error, args)
    except Exception as error:
        return _report(error, args)


def _drop_stdout() -> None:
    """The reader of stdout went away (``twin catalog | head``) or its disk is full: let Python leave quietly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _report(error: Exception, args: Sequence[str]) -> int:
    import platform
    import tempfile
    import traceback

    text = "\n".join([f"twin {__version__}, Python {platform.python_version()}, {platform.platform()}",
                      f"arguments: {list(args)!r}", "", "".join(traceback.format_exception(error))])
    try:
        with tempfile.NamedTemporaryFile("w", prefix="twin-report-", suffix=".txt", delete=False) as out:
            out.write(text)
        where = f"; a report is in {out.name}"
    except OSError:
        where = ""
    print(f"twin: internal error: {type(error).__name__}: {error}{where}", file=sys.stderr)
    return INTERNAL


def entry() -> None:
    """Console script: run and leave with the exit code."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
