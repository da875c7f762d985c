"""What a person sees: the demo's project in Dagster's web UI, in a real browser."""

import importlib.util
import shutil
import warnings
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from dagster_monitoring.demo.play import Play
from dagster_monitoring.orchestration.backend import open_backend

ROOT = Path(__file__).parents[2]
NAMES = (
    "challenger", "champion", "baseline", "predictions", "ground_truth", "profile", "drift",
    "data_quality", "performance",
)  # fmt: skip

pytestmark = pytest.mark.skipif(
    not any(shutil.which(n) for n in ("chromium", "chromium-browser", "google-chrome")),
    reason="needs a Chromium (Debian: apt-get install chromium)",
)


@pytest.fixture(scope="module")
def pictures():
    """The script that makes the README's pictures."""
    spec = importlib.util.spec_from_file_location("make", ROOT / "docs" / "pictures" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "flights"
    played = Play(folder, backfill=("2013-04-20", "2013-04-26"), live=("2013-04-27", "2013-04-29"))
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster's beta features
        patch.setenv("DAGSTER_HOME", "")
        for _ in played.run():
            pass
    return played


@pytest.fixture(scope="module")
def page(play, pictures):
    with pictures.serve(play.folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=pictures.find_chromium(), args=pictures.CHROMIUM_FLAGS
        )
        found = browser.new_page(viewport=pictures.SIZE, base_url=url)
        found.set_default_timeout(pictures.WAIT_MS)
        yield found
        browser.close()


def test_the_play_judges_late_labels_and_opens_an_incident(play):
    with open_backend(play.model) as backend:
        incidents = backend.store.incidents.list("flight_delay")
        evaluations = backend.store.evaluations.read("flight_delay")
    assert {e.partition for e in evaluations} == {f"2013-04-{day}" for day in range(20, 30)}
    assert any("performance" in incident.monitors for incident in incidents)


def test_the_graph_shows_every_asset_of_the_model(play, page, pictures):
    pictures.go(page, f"/locations/{play.folder.name}/asset-groups/flight_delay/lineage")
    for name in NAMES:
        page.get_by_text(name, exact=True).first.wait_for()


def test_a_triggered_check_shows_its_table_and_its_plot(page, pictures):
    pictures.go(page, "/assets/flight_delay/performance?view=checks&checkDetail=performance")
    page.get_by_text("roc_auc").first.wait_for()
    page.get_by_text("log_loss").first.wait_for()
    page.get_by_text("[Show Markdown]").first.click()
    plot = page.locator("img[src^='data:image/svg+xml']").first
    plot.wait_for()
    width, height = plot.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert (width, height) == (760, 240)


def test_a_checks_partitions_each_have_a_verdict(page, pictures):
    pictures.go(page, "/assets/flight_delay/performance?view=checks&checkDetail=performance")
    page.get_by_role("tab", name="Partitions").last.click()
    counts = page.get_by_text("Missing (")
    counts.wait_for()
    # 244 days are declared; ten were judged.
    assert page.get_by_text("Missing (234)").count() == 1
    assert page.get_by_text("Skipped (0)").count() == 1
