import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.sealing import KEY_BYTES, KeyFile, Keyring, SealError, read_keys, write_keys

RING = Keyring.new()


@given(st.text())
def test_what_is_sealed_is_opened(text: str) -> None:
    assert RING.open(RING.seal(text)) == text


def test_equal_texts_are_sealed_unequally_and_found_equally() -> None:
    assert RING.seal("13800000000") != RING.seal("13800000000")
    assert RING.fingerprint("13800000000") == RING.fingerprint("13800000000")
    assert RING.fingerprint("13800000000") != Keyring.new().fingerprint("13800000000")


@given(st.binary(min_size=1), st.integers(min_value=0))
def test_what_was_changed_is_refused(change: bytes, place: int) -> None:
    number, box = RING.seal("13800000000")
    at = place % len(box)
    changed = box[:at] + change + box[at + len(change) :]
    if changed != box:
        with pytest.raises(SealError, match="changed"):
            RING.open((number, changed))


def test_a_new_key_reads_what_the_old_one_sealed_until_it_is_taken_away() -> None:
    sealed = RING.seal("张三")
    both = RING.with_new_key()
    assert both.open(sealed) == "张三"
    assert both.seal("张三")[0] == RING.newest + 1
    assert both.fingerprint("张三") == RING.fingerprint("张三")
    with pytest.raises(SealError, match="sealed with key 1"):
        both.without_old_keys().open(sealed)


def test_keys_never_show() -> None:
    assert "keys=" not in repr(RING)
    assert repr(RING) == "Keyring()"


def test_the_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "identity.keys"
    first, second = KeyFile(path), KeyFile(path)
    assert first.ring == second.ring
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["identity.keys"]


def test_a_changed_file_is_followed(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "identity.keys")
    write_keys(keys.path, keys.ring.with_new_key())
    assert keys.ring.newest == 2
    keys.path.unlink()
    assert keys.ring.newest == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "look-up",
        "1 AAAA\nlook-up AAAA\n",
        "look-up {key}\n",
        "x {key}\nlook-up {key}\n",
        "1 {key}\n",
        "0 {key}\nlook-up {key}\n",
        "1 {key}\nlook-up \u4e00\n",
    ],
)
def test_a_damaged_file_is_one_sentence_without_keys(text: str, tmp_path: Path) -> None:
    key = "QUFB" * 10 + "QUE="
    path = tmp_path / "identity.keys"
    path.write_text(text.format(key=key), encoding="utf-8")
    with pytest.raises(SealError) as refused:
        read_keys(path)
    assert "put back their copy" in str(refused.value)
    assert key not in str(refused.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SealError, match="cannot be read"):
        read_keys(tmp_path / "none")


def test_keys_survive_the_file(tmp_path: Path) -> None:
    ring = replace(RING, keys={3: bytes(KEY_BYTES), 12: bytes(range(KEY_BYTES))})
    write_keys(tmp_path / "identity.keys", ring)
    assert read_keys(tmp_path / "identity.keys") == ring
