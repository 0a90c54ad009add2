"""The page of the dashboard: what its policy admits, and what the data in it cannot do."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from support.hostile import HOSTILE

from reconcile.report.page import page

FRAME = """<meta content="{{policy}}"><style>{{style}}</style>
<script type="application/json" id="data">{{data}}</script><script>{{library}}</script><script>{{script}}</script>"""


class Elements(HTMLParser):
    """The elements of a page, each with its attributes and its text."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])

    def handle_data(self, data):
        if self.found:
            self.found[-1][2] += data


def made(document, *, style="a { color: red }", library="let a = 1;", script='let b = "<é>";'):
    return page(document, frame=FRAME, style=style, library=library, script=script)


def elements(text):
    """Its policy, its style, its data and its two scripts."""
    (_, meta, _), *rest = Elements(text).found
    assert [tag for tag, _, _ in rest] == ["style", "script", "script", "script"]
    return meta["content"], *(text.removesuffix("\n") for _, _, text in rest)


def source(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_admits_the_style_and_the_scripts_of_the_page_and_nothing_else():
    policy, style, _, library, script = elements(made({}))
    assert dict(rule.split(" ", 1) for rule in policy.split("; ")) == {
        "default-src": "'none'",
        "script-src": f"{source(library)} {source(script)}",
        "style-src": source(style),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


@pytest.mark.parametrize("text", [*HOSTILE.values(), "</script><script>alert(1)</script>", "<!--<script>"], ids=ascii)
def test_no_text_ends_the_element_of_the_data_or_changes_on_the_way(text):
    _, _, data, *scripts = elements(made({text: [text]}))
    assert json.loads(data) == {text: [text]}
    assert re.findall("[<>&]", data) == []
    assert scripts == ["let a = 1;", 'let b = "<é>";']


def test_the_name_of_a_place_in_the_data_or_a_part_is_no_place():
    _, style, data, library, script = elements(
        made(
            {"a": "{{script}} {{policy}}"},
            style="/* {{data}} */",
            library="// {{style}} \\1 \\g<0>",
            script="// {{library}}",
        )
    )
    assert [style, json.loads(data), library, script] == [
        "/* {{data}} */",
        {"a": "{{script}} {{policy}}"},
        "// {{style}} \\1 \\g<0>",
        "// {{library}}",
    ]
