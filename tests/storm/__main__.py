"""`python -m tests.storm`: ride a storm, print every difference, fail if there is one."""

import argparse
import asyncio
import sys
from collections import Counter
from random import Random

from tests.storm.run import Report, Storm, ride


def plan_of(kills: int, *, half_open: bool, disk: bool, gentle: bool, seed: int) -> tuple[str, ...]:
    """What breaks, in an order drawn by chance."""
    deeds = ["kill"] * kills + ["cut", "cut", "postgres", "asterisk-stop" if gentle else "asterisk"]
    deeds += ["half-open"] if half_open else []
    deeds += ["disk", "spool"] if disk else []
    Random(seed).shuffle(deeds)  # noqa: S311 - a storm that can be ridden again
    # What takes long comes last, so that the rest happens while calls still come.
    return tuple(sorted(deeds, key=lambda deed: deed in ("half-open", "disk", "spool")))


def table(report: Report) -> str:
    """The report as a table; first what differs, then the counts."""
    found = report.comparison
    lines = [
        f"{'number':<12} {'telephones':<34} {'service':<18} differences",
        *(
            f"{row.number:<12} {row.expected:<34} {row.stored:<18} {'; '.join(row.differences)}"
            for row in found.different
        ),
    ]
    if not found.different:
        lines = ["Every call is stored once, as the telephones saw it."]
    expected = Counter(row.expected for row in found.rows)
    lines += ["", f"{'as the telephones saw it':<56}calls   as stored"]
    for kind, count in sorted(expected.items()):
        lines.append(f"  {kind:<54}{count:>5}   {report.outcomes.get(kind, '')}")
    counts = {
        "calls compared": len(found.rows),
        "different": len(found.different),
        "calls that never reached the exchange": found.never_reached,
        "calls cut off by the end of the exchange": found.cut_off,
        "calls begun in its last moment, unknown to it": found.lost_at_the_end,
        "gaps in the call numbers": report.gaps,
        "calls left open": report.open_calls,
        "ended calls not compared with the files": report.unjudged,
        "recordings": report.recordings,
        "put right from the files": report.differences,
        "seconds": round(report.seconds),
    }
    return "\n".join([*lines, "", *(f"{what:<46} {count}" for what, count in counts.items())])


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    words.add_argument("--calls", type=int, default=500, help="how many calls (500)")
    words.add_argument("--rate", type=float, default=5.0, help="calls a second (5)")
    words.add_argument("--kills", type=int, default=3, help="how often the service is killed (3)")
    words.add_argument("--half-open", action="store_true", help="also a half-open AMI connection")
    words.add_argument("--disk", action="store_true", help="also ten seconds without disk space")
    words.add_argument("--gentle", action="store_true", help="stop Asterisk instead of killing it")
    words.add_argument("--seed", type=int, default=12345, help="what chance begins with (12345)")
    told = words.parse_args()
    plan = plan_of(
        told.kills, half_open=told.half_open, disk=told.disk, gentle=told.gentle, seed=told.seed
    )
    storm = Storm(calls=told.calls, rate=told.rate, plan=plan, seed=told.seed)
    print(f"{storm.calls} calls, {storm.rate:g} a second; {', '.join(plan)}", flush=True)  # noqa: T201
    report = asyncio.run(ride(storm, lambda line: print(line, flush=True)))  # noqa: T201
    print(table(report))  # noqa: T201
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
