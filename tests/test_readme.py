"""What the READMEs and the runbook tell people to type exists, and every command is told."""

import re
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from hotline.cli import app

REPO = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
PAPERS = (*READMES, "CONTRIBUTING.md", "CHANGELOG.md", "deploy/runbook.md", "Makefile")
FEWEST_TERMS = 20


def commands() -> dict[str, frozenset[str]]:
    """Each command with its subcommands."""
    top = typer.main.get_command(app)
    assert isinstance(top, TyperGroup)
    return {
        name: frozenset(one.commands) if isinstance(one, TyperGroup) else frozenset()
        for name, one in top.commands.items()
    }


def text(name: str) -> str:
    return (REPO / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", READMES)
def test_every_command_is_told(name: str) -> None:
    told = set(re.findall(r"^    hotline ([a-z]+)", text(name), re.MULTILINE))
    assert told == set(commands())


@pytest.mark.parametrize("name", PAPERS)
def test_what_people_are_told_to_type_exists(name: str) -> None:
    known = commands()
    typed = re.findall(r"(?:^    |`)hotline ([a-z]+)(?: ([a-z]+))?", text(name), re.MULTILINE)
    for command, word in typed:
        assert command in known, command
        assert not word or not known[command] or word in known[command], f"{command} {word}"
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^    |`)make ([a-z-]+)", text(name), re.MULTILINE)) <= targets


def test_the_glossary_has_its_terms_in_both_languages() -> None:
    rows = text("README.md").split("## Glossary")[1].split("\n## ")[0].splitlines()
    terms = [row.split("|") for row in rows if row.startswith("| ")][1:]
    assert len(terms) >= FEWEST_TERMS
    assert all(re.search("[\u4e00-\u9fff]", chinese) for _, _, chinese, *_ in terms)
