"""How soon does every page show the new run, when its owner chooses another preset, seed or data?

    python -m benchmarks.changes [--changes 30]

In Chromium: the owner's lab with the sidebar open, two watchers of it, and a tab of each other kind
open. From the click until a tab's address and its status line tell of the new run.
"""

from __future__ import annotations

import argparse
import re
import socket
import statistics
import subprocess
import time
from collections.abc import Callable

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.command import ROOT, app_command
from benchmarks.screenshots import FLAGS, _wait

OTHERS = ("critic", "compare", "gallery", "duel", "guide")
PRESETS = ("Ring of 8 · WGAN-GP", "Digits · WGAN-GP", "Ring of 8 · LSGAN", "Grid of 25 · WGAN-GP")
DATA = ("Two moons", "Swiss roll")
OLD = 20  # steps that a run does before the next change: the new one then has done fewer
SHOWN = """([run, step]) => {
  const text = document.querySelector('.st-key-status')?.innerText ?? ''
  const now = +(text.match(/step ([\\d,]+)/)?.[1] ?? '0').replaceAll(',', '')
  return new URLSearchParams(location.search).get('run') !== run && now < step
}"""


def run_of(page: Page) -> str:
    found = re.search(r"run=([\w-]+)", page.url)
    return found[1] if found else ""


def step_of(page: Page) -> int:
    found = re.search(r"step ([\d,]+)", page.locator(".st-key-status").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def preset(page: Page, number: int) -> Callable[[], None]:
    page.locator("[class*='st-key-preset']").get_by_role("combobox").click()
    option = page.get_by_role("option", name=PRESETS[(number // 3 + 1) % len(PRESETS)], exact=True)
    option.wait_for()
    return option.click


def seed(page: Page, number: int) -> Callable[[], None]:
    field = page.locator("[class*='st-key-seed'] input")
    field.fill(str(number + 1))
    return lambda: field.press("Enter")


def data(page: Page, number: int) -> Callable[[], None]:
    page.get_by_role("tab", name="New run").click()
    page.wait_for_timeout(2000)  # the page is drawn for that; a list would close
    page.locator("[class*='st-key-new_data']").get_by_role("combobox").click()
    page.get_by_role("option", name=DATA[number // 3 % len(DATA)]).click()
    return page.get_by_role("button", name="Start a new run").click


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=30)
    given = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(app_command(port), cwd=ROOT)
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            _measure(browser, f"http://127.0.0.1:{port}", given.changes)
    finally:
        server.terminate()
        server.wait()


def _measure(browser: Browser, url: str, changes: int) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)

    def tab(path: str) -> Page:
        page = context.new_page()
        page.goto(url + path)
        return page

    owner = tab("/?preset=ring-wgan-gp")
    owner.wait_for_url("**run=*")
    watchers = [tab(f"/?run={run_of(owner)}") for _ in range(2)]
    for path in OTHERS:
        tab(f"/{path}").wait_for_timeout(3000)
    owner.get_by_test_id("stExpandSidebarButton").click()
    found: dict[str, list[float]] = {"owner": [], "watcher": []}
    for number in range(changes):
        while step_of(owner) < OLD:
            owner.wait_for_timeout(100)
        old = [run_of(owner), OLD]
        click = (preset, seed, data)[number % 3](owner, number)
        since = time.perf_counter()
        click()
        for name, page in (("owner", owner), *(("watcher", w) for w in watchers)):
            page.wait_for_function(SHOWN, arg=old, polling=20)
            found[name].append(time.perf_counter() - since)
        assert {run_of(watcher) for watcher in watchers} == {run_of(owner)}
    for name, times in found.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(
            f"{name}: {len(times)} times, median {statistics.median(times):.2f} s, "
            f"95% within {p95:.2f} s, slowest {max(times):.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
