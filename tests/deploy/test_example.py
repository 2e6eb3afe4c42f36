"""What an operations team copies must work as it stands."""

import os
import tomllib
from pathlib import Path

import pytest
import yaml

from hotline.config import load

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def test_the_example_configuration_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("HOTLINE_")]:
        monkeypatch.delenv(name)
    text = (DEPLOY / "hotline.example.toml").read_text(encoding="utf-8")
    for name in ("database_dsn", "ami_reader"):
        (tmp_path / name).write_text("made-up", encoding="utf-8")
    text = text.replace("/etc/hotline/", f"{tmp_path}/")
    assert str(tmp_path) in text
    (tmp_path / "hotline.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "hotline.toml")
    assert config.dsn == "made-up"
    assert [line.name for line in config.lines] == ["mayor", "duty"]
    assert set(tomllib.loads(text)) <= set(type(config).model_fields)


def test_the_runbook_knows_every_alert() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus/rules/alerts.yml").read_text(encoding="utf-8"))
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    runbook = (DEPLOY / "runbook.md").read_text(encoding="utf-8")
    assert alerts
    assert not {alert for alert in alerts if alert not in runbook}
