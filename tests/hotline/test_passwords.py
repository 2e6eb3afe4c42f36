"""Passwords are kept by the library's own present choice of work, and judged before."""

import pytest

from hotline import passwords
from hotline.errors import PasswordWeakError


async def test_a_password_is_kept_as_argon2id_with_at_least_the_work_of_rfc_9106() -> None:
    kept = await passwords.hashed("铁塔-river-47")
    _, kind, _, work, _, _ = kept.split("$")
    given = dict(part.split("=") for part in work.split(","))
    assert kind == "argon2id"
    assert (int(given["m"]), int(given["t"])) >= (65536, 3)  # KiB and passes: its second choice
    assert await passwords.fits("铁塔-river-47", kept)
    assert not await passwords.fits("铁塔-river-48", kept)
    assert not await passwords.fits("铁塔-river-47", None)
    assert not await passwords.fits("铁塔-river-47", "not a hash")
    assert kept != await passwords.hashed("铁塔-river-47")


@pytest.mark.parametrize(
    "password", ["", "short-one", "x" * 201, "ababababababab", "my-LiNa-is-in"]
)
def test_an_easy_password_is_refused_without_being_quoted(password: str) -> None:
    with pytest.raises(PasswordWeakError) as refused:
        passwords.judge(password, "lina")
    assert not password or password not in str(refused.value)


def test_a_long_one_of_any_signs_is_taken() -> None:
    passwords.judge("三十字以内的一句话也可以作口令", "lina")
