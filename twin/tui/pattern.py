"""Regular expressions in time that is linear in the text: what a person types into a filter must not stall the screen.

Python's own matcher tries one way after the other, which can take for ever with few characters. Here a pattern is a
graph of at most a few hundred nodes, walked along every way at once; what a set of nodes and a character lead to
is remembered. Known: characters, ``.``, ``[a-z]``, ``[^x]``, ``\\d \\w \\s`` and their capitals, ``* + ?``, ``|``,
groups, ``^`` and ``$``. Case does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.errors import InputError

#: longest pattern
PATTERN_MAX = 120
#: sets of nodes that are remembered; more are forgotten, not refused
_KNOWN_MAX = 2000


@dataclass(frozen=True)
class One:
    """One character out of some."""

    ranges: tuple[tuple[str, str], ...] = ()
    kinds: str = ""
    negated: bool = False

    def takes(self, char: str) -> bool:
        """Tell whether it is one of them."""
        hit = any(lo <= char <= hi for lo, hi in self.ranges) or any(_is(kind, char) for kind in self.kinds)
        return hit is not self.negated


def _is(kind: str, char: str) -> bool:
    found = {"d": char.isdigit(), "w": char.isalnum() or char == "_", "s": char.isspace()}[kind.lower()]
    return found is kind.islower()


@dataclass
class Node:
    """A node of the graph: takes a character, or passes on to others at once (when ``at`` allows it)."""

    one: One | None = None
    after: list[int] = field(default_factory=list)
    at: str = ""


class _Parser:
    """Reads a pattern into nodes; each part is built before what leads to it is known, so parts are closures."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.nodes: list[Node] = [Node()]  # node 0 is the end

    def fail(self, what: str) -> InputError:
        return InputError(f"the pattern {what}", expected="such as ~a[1-3].*(hot|warm)$")

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def choice(self) -> tuple[int, list[int]]:
        """Read ``a|b``; return its first node and those whose way on is open."""
        begins, ends = [], []
        while True:
            begin, end = self.sequence()
            begins.append(begin)
            ends.append(end)
            if self.peek() != "|":
                break
            self.at += 1
        if len(begins) == 1:
            return begins[0], [ends[0]]
        return self.add(Node(after=begins)), ends

    def sequence(self) -> tuple[int, int]:
        """Read parts one after the other; return its first and its last node."""
        first = last = self.add(Node())
        while self.peek() and self.peek() not in "|)":
            begin, ends = self.repeated()
            self.nodes[last].after.append(begin)
            last = self.add(Node())
            for end in ends:
                self.nodes[end].after.append(last)
        return first, last

    def repeated(self) -> tuple[int, list[int]]:
        """Read a part and the signs of repetition behind it."""
        begin, ends = self.part()
        while self.peek() and self.peek() in "*+?":
            sign = self.peek()
            self.at += 1
            turn = self.add(Node())
            for end in ends:
                self.nodes[end].after.append(turn)
            if sign != "?":
                self.nodes[turn].after.append(begin)
            if sign != "+":
                begin = self.add(Node(after=[begin, turn]))
            ends = [turn]
        return begin, ends

    def part(self) -> tuple[int, list[int]]:
        """Read a character, a class, a group or a mark of the text's ends."""
        char = self.peek()
        self.at += 1
        if char == "(":
            if self.text[self.at:self.at + 2] == "?:":
                self.at += 2
            begin, ends = self.choice()
            if self.peek() != ")":
                raise self.fail("has a ( without )")
            self.at += 1
            return begin, ends
        if char in "*+?":
            raise self.fail(f"has a {char} with nothing before it")
        if char in "^$":
            node = self.add(Node(at=char))
        else:
            node = self.add(Node(one=self.one(char)))
        return node, [node]

    def one(self, char: str) -> One:
        """Return what a character of the pattern stands for."""
        if char == ".":
            return One(negated=True)
        if char == "[":
            return self.several()
        if char == "\\":
            return self.escaped()
        return One(((char.lower(), char.lower()),))

    def escaped(self) -> One:
        char = self.peek()
        if not char:
            raise self.fail("ends in a \\")
        self.at += 1
        if char in "dwsDWS":
            return One(kinds=char)
        if char.isalnum():
            raise self.fail(f"has \\{char}, which means nothing here")
        return One(((char, char),))

    def several(self) -> One:
        """Read ``[...]``."""
        negated = self.peek() == "^"
        self.at += negated
        ranges: list[tuple[str, str]] = []
        kinds, begun = "", self.at
        while self.peek() != "]" or self.at == begun:
            char = self.peek()
            if not char:
                raise self.fail("has a [ without ]")
            self.at += 1
            if char == "\\":
                found = self.escaped()
                kinds, ranges = kinds + found.kinds, [*ranges, *found.ranges]
                continue
            last = char
            if self.peek() == "-" and self.text[self.at + 1:self.at + 2] not in ("", "]"):
                last = self.text[self.at + 1]
                self.at += 2
            if last < char:
                raise self.fail(f"has the range {char}-{last}, which is empty")
            ranges.append((char.lower(), last.lower()))
        self.at += 1
        return One(tuple(ranges), kinds, negated)


class Pattern:
    """A compiled pattern.

    Args:
        text: the pattern.

    Raises:
        InputError: it cannot be read, or is longer than ``PATTERN_MAX``.

    >>> Pattern("^a[12].*g0?4$").search("A2.07.g04"), Pattern("(a+)+$").search("a" * 300 + "b")
    (True, False)
    """

    def __init__(self, text: str) -> None:
        if len(text) > PATTERN_MAX:
            raise InputError("the pattern is too long", expected=f"at most {PATTERN_MAX} characters")
        parser = _Parser(text)
        begin, ends = parser.choice()
        if parser.peek():
            raise parser.fail("has a ) without (")
        for end in ends:
            parser.nodes[end].after.append(0)
        self._nodes = parser.nodes
        self._begin = begin
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._first = self._reach([begin], "^")
        self._again = self._reach([begin], "")

    def _reach(self, nodes: list[int] | frozenset[int], at: str) -> frozenset[int]:
        """Return every node that is reached without taking a character, at the text's start, middle or end."""
        seen, todo = set(nodes), list(nodes)
        while todo:
            node = self._nodes[todo.pop()]
            if node.one is not None or (node.at and node.at not in at):
                continue
            for i in node.after:
                if i not in seen:
                    seen.add(i)
                    todo.append(i)
        return frozenset(seen)

    def search(self, text: str) -> bool:
        """Tell whether the pattern is found anywhere in a text."""
        now, text = self._first, text.lower()
        if not text:
            return 0 in self._reach([self._begin], "^$")
        for char in text:
            if 0 in now:
                return True
            key = (now, char)
            then = self._known.get(key)
            if then is None:
                if len(self._known) >= _KNOWN_MAX:
                    self._known.clear()
                taken = [i for n in now for node in (self._nodes[n],) if node.one is not None and node.one.takes(char)
                         for i in node.after]
                then = self._known[key] = self._reach(taken, "") | self._again
            now = then
        return 0 in now or 0 in self._reach(now, "$")
