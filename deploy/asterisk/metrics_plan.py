"""Asterisk's own figures for Prometheus (res_prometheus), where an exchange names a port for them.

Its HTTP server listens on this machine alone and serves nothing else. Without an explicit `uri` the
module of 22.10.1 registers at the root, and `/metrics` is not found.
"""

from deploy.asterisk.config import Exchange

HTTP = """; For Prometheus on this machine, and for nothing else.
[general]
enabled = yes
bindaddr = 127.0.0.1
bindport = {port}
enable_static = no
enable_status = no
"""
PROMETHEUS = """[general]
enabled = yes
core_metrics_enabled = yes
uri = metrics
"""


def metrics_files(exchange: Exchange) -> dict[str, str]:
    """The configuration files of it; none unless a port is named."""
    if exchange.metrics_port is None:
        return {}
    return {
        "http.conf": HTTP.format(port=exchange.metrics_port),
        "prometheus.conf": PROMETHEUS,
    }


def modules(exchange: Exchange) -> tuple[str, ...]:
    """What must be loaded for it."""
    return () if exchange.metrics_port is None else ("res_prometheus",)
