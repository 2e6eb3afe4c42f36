"""The sample of a proxy tells the service what it must know; nginx reads it where it is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "proxy" / "nginx.conf"


def test_the_sample_carries_web_sockets_and_says_who_asks() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    told = dict(re.findall(r"proxy_set_header (\S+) (\S+);", text))
    assert told == {
        "Host": "$http_host",
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": "https",
        "Upgrade": "$http_upgrade",
        "Connection": "$hotline_connection",
    }
    seconds = int(re.findall(r"proxy_read_timeout (\d+)s;", text)[0])
    assert seconds > 2 * 15, "a feed says something every 15 s"
    assert "proxy_buffering off;" in text


@pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx here")
def test_nginx_takes_the_sample(tmp_path: Path) -> None:
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    subprocess.run(  # noqa: S603 - a certificate for the test
        [*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    site = SAMPLE.read_text(encoding="utf-8").replace("/etc/hotline/tls", str(tmp_path))
    whole = tmp_path / "nginx.conf"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "\n".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    http = f"access_log off;\n{folders}\n{site}"
    whole.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{http}}}\n")
    done = subprocess.run(  # noqa: S603 - the machine's own nginx
        [str(shutil.which("nginx")), "-t", "-c", str(whole), "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
