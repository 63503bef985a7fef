"""The generated pages are what their sources say now."""

import pytest

from docs.generate import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name):
    page = DOCS / name
    assert page.read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"
