import os
from pathlib import Path

import pytest

from hotline.config import Config, Exchange, load, unknown_variables
from hotline.errors import ConfigError

FULL = """
http_port = 8081
[[exchanges]]
system = "mianyang-1"
secret = "geheim"
cel_file = "cel.csv"
queue_log_file = "queue_log"
recordings_dir = "monitor"
[[lines]]
name = "mayor"
number = "12345"
[[operators]]
extension = "1001"
badge = "001"
[speech]
workers = 2
"""


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("HOTLINE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _load(tmp_path: Path, text: str) -> Config:
    (tmp_path / "hotline.toml").write_text(text, encoding="utf-8")
    return load()


def test_nothing_configured_is_a_working_configuration() -> None:
    config = load()
    assert config.dsn is None
    assert config.http_host == "127.0.0.1"


def test_a_full_file_is_read(tmp_path: Path) -> None:
    config = _load(tmp_path, FULL)
    assert config.exchanges[0].secret.get_secret_value() == "geheim"
    assert config.lines[0].queue_name == "mayor"
    assert config.speech.workers == 2
    assert "geheim" not in repr(config)


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_HTTP_PORT", "9000")
    monkeypatch.setenv("HOTLINE_SPEECH__WORKERS", "4")
    monkeypatch.setenv("HOTLINE_LINES", '[{"name": "duty", "number": "110"}]')
    config = _load(tmp_path, FULL)
    assert (config.http_port, config.speech.workers, config.lines[0].name) == (9000, 4, "duty")


def test_a_secret_may_stand_in_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("offen\n")
    (tmp_path / "ami").write_text("sesam\n")
    monkeypatch.setenv("HOTLINE_CONSOLE_PASSWORD_FILE", str(tmp_path / "password"))
    config = _load(tmp_path, FULL.replace('secret = "geheim"', 'secret_file = "ami"'))
    assert config.console_password is not None
    assert config.console_password.get_secret_value() == "offen"
    assert config.exchanges[0].secret.get_secret_value() == "sesam"


def test_every_secret_there_is_has_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fields in (Config.model_fields, Exchange.model_fields):
        secrets = {key for key, field in fields.items() if "Secret" in str(field)}
        assert secrets
        assert {f"{key}_file" for key in secrets} <= set(fields)
    (tmp_path / "dsn").write_text("postgresql://hotline@/city\n")
    (tmp_path / "actor").write_text("taten\n")
    monkeypatch.setenv("HOTLINE_DATABASE_DSN_FILE", str(tmp_path / "dsn"))
    config = _load(
        tmp_path, FULL.replace('cel_file = "c', 'actor_secret_file = "actor"\ncel_file = "c')
    )
    assert config.dsn == "postgresql://hotline@/city"
    actor = config.exchanges[0].actor_secret
    assert actor is not None
    assert actor.get_secret_value() == "taten"
    monkeypatch.setenv("HOTLINE_DATABASE_DSN", "postgresql://hotline@/other")
    with pytest.raises(ConfigError, match=r"either database_dsn or database_dsn_file, not both\."):
        load()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("http_port = 'many'", "Configuration: http_port must be a whole number."),
        ("http_prot = 1", "Configuration: http_prot is not a known key."),
        ("http_port = 70000", "Configuration: http_port is wrong: "),
        ("[[exchanges]]\nsystem = 'a'", "exchanges[0].secret is missing (and 3 more mistakes)."),
        ("http_port = ", "hotline.toml is not valid TOML"),
        ("http_host = '0.0.0.0'", "console_password (or console_password_file) must be set."),
        ("http_host = '::'", "console_password (or console_password_file) must be set."),
        ("http_host = '0.0.0.0'\nconsole_password = ''", "console_password is empty."),
        ("console_password_file = 'gone'", "console_password_file names gone, which cannot"),
        ("lines = 3", "Configuration: lines must be a list of tables."),
        (
            "[[lines]]\nname='a'\nnumber='1'\n[[lines]]\nname='a'\nnumber='2'",
            "Configuration: lines.name a is given twice.",
        ),
        ("[speech]\nengine = 'ear'", "Configuration: speech.engine is wrong: "),
    ],
)
def test_every_mistake_is_one_sentence_that_names_the_key(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, text)
    said = str(raised.value)
    assert sentence in said
    assert "\n" not in said
    assert said.endswith(".")


def test_a_mistake_never_quotes_a_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, 'console_password = ["geheim"]')
    assert "console_password" in str(raised.value)
    assert "geheim" not in str(raised.value)


def test_an_environment_twin_that_is_no_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_LINES", "[{")
    with pytest.raises(ConfigError, match=r"HOTLINE_LINES \(lines\) is not valid JSON"):
        load()


def test_a_file_that_was_named_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_CONFIG", "/nowhere/hotline.toml")
    with pytest.raises(ConfigError, match=r"/nowhere/hotline.toml cannot be read"):
        load()


def test_misspelt_variables_are_found() -> None:
    environ = {"HOTLINE_HTTP_PROT": "1", "HOTLINE_SPEECH__WORKERS": "1", "HOTLINE_CONFIG": "x"}
    assert unknown_variables(environ) == ["HOTLINE_HTTP_PROT"]
