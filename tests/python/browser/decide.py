"""Opens one review link in one or more browsers, and presses a button in each, in the order of the command line.

Every browser has loaded its page before the first button is pressed. Each has a profile of its own, so none knows of
another's cookies. The last line on stdout is one JSON list with what each browser showed.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Playwright, Response, sync_playwright

VIEWPORTS = ((390, 844), (1280, 900))
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT_MS = 30_000
SCRIPT_PROBE = "data:text/html,<title>no script ran</title><script>document.title='script ran'</script>"


@dataclass
class Visit:
    """One browser with the link open, and everything that went wrong in it."""

    page: Page
    opened: Response
    complaints: list[str]


def main() -> int:
    """Opens all, presses all, reports."""
    arguments = parsed_arguments()
    with sync_playwright() as playwright, ExitStack() as open_browsers:
        browsers = [open_browsers.enter_context(Browser(playwright, arguments)) for _ in arguments.press]
        visits = [browser.visit(arguments.url) for browser in browsers]
        reports = [pressed(visit, button, arguments) for visit, button in zip(visits, arguments.press, strict=True)]
    print(json.dumps(reports, sort_keys=True), flush=True)
    return 0


class Browser:
    """A Chromium process with an empty profile."""

    def __init__(self, playwright: Playwright, arguments: argparse.Namespace) -> None:
        self._browser = playwright.chromium.launch(executable_path=arguments.chromium, args=list(FLAGS))
        self._context: BrowserContext = self._browser.new_context(
            java_script_enabled=not arguments.no_script, color_scheme=arguments.colors
        )
        self._context.set_default_timeout(TIMEOUT_MS)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()

    def visit(self, url: str) -> Visit:
        """Opens the link as a person would, from nowhere."""
        page = self._context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"{request.url}: {request.failure}"))
        opened = page.goto(url)
        if opened is None:
            raise RuntimeError("the browser did not load the link")
        return Visit(page, opened, complaints)


def pressed(visit: Visit, button: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Looks at the page, presses, and looks again."""
    page = visit.page
    before = seen(page, arguments, f"{button}-before")
    if arguments.comment is not None:
        page.get_by_role("textbox").fill(arguments.comment)
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        page.get_by_role("button", name=button.capitalize(), exact=True).click()
    page.wait_for_load_state()
    report = {
        "opened_status": visit.opened.status,
        "before": before,
        "pressed_status": answered.value.status,
        "after": seen(page, arguments, f"{button}-after"),
        "complaints": visit.complaints,
    }
    if arguments.again:
        page.goto(arguments.url)
        report["opened_again"] = page.inner_text("body")
    page.goto(SCRIPT_PROBE)
    report["runs_scripts"] = page.title() == "script ran"
    return report


def seen(page: Page, arguments: argparse.Namespace, name: str) -> dict[str, Any]:
    """What the page says, and by how much it is too wide for each screen."""
    too_wide_px = []
    for width, height in VIEWPORTS:
        page.set_viewport_size({"width": width, "height": height})
        # Playwright itself may evaluate where the page's own scripts are off.
        too_wide_px.append(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
        if arguments.shots is not None:
            shot = arguments.shots.with_name(f"{arguments.shots.name}-{name}-{width}x{height}.png")
            page.screenshot(path=shot)
            page.screenshot(path=shot.with_suffix(".whole.png"), full_page=True)
    return {"text": page.inner_text("body"), "title": page.title(), "too_wide_px": max(too_wide_px)}


def parsed_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="the review link")
    parser.add_argument("--chromium", required=True, help="the browser's program")
    parser.add_argument(
        "--press", action="append", required=True, choices=("approve", "reject"), help="one browser for each"
    )
    parser.add_argument("--comment", help="what to write before pressing")
    parser.add_argument("--again", action="store_true", help="open the link once more after pressing")
    parser.add_argument("--no-script", action="store_true", help="open the page with JavaScript switched off")
    parser.add_argument("--colors", choices=("light", "dark"), default="light", help="what the person prefers")
    parser.add_argument("--shots", type=Path, help="how the pictures' names begin; none are taken without it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
