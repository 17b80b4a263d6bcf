"""Texts to split, and what sentences they have."""

# ruff: noqa: RUF001

from hypothesis import strategies as st

# Sentences between bars. A broken bar is a doubtful end.
SENTENCES = [
    "One two.| Three four.",
    'He said: "No."| She left (at once.)| Well.',
    "It is 3.5 m, e.g. here.| Dr. Smith came.| J. R. R. Tolkien wrote.| The U.S. Army is big.",
    "See Fig. 3 and No. 5 on p. 7.| No.| I won't.| Visit example.com.| Take v1.2.3 now.",
    "Really?!| Yes...| Maybe.| Who, me?¦ he said.| He left.",
    "one two.¦ three four .¦ five e.g. six.",
    "ما اسمك؟| أنا أحمد؟|نعم.| د. أحمد",
    "你好。|再见！|“好吗？”|他问。",
    "你好!|再见.|他说3.5。|我走……了。",
    "「行く。」¦と彼は言った。|「行く。」|「はい。」",
    "値は３．５です．|次は｡|はい？",
    "یہ ایک ہے۔| وہ دو۔",
    "यह है.| वह है।| और वह",
    "Er kam am 3.¦ Oktober z. B. an, d. h. spät.| „Nein.“| Prof. Dr. M. sagte.",
    "¿Qué?| ¡No!| Sí, Sra. Pérez.| Ud. no.",
    "Он жил в г. Москва.| Это т. е. дом.",
    "네.| 알겠습니다.| 감사합니다!",
    "So.|\u00a0No.|\u2003Yes.",
    "S. 5.| Am 5.¦ Mai (Nr. 7).| Blz. 3.| No. 123.| डॉ. शर्मा आए।",
    "**Bold.**| Next — it ends.| — So?| * Item.",
]

CLUSTERS = [
    "e\u0301", "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f44d\U0001f3fd",
    "\U0001f1e9\U0001f1ea", "\U0001f1eb", "\u2764\ufe0f", "1\ufe0f\u20e3", "\u1112\u1161\u11ab",
    "\uac00\u11a8", "\u0915\u094d\u0937\u093f", "\u0915\u094d\u200d\u0937", "\u0e01\u0e33",
    "\u304b\u3099", "\U0001f3f4\U000e0067\U000e007f", "\u0600\u0661",
]  # fmt: skip
_CHARACTERS = (
    "ab. .!?…, \t\u00a0\u200b\ufeff\u2028\"'()«“”„—AZzäиЯאد05３．。！？、「」と中アก؟।"
    "\u0301\u200d\u094d\r\x85"
)
_WORDS = ["Dr", "e.g", "No", "Fig", "z.B", " 3", "J", "dog", "usw", "г", "ー", "\n", "\r\n"]

mixed_texts = st.lists(
    st.sampled_from([*_CHARACTERS, *_WORDS, *CLUSTERS]) | st.characters(codec="utf-8"),
    max_size=60,
).map("".join)
