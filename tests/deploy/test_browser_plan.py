"""Telephones in browsers, as text: one more endpoint each, by the service alone, least rights."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.asterisk.config import RELAY_ADDRESS, Exchange, Line, Operator
from deploy.asterisk.render import files
from deploy.asterisk.secrets import Secrets, load_or_create
from deploy.errors import ExchangeInvalid
from deploy.portable import Tool
from tests.deploy.test_render import sections

TOOL = Tool(name="asterisk", argv=("asterisk",), version="22.10.1", prefix=None)
SECRETS = Secrets(
    reader="r", actor="a", operators={"1001": "of-the-desk"}, browsers={"1001": "of-the-browser"}
)


def exchange(browser_port: int | None = 8088, metrics_port: int | None = None) -> Exchange:
    return Exchange(
        system="mianyang-1",
        run_dir=Path("/srv/x"),
        sip_port=5070,
        ami_port=5048,
        rtp_ports=(21000, 21199),
        browser_port=browser_port,
        metrics_port=metrics_port,
        lines=(Line(name="mayor", number="12345", operators=("1001",)),),
        operators=(Operator(extension="1001"),),
    )


def test_the_browser_is_an_endpoint_of_its_own_with_a_password_of_its_own() -> None:
    told = files(exchange(), TOOL, SECRETS)
    endpoint, proof, place = sections(told["pjsip.conf"], "1001-web")
    assert endpoint["webrtc"] == "yes"
    assert endpoint["context"] == sections(told["pjsip.conf"], "1001")[0]["context"]
    assert (endpoint["deny"], endpoint["permit"]) == ("0.0.0.0/0", f"{RELAY_ADDRESS}/32")
    assert (endpoint["allow_transfer"], endpoint["allow_subscribe"]) == ("no", "no")
    assert (proof["password"], place["max_contacts"]) == ("of-the-browser", "1")
    assert sections(told["pjsip.conf"], "1001")[1]["password"] == "of-the-desk"
    http = sections(told["http.conf"], "general")[0]
    assert (http["bindaddr"], http["bindport"]) == ("127.0.0.1", "8088")
    assert (http["enable_static"], http["enable_status"]) == ("no", "no")
    assert "load = res_pjsip_transport_websocket.so" in told["modules.conf"]
    assert "prometheus.conf" not in told


def test_without_browsers_nothing_of_them_is_there() -> None:
    told = files(exchange(None), TOOL, SECRETS)
    assert "http.conf" not in told
    assert "-web]" not in told["pjsip.conf"]
    assert "websocket" not in told["modules.conf"]
    assert "icesupport = no" in told["rtp.conf"]
    assert "Queue(mayor,r," in told["extensions.conf"]


def test_one_port_serves_browsers_and_prometheus() -> None:
    both = files(exchange(8088, 8088), TOOL, SECRETS)
    assert "bindport = 8088" in both["http.conf"]
    assert "prometheus.conf" in both
    with pytest.raises(ExchangeInvalid, match="one HTTP server"):
        exchange(8088, 8089)


@pytest.mark.parametrize("trunk", [RELAY_ADDRESS, "127.0.0.0/8"])
def test_a_trunk_that_browsers_would_be_taken_for_is_refused(trunk: str) -> None:
    with pytest.raises(ExchangeInvalid, match="from which browsers come"):
        replace(exchange(), trunk_match=(trunk,))
    replace(exchange(None), trunk_match=(trunk,))


def test_older_secrets_are_kept_and_browsers_added(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(
        '{"reader": "r", "actor": "a", "operators": {"1001": "kept"}}'
    )
    secrets = load_or_create(tmp_path, ["1001", "1002"])
    assert secrets.operators["1001"] == "kept"
    assert set(secrets.browsers) == {"1001", "1002"}
    assert len({*secrets.operators.values(), *secrets.browsers.values()}) == 4
    assert load_or_create(tmp_path, ["1001", "1002"]) == secrets
