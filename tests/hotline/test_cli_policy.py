"""`hotline policy` and `hotline calendar`, typed as an administrator types them."""

import re
from datetime import date
from pathlib import Path

import pytest

from hotline.casework import load_casework
from hotline.config import load
from tests.hotline.command_line import Run, typist

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NEXT = """
year: 2027
source: 国务院办公厅关于2027年部分节假日安排的通知（试验用，日期是编的）
holidays:
  - {name: 元旦, first: 2027-01-01, last: 2027-01-03, workdays: [2026-12-27]}
  - {name: 春节, first: 2027-02-05, last: 2027-02-12, workdays: [2027-01-31, 2027-02-20]}
  - {name: 清明节, first: 2027-04-03, last: 2027-04-05}
  - {name: 劳动节, first: 2027-05-01, last: 2027-05-05, workdays: [2027-04-25]}
  - {name: 端午节, first: 2027-06-09, last: 2027-06-09}
  - {name: 中秋节, first: 2027-09-15, last: 2027-09-15}
  - {name: 国庆节, first: 2027-10-01, last: 2027-10-07, workdays: [2027-09-26, 2027-10-09]}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    toml = tmp_path / "hotline.toml"
    toml.write_text(f'language = "en"\ndata_dir = "{tmp_path}/data"\n', encoding="utf-8")
    return typist(monkeypatch, capfd, toml)


@pytest.fixture
def year(tmp_path: Path) -> Path:
    path = tmp_path / "next.yaml"
    path.write_text(NEXT, encoding="utf-8")
    return path


def test_every_shipped_pack_is_found_good(run: Run) -> None:
    files = sorted((DEPLOY / "policies").glob("*.yaml"))
    status, said = run("policy", "check", *files)
    assert status == 0
    assert said.count("✓") == len(files) >= 7
    assert "sichuan-2025/2 can be used (8 main limits, 12 stages)" in said


def test_a_bad_pack_gives_a_sentence_for_each_fault(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    text = (DEPLOY / "policies" / "jinan-2018.yaml").read_text(encoding="utf-8")
    bad.write_text(text.replace("amount: 5\n", "amount: five\n") + "colour: red\n", "utf-8")
    good = DEPLOY / "policies" / "jinan-2018.yaml"
    status, said = run("policy", "check", bad, good)
    assert status == 1
    assert [line[0] for line in said.splitlines()] == ["✗", "✗", "✓"]
    assert "limits.5.amount" in said
    assert "colour" in said


def test_a_pack_is_shown_with_its_basis_and_how_sure_it_is(run: Run) -> None:
    status, said = run("policy", "show", "tianjin-2025")
    assert status == 0
    assert "Signing\n  emergency  15 minutes  [regulation, read]  天津市实施细则" in said
    assert "[our default]" in said
    assert "petition  60 calendar days  [regulation, read]  信访工作条例" in said
    _, said = run("policy", "show", "sichuan-2025")
    assert said.startswith("sichuan-2025/2  ")
    assert "consult  3 working days  [second-hand]" in said
    assert "Extension, at most 1 times" in said
    status, said = run("policy", "show", "chengdu")
    assert (status, said.count("\n")) == (1, 1)
    assert "no policy pack called 'chengdu' (there are: beijing-2021, jinan-2018" in said


def test_the_next_year_is_checked_loaded_and_used(run: Run, year: Path, tmp_path: Path) -> None:
    status, said = run("calendar", "check", year)
    assert status == 0
    assert said.startswith("✓ 2027 is whole: 28 days off, 6 make-up working days; with it")
    assert said.endswith("the calendar reaches to 2027-12-31.\n")
    assert load_casework(load()).calendar.last == date(2026, 12, 31)
    status, said = run("calendar", "load", year)
    target = tmp_path / "data" / "calendars" / "cn-2027.yaml"
    assert status == 0
    assert f"It stands in {target}; restart the service to use it." in said
    assert [path.name for path in target.parent.iterdir()] == ["cn-2027.yaml"]
    calendar = load_casework(load()).calendar
    assert calendar.last == date(2027, 12, 31)
    assert calendar.is_working(date(2026, 12, 27))  # a Sunday of the year before, worked for 2027
    assert calendar.add_working_days(date(2026, 12, 30), 2) == date(2027, 1, 4)
    # The notice may change during its year: the same year can be loaded again, and wins.
    year.write_text(NEXT.replace("2027-02-12", "2027-02-13"), encoding="utf-8")
    assert run("calendar", "load", year)[0] == 0
    assert not load_casework(load()).calendar.is_working(date(2027, 2, 12))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("year: 2027", "year: 2028", "2027-01-01 does not lie in 2028"),
        ("workdays: [2026-12-27]", "workdays: [2026-12-28]", "2026-12-28 is no weekend day"),
        ("workdays: [2026-12-27]", "workdays: [2026-12-20]", "2026-12-20 does not lie in 2027"),
        ("{name: 中秋节, first", "{name: 秋节, first", "no holiday of 2027 is called 中秋."),
        ("2027-10-07", "2027-10-32", "is not valid YAML"),
        ("last: 2027-06-09", "last: 2027-06-08", "端午节 ends before it begins"),
        ("2027-02-20]", "2027-02-06]", "2027-02-06 is both a day off and a working day"),
        ("2027-09-15, last: 2027-09-15", "2027-10-01, last: 2027-10-01", "a day is named twice"),
        ("source: ", "sauce: ", "(and 1 more)"),
    ],
)
def test_a_wrong_year_is_refused_with_one_sentence_and_changes_nothing(  # noqa: PLR0917 - as above
    run: Run, year: Path, tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert old in NEXT
    year.write_text(NEXT.replace(old, new), encoding="utf-8")
    status, said = run("calendar", "load", year)
    assert (status, said.count("\n")) == (1, 1)
    assert sentence in said
    assert not (tmp_path / "data").exists()
    assert run("calendar", "check", year) == (1, f"✗ {said}")


def test_a_year_that_does_not_follow_is_refused(run: Run, year: Path) -> None:
    plain = re.sub(r", workdays: \[[^]]*\]", "", NEXT)
    for other in ("2029", "2024"):
        year.write_text(plain.replace("2027", other), encoding="utf-8")
        status, said = run("calendar", "load", year)
        assert (status, said.count("\n")) == (1, 1)
        assert f"{other} does not follow the years that are there (2025 to 2026)." in said
    year.write_text(plain.replace("2027", "2026"), encoding="utf-8")
    assert run("calendar", "check", year)[0] == 0


def test_two_years_that_contradict_each_other_are_refused(run: Run, year: Path) -> None:
    """A day that the year before has as a day off cannot be worked for the next year."""
    text = (DEPLOY / "calendars" / "cn-2026.yaml").read_text(encoding="utf-8")
    changed = text.replace(
        "holidays:\n", "holidays:\n  - {name: 试, first: 2026-12-27, last: 2026-12-27}\n"
    )
    other = year.with_name("cn-2026.yaml")
    other.write_text(changed, encoding="utf-8")
    assert run("calendar", "load", other)[0] == 0
    status, said = run("calendar", "load", year)
    assert status == 1
    assert "2026-12-27 is a day off in one year's holiday calendar and a working day" in said


def test_a_file_that_cannot_be_written_is_one_sentence(
    run: Run, year: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("in the way", encoding="utf-8")
    status, said = run("calendar", "load", year)
    assert (status, said.count("\n")) == (1, 1)
    assert "cannot be written" in said
