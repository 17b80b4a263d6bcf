"""How well sentences are split: this library's rules beside packages for Python.

    pip install pysbd sentencex blingfire syntok sentence-splitter
    python benchmarks/sentence_splitting.py

The texts were written for this; bars stand where sentences end. With the first of the two sets at
hand, rules were added (a number after "p." is no ordinal) and three abbreviations; the second was
written after that. A package that is not installed is left out. F1 is of the places where sentences
end; the ends of texts count.
"""

# ruff: noqa: E501, RUF001

import importlib
from collections import Counter

from tfcompress.runtime.splitting import split_sentences

FIRST = {
    "en": [
        'Dr. Miller met Mrs. J. K. Brown at 5 p.m. on Main St. in Boston.| They talked for 2.5 hours.| "Did it work?" he asked.| "No!" she cried.| Then... nothing happened.| See Fig. 3, p. 12, and sec. 4.1 of the report.| The firm, Acme Inc., sold e.g. tools, nuts, etc. to farmers.| Visit www.example.com today!| Version 1.2.3 is out.| He (at last!) agreed.| What now?!| We left.',
        'The U.S. Navy arrived.| It cost $3.50.| Prof. Ada Green, Ph.D., spoke vs. the plan.| "We won."| He smiled.| Mr. O\'Neil lives at No. 7.| Yes.| Jan. 5 was cold.',
    ],
    "de": [
        "Am 3. Oktober kam Dr. Weber z. B. nach Köln, d. h. zu spät.| \u201eWas nun?\u201c, fragte er.| Der 2. Versuch kostete ca. 3.500 Euro.| Prof. Klein sagte: \u201eNein.\u201c| Das war Nr. 5, vgl. S. 12.| Er wohnt in der Hauptstr. 4.| Usw. sagt man oft.| Heute ist der 5.| Morgen ist der 6. Mai."
    ],
    "fr": [
        "M. Dupont et Mme Petit sont arrivés.| \u00ab Où est-il ? \u00bb demanda-t-elle.| Il a payé 3,50 \u20ac.| Voir p. 12 et fig. 3.| C'est fini !| Non... Pas encore.| Le Dr. Martin dit qu'il pleut."
    ],
    "es": [
        "¿Dónde está la Sra. Pérez?| ¡No lo sé!| El Dr. Gómez vive en la Av. Central n.º 5.| Cuesta 3.500 euros.| Ud. no viene, etc. pero yo sí.| Fin..."
    ],
    "it": [
        "Il Dott. Rossi è qui.| Vedi pag. 12.| Costa 3.500 euro.| «Perché?» chiese.| La Sig.ra Bianchi non c'è.| Ecco!"
    ],
    "nl": [
        "Dhr. Jansen kwam om 5 uur.| Mevr. De Vries niet.| Het kost 3.50 euro, d.w.z. veel.| \u201eWaarom?\u201d vroeg hij.| Zie blz. 12."
    ],
    "pl": [
        "Dr Nowak przyszedł.| To jest np. dom, tj. budynek.| Mieszka przy ul. Długiej 5.| Czy to prof. Kowalski?| Tak!| W 2010 r. było zimno."
    ],
    "ru": [
        "А. С. Пушкин родился в г. Москве.| Это было в 1799 г. летом.| Что?| Да!| См. рис. 3 и стр. 12.| И т. д. и т. п. мы знаем.| Он ушёл..."
    ],
    "zh": ["你好。|他说:“好吗?”|她走了!|价格是3.5元。|为什么?|我不知道……|再见。"],
    "ja": [
        "今日は晴れです。|「行きますか。」と彼は聞いた。|はい!|値段は3.5円です。|本当?|そうです。"
    ],
    "hi": ["यह एक घर है।| वह कहाँ है?| डॉ. शर्मा आए।| कीमत 3.5 है।| हाँ!"],
    "ar": ["أين هو؟| لا أعرف.| السعر 3.5 دينار.| جاء د. أحمد.| نعم!"],
}

HELD_OUT = {
    "en": [
        "Lt. Green and Sgt. Hall left at 9 a.m. on Sept. 3.| Why?| Nobody knows.| \"Stop!\" shouted Gov. Reed.| It weighs approx. 4.5 kg, i.e. ten pounds.| See chap. 2.| I met J. S. Bach's fan at St. Paul's.| (It rained.)| The price rose to $1.2 million.| Well... maybe.| She earned a B.A. in art."
    ],
    "de": [
        "Frau Dr. Berg hat am 12. Mai Geburtstag.| \u201eKomm!\u201c, rief sie.| Laut Abs. 2 gilt das nicht.| Er ist ca. 1,80 m groß, ggf. größer.| Wirklich?| Das kostet 5 Euro inkl. Steuer.| Siehe Abb. 4.| Ende."
    ],
    "fr": [
        "J. Moulin habitait av. Foch.| Quoi ?| Il est 8 h 30.| \u00ab Viens ! \u00bb dit Mlle Roux.| Cf. chap. 3.| Le prix est de 2,5 millions."
    ],
    "es": [
        "El Sr. Ruiz llegó a las 5 p. m. ayer.| «¡Basta!», dijo.| Véase la pág. 7.| Costó 2,5 euros.| ¿Seguro?| Sí."
    ],
    "pl": ["Prof. Lis mieszka na ul. Krótkiej.| Ma np. psa.| Kto?| Ja!| To jest św. Jan."],
    "ru": [
        "Т. е. он не придёт.| Проф. Иванов живёт на ул. Мира.| Кто?| Я!| Цена 3.5 руб. за штуку."
    ],
    "zh": ["\u201c走吧!\u201d他喊道。|为什么?|温度是36.5度。|好(真的)。|再见!"],
    "ja": ["「待って!」と叫んだ。|彼は行った。|なぜ?|(本当に。)|3.5キロです。"],
    "hi": ["क्या?| नहीं!| वह 2.5 किलो है।| राम आया।"],
    "ar": ["لماذا؟| لا!| وزنه 2.5 كغ.| وصل د. علي أمس."],
}


def splitters():
    """Each tool, as a function of a text and its language."""
    yield "tfcompress", lambda text, language: [sentence for _, sentence in split_sentences(text)]
    for name, make in PACKAGES.items():
        try:
            package = importlib.import_module(name)
        except ImportError:
            continue
        yield name, make(package)


def pysbd(package):
    known = importlib.import_module("pysbd.languages").LANGUAGE_CODES

    def split(text, language):
        return package.Segmenter(language if language in known else "en", clean=False).segment(text)

    return split


def syntok(package):
    segmenter = importlib.import_module("syntok.segmenter")

    def split(text, language):
        sentences = [row for paragraph in segmenter.process(text) for row in paragraph]
        return ["".join(token.spacing + token.value for token in row) for row in sentences]

    return split


def sentence_splitter(package):
    def split(text, language):
        try:
            return package.SentenceSplitter(language=language).split(text)
        except package.SentenceSplitterException:
            return package.SentenceSplitter(language="en").split(text)

    return split


PACKAGES = {
    "pysbd": pysbd,
    "sentencex": lambda package: lambda text, language: package.segment(language, text),
    "blingfire": lambda package: lambda text, language: package.text_to_sentences(text).split("\n"),
    "syntok": syntok,
    "sentence_splitter": sentence_splitter,
}


def ends(parts):
    """Where parts end, in characters that are no space."""
    places, place = set(), 0
    for part in parts:
        place += len("".join(part.split()))
        places.add(place)
    return places


def count(split, texts, language):
    """Right, wrong and missed ends."""
    counts = Counter()
    for marked in texts:
        expected = ends(marked.split("|"))
        actual = ends(split(marked.replace("|", ""), language))
        counts["right"] += len(expected & actual)
        counts["wrong"] += len(actual - expected)
        counts["missed"] += len(expected - actual)
    return counts


def f1(counts):
    return 2 * counts["right"] / (2 * counts["right"] + counts["wrong"] + counts["missed"])


def main():
    for title, texts in ("first", FIRST), ("held out", HELD_OUT):
        print(f"{title}: {', '.join(texts)}")
        for name, split in splitters():
            by_language = {key: count(split, rows, key) for key, rows in texts.items()}
            total = sum(by_language.values(), Counter())
            each = " ".join(f"{key} {f1(counts):.2f}" for key, counts in by_language.items())
            wrong, missed = total["wrong"], total["missed"]
            print(f"{name:18} F1 {f1(total):.3f}, {wrong} wrong, {missed} missed; {each}")


if __name__ == "__main__":
    main()
