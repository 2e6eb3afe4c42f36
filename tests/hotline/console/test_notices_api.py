"""The address book and the list of notices over HTTP."""

from aiohttp import ClientSession

UNIT = "市水务（集团）有限公司"


async def test_the_address_book_masks_and_checks(visitor: ClientSession) -> None:
    asked = {"holder": UNIT, "channel": "sms", "address": "13812345678"}
    async with visitor.post("api/notice-addresses", json=asked) as answer:
        kept = await answer.json()
    assert kept["address"] == "138****5678"
    async with visitor.post("api/notice-addresses", json={**asked, "address": "no"}) as answer:
        assert answer.status == 422
    async with visitor.get("api/notice-addresses", params={"holder": UNIT}) as answer:
        assert len((await answer.json())["addresses"]) == 1
    async with visitor.delete(f"api/notice-addresses/{kept['id']}") as answer:
        assert answer.status == 200
    async with visitor.delete(f"api/notice-addresses/{kept['id']}") as answer:
        assert answer.status == 404
    async with visitor.post("api/notices/1/retry", json={}) as answer:
        assert answer.status == 404
    async with visitor.get("api/notices") as answer:
        assert (await answer.json())["notices"] == []
