"""Picture of a running dashboard for the README: `make screenshot` beside `make demo`."""

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

OFFLINE = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE_MS = 30_000


def main() -> int:
    """Open the page, wait until figures and charts are drawn, save what a person would see."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8501")
    parser.add_argument("--out", type=Path, default=Path("docs/images/overview.png"))
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is not on the PATH", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OFFLINE)
        page = browser.new_page(
            viewport={"width": 1280, "height": 860}, color_scheme=arguments.scheme
        )
        page.goto(arguments.url)
        expect(page.locator(".js-plotly-plot")).to_have_count(2, timeout=PATIENCE_MS)
        page.evaluate("document.fonts.ready")
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=arguments.out)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
