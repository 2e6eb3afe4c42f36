"""Leaves of a catalogue: learnt from messages that name them, by name where none does."""

from dataclasses import replace
from pathlib import Path

import pytest

from routing.classify import Classifier
from routing.directory import City
from routing.errors import ModelFault
from routing.leaf_files import read_categories
from routing.leaves import as_json, from_json, learnt
from routing.model import load
from routing.training import train

BUILT = ("城乡建设", "城乡规划", "违章建筑")
WATER = ("城乡建设", "城市建设和市政管理", "自来水供应")
REST = ("城乡建设", "城乡规划", "其他")
BUS = ("交通运输", "公共交通", "公交线路")
PATHS = (BUILT, WATER, REST, BUS)
TOLD = [
    *[(f"楼顶私自搭建彩钢棚，属于违章建筑{n}，请城管拆除", "城乡建设") for n in range(6)],
    *[(f"自来水供应中断，水压低，{n}栋停水", "城乡建设") for n in range(6)],
    *[(f"公交线路{n}路班次少，等车久", "交通运输") for n in range(6)],
    *[(f"小区绿化无人维护{n}", "城乡建设") for n in range(20)],
]
EVEN = {"城乡建设": 0.6, "交通运输": 0.4}


def paths(text: str, **shares: float) -> list[str]:
    found = learnt(PATHS, TOLD).likeliest(text, shares or EVEN)
    return [one.path for one in found]


def test_a_leaf_is_found_by_what_is_said_with_its_name() -> None:
    assert paths("邻居私自搭建彩钢棚")[0] == "/".join(BUILT)
    assert paths("三栋水压低又停水")[0] == "/".join(WATER)


def test_a_leaf_that_no_message_names_is_found_by_its_name() -> None:
    first, *_ = learnt(PATHS).likeliest("违章建筑没人管", EVEN)
    assert first.path == "/".join(BUILT)


def test_leaves_of_unlikely_categories_are_not_told() -> None:
    assert paths("公交线路太少", 城乡建设=1.0) != ["/".join(BUS)]
    assert "/".join(BUS) not in paths("公交线路太少", 城乡建设=1.0)
    assert paths("", 城乡建设=1.0) == []


def test_what_is_written_is_read_again() -> None:
    leaves = learnt(PATHS, TOLD)
    assert from_json(as_json(leaves)) == leaves


def test_a_trained_model_keeps_its_leaves(tmp_path: Path, city: City) -> None:
    table = tmp_path / "told.csv"
    rows = "".join(f"{text},{label}\n" for text, label in TOLD)
    table.write_text("text,label\n" + rows.replace("，", " "), encoding="utf-8")
    catalogue = tmp_path / "categories.csv"
    lines = "".join(",".join(path) + "\n" for path in PATHS)
    catalogue.write_text("level1,level2,level3\n" + lines, encoding="utf-8")
    train(table, tmp_path / "model.npz", catalogue)
    model = load(tmp_path / "model.npz")
    found = Classifier(city, model, model.leaves).suggest("邻居私自搭建彩钢棚 请拆除")
    assert found.leaves[0].path == "/".join(BUILT)
    assert len(found.leaves) <= 3
    assert Classifier(city, replace(model, leaves=None)).suggest("私自搭建").leaves == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("level1,level2\n", "needs the columns"),
        ("level1,level2,level3\n城乡建设,,x\n", "line 2"),
        ("level1,level2,level3\n天上,a,b\n", "no level-1 category"),
        ("level1,level2,level3\n", "no leaf"),
    ],
)
def test_a_wrong_catalogue_is_told_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "categories.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ModelFault, match=said):
        read_categories(file)
    with pytest.raises(ModelFault, match="cannot be read"):
        read_categories(tmp_path / "none.csv")
