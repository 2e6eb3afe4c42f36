"""Asterisk's HTTP server: its own figures for Prometheus, and the way in for browsers.

It listens on this machine alone, where an exchange names a port for either. Without an explicit
`uri` res_prometheus of 22.10.1 registers at the root, and `/metrics` is not found.
"""

from deploy.asterisk.config import Exchange

HTTP = """; For Prometheus and for the service on this machine, and for nothing else.
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
    port = exchange.browser_port if exchange.metrics_port is None else exchange.metrics_port
    served = {} if port is None else {"http.conf": HTTP.format(port=port)}
    return served if exchange.metrics_port is None else {**served, "prometheus.conf": PROMETHEUS}


def modules(exchange: Exchange) -> tuple[str, ...]:
    """What must be loaded for it."""
    return () if exchange.metrics_port is None else ("res_prometheus",)
