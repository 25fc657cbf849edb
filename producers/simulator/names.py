"""Given and family names in many scripts, each with the ASCII spelling that its address uses."""

from typing import Final, NamedTuple

Name = tuple[str, str]
"""A name as it is written, and in ASCII."""


class Tongue(NamedTuple):
    """A language's names; where `family_first`, the family name comes first, without a space."""

    language: str
    share: int
    family_first: bool
    given: tuple[Name, ...]
    family: tuple[Name, ...]


def _names(written: str, ascii_spelling: str) -> tuple[Name, ...]:
    return tuple(zip(written.split(), ascii_spelling.split(), strict=True))


TONGUES: Final = (
    Tongue(
        "latin",
        8,
        False,
        _names(
            "Zoë Łukasz Åsa João Çelik Noémie Đorđe Siân Ana Björn Thảo Maeve",
            "zoe lukasz asa joao celik noemie djordje sian ana bjorn thao maeve",
        ),
        _names(
            "Müller Núñez Søndergård Dvořák Ionescu Żółć Ó-Briain Nguyễn Smith Şahin Gößmann Kovačić",
            "mueller nunez sondergard dvorak ionescu zolc obriain nguyen smith sahin goessmann kovacic",
        ),
    ),
    Tongue(
        "greek",
        2,
        False,
        _names("Ελένη Γιώργος Μαρία Νίκος Σοφία Ιωάννης", "eleni giorgos maria nikos sofia ioannis"),
        _names("Παπαδόπουλος Νικολάου Ιωάννου Γεωργίου Δήμου", "papadopoulos nikolaou ioannou georgiou dimou"),
    ),
    Tongue(
        "cyrillic",
        3,
        False,
        _names("Ольга Дмитрий Юлия Сергей Ївга Милош", "olga dmitry yulia sergey yivha milos"),
        _names("Иванова Щербаков Ёлкина Кузнецов Ђорђевић", "ivanova shcherbakov yolkina kuznetsov dordevic"),
    ),
    Tongue(
        "arabic",
        2,
        False,
        _names("محمد فاطمة عمر ليلى يوسف مريم", "mohammed fatima omar layla yusuf maryam"),
        _names("الخطيب حداد منصور السيد النجار", "alkhatib haddad mansour alsayed alnajjar"),
    ),
    Tongue(
        "hebrew",
        2,
        False,
        _names("נועה יוסף תמר דוד שרה איתן", "noa yosef tamar david sarah eitan"),
        _names("כהן לוי מזרחי פרץ ביטון", "cohen levi mizrahi peretz biton"),
    ),
    Tongue(
        "devanagari",
        2,
        False,
        _names("अनिता राहुल प्रिया विक्रम सुनीता", "anita rahul priya vikram sunita"),
        _names("शर्मा वर्मा सिंह गुप्ता जोशी", "sharma varma singh gupta joshi"),
    ),
    Tongue(
        "thai",
        1,
        False,
        _names("สมชาย นภา กิตติ วรรณา ปิยะ", "somchai napa kitti wanna piya"),
        _names("แสงทอง ศรีสุข วงศ์ไทย บุญมี", "saengthong srisuk wongthai boonmee"),
    ),
    Tongue(
        "chinese",
        3,
        True,
        _names("小明 丽 伟 芳 国强 雨萱", "xiaoming li wei fang guoqiang yuxuan"),
        _names("王 李 张 陈 欧阳 刘", "wang li zhang chen ouyang liu"),
    ),
    Tongue(
        "japanese",
        2,
        True,
        _names("太郎 さくら 健一 ミカ 直子", "taro sakura kenichi mika naoko"),
        _names("佐藤 鈴木 高橋 渡辺 齋藤", "sato suzuki takahashi watanabe saito"),
    ),
    Tongue(
        "korean",
        2,
        True,
        _names("민준 서연 지훈 하은 도윤", "minjun seoyeon jihun haeun doyun"),
        _names("김 이 박 최 정", "kim lee park choi jung"),
    ),
)
"""Everybody the simulator can name. `share` is out of the sum of all shares."""
