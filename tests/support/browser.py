"""A real Chromium, where there is one, and what the dashboard did in it: what it logged, asked for and refused."""

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from reconcile.report.exports import parts
from reconcile.report.page import page as put_together

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FLAGS = (
    "--no-sandbox",  # a container's user is root, for whom Chromium has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MOVE = """place => location.hash === place || new Promise((done) => {
  addEventListener("hashchange", () => done(true), { once: true });
  location.hash = place;
})"""

AXE = Axe()
WIDE, NARROW = (1280, 900), (320, 700)


@contextmanager
def browser():
    """The installed Chromium, or a skip that says where one would be looked for."""
    found = os.environ.get("RECONCILE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed, and RECONCILE_CHROMIUM is not set")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield chromium
        chromium.close()


def write(folder: Path, document: dict[str, Any]) -> Path:
    """The real page of a document, as a file."""
    made = parts()
    file = folder / "index.html"
    text = put_together(document, frame=made.frame, style=made.style, library=made.library, script=made.script)
    file.write_text(text, "utf-8", newline="")
    return file


@dataclass
class Seen:
    """An open dashboard. `complaints` are errors, warnings and refusals of its policy, `requests` what it asked for."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, place: str = "#/") -> None:
        """To a place of the page, as a link to it would."""
        self.page.evaluate(MOVE, place)

    def texts(self, selector: str) -> list[str]:
        return self.page.eval_on_selector_all(selector, "all => all.map(each => each.innerText.trim())")

    def violations(self) -> list[str]:
        """What axe finds in light, and what its rule of contrast finds in dark, an element a line."""
        self.page.emulate_media(color_scheme="light")
        light = self._axe({"resultTypes": ["violations"]})
        self.page.emulate_media(color_scheme="dark")
        return light + self._axe({"resultTypes": ["violations"], "runOnly": ["color-contrast"]})

    def _axe(self, options: dict[str, Any]) -> list[str]:
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.axe_script)
        found = self.page.evaluate("options => axe.run(options)", options)["violations"]
        return [
            f"{each['id']}: {node['html'][:160]} {node['failureSummary']}" for each in found for node in each["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def opened(chromium, file: Path, *, place: str = "#/", size: tuple[int, int] = WIDE, scheme: str = "light") -> Seen:
    """The page from its file, in a context of its own."""
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, accept_downloads=True, locale="en-US"
    )
    seen = Seen(page=context.new_page(), address=file.as_uri())
    seen.page.set_default_timeout(5000)
    seen.page.on(
        "console", lambda said: seen.complaints.append(said.text) if said.type in {"error", "warning"} else None
    )
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("dialog", lambda shown: (seen.complaints.append(shown.message), shown.dismiss()))
    seen.page.on("request", lambda asked: seen.requests.append(asked.url))
    seen.page.goto(seen.address + place)
    return seen
