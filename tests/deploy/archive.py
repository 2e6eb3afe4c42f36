"""A small package archive of our own: built, signed and served here, so tests need no network."""

import hashlib
import os
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ARCH = "amd64"


def run(*argv: str | Path, **env: str) -> str:
    done = subprocess.run(  # noqa: S603 - the archive's own tools
        [str(word) for word in argv],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
    )
    return done.stdout


class Archive:
    """Packages under `pool/`, one signed suite; `serve()` opens it over HTTP on loopback."""

    def __init__(self, folder: Path, suite: str) -> None:
        self.folder, self.suite = folder / "www", suite
        self.home = folder / "gnupg"
        self.keyring = folder / "keyring.gpg"
        self.entries: list[str] = []
        self.gpg = shutil.which("gpg") or "gpg"
        (self.folder / "pool").mkdir(parents=True)
        self.make_key("archive")
        run("gpg", "--homedir", self.home, "--output", self.keyring, "--export")

    def make_key(self, name: str) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        words = ["--batch", "--quiet", "--passphrase", "", "--quick-gen-key", name, "rsa2048"]
        run("gpg", "--homedir", self.home, *words)

    def close(self) -> None:
        gpgconf = Path(self.gpg).with_name("gpgconf")  # a test may have emptied PATH
        run(gpgconf, "--homedir", self.home, "--kill", "all")

    def add(
        self, name: str, files: dict[str, bytes], depends: str = "", version: str = "1:2.0-1"
    ) -> Path:
        tree = self.folder.parent / "build" / name
        (tree / "DEBIAN").mkdir(parents=True)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: {ARCH}\n"
        control += "Maintainer: test <t@example.org>\nDescription: test\n"
        control += f"Depends: {depends}\n" if depends else ""
        (tree / "DEBIAN/control").write_text(control)
        for place, content in files.items():
            (tree / place).parent.mkdir(parents=True, exist_ok=True)
            (tree / place).write_bytes(content)
        deb = self.folder / "pool" / f"{name}_{version.rsplit(':', 1)[-1]}_{ARCH}.deb"
        run("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, deb)
        data = deb.read_bytes()
        self.entries.append(
            f"{control}Filename: pool/{deb.name}\nSize: {len(data)}\n"
            f"SHA256: {hashlib.sha256(data).hexdigest()}\n"
        )
        return deb

    def publish(self, signer: str = "archive") -> None:
        for suite, entries in ((self.suite, self.entries), (f"{self.suite}-updates", [])):
            place = self.folder / "dists" / suite
            packages = place / f"main/binary-{ARCH}/Packages"
            packages.parent.mkdir(parents=True, exist_ok=True)
            packages.write_text("\n".join(entries))
            data = packages.read_bytes()
            (place / "Release").write_text(
                f"Suite: {suite}\nCodename: {suite}\nArchitectures: {ARCH}\nComponents: main\n"
                "Date: Sat, 01 Aug 2026 00:00:00 UTC\nSHA256:\n"
                f" {hashlib.sha256(data).hexdigest()} {len(data)} main/binary-{ARCH}/Packages\n"
            )
            (place / "InRelease").unlink(missing_ok=True)
            words = ["--batch", "--quiet", "-u", signer, "--clearsign"]
            signed = place / "InRelease"
            run("gpg", "--homedir", self.home, *words, "-o", signed, place / "Release")


class Server:
    """Serves an archive; can stall in the middle of a file and counts what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[tuple[str, str | None]] = []
        self.stall_at: str | None = None
        self.stalled = threading.Event()
        self.released = threading.Event()
        outer = self

        class Handler(SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.folder = folder
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.httpd.daemon_threads = True
        self.thread = threading.Thread(target=self.httpd.serve_forever)
        self.thread.start()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.httpd.server_address[1]}"

    def answer(self, handler: SimpleHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.requests.append((handler.path, wanted))
        path = Path(handler.translate_path(handler.path))
        if not path.is_file():
            handler.send_response(404)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        data = path.read_bytes()
        first = int(wanted.split("=")[1].split("-")[0]) if wanted else 0
        handler.send_response(206 if wanted else 200)
        if wanted:
            handler.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - first))
        handler.send_header("Last-Modified", "Sat, 01 Aug 2026 00:00:00 GMT")
        handler.send_header("Accept-Ranges", "bytes")
        handler.end_headers()
        body = data[first:]
        if self.stall_at and self.stall_at in handler.path:
            handler.wfile.write(body[: len(body) // 2])
            handler.wfile.flush()
            self.stalled.set()
            self.released.wait(30)
            handler.close_connection = True
            return
        handler.wfile.write(body)

    def close(self) -> None:
        self.released.set()
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()
