"""What the demo adds to the project it lays out."""

from dagster_monitoring.demo.definitions import read_model
from dagster_monitoring.demo.play import declare_slack
from dagster_monitoring.demo.world import lay_out


def test_slack_is_told_when_there_is_a_token(tmp_path):
    project = lay_out(tmp_path / "flights")
    assert [c.type for c in read_model(project).alerts] == ["console", "file"]
    declare_slack(project)
    channels = read_model(project).alerts
    assert [c.type for c in channels] == ["console", "file", "slack"]
    assert channels[2].token.env == "SLACK_TOKEN"
