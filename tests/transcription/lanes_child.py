"""A process of lanes that do what a test tells them; started by `test_lanes.py`."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from transcription.engines.lanes import Lanes, settle


class Told:
    """Does one told thing a job."""

    def __init__(self) -> None:
        self.rests = 0

    def do(self, job: dict[str, Any]) -> dict[str, Any]:
        """Print, wait for a file, die or fail, as told; then answer."""
        print("a library speaks on standard output", flush=True)  # noqa: T201 - as libraries do
        if "started" in job:
            Path(job["started"]).touch()
        while "until" in job and not Path(job["until"]).exists():
            time.sleep(0.002)
        if job.get("die"):
            os.kill(os.getpid(), signal.SIGABRT)
        if job.get("fail"):
            raise ValueError(job["fail"])
        return {"said": job.get("say"), "pid": os.getpid(), "rests": self.rests}

    def rest(self) -> None:
        """Count it."""
        self.rests += 1


def main() -> None:
    """Be ready, refuse, or end before that, as the first argument says."""
    match sys.argv[1]:
        case "end":
            sys.exit("no memory left")
        case "refuse":
            print('{"ready": false, "model_refused": true, "error": "bad model"}')  # noqa: T201
        case lanes:
            settle(1)
            Lanes(int(lanes), Told, rest_after=float(sys.argv[2])).serve({"ready": True})


if __name__ == "__main__":
    main()
