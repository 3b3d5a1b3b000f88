"""The first seconds of a server: when does something move, and when does the live run come?

    python -m benchmarks.first_second [--servers 5]

Each time the app is started by the README's own command, with nothing loaded, and Chromium opens
it as soon as it answers. Told in seconds: `health_s` from the start to an answer; `connected_s`
from the page's opening to its connection to the server, which is what a browser with an empty cache
takes for Streamlit's own scripts; `picture_s` from that connection to the first picture, `moving_s`
to the second one; `live_s` from the page's opening to the first frame of the live run. `jump_px` is
how far the meter and the samples move or change their size from the first picture of the recording
to the live run. Needs Debian's chromium. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.server import AppServer

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
# Notes in the page when each thing is seen first, in milliseconds since it was opened.
WATCH = """
(() => {
  const seen = (window.__seen = { pictures: 0 })
  const now = name => (seen[name] ??= performance.now())
  const Socket = window.WebSocket
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given)
      const streamlit = String(given[0]).endsWith("/_stcore/stream")
      if (streamlit) this.addEventListener("open", () => now("connected"))
    }
  }
  const boxes = () => [".st-key-meter", ".st-key-samples"].map(name => {
    const { x, y, width, height } = document.querySelector(name).getBoundingClientRect()
    return [x, y, width, height]
  })
  const draw = CanvasRenderingContext2D.prototype.clearRect
  CanvasRenderingContext2D.prototype.clearRect = function (...given) {
    draw.apply(this, given)
    if (!this.canvas.closest?.(".st-key-samples")) return
    requestAnimationFrame(() => {
      const status = document.querySelector(".wgan-status")?.textContent ?? ""
      if (status.includes("Recorded")) {
        now("picture")
        seen.recorded ??= boxes()
        if (++seen.pictures > 2) now("moving") // generated and real ones are two of them
      } else if (status.includes("playing")) {
        now("picture")
        seen.live_boxes ??= boxes()
        now("live")
      }
    })
  }
})()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--servers", type=int, default=5)
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        found = [once(browser) for _ in range(options.servers)]
        browser.close()
    for one in found:
        print(one)
    names = [name for name in found[0] if name.endswith("_s")]
    result: dict[str, Any] = {
        name: round(statistics.median(one[name] for one in found), 2) for name in names
    }
    result["jump_px"] = max(one["jump_px"] for one in found)
    print(json.dumps({"servers": len(found), **result, "cores": os.cpu_count()}))


def once(browser: Browser) -> dict[str, float]:
    """One server from its start to its first live frame."""
    started = time.monotonic()
    with AppServer() as server:
        health = time.monotonic() - started
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(server.url, wait_until="commit")
        page.wait_for_function("window.__seen.live", timeout=120_000)
        seen = page.evaluate("window.__seen")
        context.close()
    recorded, live = seen.get("recorded", seen["live_boxes"]), seen["live_boxes"]
    return {
        "health_s": round(health, 2),
        "connected_s": round(seen["connected"] / 1000, 2),
        "picture_s": round((seen["picture"] - seen["connected"]) / 1000, 2),
        "moving_s": round((seen.get("moving", seen["live"]) - seen["connected"]) / 1000, 2),
        "live_s": round(seen["live"] / 1000, 2),
        "jump_px": max(
            abs(a - b)
            for one, other in zip(recorded, live, strict=True)
            for a, b in zip(one, other, strict=True)
        ),
    }


if __name__ == "__main__":
    main()
