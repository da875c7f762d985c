"""Makes the README's pictures: the demo's project in Dagster's web UI, seen in Chromium.

    dagster-monitoring demo
    python docs/pictures/make.py dagster-monitoring-demo

Needs the ``dev`` extra and a Chromium (Debian: ``apt-get install chromium``).
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

HERE = Path(__file__).parent
SIZE: ViewportSize = {"width": 1500, "height": 950}
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE: ViewportSize = {"width": 1800, "height": 720}
WAIT_MS = 60_000
# The states of assets and partitions come after the page.
STATES_MS = 15_000


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path, help="folder that the demo laid out")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of the pictures")
    arguments = parser.parse_args()
    with serve(arguments.project) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        location = arguments.project.resolve().name
        asset_graph(new_page(browser, WIDE), url, location, arguments.output)
        page = new_page(browser, SIZE)
        triggered_check(page, url, arguments.output)
        check_history(page, url, arguments.output)


def new_page(browser: Browser, size: ViewportSize) -> Page:
    """A page of a browser that nobody used before."""
    page = browser.new_page(viewport=size, device_scale_factor=1)
    page.set_default_timeout(WAIT_MS)
    return page


def asset_graph(page: Page, url: str, location: str, output: Path) -> None:
    """The model's lineage; wide, so that the boxes say how their assets are."""
    go(page, f"{url}/locations/{location}/asset-groups/flight_delay/lineage")
    page.get_by_text("challenger").first.wait_for()
    page.get_by_text("Hide navigation").click()
    page.reload()
    page.get_by_text("challenger").first.wait_for()
    page.wait_for_timeout(STATES_MS)
    page.screenshot(path=output / "asset_graph.png")


def triggered_check(page: Page, url: str, output: Path) -> None:
    """A triggered check's table, then its plot."""
    go(page, f"{url}/assets/flight_delay/performance?view=checks&checkDetail=performance")
    page.get_by_text("[Show Markdown]").first.wait_for()
    page.screenshot(path=output / "triggered_check.png")
    page.get_by_text("[Show Markdown]").first.click()
    page.locator("img[src^='data:image/svg+xml']").first.wait_for()
    page.wait_for_timeout(1_000)
    page.screenshot(path=output / "check_plot.png")


def check_history(page: Page, url: str, output: Path) -> None:
    """A check's verdicts by partition."""
    go(page, f"{url}/assets/flight_delay/performance?view=checks&checkDetail=performance")
    page.get_by_role("tab", name="Partitions").last.click()
    page.get_by_role("button", name="All", exact=True).wait_for()
    # Days that are still to come were not judged.
    page.get_by_text("Missing (").click()
    page.get_by_text("2013-07-06", exact=True).first.click()
    page.wait_for_timeout(STATES_MS)
    page.screenshot(path=output / "check_history.png")


def go(page: Page, address: str) -> None:
    """Open a page, and close the dialog that a new browser is shown."""
    page.goto(address)
    page.wait_for_timeout(6_000)
    skip = page.get_by_role("button", name="Skip")
    if skip.count():
        skip.click()
        page.wait_for_timeout(1_000)


@contextmanager
def serve(project: Path) -> Iterator[str]:
    """``dg dev`` on a free port, stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).parent / "dg"), "dev", "--port", str(port)]
    environment = {**os.environ, "DAGSTER_DISABLE_TELEMETRY": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    with (project / ".dagster" / "dev.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=project, stdout=log, stderr=log, start_new_session=True, env=environment
        )
        try:
            wait_for(f"{url}/server_info", process)
            yield url
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started; at once when asking for it does not help."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the server answers, at most two minutes."""
    for _ in range(120):
        if process.poll() is not None:
            raise SystemExit("dg dev ended; see .dagster/dev.log in the project")
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own address
        except OSError:
            time.sleep(1)
        else:
            return
    raise SystemExit("dg dev did not answer within two minutes")


def find_chromium() -> str:
    """Chromium, by the names that it goes by."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise SystemExit("no Chromium found: apt-get install chromium")


if __name__ == "__main__":
    main()
