"""A configuration with one exchange, as files: what `hotline` needs to run in a test."""

import json
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from telephony.calls import Call, Leg
from tests.hotline.story import at, write_wav

FIELDS = 13


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """The folder of one city's exchange, and the TOML that names it."""

    folder: Path
    toml: Path
    http_port: int

    @property
    def cel(self) -> Path:
        return self.folder / "calls.csv"

    @property
    def queue_log(self) -> Path:
        return self.folder / "queue_log"

    @property
    def spool(self) -> Path:
        return self.folder / "monitor"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"


def build(
    folder: Path,
    *,
    dsn: str | None,
    ami_port: int,
    secret: str = "s3cret",  # noqa: S107 - the scripted exchange's
    extra: str = "",
    http_port: int | None = None,
) -> City:
    """Write the configuration; the exchange's files exist and are empty."""
    city = City(folder=folder, toml=folder / "hotline.toml", http_port=http_port or free_port())
    city.spool.mkdir(exist_ok=True)
    city.cel.touch()
    city.queue_log.touch()
    database = f"database_dsn = {json.dumps(dsn)}" if dsn else ""
    city.toml.write_text(
        f"""
language = "en"
{database}
data_dir = "{folder / "data"}"
identity_keys = "{folder / "identity.keys"}"
models_dir = "{folder / "models"}"
http_port = {city.http_port}
reconcile_every_seconds = 0.2
recording_grace_seconds = 600
{extra}
[[exchanges]]
system = "mianyang-1"
port = {ami_port}
secret = "{secret}"
cel_file = "{city.cel}"
queue_log_file = "{city.queue_log}"
recordings_dir = "{city.spool}"
[[lines]]
name = "mayor"
number = "12345"
[[lines]]
name = "duty"
number = "2222345"
""",
        encoding="utf-8",
    )
    return city


def _row(kind: str, when: datetime, unique_id: str, linked_id: str, **given: str) -> str:
    fields = {
        "type": kind,
        "time": f"{when.timestamp():.6f}",
        "name": given.get("name", ""),
        "number": given.get("number", ""),
        "exten": given.get("exten", ""),
        "context": given.get("context", ""),
        "channel": given.get("channel", ""),
        "app": given.get("app", ""),
        "app_data": given.get("app_data", ""),
        "unique_id": unique_id,
        "linked_id": linked_id,
        "peer": "",
        "extra": given.get("extra", ""),
    }
    assert len(fields) == FIELDS
    return ",".join('"' + value.replace('"', '""') + '"' for value in fields.values()) + "\n"


def cel_rows(call: Call) -> str:
    """What the exchange's channel event log says of an answered call."""
    caller = str(call.key.linked_id)
    operator = f"{caller}9"
    trunk = {"channel": "PJSIP/trunk-00000001", "number": call.caller_number or ""}
    seat = {"channel": "PJSIP/1001-00000002"}
    bridge = {"extra": json.dumps({"bridge_id": f"b-{caller}", "bridge_technology": "simple"})}
    files = f"r({caller}-caller.wav)t({caller}-operator.wav)"
    inbound = {"context": "from-trunk", "exten": "12345", "name": call.caller_name or ""}
    told = [
        _row("CHAN_START", at(0), caller, caller, **trunk, **inbound),
        _row("APP_START", at(1), caller, caller, **trunk, app="MixMonitor", app_data=f",{files}"),
        _row("APP_START", at(2), caller, caller, **trunk, app="Queue", app_data="mayor,tC"),
        _row("CHAN_START", at(3), operator, caller, **seat, context="operators", exten=""),
        _row("ANSWER", at(6), operator, caller, **seat),
        _row("BRIDGE_ENTER", at(6), operator, caller, **seat, **bridge),
        _row("BRIDGE_ENTER", at(6), caller, caller, **trunk, **bridge),
        _row("BRIDGE_EXIT", at(36), caller, caller, **trunk, **bridge),
        _row("BRIDGE_EXIT", at(36), operator, caller, **seat, **bridge),
        _row("HANGUP", at(36), operator, caller, **seat),
        _row("CHAN_END", at(36), operator, caller, **seat),
        _row("APP_END", at(36), caller, caller, **trunk, app="Queue", app_data="mayor,tC"),
        _row(
            "HANGUP",
            at(36),
            caller,
            caller,
            **trunk,
            extra=json.dumps({"hangupsource": "PJSIP/trunk-00000001"}),
        ),
        _row("CHAN_END", at(36), caller, caller, **trunk),
        _row("LINKEDID_END", at(36), caller, caller, **trunk),
    ]
    return "".join(told)


def leave_call(city: City, call: Call) -> None:
    """An answered call as the exchange leaves it in its files: recordings, then the log."""
    for leg in Leg:
        write_wav(city.spool / f"{call.key.linked_id}-{leg}.wav", 1.0)
    with city.cel.open("a", encoding="utf-8") as log:
        log.write(cel_rows(call))
