"""What the event log tells of our own channels, through rotation and torn lines."""

from contextlib import closing
from pathlib import Path

import pytest

from telephony.errors import ControlRefused
from telephony.ringing import Mark, Marks, ring

ONE, TWO = "callout-7-1-0a0b0c", "callout-7-2-0d0e0f"


def row(kind: str, channel: str) -> str:
    cells = [kind, "1795410368.920439", "", "1", "s", "callout", "PJSIP/1001-01", "", ""]
    return ",".join(f'"{cell}"' for cell in (*cells, channel, channel, "", "")) + "\n"


def test_marks_are_read_by_channel_and_strangers_are_left(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(
        row("CHAN_START", ONE) + row("CHAN_START", "mianyang-1-1.1") + row("BRIDGE_ENTER", ONE)
    )
    marks = Marks(file)
    assert marks.look() == {ONE: {Mark.RUNG}}
    with file.open("a") as more:
        whole = row("CALLOUT_ACK", ONE)
        more.write(whole[:40])
        more.flush()
        assert marks.look() == {ONE: {Mark.RUNG}}  # a torn line is not read
        more.write(whole[40:])
        more.flush()
        assert marks.look() == {ONE: {Mark.RUNG, Mark.ACKNOWLEDGED}}
    marks.close()


def test_a_rotated_file_is_read_to_its_end_and_a_new_process_reads_both(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(row("CHAN_START", ONE))
    marks = Marks(file)
    assert marks.look() == {ONE: {Mark.RUNG}}
    with file.open("a") as last:
        last.write(row("CHAN_END", ONE))
    file.rename(tmp_path / "calls.csv.1")
    file.write_text(row("CHAN_START", TWO))
    whole = {ONE: {Mark.RUNG, Mark.OVER}, TWO: {Mark.RUNG}}
    assert marks.look() == whole
    marks.close()
    with closing(Marks(file)) as another:
        assert another.look() == whole


class Nobody:
    """An exchange that must not be asked."""

    async def action(self, name: str, *_: object, **__: object) -> None:
        raise AssertionError(name)


@pytest.mark.parametrize("target", ["", "1", "12345\r\nX", "1001@outbound", "+8613800001111"])
async def test_nothing_hostile_is_sent(target: str) -> None:
    with pytest.raises(ControlRefused):
        await ring(
            Nobody(),
            ONE,
            target,
            inside=False,
            shown="12345",
            seat="1001",
            seconds=5,
        )
