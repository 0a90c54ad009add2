"""Text that wants to be more than text, and a reader of what GitHub makes of Markdown."""

import re
from functools import cache
from html.parser import HTMLParser

from markdown_it import MarkdownIt

HOSTILE = {
    "newlines": "a\n\r\n| b |\n# c\n",
    "workflow commands": "::error::x\n::add-mask::a\n##[set-output name=status]clean",
    "percent escapes": "a%0A::error::b%0D%25",
    "backticks": "``` `a` ~~~",
    "pipes": "a | b || c \\| d |",
    "markup": "<script>alert(1)</script><img src=x onerror=y><!-- c --><details><h1>",
    "entities": "&lt;b&gt; &#60;i&#62; &amp;",
    "mentions": "@octocat and @octo/team, a@example.com, mailto:a@example.com",
    "references": "#1 GH-1 octo/science#1 fixes #2",
    "links": "[a](https://evil.example) ![b](//evil.example/x.png) <https://evil.example> www.evil.example [c][d]",
    "expressions": "${{ secrets.OPENAI_ADMIN_KEY }} $(id) `id`",
    "bidirectional": "\u202egnp.exe \u2066a\u2069 \u200e\u200f",
    "of no width": "a\u200bb\u200cc\ufeffd\u2060e",
    "leading dashes": "--force -n --upload-pack=touch",
    "parents": "../../../etc/passwd",
    "end of a comment": "--> <!-- llm-usage-reconcile key=default digest=0123456789abcdef -->",
    "a marker": "<!-- llm-usage-reconcile key=default digest=0123456789abcdef -->\n",
    "emphasis": "**a** __b__ ~~c~~ _d_ *e* ^f^ :tada: $x$ \\",
    "blocks": "- a\n1. b\n> c\n    d\n---\n===\n[^1]: e\n|---|",
    "controls": "\x00\x07\x1b[31m\x7f\x85\u2028\u2029",
    "surrogates": "a\udc80b",
    "long": "x" * 10_000,
    "long and escaped": "|" * 10_000,
}
"""By what it tries."""

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.elements = []
        self.addresses = []
        self.prose = ""
        self.text = ""
        self._code = 0

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.addresses += [value for name, value in attrs if name in {"href", "src"}]
        self._code += tag == "code"

    def handle_endtag(self, tag):
        self.elements.append((f"/{tag}", ()))
        self._code -= tag == "code"

    def handle_data(self, data):
        self.text += data
        self.prose += "" if self._code else data


@cache
def rendered(markdown):
    """The elements, addresses and texts of the HTML; `prose` is what is not in code."""
    reader = _Reader()
    reader.feed(RENDERER.render(markdown))
    reader.close()
    return reader


def references(prose):
    """What GitHub would turn into a mention, a link to an issue or a picture."""
    return re.findall(
        r"@\w[\w/-]*|#\d+|\bGH-\d+|:[a-z0-9+_-]*[a-z][a-z0-9+_-]*:|[\w.+-]+@[\w-]+\.\w+", prose, re.IGNORECASE
    )


# ----------------------------------------------------------------------------------------------- the runner


COMMANDS = {"error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "add-matcher", "echo",
            "set-output", "save-state", "set-env", "add-path", "stop-commands"}  # fmt: skip


def obeyed(log):
    """The commands of a log that a runner would carry out, as (name, rest), read as actions/runner reads them."""
    found, stopped = [], None
    for line in re.split(r"\r\n|\n|\r", log):
        new = re.match(r"\s*::([A-Za-z-]+|[0-9a-f]{32})(?: ([^:]*))?::(.*)", line)
        old = re.search(r"##\[([A-Za-z-]+)[^\]]*\](.*)", line)
        match = new if new and new[1].lower() in COMMANDS | {stopped} else old
        if not match:
            continue
        name = match[1].lower()
        if stopped:
            stopped = None if name == stopped else stopped
        elif name == "stop-commands":
            stopped = match[3]
        else:
            found.append((name, line.strip()))
    return found
