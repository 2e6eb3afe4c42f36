"""An exchange becomes Asterisk's configuration files: the templates filled in, nothing else."""

import hashlib
import re
import shutil
import tempfile
import wave
from pathlib import Path

from deploy.asterisk import (
    browser_plan,
    callout_plan,
    control_plan,
    line_plan,
    metrics_plan,
    probe_plan,
)
from deploy.asterisk.config import AmiTls, Exchange, Operator
from deploy.asterisk.secrets import Secrets, write_private
from deploy.errors import ExchangeInvalid
from deploy.portable import Tool

TEMPLATES = Path(__file__).with_name("templates")
LONGEST_SOCKET = 100  # a UNIX socket's path ends at 108 bytes, "/asterisk.ctl" included
TELEPHONE_RATE = 8000
SAMPLE_BYTES = 2
#: From these versions on a filter compares names by hash; older ones run a regular expression.
NAMED_FILTERS = {20: 11, 21: 6, 22: 1}
OLDEST_WITH_NAMED_FILTERS = 23

#: The life of a call, and what tells that telephones or Asterisk itself come and go.
EVENTS = (
    *("Newchannel", "Newstate", "NewCallerid", "Hangup", "HangupRequest", "SoftHangupRequest"),
    *("DialBegin", "DialEnd", "Hold", "Unhold", "Pickup"),
    *("BridgeCreate", "BridgeDestroy", "BridgeEnter", "BridgeLeave", "BridgeMerge"),
    *("BlindTransfer", "AttendedTransfer", "LocalBridge", "LocalOptimizationEnd"),
    *("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon"),
    *("AgentCalled", "AgentRingNoAnswer", "AgentConnect", "AgentComplete", "AgentDump"),
    *("QueueMemberStatus", "QueueMemberPause", "QueueMemberAdded", "QueueMemberRemoved"),
    *("MixMonitorStart", "MixMonitorStop", "UserEvent", "OriginateResponse"),
    *("FullyBooted", "Shutdown", "Reload", "ContactStatus"),
)

#: Modules in loading order; those a version does not have yet are left out.
MODULES = (
    *("res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_timing_timerfd"),
    *("res_rtp_asterisk", "res_security_log", "res_pjproject", "res_pjsip"),
    *("res_pjsip_pubsub", "res_pjsip_session", "res_pjsip_sdp_rtp", "res_pjsip_caller_id"),
    *("res_pjsip_nat",),
    *("res_pjsip_authenticator_digest", "res_pjsip_outbound_authenticator_digest"),
    *("res_pjsip_endpoint_identifier_ip", "res_pjsip_endpoint_identifier_user"),
    *("res_pjsip_registrar", "res_pjsip_refer", "res_pjsip_rfc3326", "res_pjsip_dtmf_info"),
    *("res_pjsip_diversion", "res_pjsip_empty_info", "res_pjsip_dlg_options", "chan_pjsip"),
    *("bridge_simple", "bridge_native_rtp", "bridge_softmix", "bridge_holding"),
    *("bridge_builtin_features", "bridge_builtin_interval_features"),
    *("codec_alaw", "codec_ulaw", "codec_a_mu", "codec_resample"),
    *("format_wav", "format_pcm", "format_sln"),
    *("func_callerid", "func_channel", "func_strings", "func_logic", "func_timeout"),
    *("app_dial", "app_playback", "app_playtones", "app_mixmonitor", "app_userevent"),
    *("app_celgenuserevent", "app_stack", "app_queue", "pbx_config"),
    *("res_cdrel_custom", "cel_custom"),
    *("res_audiosocket", "chan_audiosocket"),
    *control_plan.MODULES,
    *(name for name in line_plan.MODULES if name not in control_plan.MODULES),
)

#: Files whose defaults serve; they exist so that the log holds no complaint about them.
DEFAULTS = ("acl", "ccss", "features", "pjproject", "stasis", "udptl")
#: Where the data of an installed Asterisk lies, by distribution.
INSTALLED_DATA = (Path("/usr/share/asterisk"), Path("/var/lib/asterisk"))
#: Call detail records are too coarse for queues; the channel event log is our record.
NO_CDR = "[general]\nenable = no\n"


def render(exchange: Exchange, tool: Tool, secrets: Secrets) -> None:
    """Write run_dir/etc and every folder Asterisk writes to; the same input gives the same files.

    Raises:
        ExchangeInvalid: a notice is not a file Asterisk can play.
    """
    folders = ("etc", "db", "spool/monitor", "log/cel-custom", "sounds")
    for name in folders:
        (exchange.run_dir / name).mkdir(parents=True, exist_ok=True)
    exchange.run_dir.chmod(0o700)
    for record in (exchange.cel_file, exchange.queue_log_file):
        record.touch()  # Asterisk appends; whoever tails them finds them from the first moment
    control_dir(exchange).mkdir(mode=0o700, parents=True, exist_ok=True)
    exchange.blocked_dir.mkdir(mode=0o700, exist_ok=True)
    exchange.badges_dir.mkdir(mode=0o700, exist_ok=True)
    own = exchange.run_dir / "sounds"
    for line in exchange.lines:
        _copy_sound(line.notice, own / f"notice-{line.name}.wav")
        _copy_sound(line.sorry, own / f"sorry-{line.name}.wav")
    for name in line_plan.needed_sounds(exchange):
        _copy_sound(exchange.sounds / f"{name}.wav", line_plan.sounds_dir(exchange) / f"{name}.wav")
    callout_plan.copy_spoken(exchange)
    if _speaks_numbers(exchange):
        _borrow_data(exchange, tool)
    for name, text in files(exchange, tool, secrets).items():
        write_private(exchange.etc / name, text)


def files(exchange: Exchange, tool: Tool, secrets: Secrets) -> dict[str, str]:
    """Return every configuration file by its name. Reads nothing but the templates."""
    first, last = exchange.rtp_ports
    words = {
        "etc": str(exchange.etc),
        "run_dir": str(exchange.run_dir),
        "control_dir": str(control_dir(exchange)),
        "system": exchange.system,
        "installed": _installed(exchange, tool),
        "modules": _loading(exchange, tool),
        "ami_port": str(exchange.ami_port),
        **_ami_tls(exchange.ami_tls),
        "reader_secret": secrets.reader,
        "actor_secret": secrets.actor,
        "event_filter": event_filter(tool.version),
        "rtp_first": str(first),
        "rtp_last": str(last),
        "sip_address": exchange.sip_address,
        "sip_port": str(exchange.sip_port),
        "matches": "\n".join(f"match = {address}" for address in exchange.trunk_match),
        "ice": browser_plan.ice(exchange),
        "transport_ws": browser_plan.transport(exchange),
    }
    telephones = "".join(_telephone(exchange, operator, secrets) for operator in exchange.operators)
    internal = "\n".join(
        f"exten => {one},1,Dial({browser_plan.seat(exchange, one)},30)\n same => n,Hangup()"
        for one in (operator.extension for operator in exchange.operators)
    )
    queues = "\n".join(line_plan.queue(line) for line in exchange.lines)
    lines = "\n".join(line_plan.line_steps(exchange, line, tool.version) for line in exchange.lines)
    own = {
        "pjsip.conf": {"operators": telephones},
        "queues.conf": {"queues": queues},
        "extensions.conf": {
            "lines": lines,
            "operators": internal,
            "badge": line_plan.badge_steps(exchange),
        },
    }
    plain = ("asterisk", "modules", "logger", "manager", "cel", "cel_custom", "rtp", "indications")
    names = [f"{name}.conf" for name in plain] + list(own)
    rendered = {name: _fill(name, {**words, **own.get(name, {})}) for name in names}
    return {
        **{f"{name}.conf": "; The defaults serve.\n" for name in DEFAULTS},
        **rendered,
        **control_plan.control_files(exchange),
        **callout_plan.callout_files(exchange),
        **probe_plan.probe_files(exchange),
        **metrics_plan.metrics_files(exchange),
        "queuerules.conf": line_plan.rules(exchange),
        "cdr.conf": NO_CDR,
    }


def _loading(exchange: Exchange, tool: Tool) -> str:
    wanted = (*MODULES, *browser_plan.modules(exchange), *metrics_plan.modules(exchange))
    names = modules(tool, wanted)
    return "\n".join(f"load = {name}.so" for name in names)


def _ami_tls(tls: AmiTls | None) -> dict[str, str]:
    """Return the second way to AMI, for a service on another machine; none unless asked for."""
    if tls is None:
        return {"ami_tls": "; No service on another machine.", "ami_allow": ";"}
    address = f"[{tls.address}]" if ":" in tls.address else tls.address
    said = (
        "tlsenable = yes",
        f"tlsbindaddr = {address}:{tls.port}",
        f"tlscertfile = {tls.certificate}",
        f"tlsprivatekey = {tls.key}",
        "tlsdisablev1 = yes",
        "tlsdisablev11 = yes",
    )
    allowed = "\n".join(f"permit = {network}" for network in tls.allow)
    return {"ami_tls": "\n".join(said), "ami_allow": allowed or ";"}


def control_dir(exchange: Exchange) -> Path:
    """Return the folder of Asterisk's control socket, short enough for a socket's name."""
    path = exchange.run_dir / "run"
    if len(str(path)) <= LONGEST_SOCKET - len("/asterisk.ctl"):
        return path
    digest = hashlib.sha256(str(exchange.run_dir).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"hotline-{digest}"


def modules(tool: Tool, wanted: tuple[str, ...] = MODULES) -> tuple[str, ...]:
    """Return the modules to load: all that are wanted, less what this Asterisk does not have."""
    folders = [tool.prefix] if tool.prefix else [Path("/")]
    patterns = [f"usr/{place}/asterisk/modules" for place in ("lib/*", "lib", "lib64")]
    present = {
        module.stem
        for folder in folders
        for pattern in patterns
        for place in folder.glob(pattern)
        for module in place.glob("*.so")
    }
    return tuple(name for name in wanted if not present or name in present)


def event_filter(version: str) -> str:
    """Return the lines that let only EVENTS through, in the way this version understands."""
    numbers = [int(number) for number in re.findall(r"\d+", version)[:2]]
    major, minor = (*numbers, 0, 0)[:2]
    named = major >= OLDEST_WITH_NAMED_FILTERS or minor >= NAMED_FILTERS.get(major, minor + 1)
    if named:
        return "\n".join(f"eventfilter(action(include),name({name})) =" for name in EVENTS)
    return f"eventfilter = ^Event: ({'|'.join(EVENTS)})[^A-Za-z]"


def _installed(exchange: Exchange, tool: Tool) -> str:
    """Point an unpacked Asterisk at its own files; an installed one knows where they are."""
    data = line_plan.data_dir(exchange) if _speaks_numbers(exchange) else None
    if tool.prefix is None:
        said = "; An installed Asterisk: modules and data lie where it was built to look."
        return f"{said}\nastdatadir => {data}" if data else said
    module = next(tool.prefix.glob("usr/lib/*/asterisk/modules"))
    installed = tool.prefix / "usr/share/asterisk"
    places = {
        "astmoddir": module,
        "astvarlibdir": installed,
        "astdatadir": data or installed,
        "astkeydir": installed,
        "astagidir": installed / "agi-bin",
        "astsbindir": tool.prefix / "usr/sbin",
    }
    return "\n".join(f"{name} => {path}" for name, path in places.items())


def _speaks_numbers(exchange: Exchange) -> bool:
    """Whether Asterisk must find digits by their names, which it seeks in its data alone."""
    return any(line.tells_place for line in exchange.lines)


def _borrow_data(exchange: Exchange, tool: Tool) -> None:
    """Make a data folder of links to the installed data, with our sounds in place of its own."""
    candidates = [tool.prefix / "usr/share/asterisk"] if tool.prefix else list(INSTALLED_DATA)
    installed = next((folder for folder in candidates if folder.is_dir()), None)
    for entry in installed.iterdir() if installed else ():
        link = line_plan.data_dir(exchange) / entry.name
        if entry.name != "sounds":
            link.unlink(missing_ok=True)
            link.symlink_to(entry)


def _telephone(exchange: Exchange, operator: Operator, secrets: Secrets) -> str:
    address = (
        f"contact = {operator.contact}"
        if operator.contact
        else ("max_contacts = 1\nremove_existing = yes\nqualify_frequency = 30")
    )
    callerid = _named(operator) if line_plan.tells_badges(exchange) else line_plan.NOTHING
    words = {
        "extension": operator.extension,
        "callerid": callerid,
        "secret": operator.secret or secrets.operators[operator.extension],
        "rewrite_contact": "no" if operator.contact else "yes",
        "address": address,
    }
    browser = browser_plan.telephone(
        exchange, operator, callerid, secrets.browsers.get(operator.extension, "")
    )
    return _fill("pjsip-operator.conf", words) + browser


def _named(operator: Operator) -> str:
    """By this Queue() knows, and tells the dialplan, who has picked up."""
    return f"callerid = {operator.extension} <{operator.extension}>"


def _fill(name: str, words: dict[str, str]) -> str:
    """Return a template with each @word@ replaced."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return re.sub(r"@(\w+)@", lambda match: words[match[1]], text)


def _copy_sound(source: Path | None, target: Path) -> None:
    """Copy an announcement beside the configuration, so that its own name never matters.

    Raises:
        ExchangeInvalid: not an 8 kHz mono 16-bit WAV.
    """
    if source is None:
        return
    try:
        with wave.open(str(source)) as sound:
            form = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth())
    except (OSError, EOFError, wave.Error) as error:
        raise ExchangeInvalid(
            f"The announcement {source} cannot be read ({error}): give an 8 kHz mono WAV."
        ) from error
    if form != (TELEPHONE_RATE, 1, SAMPLE_BYTES):
        raise ExchangeInvalid(
            f"The announcement {source} is {form[0]} Hz with {form[1]} channels of "
            f"{form[2] * 8} bits: convert it to 8000 Hz, mono, 16 bits."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
