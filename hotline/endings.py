"""What ends by a date and must be renewed before it: certificates, and the working-day calendar."""

from datetime import datetime, time, timedelta
from pathlib import Path

from cryptography import x509

from hotline.config import Config
from routing.calendar import Calendar
from routing.numbers import SHANGHAI


def calendar_end(calendar: Calendar) -> datetime:
    """The midnight that ends the last day of the calendar."""
    return datetime.combine(calendar.last + timedelta(days=1), time(), SHANGHAI)


def watched(config: Config) -> tuple[Path, ...]:
    """The certificates that the configuration names, for itself or for somebody to watch over."""
    named = [exchange.tls_ca for exchange in config.exchanges]
    return tuple(dict.fromkeys(path for path in (*config.certificates, *named) if path))


def certificate_end(path: Path) -> datetime | None:
    """When the first of the certificates in a PEM file ends; None where there is none to read."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return None
    return min((it.not_valid_after_utc for it in found), default=None)
