import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.directory import City
from routing.heard import passage
from routing.places import best_area
from routing.sounds import alike, exact, likeness, merged, syllable
from telephony.calls import Leg


def area(city: City, text: str, leg: Leg = Leg.CALLER) -> str | None:
    best = best_area(city.places.find(passage(text, leg=leg)))
    return None if best is None else best[0]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        # By name.
        ("在涪城区临园路东段", "涪城区"),
        ("我在江油", "江油市"),
        ("科技城新区的公交", "科技城新区"),
        ("花荄镇中心街", "安州区"),
        ("北川县擂鼓镇", "北川羌族自治县"),
        ("高新区普明北路", "高新区"),
        # As recognisers write them, who do not know these names.
        ("在佛城区上班", "涪城区"),
        ("福城区那边", "涪城区"),
        ("在不城区", "涪城区"),
        ("由新区的小区", "游仙区"),
        ("有先区停水", "游仙区"),
        ("安洲区", "安州区"),
        ("将由市的驾校", "江油市"),
        ("三苔藓的公路", "三台县"),
        ("盐庭县", "盐亭县"),
        ("子同县", "梓潼县"),
        ("平五县", "平武县"),
        ("北传县", "北川羌族自治县"),
        # Area and road in one breath, though neither is right.
        ("有兴趣不的路的阳光花园小区", "游仙区"),
        ("就在补偿距离远路东段", "涪城区"),
        ("浮尘西安城六十八号", "涪城区"),
        ("科技创新去上班的人", "科技城新区"),
        ("在安卓去花该镇", "安州区"),
    ],
)
def test_places_by_name_and_by_sound(city: City, said: str, place: str) -> None:
    assert area(city, said) == place


@pytest.mark.parametrize(
    "said",
    [
        "我们小区的路灯坏了",
        "我有兴趣参加",
        "城市道路和马路",
        "高新科技园项目",
        "买了三台机器",
        "高兴去旅游",
        "全县的乡镇",
        "老城区改造",
        "请问在哪里办理",
        "",
    ],
)
def test_ordinary_words_are_no_places(city: City, said: str) -> None:
    assert area(city, said) is None


def test_what_only_sounds_alike_says_so(city: City) -> None:
    (one,) = city.places.find(passage("在佛城区"))
    assert one.place.name == "涪城区"
    assert one.said == "佛城区"
    assert 0.85 <= one.likeness < 1.0
    (sure,) = city.places.find(passage("在涪城区"))
    assert sure.likeness == 1.0


def test_an_operator_who_tells_the_way_names_no_area(city: City) -> None:
    way = "您可以坐车到跃进路站下车"
    assert area(city, way, Leg.OPERATOR) is None
    assert area(city, way, Leg.CALLER) == "涪城区"


def test_every_name_of_the_city_is_found_by_itself_and_by_sound(city: City) -> None:
    for one in city.areas:
        assert area(city, f"我在{one.name}这边") == one.name
        assert area(city, homophone(one.name)) == one.name, homophone(one.name)


def homophone(name: str) -> str:
    """The name in other characters of the same sound, as far as these serve."""
    other = dict(zip("涪城区游仙安州江油市三台县盐亭梓潼平武北川", STAND_INS, strict=True))
    return "".join(other.get(char, char) for char in name)


STAND_INS = "福成区由先按周将由市三抬县言庭紫桐评五背穿"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("涪", "福"),
        ("游", "由"),
        ("州", "洲"),
        ("四", "是"),
        ("兰", "南"),
        ("今", "经"),
        ("湖", "浮"),
    ],
)
def test_what_a_sichuan_ear_cannot_tell_apart(a: str, b: str) -> None:
    assert likeness(a, b) == 1.0
    assert merged(a) == merged(b)


def test_different_sounds_stay_different() -> None:
    assert likeness("涪", "涪") == 1.0
    assert likeness("大", "水") < 0.5
    assert exact("四") != exact("是")
    assert syllable("x") == "x"


@given(st.text(max_size=30), st.text(max_size=30))
def test_likeness_is_symmetric_and_bounded(a: str, b: str) -> None:
    assert 0.0 <= alike(a or "一", a or "一") <= 1.0
    if a and b:
        assert 0.0 <= likeness(a[0], b[0]) <= 1.0
        assert likeness(a[0], b[0]) == pytest.approx(likeness(b[0], a[0]))


@given(st.text(max_size=200))
def test_any_text_is_searched(city: City, text: str) -> None:
    for one in city.places.find(passage(text)):
        assert one.said
        assert 0.0 < one.likeness <= 1.0
