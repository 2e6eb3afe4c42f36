import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.classify import Classifier
from routing.directory import City
from routing.errors import ModelFault
from routing.features import counts
from routing.model import LinearModel, load, save
from routing.sounds import exact
from routing.training import Message, Trained, fit, misheard, read_messages, train

PLACES = ("小区门口", "学校旁边", "我们村里", "工地上", "医院对面", "市场里", "车站附近", "河边")
MATTERS = {
    "城乡建设": ("路灯坏了没有人修", "自来水停了三天", "物业公司不管电梯", "违章建筑没人拆"),
    "劳动和社会保障": ("老板拖欠工资", "社保卡办不下来", "工伤认定太慢", "退休金没有发"),
    "交通运输": ("公交车班次太少", "驾校乱收补考费", "出租车拒载", "公路坑坑洼洼"),
}


def messages(*labels: str) -> list[Message]:
    return [
        Message(text=f"{place}{matter}，请尽快处理", label=label)
        for label in labels
        for matter in MATTERS[label]
        for place in PLACES
    ]


@pytest.fixture(scope="module")
def trained() -> Trained:
    return fit(messages(*MATTERS))


@pytest.fixture
def file(trained: Trained, tmp_path: Path) -> Path:
    path = tmp_path / "model.npz"
    save(trained.model, path)
    return path


def best(model: LinearModel, text: str) -> str:
    shares = model.probabilities(text)
    return max(shares, key=lambda label: shares[label])


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("楼下的路灯又坏了", "城乡建设"),
        ("他们拖欠我的工资", "劳动和社会保障"),
        ("公交车总是等不到", "交通运输"),
        ("他们拖欠我的公子", "劳动和社会保障"),  # 工资 as a recogniser wrote it
    ],
)
def test_what_was_learnt_is_known_again_even_by_sound(
    trained: Trained, text: str, label: str
) -> None:
    assert best(trained.model, text) == label


@given(st.text(max_size=200))
def test_probabilities_are_probabilities(trained: Trained, text: str) -> None:
    shares = trained.model.probabilities(text)
    assert set(shares) == set(MATTERS)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert all(0.0 <= share <= 1.0 for share in shares.values())


def test_reasons_are_pieces_of_the_text(trained: Trained) -> None:
    text = "工地上老板拖欠工资"
    shares, reasons = trained.model.judge(text)
    assert shares == trained.model.probabilities(text)
    assert 0 < len(reasons) <= 3
    assert all(piece in text and weight > 0 for piece, weight in reasons)
    assert trained.model.judge("")[1] == ()


def test_the_same_messages_give_the_same_model(trained: Trained) -> None:
    assert fit(messages(*MATTERS)).model.version == trained.model.version
    other = fit(messages("城乡建设", "交通运输")).model
    assert other.version != trained.model.version
    assert best(other, "公交车班次太少") == "交通运输"


def test_a_model_file_gives_back_the_same_model(trained: Trained, file: Path) -> None:
    read = load(file)
    assert read.version == trained.model.version
    assert read.labels == trained.model.labels
    assert read.facts["messages"] == len(messages(*MATTERS))
    for text in ("路灯坏了", "完全不同的话", ""):
        assert read.probabilities(text) == pytest.approx(trained.model.probabilities(text))


def test_a_trained_model_joins_the_rules(city: City, file: Path) -> None:
    model = load(file)
    suggestion = Classifier(city, model).suggest("工地上的老板拖欠工资")
    assert suggestion.level1 == "劳动和社会保障"
    assert suggestion.model_version == model.version
    assert {reason.by for reason in suggestion.reasons} >= {"word", "model"}


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def text_instead(path: Path) -> None:
    path.write_text("text,label\n")


def other_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"labels": []}))


def with_objects(path: Path) -> None:
    np.savez(path, allow_pickle=True, head=np.array([{"format": "x"}], dtype=object))


def other_numbers(path: Path) -> None:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["intercept"] = arrays["intercept"] + 1
    np.savez(path, allow_pickle=False, **arrays)


def other_format(path: Path) -> None:
    head = np.frombuffer(json.dumps({"format": "hotline-linear/9"}).encode(), dtype=np.uint8)
    np.savez(path, allow_pickle=False, head=head)


def test_a_flipped_byte_anywhere_is_harmless_or_one_sentence(file: Path, tmp_path: Path) -> None:
    whole, version = file.read_bytes(), load(file).version
    refused, damaged = 0, tmp_path / "damaged.npz"
    for place in (*range(0, len(whole), 23), *range(len(whole) - 900, len(whole))):
        content = bytearray(whole)
        content[place] ^= 0x01
        damaged.write_bytes(content)
        try:
            assert load(damaged).version == version
        except ModelFault:
            refused += 1
    assert refused


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (truncated, "damaged"),
        (flipped, "damaged"),
        (emptied, "damaged"),
        (text_instead, "damaged"),
        (other_zip, "damaged"),
        (pickled, "damaged"),
        (with_objects, "damaged"),
        (other_numbers, "do not match"),
        (other_format, "hotline-linear/9"),
        (Path.unlink, "There is no model"),
    ],
)
def test_a_bad_model_file_gives_one_sentence(
    file: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    damage(file)
    with pytest.raises(ModelFault) as caught:
        load(file)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_is_written_whole_or_not_at_all(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match="cannot be written"):
        save(trained.model, tmp_path / "no" / "folder" / "model.npz")
    assert list(tmp_path.iterdir()) == []


def table(rows: list[Message]) -> str:
    return "text,label\n" + "".join(f'"{row.text}",{row.label}\n' for row in rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_training_reads_what_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "messages.csv"
    rows = messages("城乡建设", "交通运输")
    path.write_text(table(rows) + ",城乡建设\n没有类别,\n", encoding=encoding)
    done = train(path, tmp_path / "model.npz")
    assert done.messages == len(rows)
    assert done.skipped == 2
    assert done.labels == {"城乡建设": 32, "交通运输": 32}
    assert done.held_out_accuracy > 0.9
    assert load(tmp_path / "model.npz").version == done.model.version


def test_long_messages_with_quotes_and_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "messages.csv"
    long = "路灯" * 100_000
    path.write_text(f'id,text,label\n1,"第一行\n""第二行""",城乡建设\n2,{long},交通运输\n')
    (first, second), skipped = read_messages(path)
    assert first.text == '第一行\n"第二行"'
    assert second.text == long
    assert skipped == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "lacks label and text"),
        ("正文,类别\n路灯,城乡建设\n".encode(), "lacks label and text"),
        ("text,kind\n路灯,城乡建设\n".encode(), "lacks label"),
        (b"text,label\n", "at least two categories, and found 0"),
        (table(messages("城乡建设")).encode(), "at least two categories, and found 1"),
        (
            (table(messages("城乡建设")) + "公交车,交通运输\n").encode(),
            "The category 交通运输 has 1 messages",
        ),
        (b"text,label\n\xff\xfe\xfd\xff\xff,x\n", "neither UTF-8 nor GB 18030"),
        ('text,label\n"路灯'.encode(), "not a CSV table"),
    ],
)
def test_a_bad_table_gives_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "messages.csv"
    path.write_bytes(content)
    with pytest.raises(ModelFault) as caught:
        train(path, tmp_path / "model.npz")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model.npz").exists()


def test_a_missing_table_gives_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match="cannot be read"):
        train(tmp_path / "none.csv", tmp_path / "model.npz")


def test_misheard_texts_sound_the_same() -> None:
    texts = [message.text for message in messages(*MATTERS)]
    heard = misheard(texts, share=1.0)
    assert [exact(text) for text in heard] == [exact(text) for text in texts]
    assert heard != texts
    assert misheard(texts) == misheard(texts)
    assert misheard(["路 灯  坏 了"], share=0.0) == ["路灯坏了"]


def test_words_count_only_where_spaces_divide_them() -> None:
    assert counts("路灯 坏 了 没有 人 修")["word"]["路灯 坏"] == 1
    assert not counts("路灯坏了，没有人修")["word"]
    assert counts("路灯 坏 了")["char"] == counts("路灯坏了")["char"]


def test_a_model_keeps_its_facts_apart_from_its_numbers(trained: Trained) -> None:
    renamed = replace(trained.model, facts={})
    assert renamed.version == trained.model.version
