"""What simulated people type: short lines in their own language, and now and then what breaks naive archives."""

from random import Random
from typing import Final

LONG_CHARS: Final = 4096
"""Somebody pastes a page now and then."""

ODD_SHARE: Final = 0.02
LONG_SHARE: Final = 0.002

PHRASES: Final = {
    "latin": (
        "ok",
        "Good morning, do you have a minute?",
        "J'ai relu le contrat, il manque l'annexe n° 3.",
        "Könnten wir das auf 14:30 schieben? Größeres Problem hier.",
        "Zażółć gęślą jaźń :)",
        "¿Quién revisa el pedido de mañana?",
        "The build is green again, thanks!",
        "Bạn có thể gửi lại tệp không?",
        "see https://intranet.contoso.example/wiki?page=42&x=<none>",
        "Işık ılık süt içti.",
        "+1",
    ),
    "greek": ("Καλημέρα σε όλους", "Θα αργήσω δέκα λεπτά.", "Το έστειλα χθες το βράδυ.", "Ναι, σωστά"),
    "cyrillic": ("Доброе утро!", "Посмотри, пожалуйста, последний отчёт.", "Готово", "Хвилинку, я перевірю."),
    "arabic": ("صباح الخير", "هل يمكننا تأجيل الاجتماع إلى الساعة 3؟", "تم الإرسال، شكراً", "الملف report.xlsx ناقص"),
    "hebrew": ("בוקר טוב", "אפשר לדחות ל-16:00?", "שלחתי לך את הקובץ budget_v2.xlsx", "תודה!", "שָׁלוֹם"),
    "devanagari": ("नमस्ते, क्या आप खाली हैं?", "रिपोर्ट भेज दी है।", "ठीक है", "कृपया क्षमा करें, देर हो गई।"),
    "thai": ("สวัสดีครับ", "ประชุมเริ่มกี่โมงคะ", "ส่งไฟล์ให้แล้วนะ", "ขอบคุณมากค่ะ"),
    "chinese": ("早上好", "请把会议改到下午三点。", "收到,谢谢!", "這個版本有問題,我再看一下。", "𠮷野家见"),
    "japanese": (
        "お疲れ様です。",
        "資料を共有しました。",
        "了解です!",
        "会議は15時からでよろしいでしょうか。",
        "ガギグ",
    ),
    "korean": ("안녕하세요", "회의 자료 보냈습니다.", "네, 확인했어요", "10분만 늦을게요 ㅠㅠ", "한글"),
}

ODD: Final = (
    "",
    " ",
    "👩‍👩‍👧‍👦 👩🏽‍💻 🏳️‍🌈",
    "e\u0301 versus é, A\u030a versus Å",
    "one\u2028two\u2029three",
    "first line\nsecond line\r\nthird",
    "tab\there, NEL\u0085there",
    "\u202eright to left\u202c and back",
    'quotes "\\" and {"json": null}',
    "<b>bold</b> &amp; ]]>",
    "Z\u0351\u0343a\u0328l\u0334g\u0321o",
    "\u200bzero\u200bwidth\ufeff",
    "$set: {a.b: 1}",
)


def say(rng: Random, language: str) -> str:
    """Return what somebody who writes this language types next."""
    roll = rng.random()
    phrases = PHRASES[language]
    if roll < LONG_SHARE:
        return _long(rng, phrases)
    if roll < LONG_SHARE + ODD_SHARE:
        return ODD[int(rng.random() * len(ODD))]
    first = phrases[int(rng.random() * len(phrases))]
    if roll < 0.7:
        return first
    return f"{first} {phrases[int(rng.random() * len(phrases))]}"


def _long(rng: Random, phrases: tuple[str, ...]) -> str:
    pieces: list[str] = []
    length = 0
    while length < LONG_CHARS:
        pieces.append(rng.choice(phrases))
        length += len(pieces[-1]) + 1
    return " ".join(pieces)
