"""The design of vosk-server's asr_server, made anew as a peer: one recogniser a connection.

A websocket server; each connection has a recogniser of its own, made for it; each message is
decoded in a pool of as many threads as there are cores and answered with the result or the partial
so far; `{"eof" : 1}` is answered with the final result. (alphacep/vosk-server, websocket/
asr_server.py; its handler no longer fits current websockets, so it cannot itself be run.)

    python tests/bench/asr_server.py MODEL      # prints its port, serves until standard input ends
"""

import asyncio
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

RATE = 8000
END = '{"eof" : 1}'


def heard(recogniser: Any, message: str | bytes) -> tuple[str, bool]:
    """The answer to one message, and whether it was the last."""
    if message == END:
        return recogniser.FinalResult(), True
    if recogniser.AcceptWaveform(message):
        return recogniser.Result(), False
    return recogniser.PartialResult(), False


async def main() -> None:
    """Serve until standard input ends."""
    import vosk  # noqa: PLC0415 - only this process loads it

    vosk.SetLogLevel(-1)
    model = vosk.Model(sys.argv[1])
    pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    loop = asyncio.get_running_loop()

    async def serve_one(connection: ServerConnection) -> None:
        recogniser = vosk.KaldiRecognizer(model, RATE)
        recogniser.SetWords(True)
        async for message in connection:
            answer, last = await loop.run_in_executor(pool, heard, recogniser, message)
            await connection.send(answer)
            if last:
                return

    async with serve(serve_one, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(json.dumps({"port": port}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
