"""What must be renewed says when it ends."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from hotline.casework import load_casework
from hotline.config import Config
from hotline.endings import calendar_end, certificate_end, watched


def certificate(ends: datetime) -> bytes:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hotline.example")])
    made = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_valid_after=ends,
    )
    return made.sign(key, None).public_bytes(serialization.Encoding.PEM)


def test_the_first_of_a_files_certificates_is_the_one_that_matters(tmp_path: Path) -> None:
    soon, late = datetime(2027, 3, 1, tzinfo=UTC), datetime(2036, 3, 1, tzinfo=UTC)
    file = tmp_path / "chain.pem"
    file.write_bytes(certificate(late) + certificate(soon))
    assert certificate_end(file) == soon
    assert watched(Config(certificates=(file,))) == (file,)


def test_what_cannot_be_read_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("nothing")
    assert certificate_end(tmp_path / "none.pem") is None
    assert certificate_end(tmp_path / "missing.pem") is None


def test_the_calendar_ends_with_the_midnight_after_its_last_day() -> None:
    calendar = load_casework(Config()).calendar
    assert calendar.last == datetime(2026, 12, 31, tzinfo=UTC).date()
    assert calendar_end(calendar) == datetime(2026, 12, 31, 16, tzinfo=UTC)
