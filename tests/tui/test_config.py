"""Preferences: precedence, refusals in words, other keys on the screen; and the tour that does not come back."""

import tomllib
from pathlib import Path

import pytest
from tui_fake import FakeSession, make_site

from twin.cli.config import default_text, effective_text
from twin.cli.run import local_of
from twin.errors import InputError
from twin.tui import actions
from twin.tui.app import TwinApp
from twin.tui.config import OPTIONS, settle
from twin.tui.keymap import key_of, rebound, shown
from twin.tui.local import Local

SITE = make_site()
SIZES = [(80, 24), (120, 40), (200, 60)]


def text_of(app) -> list[str]:
    """Return what stands on the screen, line by line."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


@pytest.fixture
def where(tmp_path: Path):
    """Return a function that writes the file and gives an environment that finds it."""
    def write(text: str = "", **variables: str) -> dict[str, str]:
        folder = tmp_path / "twin"
        folder.mkdir(exist_ok=True)
        (folder / "config.toml").write_text(text)
        return {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path), **variables}
    return write


def test_a_flag_goes_before_the_environment_before_the_file_before_the_default(where):
    text = 'theme = "light"\nfps = 5\nview = "jobs"\n'
    found = settle({"theme": "dark", "view": None}, where(text, TWIN_THEME="light", TWIN_FPS="4", TWIN_ASCII="yes"))
    assert {name: (found[name], found.origins[name]) for name in ("theme", "fps", "view", "ascii", "mouse")} == {
        "theme": ("dark", "flag"), "fps": (4, "environment"), "view": ("jobs", "file"),
        "ascii": (True, "environment"), "mouse": (True, "default")}


def test_no_file_is_fine_and_a_named_one_that_is_missing_is_not(tmp_path):
    found = settle({}, {"HOME": str(tmp_path)})
    assert found.path == tmp_path / ".config" / "twin" / "config.toml"
    assert set(found.origins.values()) == {"default"}
    with pytest.raises(InputError, match="no such file"):
        settle({}, {"TWIN_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(("text", "said"), [
    ('theme = "drak"', "theme: 'drak' is not a theme; expected one of dark, light; did you mean 'dark'?"),
    ("fps = 99", "fps: 99 is not a fps; expected a whole number from 1 to 30"),
    ("mouse = 1", "mouse: 1 is not a mouse; expected true or false"),
    ("fsp = 3", "there is no option 'fsp'.*did you mean 'fps'"),
    ('[keys]\nfalt = "f"', "there is no action 'falt'.*did you mean 'fault'"),
    ('[keys]\nfault = "ctlr+f"', "keys.fault: no key is called 'ctlr.f'"),
    ('[keys]\nfault = "p"\nsetting = "p"', "'p' is given to both fault and setting"),
    ("[keys]\nquit = []", "no key is left for quit"),
    ("keys = 3", "is not a table"), ("theme = ", "is not TOML"),
])
def test_mistakes_are_one_error_that_names_the_key(where, text, said):
    with pytest.raises(InputError, match=said):
        settle({}, where(text))


def test_a_mistake_in_the_environment_names_the_variable(where):
    with pytest.raises(InputError, match=r"TWIN_VIEW: 'flor' is not a view.*did you mean 'floor'"):
        settle({}, where("", TWIN_VIEW="flor"))


def test_the_default_file_is_the_default(where):
    text = default_text()
    assert set(tomllib.loads(text)) == {option.name for option in OPTIONS} | {"keys"}
    assert {a.name for a in actions.ACTIONS} == set(tomllib.loads(text)["keys"])
    found = settle({}, where(text))
    assert dict(found.values) == {option.name: option.default for option in OPTIONS}
    assert rebound(found.keys) == actions.ACTIONS
    printed = tomllib.loads(effective_text(found))
    assert {name: printed[name] for name in found.values} == dict(found.values)


def test_every_key_of_the_registry_has_a_name_that_is_read_again():
    for action in actions.ACTIONS:
        for key in action.keys:
            assert key_of(key) == key
            if len(shown(key)) == 1 and key not in ("left", "right", "up", "down"):
                assert key_of(shown(key)) == key


@pytest.mark.parametrize("size", SIZES)
async def test_other_keys_work_and_are_shown_everywhere(size):
    registry = rebound({"fault": ("p", "f9"), "view_floor": ("F",), "step": ("f",)})
    app = TwinApp(FakeSession(SITE), depth="truecolor", local=Local(registry))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "F Floor" in text_of(app)[1] or "FFloor" in text_of(app)[1]  # eight tabs stand close at 80 columns
        assert "p fault" in text_of(app)[-1]
        await pilot.press("2")
        assert app.ui.view == "overview"
        await pilot.press("F")
        assert app.ui.view == "floor"
        await pilot.press("f")
        assert app.session.calls == ["step"]
        await pilot.press("p")
        await pilot.pause()
        assert app.screen is not app.main
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        assert any(line.split()[:3] == ["f", "Advance", "by"] for line in text_of(app))


async def test_what_the_screen_says_of_keys_are_ones_own():
    registry = rebound({"fork": ("f9",), "live": ()})
    app = TwinApp(FakeSession(SITE), local=Local(registry=registry), depth="truecolor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert (app.ui.key("fork"), app.ui.key("live"), app.ui.key("go_on_here")) == ("f9", ":live", "t")
        assert app._past_words().endswith("t goes on from here, :live comes back to now")


@pytest.mark.parametrize("size", SIZES)
async def test_the_tour_has_three_steps_and_does_not_come_back(size, tmp_path, where):
    seen = tmp_path / "state" / "twin" / "tour-seen"
    app = TwinApp(FakeSession(SITE), depth="truecolor", local=Local(tour=True, seen=seen))
    async with app.run_test(size=size) as pilot:
        for number, view in ((1, "overview"), (2, "floor"), (3, "events")):
            await pilot.pause()
            await pilot.pause()
            assert app.ui.view == view
            lines = [line for line in text_of(app) if f"{number}/3" in line]
            assert len(lines) == 1
            await pilot.press("m" if number == 1 else "z")  # keys work meanwhile
            assert not seen.exists()
            await pilot.press("enter")
        await pilot.pause()
        assert seen.exists()
        assert not any("3/3" in line for line in text_of(app))
        await pilot.press("f2", "escape")
        await pilot.pause()
        assert app.ui.tour == 0
    environ = where("", XDG_STATE_HOME=str(tmp_path / "state"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        assert not local_of(settle({}, environ), None).tour
        assert local_of(settle({"tour": True}, environ), None).tour
        assert not local_of(settle({"tour": True, "read_only": True}, environ), None).tour
        seen.unlink()
        assert local_of(settle({}, environ), None).tour
        assert not local_of(settle({"tour": False}, environ), None).tour
