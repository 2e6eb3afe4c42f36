"""A city at work: a fortnight of calls and cases, people at their seats, a duty desk in use."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from aiohttp import ClientSession

from hotline import flow
from hotline.caption_board import CaptionState, Offer, Standing
from hotline.database import transaction
from hotline.services import Services
from routing.cases import Move, Role
from routing.classify import Classifier
from telephony.calls import Leg, Outcome
from tests.hotline.console.conftest import Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire
from tests.routing.life import ANYBODY, TO_AUDIT, TO_UNIT, data_of
from transcription.captions import Caption
from transcription.transcripts import Turn, Word

URBAN, HOUSING, WATER = CITY_LIGHTS, "市住房和城乡建设委员会", "市水务（集团）有限公司"
DAYS, CALLS_A_DAY = 14, 6
REGULAR = "13890000000"
"""Whose calls every fortieth is, and the one that is being talked."""
TALKED = (
    (Leg.OPERATOR, "您好，市长热线，1086号为您服务，请讲。"),
    (Leg.CALLER, "你好，我上次反映的路灯还是没有修。"),
    (Leg.OPERATOR, "请问具体在什么位置？"),
    (Leg.CALLER, "涪城区临园路和安昌路路口，已经黑了三天了。"),
)
MATTERS = (
    ("涪城区临园路的路灯坏了三天了，晚上很黑，请帮忙修一下", "涪城区", "城乡建设", URBAN),
    ("游仙区富乐路的井盖松了，车一过就响，怕出事故", "游仙区", "城乡建设", URBAN),
    ("安州区花荄镇自来水发黄有味道，已经两天了", "安州区", "城乡建设", WATER),
    ("江油市太白大道夜市油烟很大，窗户都不敢开", "江油市", "城乡建设", URBAN),
    ("小区物业费涨了但是没有公示，想问合不合规定", "涪城区", "城乡建设", HOUSING),
    ("三台县潼川镇路边垃圾堆了一个星期没有人清运", "三台县", "城乡建设", URBAN),
    ("游仙区芙蓉路工地半夜还在施工，吵得睡不着", "游仙区", "城乡建设", URBAN),
    ("公租房申请交了材料三个月，一直没有答复", "涪城区", "城乡建设", HOUSING),
)
WAYS: tuple[tuple[Move, ...], ...] = (
    (),
    (Move.OPEN,),
    (Move.OPEN, Move.DISPATCH),
    TO_UNIT,
    (*TO_UNIT, Move.ASK_EXTENSION),
    (Move.OPEN, Move.DISPATCH, Move.ASK_RETURN),
    TO_AUDIT,
    (*TO_AUDIT, Move.APPROVE),
    (*TO_AUDIT, Move.APPROVE, Move.CLOSE),
    (*TO_AUDIT, Move.APPROVE, Move.CLOSE),
    (*TO_AUDIT, Move.APPROVE, Move.CLOSE),
)
REPLY = "已到现场处理完毕，并电话告知来电人。"
PEOPLE: tuple[tuple[str, str, tuple[Role, ...], str | None], ...] = (
    ("zhao.min", "赵敏", (Role.ADMINISTRATOR,), None),
    ("li.na", "李娜", (Role.OPERATOR,), "1001"),
    ("wang.qiang", "王强", (Role.DISPATCHER, Role.CALL_BACK, Role.AUDITOR), "1002"),
    ("chen.jing", "陈静", (Role.SUPERVISOR,), None),
    ("liu.wei", "刘伟", (Role.DUTY_OFFICER,), None),
    ("yang.fan", "杨帆", (Role.LEADER,), None),
    ("zhou.bo", "周波", (Role.UNIT,), None),
    ("wu.xia", "吴霞", (Role.DISCIPLINE,), None),
)


@dataclass(slots=True, kw_only=True)
class Filled:
    """Somebody of every role, and one call and one case to open."""

    staff: Staff
    call_id: int
    case_id: int


async def filled(site: Site, services: Services) -> Filled:
    """Fill the database of a running console; every run fills it the same, around now."""
    staff, town = Staff(services=services, site=site), Town(services)
    for login, name, roles, seat in PEOPLE:
        await hire(services, login, *roles, extension=seat, name=name)
    now, chance = services.clock(), Random(7)  # noqa: S311 - the same pictures each time
    call_id = case_id = 0
    for number in range(DAYS * CALLS_A_DAY):
        at = now - timedelta(days=DAYS - number / CALLS_A_DAY, minutes=chance.uniform(-30, -10))
        if chance.random() < 0.06:  # one of so many gives up
            await town.is_lost(at, wait=chance.uniform(9, 50), outcome=Outcome.ABANDONED)
            continue
        lived = await _call(services, town, at, number, chance)
        if WAYS[number % len(WAYS)] == TO_UNIT:
            call_id, case_id = lived
    await _today(services, town, now)
    await _desk(staff, now, call_id, case_id)
    return Filled(staff=staff, call_id=call_id, case_id=case_id)


async def _call(
    services: Services, town: Town, at: datetime, number: int, chance: Random
) -> tuple[int, int]:
    text, area, level1, unit = MATTERS[number % len(MATTERS)]
    said = (
        Said(leg=Leg.OPERATOR, start=0.4, text="您好，市长热线，1086号为您服务，请讲"),
        Said(leg=Leg.CALLER, start=5.0, text=text),
        Said(leg=Leg.OPERATOR, start=18.0, text="好的，我复述一下您的诉求，请您核对"),
    )
    seat = "1001" if number % 3 else "1002"
    number_of = f"138{90000000 + number % 40 * 7919 % 9999999:08d}"
    call_id = await town.is_talked(
        at, said, number=number_of, wait=chance.uniform(3, 14), operator=seat
    )
    case_id = await town.case_of(call_id)
    about = {"level1": level1, "area": area, "unit": unit, "reply": REPLY, "public_reply": REPLY}
    about |= {"summary": text, "reason": "需要协调施工单位", "told": "已电话告知来电人"}
    for move in WAYS[number % len(WAYS)]:
        at += timedelta(minutes=chance.uniform(8, 300))
        if at >= services.clock():
            break
        await _move(services, case_id, move, at, about)
    return call_id, case_id


async def _move(
    services: Services, case_id: int, move: Move, at: datetime, about: dict[str, Any]
) -> None:
    carried = data_of(move, at).given()
    data = data_of(move, at, **{name: about[name] for name in about if name in carried})
    if move is Move.OPEN:
        data = data_of(move, at, **{k: about[k] for k in ("level1", "area", "summary")})
    async with transaction(services.pool) as tx:
        await flow.case_moved(
            tx,
            case_id,
            move=move,
            actor=ANYBODY,
            now=at,
            data=data,
            limits=services.limits,
        )


async def _today(services: Services, town: Town, now: datetime) -> None:
    """One call that is being talked, one that rings, one message that waits."""
    _, call = await town.starts(town.call(now - timedelta(seconds=95), number=REGULAR))
    _, call = await town.rings(call)
    call_id, _ = await town.answers(call, operator="1001")
    _caption(services, call_id, now)
    _, call = await town.starts(town.call(now - timedelta(seconds=12), number="13990002222"))
    await town.rings(call)
    _, call = await town.starts(town.call(now - timedelta(minutes=50), number="13990003333"))
    _, call = await town.leaves_a_message(call)
    assert call.message_at is not None
    await town.ends(call, call.message_at + timedelta(seconds=25), Outcome.VOICEMAIL)


def _caption(services: Services, call_id: int, now: datetime) -> None:
    """What both have said so far, as the captions tell it, and what it suggests."""
    board = services.captions
    board.stand(call_id, Standing(state=CaptionState.ON))
    for number, (leg, text) in enumerate(TALKED, start=1):
        start = 6.0 * number
        word = Word(text=text, start=start, end=start + 4, conf=0.93)
        board.say(
            call_id,
            Caption(
                leg=leg,
                segment=number,
                start=start,
                end=start + 4,
                at=now - timedelta(seconds=60 - start),
                text=text,
                words=(word,),
            ),
        )
    turns = [
        Turn(leg=leg, start=6.0 * n, end=6.0 * n + 4, text=text)
        for n, (leg, text) in enumerate(TALKED, start=1)
    ]
    suggestion = Classifier(services.city, None).suggest(turns, "mayor")
    board.offer(call_id, Offer(segment=len(TALKED), suggestion=suggestion, cards=()))


async def _desk(staff: Staff, now: datetime, call_id: int, case_id: int) -> None:
    officer, boss = await staff.visitor("liu.wei"), await staff.visitor("chen.jing")
    operator = await staff.visitor("li.na")
    for line in ("mayor", "duty"):
        for day in range(3):
            starts = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=day, hours=-2)
            shift = {"line": line, "role": "officer", "operator": "1001"}
            shift |= {"starts_at": starts.isoformat()}
            shift |= {"ends_at": (starts + timedelta(hours=12)).isoformat()}
            await _ask(boss, "/api/roster", shift)
    text = {
        "place": "涪城区南河路",
        "course": "低洼处积水约20厘米，车辆绕行",
        "measures": "已通知排水人员到场",
    }
    entry = {"kind": "phone", "came_at": now.isoformat(), "text": text}
    await _ask(officer, "/api/duty/log", entry)
    alert = {"summary": "涪江三桥桥面积水，有车辆被困", "call_id": call_id, "case_id": case_id}
    raised = await _ask(operator, "/api/duty/alerts", alert)
    if raised:
        incident = f"/api/duty/incidents/{raised['incident_id']}"
        await _ask(officer, f"{incident}/acknowledge", {})
        judged = {"name": "涪江三桥积水事件", "level": "III", "type": "natural"}
        await _ask(officer, f"{incident}/assess", judged)
    told = {"leader": "市长", "text": "请三日内回复公租房申请的办理进度", "unit": HOUSING}
    told |= {"due_at": (now + timedelta(days=3)).isoformat()}
    await _ask(officer, "/api/duty/instructions", told)
    await _ask(boss, "/api/supervision", {"case_id": case_id, "reason": "多人反映，仍未办结"})


async def _ask(visitor: ClientSession, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the console answers to somebody's deed; a refusal is told, for it is a picture less."""
    async with visitor.post(path, json=body) as answer:
        told: dict[str, Any] = await answer.json()
        if not answer.ok:
            print(f"  {path}: {told}")  # noqa: T201
            return {}
        return told
