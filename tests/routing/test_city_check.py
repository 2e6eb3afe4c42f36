import shutil
from datetime import date
from pathlib import Path

import pytest

from routing.catalogue import Catalogue
from routing.city_check import faults_of
from routing.city_files import CatalogueRow, CityData, read_folder
from routing.directory import City, city_of, load_city, read_city, units_of
from routing.errors import DataFault

CITIES = Path(__file__).resolve().parents[2] / "deploy" / "cities"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(CITIES, tmp_path / "cities")
    return tmp_path / "cities" / "mianyang"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def sentences(folder: Path) -> list[str]:
    return [str(fault) for fault in faults_of(read_folder(folder))]


def test_the_shipped_city_has_no_fault() -> None:
    assert sentences(CITIES / "mianyang") == []


def test_every_unit_card_says_where_and_how_and_until_when(city: City) -> None:
    assert len(city.units) > 100
    for unit in city.units:
        assert unit.address, unit.id
        assert unit.route, unit.id
        assert unit.hours, unit.id
        assert unit.review > date(2026, 11, 25), unit.id
        assert unit.contacts, unit.id
        # No fact of these is known yet: whoever reads one must see that it is a sample.
        assert unit.sample, unit.id
        assert "样例" in unit.address, unit.id
        assert "样例" in unit.route, unit.id
        assert all(it.phone.startswith("0816-0000") for it in unit.contacts), unit.id


def test_every_card_has_its_blocks_and_is_a_sample(city: City) -> None:
    assert len(city.cards) >= 15
    for key, card in city.cards.items():
        assert card.materials, key
        assert card.procedure, key
        assert card.limit, key
        assert card.address, key
        assert card.transport, key
        assert card.hours, key
        assert card.sample, key
        assert city.unit(card.unit) is not None, key


def test_a_unit_of_an_area_may_have_a_place_of_its_own(copy: Path) -> None:
    place = "{address: 江油市甲路1号, route: 乘1路, phone: 0816-0000999}"
    own = 'name: "{area}民政局"\n    areas: {江油市: ' + place + "}"
    edit(copy / "units.yaml", 'name: "{area}民政局"', own)
    city = load_city(copy)
    jiangyou, santai = city.unit("civil-area@江油市"), city.unit("civil-area@三台县")
    assert jiangyou is not None
    assert santai is not None
    assert (jiangyou.address, jiangyou.route, jiangyou.phone) == (
        "江油市甲路1号",
        "乘1路",
        "0816-0000999",
    )
    assert santai.address.startswith("三台县")
    assert jiangyou.hours == santai.hours


def test_every_fault_is_told_at_once_with_its_file_and_line(copy: Path) -> None:
    edit(copy / "units.yaml", "  - id: water\n", "  - id: gas\n")
    edit(copy / "areas.yaml", "  - name: 游仙区", "  - name: 涪城区")
    edit(copy / "cards.yaml", "    unit: water\n", "    unit: air\n")
    edit(copy / "catalogue.yaml", "lead: bus,", "lead: train,")
    told = sentences(copy)
    for file, said in (
        ("units.yaml", "the unit id gas stands twice"),
        ("areas.yaml", "the area 涪城区 stands twice"),
        ("cards.yaml", "there is no unit air"),
        ("catalogue.yaml", "there is no unit train"),
        ("catalogue.yaml", "there is no unit water"),
    ):
        (one,) = [it for it in told if said in it and file in it][:1]
        assert "\n" not in one
        at = int(one.split(": line ")[1].split(":")[0])
        lines = (copy / file).read_text(encoding="utf-8").splitlines()
        assert any(
            said.split()[-1 if "no unit" in said else -3] in lines[at - 1 + n] for n in (0, 1)
        )
    with pytest.raises(DataFault, match=r"more\)"):
        load_city(copy)


def test_every_fault_of_the_shape_is_told_too(copy: Path) -> None:
    edit(copy / "units.yaml", "    review: 2027-06-30", "    review: someday")
    edit(copy / "units.yaml", "    route: 乘公交", "    rout: 乘公交")
    edit(copy / "cards.yaml", "    limit: 3 个工作日（样例）\n", "")
    (copy / "areas.yaml").unlink()
    told = sentences(copy)
    assert len(told) == 5
    assert any("units.yaml: line" in it and "units.0.review" in it for it in told)
    assert any("units.0.route: Field required" in it for it in told)
    assert any("units.0.rout: Extra inputs" in it for it in told)
    assert any("cards.yaml: line" in it and "limit: Field required" in it for it in told)
    assert any("areas.yaml: it cannot be read" in it for it in told)


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "catalogue.yaml",
            "  - {category: 纪检监察, lead: discipline}\n",
            "",
            "纪检监察 has no lead",
        ),
        (
            "catalogue.yaml",
            "  - {category: 民政, areas: [city], lead: civil}\n",
            "",
            "民政 has no lead and is not said to be undecided in city",
        ),
        (
            "catalogue.yaml",
            "  - {category: 国土资源, lead: land}\n",
            "  - {category: 国土资源, lead: land}\n  - {category: 国土资源, lead: water}\n",
            "another row decides 国土资源 in city、涪城区、游仙区 and 10 more too",
        ),
        (
            "catalogue.yaml",
            "areas: [科技城新区, 高新区",
            "areas: [火星区, 高新区",
            "there is no area 火星区",
        ),
        ("catalogue.yaml", "category: 党务政务", "category: 天文", "there is no category 天文"),
        (
            "catalogue.yaml",
            "{category: 城乡建设, areas: [city], lead: housing,",
            "{category: 城乡建设, areas: [city], lead: housing-area,",
            "there is no unit housing-area for the city where no area is known",
        ),
        (
            "catalogue.yaml",
            "lead: finance, helpers: [tax]",
            "lead: finance, helpers: [finance]",
            "finance leads and cannot help itself",
        ),
        (
            "catalogue.yaml",
            "lead: land, helpers: [urban]",
            "lead: land, helpers: [rural]",
            "no unit rural",
        ),
        (
            "catalogue.yaml",
            "lead: discipline}",
            "lead: discipline, undecided: why}",
            "a row has a lead",
        ),
        (
            "cards.yaml",
            "  - id: water-transfer",
            "  - id: elevator-added",
            "card elevator-added stands",
        ),
        ("cards.yaml", "category: 国土资源", "category: 国土", "there is no category 国土"),
        (
            "units.yaml",
            "    per_area: true\n",
            "    per_area: true\n    areas: {火星区: {address: 甲, route: 乙}}\n",
            "there is no area 火星区",
        ),
        (
            "units.yaml",
            "name: 市水务（集团）有限公司",
            "name: 国网供电公司",
            "the unit name 国网供电公司",
        ),
    ],
)
def test_a_fault_of_the_catalogue_cards_or_units_is_one_sentence(
    copy: Path, file: str, old: str, new: str, sentence: str
) -> None:
    edit(copy / file, old, new)
    found = [it for it in sentences(copy) if sentence in it]
    assert len(found) == 1
    assert file in found[0]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("level1,level2\n政法,交通管理\n", "must begin with level1,level2,level3"),
        ("level1,level2,level3\n政法,交通管理\n", "line 2: a row has three names"),
        ("level1,level2,level3\n政治,交通管理,其他\n", "'政治' is no level-1 category"),
        ("level1,level2,level3\n政法,交通管理,其他\n政法,交通管理,其他\n", "line 3"),
        ("level1,level2,level3\n政法,交通/管理,其他\n", "holds no /"),
    ],
)
def test_a_fault_of_the_table_of_categories_is_one_sentence(
    copy: Path, table: str, sentence: str
) -> None:
    (copy / "categories.csv").write_text(table, encoding="utf-8")
    assert any(sentence in it and "categories.csv" in it for it in sentences(copy))


def test_each_of_517_leaves_has_one_lead_in_each_area_or_is_openly_undecided(
    copy: Path, shared_data: Path
) -> None:
    shutil.copy(shared_data / "messages" / "categories.csv", copy / "categories.csv")
    assert sentences(copy) == []
    city = load_city(copy)
    assert len(city.leaves) == 517
    undecided = 0
    for leaf in city.leaves:
        for area in (None, *city.catalogue.areas):
            decision = city.catalogue.resolve(leaf, area)
            assert decision is not None, (leaf, area)
            assert (decision.lead is None) == bool(decision.undecided), (leaf, area)
            assert decision.lead is None or city.unit(decision.lead) is not None, (leaf, area)
            undecided += decision.lead is None
    assert 0 < undecided < 0.05 * 517 * 13


def test_the_deepest_category_decides_then_the_area_that_is_named() -> None:
    rows = [
        CatalogueRow(category="政法", lead="police"),
        CatalogueRow(category="政法", areas=("each",), lead="police-area", helpers=("police",)),
        CatalogueRow(category="政法", areas=("乙",), undecided="nobody has said"),
        CatalogueRow(category="政法/交通管理", lead="traffic"),
    ]
    units = ("police", "traffic", "police-area@甲", "police-area@乙")
    catalogue = Catalogue(rows, ("甲", "乙"), units)

    def lead(area: str | None, *category: str) -> str | None:
        decision = catalogue.resolve(category, area)
        assert decision is not None
        return decision.lead

    assert lead(None, "政法") == "police"
    assert lead("甲", "政法") == "police-area@甲"
    assert lead("甲", "政法", "户籍证件", "其他") == "police-area@甲"
    assert lead("乙", "政法") is None
    assert lead("乙", "政法", "交通管理") == "traffic"
    assert catalogue.resolve(("民政",), "甲") is None
    first = catalogue.resolve(("政法",), "甲")
    assert first is not None
    assert first.helpers == ("police",)


def test_a_city_is_the_same_from_its_folder_and_from_its_text(copy: Path) -> None:
    data = read_city(copy)
    again = CityData.model_validate_json(data.text())
    assert again == data
    assert again.fingerprint() == data.fingerprint()
    assert list(units_of(again)) == list(units_of(data))
    assert city_of(again).rules.version == load_city(copy).rules.version
