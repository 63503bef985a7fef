"""docs/twin.1: the manual page, from the commands, options and actions themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click

HEAD = r""".\" Written by `make docs`; change the source instead.
.TH TWIN 1 "" "twin" "User Commands"
.SH NAME
twin \- a digital twin of an AI factory that lives in the terminal
"""
#: exit code -> what it says
EXITS = {"0": "all is well", "1": "an expectation or a check did not hold", "2": "bad input or usage",
         "70": "an internal error; a report file is named", "130": "interrupted",
         "129, 143": "ended by SIGHUP, SIGTERM; the terminal is given back first"}


def plain(text: str) -> str:
    """Return text that the formatter takes for text: no escapes, no requests at the beginning of a line."""
    text = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return f"\\&{text}" if text.startswith(".") else text


def man_page() -> str:
    """Return the whole page."""
    from twin.cli.commands import cli
    from twin.tui.actions import groups
    from twin.tui.config import OPTIONS

    context = cli.make_context("twin", [], resilient_parsing=True)
    parts = [HEAD + ".SH SYNOPSIS\n.B twin\n[\\fICOMMAND\\fR] [\\fIARGUMENTS\\fR]...", ".SH DESCRIPTION"]
    parts += [plain(part) + "\n.PP" for part in (cli.help or "").split("\n\n")]
    parts.append(".SH COMMANDS")
    parts += _commands(cli, context, "twin")
    parts.append(".SH KEYS OF THE LIVE SCREEN")
    for heading, actions in groups().items():
        parts.append(f".SS {plain(heading)}")
        parts += [f".TP\n.B {plain(action.shown)}\n{plain(action.doc)}" for action in actions]
    parts.append(".SH ENVIRONMENT")
    parts += [f".TP\n.B TWIN_{option.name.upper()}\n{plain(option.doc)} {plain(option.expected.capitalize())}."
              for option in OPTIONS]
    parts.append(".TP\n.B TWIN_CONFIG\nThe configuration file to read.\n.TP\n.B NO_COLOR\nDraw without colours.")
    parts.append(".SH FILES\n.TP\n.I ~/.config/twin/config.toml\nPreferences of the live screen; "
                 "\\fBtwin config \\-\\-default\\fR begins one.")
    parts.append(".SH EXIT STATUS")
    parts += [f".TP\n.B {code}\n{plain(meaning)}" for code, meaning in EXITS.items()]
    return "\n".join(parts) + "\n"


def _commands(group: click.Group, context: click.Context, path: str) -> Iterator[str]:
    """Yield a section for each command of a group, those of groups in it as well."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        own = click.Context(command, parent=context, info_name=name)
        usage = " ".join(command.collect_usage_pieces(own))
        yield f".SS {plain(f'{path} {name} {usage}')}\n{plain(command.help or '')}"
        for parameter in command.get_params(own):
            record = parameter.get_help_record(own)
            if record is not None and record[1]:
                yield f".TP\n.B {plain(record[0])}\n{plain(record[1])}"
        if isinstance(command, click.Group):
            yield from _commands(command, own, f"{path} {name}")
