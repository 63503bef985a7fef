"""The examples in the documentation of the laws hold."""

import doctest
import re

from docs import laws_page
from twin._kernels import laws


def test_examples_of_every_law() -> None:
    outcome = doctest.testmod(laws)
    assert outcome.attempted >= 9
    assert outcome.failed == 0


def test_the_handbook_holds_every_law_with_its_text() -> None:
    source = laws_page.LAWS.read_text(encoding="utf-8")
    written = re.findall(r"^cdef inline \w+ (law_\w+)\(", source, re.MULTILINE)
    found = laws_page.laws()
    assert [law.name for law in found] == written
    assert all(len(law.text) > 30 for law in found)
    assert {law.section for law in found} >= {"moist air", "coolants", "chips", "hall air", "plant"}
    page = laws_page.laws_page("")
    for law in found:
        assert f"### `{law.name.removeprefix('law_')}(" in page


def test_every_law_names_where_it_comes_from() -> None:
    common = laws_page.intros()
    where = (r"[Ss]ource|estimate|ffinity|et al\.|ASHRAE|Melinder|IAPWS|Young|Daly|Zuber|identity|definition|Lenovo"
             r"|Clausius")
    for law in laws_page.laws():
        if law.section != "elementary functions":
            assert re.search(where, law.text + common.get(law.section, "")), f"{law.name} names no source"
