"""docs/laws.md: the handbook of laws, from ``twin/_kernels/laws.pxd``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LAWS = Path(__file__).parents[1] / "twin" / "_kernels" / "laws.pxd"
_SECTION = re.compile(r"^# ---- (.+?) -+$")
_LAW = re.compile(r'^cdef inline \w+ (law_\w+)\(([^)]*)\) noexcept nogil:\n(?:    """(.*?)"""|((?:    # [^\n]*\n)+))',
                  re.DOTALL | re.MULTILINE)
_INTRO = re.compile(r"\n*((?:#[^\n]*\n)+)")


@dataclass(frozen=True)
class Law:
    """One law as it is written down.

    Attributes:
        section: heading it stands under.
        name: ``law_leakage_w``; its Python face is ``twin._kernels.laws.leakage_w``.
        parameters: names of its parameters.
        text: equation, range, source.
        line: where it stands in ``laws.pxd``.
    """

    section: str
    name: str
    parameters: tuple[str, ...]
    text: str
    line: int


def laws() -> list[Law]:
    """Return every law of ``laws.pxd`` in order."""
    source = LAWS.read_text(encoding="utf-8")
    headings = [(m.start(), m[1]) for m in re.finditer(_SECTION.pattern, source, re.MULTILINE)]
    found = []
    for match in _LAW.finditer(source):
        section = [title for start, title in headings if start < match.start()][-1]
        names = tuple(p.split()[-1].lstrip("*") for p in match[2].replace("\n", " ").split(",") if p.strip())
        text = match[3] or re.sub(r"^ *# ?", "", match[4], flags=re.MULTILINE)
        found.append(Law(section, match[1], names, _paragraphs(text), source.count("\n", 0, match.start()) + 1))
    return found


def intros() -> dict[str, str]:
    """Return what stands under the headings: what all laws of a section have in common, mostly their source."""
    source = LAWS.read_text(encoding="utf-8")
    out = {}
    for heading in re.finditer(_SECTION.pattern, source, re.MULTILINE):
        match = _INTRO.match(source, heading.end())
        if match:
            out[heading[1]] = _paragraphs(re.sub(r"^# ?", "", match[1], flags=re.MULTILINE))
    return out


def _paragraphs(text: str) -> str:
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(block.split()) for block in blocks)


def laws_page(note: str) -> str:
    """Return the page; ``note`` is its first line."""
    parts = [note, "# The laws\n",
             "Every equation of the model, as it stands in `twin/_kernels/laws.pxd`: what it computes, where it holds,",
             "where it comes from. `law_x` there is `twin._kernels.laws.x` in Python. Temperatures in degC, everything",
             "else in SI; a number without a published source is an *engineering estimate* and says so.\n"]
    section, common = "", intros()
    for law in laws():
        if law.section != section:
            section = law.section
            parts.append(f"## {section[:1].upper()}{section[1:]}\n")
            if section in common:
                parts.append(common[section] + "\n")
        parts += [f"### `{law.name.removeprefix('law_')}({', '.join(law.parameters)})`\n", law.text + "\n"]
    return "\n".join(parts)
