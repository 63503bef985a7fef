"""A question with a few answers, or one free line; the screen's result is what the answer stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twin.tui.screens.menu import Choice, Menu

if TYPE_CHECKING:
    from twin.tui.ui import Ui


class Ask(Menu):
    """One question.

    Args:
        about: what the question is about, in a word or two.
        title: the question.
        choices: answers; what each stands for is handed on. None for a free line.
        default: answer of an empty free line.
        start: where the cursor stands at first.
    """

    def __init__(self, ui: Ui, about: str, title: str, choices: Sequence[Choice] | None,
                 default: str = "", start: int = 0) -> None:
        super().__init__(ui)
        self.about, self.asked, self.choices, self.default, self.start = about, title, choices, default, start

    def question(self) -> None:
        """Ask, or hand the answer on."""
        if not self.answers:
            self.step.ask(self.asked, self.choices or (), (self.about,), free=self.choices is None, start=self.start)
        else:
            self.dismiss(self.answers[0].value)

    def take(self) -> None:
        """Take the default when nothing was typed."""
        if self.choices is None and not self.step.typed.strip():
            self.answers.append(Choice(self.default, "", self.default))
            self.question()
        else:
            super().take()
