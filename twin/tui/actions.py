"""Every action of the screen, once: its key, its name, what it does. Key bar, help and palette are made from this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """Something a person can do.

    Attributes:
        name: unique; the app runs ``action_<name>`` (or what ``run`` says).
        keys: keys that start it, the first one is shown.
        shown: how the key is written on the screen.
        label: one or two words for the key bar.
        doc: one sentence for help and palette.
        group: heading in the help.
        run: action string when it is not ``name``.
        writes: changes the factory: refused when read-only.
        paces: changes the pace of the simulation: refused where somebody else holds it.
        files: writes a file on this computer: refused where the screen is served to others.
        forks: needs branches: only in a session that the screen has to itself.
        views: views in which it means something; empty for all.
        bar: rank in the key bar, 0 keeps it out.
    """

    name: str
    keys: tuple[str, ...]
    shown: str
    label: str
    doc: str
    group: str
    run: str = ""
    writes: bool = False
    paces: bool = False
    files: bool = False
    forks: bool = False
    views: tuple[str, ...] = ()
    bar: int = 0

    @property
    def action(self) -> str:
        """The action string that Textual runs."""
        return self.run or self.name


#: (key, name, title) of the views, in the order of their tabs
VIEWS: tuple[tuple[str, str, str], ...] = (
    ("1", "overview", "Overview"), ("2", "floor", "Floor"), ("3", "power", "Power"), ("4", "cooling", "Cooling"),
    ("5", "network", "Network"), ("6", "jobs", "Jobs"), ("7", "events", "Events"),
    ("8", "compare", "Compare"),
)
_VIEW_DOC = {
    "overview": "The five numbers that matter, the floor small, what happened.",
    "floor": "The hall as it stands, coloured by a metric; hot spots and the selected rack.",
    "power": "From the utility to the racks: loads, losses, where each watt goes.",
    "cooling": "Loops, CDUs, CRAHs, heat rejection, weather.",
    "network": "Load of every link between leaves and spines, slowdown of the jobs.",
    "jobs": "Queue and running jobs: progress, speed, tokens, wait.",
    "events": "Alarms that stand, faults that are active, everything that happened.",
    "compare": "Two branches side by side: what differs, where, by how much, in words.",
}
_MAPS = ("overview", "floor", "rack", "compare")
_LISTS = ("jobs", "events", "cooling", "network", "power")

ACTIONS: tuple[Action, ...] = (
    Action("toggle_pause", ("space",), "space", "pause", "Pause the simulation, or go on.", "Time", paces=True,
           bar=1),
    Action("step", ("full_stop",), ".", "step", "Advance by one tick and stay paused.", "Time", paces=True, bar=2),
    Action("faster", ("plus", "equals_sign"), "+", "faster", "Ask for the next higher speed.", "Time", paces=True,
           bar=3),
    Action("slower", ("minus",), "-", "slower", "Ask for the next lower speed.", "Time", paces=True, bar=3),
    Action("step_back", ("comma",), ",", "tick back", "Go back in time by one tick; the shown past is only looked at.",
           "Time", paces=True),
    Action("scrub_back", ("less_than_sign",), "<", "back in time",
           "Go back in time by a sixtieth of the time line; a click or a drag on the line goes anywhere.", "Time",
           paces=True),
    Action("scrub_on", ("greater_than_sign",), ">", "on in time", "Go on in time by a sixtieth of the time line.",
           "Time", paces=True),
    Action("alarm_back", ("left_curly_bracket",), "{", "last alarm", "Go back to the last alarm before this moment.",
           "Time", paces=True),
    Action("alarm_on", ("right_curly_bracket",), "}", "next alarm",
           "Go to the next alarm; when none is known, run as fast as possible until there is one.", "Time",
           paces=True),
    Action("live", ("0",), "0", "back to now", "Come back from the past to the furthest moment that was lived.",
           "Time", paces=True),
    Action("window", ("z",), "z", "time span", "Change how much time the histories show.", "Time", bar=9),
    *(Action(f"view_{name}", (key,), key, title, _VIEW_DOC[name], "Views", run=f"view('{name}')")
      for key, name, title in VIEWS),
    Action("enter", ("enter",), "enter", "open", "Open the selected rack, or go to the place of the selected row.",
           "Move", bar=5, views=("overview", "floor", "cooling", "events", "jobs", "compare")),
    Action("back", ("escape",), "esc", "back",
           "One level back: take the filter away, give every panel its place, leave what Enter opened, leave a menu.",
           "Move", bar=5),
    Action("forward", ("alt+right", "shift+right"), "alt →", "forward", "Go again to what esc left.", "Move"),
    Action("left", ("left", "h"), "← h", "left", "Move the selection left.", "Move", run="move(-1, 0)"),
    Action("right", ("right", "l"), "→ l", "right", "Move the selection right.", "Move", run="move(1, 0)"),
    Action("up", ("up", "k"), "↑ k", "up", "Move the selection up.", "Move", run="move(0, -1)"),
    Action("down", ("down", "j"), "↓ j", "down", "Move the selection down.", "Move", run="move(0, 1)"),
    Action("page_up", ("pageup", "ctrl+u"), "pgup", "page up", "Move up by a page.", "Move", run="move(0, -10)"),
    Action("page_down", ("pagedown", "ctrl+d"), "pgdn", "page down", "Move down by a page.", "Move",
           run="move(0, 10)"),
    Action("first", ("home", "g"), "g", "first", "Go to the first row or rack.", "Move", run="move(0, -1000000)"),
    Action("last", ("end", "G"), "G", "last", "Go to the last row or rack.", "Move", run="move(0, 1000000)"),
    Action("next_pane", ("tab",), "tab", "next table", "Move the cursor to the next table of the view.", "Move",
           views=("cooling", "events", "network"), bar=6),
    Action("expand", ("e",), "e", "expand",
           "Give the view to the table with the cursor, or to each panel in turn where there is none; esc ends it.",
           "Move", bar=9),
    Action("metric", ("m",), "m", "metric", "Colour the floor by the next metric.", "Floor", views=_MAPS, bar=4),
    Action("metric_back", ("M",), "M", "metric back", "Colour the floor by the metric before.", "Floor", views=_MAPS),
    Action("hottest", ("x",), "x", "hottest", "Select the rack with the highest value of the metric.", "Floor",
           views=_MAPS, bar=8),
    Action("hall_next", ("right_square_bracket",), "]", "next hall", "Show the next hall.", "Floor",
           views=("overview", "floor", "compare")),
    Action("hall_back", ("left_square_bracket",), "[", "hall before", "Show the hall before.", "Floor",
           views=("overview", "floor", "compare")),
    Action("layer", ("v",), "v", "layer", "Show the next layer of the hall's air.", "Floor",
           views=("overview", "floor")),
    Action("colour_map", ("c",), "c", "colours", "Change the colour map of the floor.", "Floor", views=_MAPS),
    Action("fault", ("f",), "f", "fault", "Inject a fault, or end one that is active.", "Act", writes=True, bar=4),
    Action("setting", ("s",), "s", "set-point", "Change a set-point.", "Act", writes=True, bar=7),
    Action("acknowledge", ("a",), "a", "acknowledge", "Acknowledge the selected alarm.", "Act", writes=True,
           views=("events",), bar=4),
    Action("undo", ("u",), "u", "undo",
           "Go back to just before the last fault or set-point that was sent, and go on without it.", "Act",
           writes=True, paces=True, bar=8),
    Action("fork", ("F",), "F", "fork", "Make a branch that begins at this moment; this one keeps its own future.",
           "Branches", writes=True, forks=True, bar=5),
    Action("go_on_here", ("t",), "t", "go on from here",
           "In the past: give up what followed, and go on from the shown moment.", "Branches", writes=True,
           paces=True),
    Action("branches", ("b",), "b", "branches", "Go to another branch, close one, or send commands to all of them.",
           "Branches", forks=True, bar=8),
    Action("against", ("n",), "n", "other branch", "Compare with another branch.", "Branches", forks=True,
           views=("compare",), bar=4),
    Action("difference", ("d",), "d", "difference",
           "Colour the second floor by its own values, or by its difference to the first.", "Branches", forks=True,
           views=("compare",), bar=4),
    Action("align", ("A",), "A", "same moment", "Bring both branches to the earlier of their two moments.", "Branches",
           paces=True, forks=True, views=("compare",), bar=5),
    Action("theme", ("T",), "T", "light/dark", "Change between the dark and the light theme.", "Screen"),
    Action("redraw", ("ctrl+l",), "^l", "redraw", "Write the whole screen again, when something else wrote over it.",
           "Screen"),
    Action("filter", ("slash",), "/", "filter",
           "Keep the rows and racks that hold a text; ~ begins a regular expression, ! keeps the others.", "Find",
           bar=6),
    Action("palette", ("colon", "ctrl+p"), ":", "find",
           "Find any action, rack, job, alarm, fault or set-point by name and go there.", "Find", bar=6),
    Action("copy", ("y",), "y", "copy", "Copy the table, or the racks of the floor, to the clipboard of the terminal.",
           "Take along"),
    Action("table", ("E",), "E", "CSV", "Write the table, or the racks of the floor, as a CSV file.", "Take along",
           files=True),
    Action("picture", ("P",), "P", "picture", "Write the screen as an SVG picture.", "Take along", files=True),
    Action("cast", ("R",), "R", "record", "Record the screen as an asciicast, or end the recording.", "Take along",
           files=True),
    Action("tour", ("f2",), "f2", "tour", "Show the three steps for newcomers.", "Screen"),
    Action("help", ("question_mark", "f1"), "?", "help", "Show every key and what it does.", "Screen", bar=2),
    Action("quit", ("q", "ctrl+q", "ctrl+c"), "q", "quit",
           "Leave the screen; the terminal is restored.", "Screen", bar=3),
)

BY_NAME: dict[str, Action] = {action.name: action for action in ACTIONS}


def available(view: str, read_only: bool, *, paces: bool = True, extra: Sequence[Action] = (),
              registry: Sequence[Action] = ACTIONS) -> Iterator[Action]:
    """Yield the actions that work in a view now; ``extra`` are those of one kind of screen alone."""
    for action in (*registry, *extra):
        if action.views and view not in action.views:
            continue
        if not (action.writes and read_only) and not (action.paces and not paces):
            yield action


def groups(extra: Sequence[Action] = (), registry: Sequence[Action] = ACTIONS) -> dict[str, list[Action]]:
    """Return heading -> actions, in order."""
    out: dict[str, list[Action]] = {}
    for action in (*registry, *extra):
        out.setdefault(action.group, []).append(action)
    return out
