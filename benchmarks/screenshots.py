"""Takes the README's screenshots: the real app, in a real browser, while it trains.

    python -m benchmarks.screenshots [--out benchmarks/screenshots] [--only PART]

The ring under WGAN-GP with all its modes; the digits when the doctor finds the collapse, and when
the switch that cures it has brought all ten; the gallery; the critic, a race and a duel; each in
light, dark and at a phone's width. PART is lab, gallery, critic, compare or duel. Needs Debian's
chromium.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.command import app_command
from wgan.ui.words import sections
from wgan.zoo.bundled import bundled

ROOT = Path(__file__).parents[1]
LOOKS = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "screenshots")
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(app_command(port), cwd=ROOT)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(f"{address}/_stcore/health")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            for part, take in PARTS.items():
                if options.only in (None, part):
                    take(browser, address, options.out)
    finally:
        server.terminate()
        server.wait()


def _open(browser: Browser, look: str, url: str) -> Page:
    page = browser.new_page(**LOOKS[look])
    page.set_default_timeout(90_000)
    page.goto(url)
    return page


def _in_all_looks(browser: Browser, page: Page, out: Path, name: str) -> None:
    """What the page shows now, and the same address in the other looks; closes the page."""
    page.screenshot(path=out / f"{name}-light.png")
    for look in ("dark", "phone"):
        other = _open(browser, look, page.url)
        other.locator(".js-plotly-plot, .wgan-cell").first.wait_for()
        other.wait_for_timeout(3000)  # Plotly arrives, the skeletons go
        other.screenshot(path=out / f"{name}-{look}.png")
        other.close()
    page.close()


def _wait_for_modes(page: Page, modes: int) -> None:
    """Until so many are covered, however busy the machine is, and for 5 s more."""
    page.get_by_text(f"{modes} / {modes}").first.wait_for(timeout=240_000)
    page.wait_for_timeout(5000)


def _lab(browser: Browser, address: str, out: Path) -> None:
    """Two runs while they train."""

    def open_page(url: str) -> Page:
        page = _open(browser, "light", url)
        page.get_by_text("modes").first.wait_for()
        return page

    ring = open_page(f"{address}/?preset=ring-wgan-gp")
    _wait_for_modes(ring, 8)
    _in_all_looks(browser, ring, out, "ring")
    digits = open_page(address)
    digits.get_by_text("Mode collapse").first.wait_for()
    digits.screenshot(path=out / "collapse-light.png")
    digits.get_by_role("button", name="Cure it").click()
    digits.mouse.move(2, 600)
    _wait_for_modes(digits, 10)
    _in_all_looks(browser, digits, out, "digits")


def _critic(browser: Browser, address: str, out: Path) -> None:
    """Each of its sections on the ring under WGAN-GP, and the first one in all looks."""
    page = _open(browser, "light", f"{address}/critic?preset=ring-wgan-gp")
    page.locator(".js-plotly-plot").first.wait_for()
    page.wait_for_timeout(20_000)
    for name in ("layers", "weights", "slopes", "truth", "anatomy"):
        page.get_by_role("tab", name=sections("critic")[name].partition("\n")[0]).click()
        page.wait_for_timeout(6000)
        page.screenshot(path=out / f"critic-{name}.png")
    page.get_by_role("tab", name="Value surface").click()
    page.wait_for_timeout(4000)
    _in_all_looks(browser, page, out, "critic")


def _compare(browser: Browser, address: str, out: Path) -> None:
    """The race, when both penalties have found the modes."""
    page = _open(browser, "light", f"{address}/compare")
    page.get_by_role("radio", name="Race").click()
    page.mouse.move(2, 600)
    page.locator(".js-plotly-plot").first.wait_for()
    page.wait_for_timeout(110_000)
    _in_all_looks(browser, page, out, "compare")


def _duel(browser: Browser, address: str, out: Path) -> None:
    """A duel of two architectures at its end."""
    page = _open(browser, "light", f"{address}/duel")
    page.get_by_role("button", name="Start").click()
    page.mouse.move(2, 600)
    page.get_by_text("8 of 8 runs").wait_for(timeout=600_000)
    page.wait_for_timeout(1000)
    _in_all_looks(browser, page, out, "duel")


def _gallery(browser: Browser, address: str, out: Path) -> None:
    """Each of the bundled generators, and the faces in the three looks and views."""
    address += "/gallery"
    for look in LOOKS:
        page = browser.new_page(**LOOKS[look])
        page.goto(address)
        page.get_by_alt_text("64 generated images").wait_for()
        page.wait_for_timeout(1500)
        page.screenshot(path=out / f"gallery-{look}.png")
        page.close()
    page = browser.new_page(**LOOKS["light"])
    for view, alt in {
        "One sample": "The nearest real image",
        "Between two samples": "A walk through the latents",
    }.items():
        page.goto(address)
        page.get_by_role("tab", name=view).click()
        page.get_by_alt_text(alt).wait_for()
        page.wait_for_timeout(1500)
        page.screenshot(path=out / f"gallery-{view.split()[0].lower()}.png")
    for one in bundled()[1:]:
        page.goto(f"{address}?open={one.name}")
        image = page.get_by_alt_text("64 generated images")
        image.or_(page.locator(".st-key-plane_0 .main-svg").first).first.wait_for()
        page.wait_for_timeout(2500)
        page.screenshot(path=out / f"gallery-{one.name}.png")
    page.goto(f"{address}?open=digits-gan")
    page.get_by_alt_text("64 generated images").wait_for()
    beside = page.get_by_role("combobox", name="Compare with")
    for name in ("Digits · clipping", "Digits · WGAN-GP"):
        beside.click()
        page.get_by_role("option", name=name, exact=True).click()
        page.wait_for_timeout(1500)
    page.keyboard.press("Escape")
    page.wait_for_timeout(1500)
    page.screenshot(path=out / "gallery-compare.png")
    page.close()


PARTS = {
    "lab": _lab,
    "gallery": _gallery,
    "critic": _critic,
    "compare": _compare,
    "duel": _duel,
}


def _wait(url: str, seconds: float = 60) -> None:
    for _ in range(int(seconds * 4)):
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except OSError:
            time.sleep(0.25)
    raise SystemExit("The app did not come up.")


if __name__ == "__main__":
    main()
