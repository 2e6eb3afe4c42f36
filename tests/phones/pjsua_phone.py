"""One softphone as a process of its own: orders come in on stdin, what happens goes out on stdout.

    python pjsua_phone.py '{"address": "127.0.0.2", "folder": "...", ...}'

Each line either way is one JSON object. The phone plays its tone into every call and writes what
it hears into `<folder>/call-<n>.wav` (8 kHz mono), n counting its calls from 0.
"""

import json
import os
import select
import sys
from pathlib import Path
from typing import Any

import pjsua2 as pj  # type: ignore[import-not-found,import-untyped,unused-ignore]

RATE = 8000


def tell(event: str, **more: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
    sys.stdout.flush()


class Phone:
    """The endpoint, its one account and its calls."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.folder = Path(given["folder"])
        self.calls: dict[int, Call] = {}
        self.count = 0
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = 8
        config.medConfig.clockRate = RATE
        config.medConfig.sndClockRate = RATE
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        config.logConfig.level = 5
        config.logConfig.consoleLevel = 0
        config.logConfig.filename = str(self.folder / "phone.log")
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.boundAddress = given["address"]
        transport.port = given.get("port", 0)
        self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 200 if "PCMA" in codec.codecId else 0)
        self.tones: dict[str, pj.AudioMediaPlayer] = {}
        self.account = Account(self)
        self.account.create(self._account())

    def _account(self) -> pj.AccountConfig:
        given, config = self.given, pj.AccountConfig()
        user, server = given["user"], given["server"]
        config.idUri = f"sip:{user}@{server}"
        config.mediaConfig.transportConfig.boundAddress = given["address"]
        config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_INACTIVE
        if given.get("secret"):
            config.regConfig.registrarUri = f"sip:{server}"
            config.sipConfig.authCreds.append(
                pj.AuthCredInfo("digest", "*", user, 0, given["secret"])
            )
        return config

    def tone(self, called: str) -> pj.AudioMediaPlayer:
        """The tone this phone plays when it was called by this number."""
        file = self.given.get("tones", {}).get(called) or self.given["tone"]
        if file not in self.tones:
            player = pj.AudioMediaPlayer()
            player.createPlayer(file)
            self.tones[file] = player
        return self.tones[file]

    def obey(self, order: dict[str, Any]) -> None:
        what = order["do"]
        if what == "dial":
            call = Call(self, pj.PJSUA_INVALID_ID, order["to"])
            self.calls[call.number] = call
            tell("dialled", call=call.number)
            call.makeCall(f"sip:{order['to']}@{self.given['server']}", pj.CallOpParam(True))
            return
        if what == "quit":
            raise SystemExit
        call, prm = self.calls[order["call"]], pj.CallOpParam(True)
        if what == "answer":
            prm.statusCode = 200
            call.answer(prm)
        elif what == "refuse":
            prm.statusCode = 486
            call.answer(prm)
        elif what == "hang_up":
            call.hangup(prm)
        elif what == "hold":
            call.setHold(pj.CallOpParam())
        elif what == "resume":
            prm.opt.flag = pj.PJSUA_CALL_UNHOLD
            call.reinvite(prm)
        elif what == "refer":
            call.xfer(f"sip:{order['to']}@{self.given['server']}", pj.CallOpParam(True))
        elif what == "refer_attended":
            call.xferReplaces(self.calls[order["with"]], pj.CallOpParam(True))

    def run(self) -> None:
        poll, waiting = select.poll(), b""
        poll.register(0, select.POLLIN)
        while True:
            self.endpoint.libHandleEvents(20)
            if not poll.poll(0):
                continue
            data = os.read(0, 65536)
            if not data:
                return
            *lines, waiting = (waiting + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                try:
                    self.obey(order)
                except pj.Error as error:  # such as: the other side has just hung up
                    tell("impossible", order=order["do"], reason=error.reason)


class Account(pj.Account):  # type: ignore[misc]  # the library has no types
    def __init__(self, phone: Phone) -> None:
        super().__init__()
        self.phone = phone

    def onRegState(self, prm: pj.OnRegStateParam) -> None:  # noqa: N802 - the library's name
        tell("registered", status=prm.code)

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:  # noqa: N802 - likewise
        message = prm.rdata.wholeMsg
        called = message.split(" ", 2)[1].partition(":")[2].partition("@")[0]
        call = Call(self.phone, prm.callId, called)
        self.phone.calls[call.number] = call
        info = call.getInfo()
        ringing = pj.CallOpParam(True)
        ringing.statusCode = 200 if self.phone.given.get("auto") else 180
        tell(
            "ringing",
            call=call.number,
            caller=info.remoteUri,
            called=called,
            sip_id=info.callIdString,
        )
        call.answer(ringing)


class Call(pj.Call):  # type: ignore[misc]  # the library has no types
    def __init__(self, phone: Phone, call_id: int, called: str) -> None:
        super().__init__(phone.account, call_id)
        self.phone, self.called = phone, called
        self.number = phone.count
        phone.count += 1
        self.recorder: pj.AudioMediaRecorder | None = None

    def onCallState(self, prm: pj.OnCallStateParam) -> None:  # noqa: ARG002, N802 - likewise
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            tell("up", call=self.number, remote=info.remoteUri)
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.recorder = None  # closes the file
            tell("gone", call=self.number, status=info.lastStatusCode)

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:  # noqa: ARG002, N802
        info = self.getInfo()
        for index, media in enumerate(info.media):
            active = media.status == pj.PJSUA_CALL_MEDIA_ACTIVE
            if media.type != pj.PJMEDIA_TYPE_AUDIO or not active:
                continue
            audio = self.getAudioMedia(index)
            if self.recorder is None:
                self.recorder = pj.AudioMediaRecorder()
                self.recorder.createRecorder(str(self.phone.folder / f"call-{self.number}.wav"))
            self.phone.tone(self.called).startTransmit(audio)
            audio.startTransmit(self.recorder)
        tell("media", call=self.number, states=[int(media.status) for media in info.media])


def main() -> None:
    phone = Phone(json.loads(sys.argv[1]))
    tell("ready")
    try:
        phone.run()
    finally:
        phone.calls.clear()
        os._exit(0)  # the library's own end hangs when Python frees its objects in another order


if __name__ == "__main__":
    main()
