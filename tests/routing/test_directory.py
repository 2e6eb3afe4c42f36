import shutil
from pathlib import Path

import pytest

from routing.directory import City, load_city
from routing.errors import DataFault
from routing.rules import LEVEL1, load_rules, read_rules

CITIES = Path(__file__).resolve().parents[2] / "deploy" / "cities"


def test_mianyang_has_its_nine_areas_and_three_zones(city: City) -> None:
    assert city.name == "绵阳市"
    assert len(city.areas) == 12
    assert {area.name for area in city.areas} >= {"涪城区", "北川羌族自治县", "科技城新区"}
    assert city.sample


def test_every_category_has_a_unit_that_leads_it(city: City) -> None:
    led = {name for unit in city.units for name in unit.level1}
    assert led == set(LEVEL1)


def test_units_are_found_by_name_and_by_id(city: City) -> None:
    unit = city.unit("涪城区综合行政执法局")
    assert unit is not None
    assert unit.area == "涪城区"
    assert city.unit(unit.id) is unit
    assert city.unit("没有这个单位") is None


def test_sample_numbers_exist_nowhere(city: City) -> None:
    for unit in city.units:
        assert unit.phone in {"110", "119"} or unit.phone.startswith("0816-0000")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(CITIES, tmp_path / "cities")
    return tmp_path / "cities" / "mianyang"


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("city.yaml", "city: 绵阳市", "town: 绵阳市", "city: Field required"),
        ("areas.yaml", "  - name: 游仙区", "  - name: 涪城区", "the area 涪城区 stands twice"),
        ("areas.yaml", "kind: county_city", "kind: village", "areas.3.kind"),
        ("units.yaml", "level1: [政法]", "level1: [政治]", "'政治' is no level-1 category"),
        ("units.yaml", "  - id: water\n", "  - id: gas\n", "the unit id gas stands twice"),
        ("units.yaml", 'name: "{area}民政局"', "name: 民政局", "belong together"),
        ("rules.yaml", "  城乡建设:", "  城乡:", "'城乡' is no level-1 category"),
        ("rules.yaml", "  emergency:", "  normal:", "normal is what remains"),
        ("rules.yaml", "      4: [水务集团", "      40: [水务集团", "a weight lies above 0"),
        ("rules.yaml", "  emergency:", "  emergency", "not valid YAML"),
    ],
)
def test_a_bad_city_gives_one_sentence(
    copy: Path, file: str, old: str, new: str, sentence: str
) -> None:
    path = copy / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFault) as caught:
        load_city(copy)
    message = str(caught.value)
    assert sentence in message
    assert file in message
    assert "\n" not in message


def test_a_missing_city_or_file_gives_one_sentence(copy: Path) -> None:
    with pytest.raises(DataFault, match="does not exist"):
        load_city(copy / "nowhere")
    (copy / "units.yaml").unlink()
    with pytest.raises(DataFault, match="cannot be read"):
        load_city(copy)


def test_rules_need_a_file() -> None:
    with pytest.raises(DataFault, match="no routing rules"):
        load_rules()


def test_the_general_rules_speak_for_every_category_and_kind() -> None:
    general = read_rules(CITIES / "general" / "rules.yaml")
    assert set(general.categories) == set(LEVEL1)
    assert len(general.kinds) == 7
