"""The parts of the dashboard as they ship: what all of its scripts must keep to."""

import re
from collections import Counter

import pytest

from reconcile.report.exports import FOLDER, SCRIPTS, parts

FILES = sorted((FOLDER / "scripts").glob("*.js"))
TOP = re.compile(r"^(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)

FORBIDDEN = {
    "markup from text": r"(inner|outer|insertAdjacent)HTML|document\.write|createContextualFragment|DOMParser|srcdoc",
    "code from text": r"\beval\b|new Function|\bimport\(",
    "the network": r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|https?://(?!www\.w3\.org/2000/svg)",
    "what is kept in the browser": r"localStorage|sessionStorage|indexedDB|document\.cookie",
}


def test_every_script_is_on_the_page():
    assert sorted(SCRIPTS) == [file.stem for file in FILES]


def test_no_two_scripts_give_one_name_to_two_things():
    """All are joined in one function, where the later of two functions would silently take the place of the other."""
    names = Counter(name for file in FILES for name in TOP.findall(file.read_text("utf-8")))
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("pattern", FORBIDDEN.values(), ids=FORBIDDEN)
def test_no_script_uses(pattern):
    assert re.findall(pattern, "".join(file.read_text("utf-8") for file in FILES)) == []


def test_nothing_of_the_page_is_loaded_from_elsewhere():
    made = parts()
    assert re.findall(r"https?://|url\(|@import", made.frame + made.style) == []
