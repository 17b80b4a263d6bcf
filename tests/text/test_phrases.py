import hashlib
import re
import subprocess
import sys
from collections import Counter

import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.phrasebook import (
    TEMPLATES,
    directions,
    english,
    german,
    health,
    hotel,
    lexicon,
    money,
    nominal,
    plans,
    restaurant,
    shopping,
    sights,
    slots,
    smalltalk,
    station,
    tenses,
    text,
    things,
    weather,
)
from tfcompress.text.corpora import Corpus, load_corpus
from tfcompress.text.phrases import capacity, generate, phrase_corpus, write_corpus

pytestmark = one_flavour

NOUNS, ADJECTIVES, VERBS = lexicon.NOUNS, lexicon.ADJECTIVES, lexicon.VERBS
NOM, ACC, DAT, GEN = german.Case
ANNA, PAUL = slots.WOMEN[0], slots.MEN[0]
MISTER_WEBER, MS_BECKER = slots.MISTERS[0], slots.MISTERS[3]


@pytest.fixture(scope="module")
def made():
    return generate()


def digest(pairs):
    lines = "".join(f"{source}\t{target}\n" for source, target in pairs)
    return hashlib.sha256(lines.encode()).hexdigest()


# The corpus


def test_the_default_corpus_is_always_the_same(made):
    assert len(made) == 60000
    assert digest(made[:1000]) == "58487186d361ce47176bad5f5e04aded91c5bc15eb30599df408142e8463ee4f"
    assert digest(made) == "e852f748996750c207fe04360deb1fc1335637394670b033cde4d3c625da30d2"


def test_the_same_pairs_come_from_another_process_with_another_hash_seed():
    code = (
        "from tfcompress.text.phrases import generate; import hashlib;"
        "print(hashlib.sha256(repr(generate(pairs=2000, seed=5)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {hashlib.sha256(repr(generate(pairs=2000, seed=5)).encode()).hexdigest()}


def test_seeds_differ(made):
    assert generate(pairs=1000, seed=1) != generate(pairs=1000, seed=2)


def test_sources_are_distinct(made):
    assert len({source for source, _ in made}) == 60000


def test_a_source_has_one_translation_whatever_the_seed(made):
    translations = dict(made)
    other = generate(pairs=20000, seed=1)
    assert sum(source in translations for source, _ in other) > 1000
    assert all(translations.get(source, target) == target for source, target in other)


@pytest.mark.slow
def test_the_grammar_makes_far_more_than_it_is_asked_for():
    assert capacity() > 1_000_000
    assert len(dict(generate(pairs=200_000, seed=3))) == 200_000


@pytest.mark.slow
def test_no_two_choices_make_the_same_source():
    sources = set()
    for template in TEMPLATES:
        before = len(sources)
        sources.update(template.build(index).en for index in range(template.size))
        assert len(sources) - before == template.size, template.function.__name__
    assert len(sources) == capacity()


def test_sentences_are_short_and_the_vocabulary_moderate(made):
    for side in range(2):
        lengths = [len(pair[side].split()) for pair in made]
        words = Counter(word.strip(".,?").lower() for pair in made for word in pair[side].split())
        assert min(lengths) >= 3
        assert max(lengths) <= 20
        assert 8 <= sum(lengths) / len(lengths) <= 10
        assert 800 <= len(words) <= 1500


def test_sentences_begin_upper_case_and_end_with_punctuation(made):
    for sentence in (side for pair in made for side in pair):
        assert sentence[0].isupper(), sentence
        assert re.fullmatch(r".*[^ .,?][.?]", sentence), sentence
        assert not re.search(r"  | [.,?]|,[^ \d]|\.\S*[a-z]", sentence), sentence


def test_both_sides_of_a_pair_end_alike(made):
    assert all(source[-1] == target[-1] for source, target in made)
    assert {source[-1] for source, _ in made} == {".", "?"}


def test_a_and_an_follow_the_sound(made):
    vowel = re.compile(r"(?i)(?!uni|use|eu|one)[aeiou]|hour|honest")
    found = Counter()
    for source, _ in made:
        for article, word in re.findall(r"\b(an?) (\S+)", source):
            assert (article == "an") == bool(vowel.match(word)), source
            found[article] += 1
    assert found["an"] > 500
    assert found["a"] > 5000


def test_polite_address_is_visible_in_the_source(made):
    polite, seen = re.compile(r"^(Excuse me|Mr\.|Ms\.|Please)|, please\?$"), Counter()
    for source, target in made:
        if not re.search(r"\byour?\b", source) or source.startswith("Thank you"):
            continue
        if re.search(r"(?<!^)\b(Sie|Ihnen|Ihre?[nmrs]?)\b", target):
            assert polite.search(source), source
            seen["Sie"] += 1
        if re.search(r"\b(du|dich|dir|dein(e[nmrs]?)?)\b", target):
            assert not polite.search(source), source
            seen["du"] += 1
        if re.search(r"\b(euch|eure?[nmrs]?)\b", target):
            assert re.match(r"[A-Z][a-z]+ and [A-Z]", source), source
            seen["ihr"] += 1
    assert min(seen["Sie"], seen["du"], seen["ihr"]) > 500


@settings(max_examples=20)
@given(st.integers(1, 1000), st.integers(0, 2**40))
def test_any_number_of_pairs_from_any_seed(pairs, seed):
    made = generate(pairs=pairs, seed=seed)
    assert len(dict(made)) == len(made) == pairs


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pairs": 0}, "at least 1, got 0"),
        ({"pairs": 10**9}, rf"can make {capacity()} pairs"),
        ({"seed": -1}, "`seed` must not be negative. Received: -1"),
    ],
)
def test_generate_refuses_what_it_cannot_do(arguments, message):
    with pytest.raises(InputError, match=message):
        generate(**arguments)


# Splits and files


def test_splits_share_no_sentence_on_either_side():
    corpus = phrase_corpus(pairs=10000, seed=4, valid=500, test=700)
    assert isinstance(corpus, Corpus)
    assert (corpus.source_language, corpus.target_language) == ("en", "de")
    assert {name: len(part[0]) for name, part in corpus.splits.items()} == {
        "train": 8800,
        "valid": 500,
        "test": 700,
    }
    for side in range(2):
        train, valid, test = (set(corpus.splits[name][side]) for name in ("train", "valid", "test"))
        assert train.isdisjoint(valid)
        assert train.isdisjoint(test)
        assert valid.isdisjoint(test)


def test_splits_hold_the_generated_pairs():
    corpus = phrase_corpus(pairs=3000, seed=2, valid=100, test=0)
    pairs = [pair for part in corpus.splits.values() for pair in zip(*part)]
    assert sorted(pairs) == sorted(generate(pairs=3000, seed=2))
    assert corpus.splits["test"] == ([], [])


@pytest.mark.parametrize(("valid", "test"), [(-1, 10), (10, -1), (60, 40), (200, 0)])
def test_splits_must_leave_something_to_train_on(valid, test):
    with pytest.raises(InputError, match=f"got {valid} and {test}"):
        phrase_corpus(pairs=100, valid=valid, test=test)


def test_files_come_back_as_the_corpus(tmp_path):
    arguments = {"pairs": 2000, "seed": 6, "valid": 50, "test": 60}
    folder = write_corpus(tmp_path / "deep" / "phrases", **arguments)
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{split}.{language}" for split in ("test", "train", "valid") for language in ("de", "en")
    ]
    loaded = load_corpus(folder, source_language="en", target_language="de")
    assert loaded.splits == phrase_corpus(**arguments).splits


def test_writing_replaces_an_older_corpus(tmp_path):
    write_corpus(tmp_path, pairs=500, seed=1, valid=50, test=50)
    write_corpus(tmp_path, pairs=300, seed=2, valid=20, test=20)
    assert len(list(tmp_path.iterdir())) == 6
    assert len((tmp_path / "train.en").read_bytes().splitlines()) == 260


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(InputError, match="No space left on device"):
        write_corpus(tmp_path, pairs=300, valid=20, test=20)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder(tmp_path):
    file = tmp_path / "corpus"
    file.write_text("mine")
    with pytest.raises(InputError, match="Name another"):
        write_corpus(file, pairs=300, valid=20, test=20)
    assert file.read_text() == "mine"


# Inflection


NOUN_FORMS = """
suitcase suitcases: Koffer Koffer Koffer Koffers, Koffer Koffer Koffern Koffer
bag bags: Tasche Tasche Tasche Tasche, Taschen Taschen Taschen Taschen
apple apples: Apfel Apfel Apfel Apfels, Äpfel Äpfel Äpfeln Äpfel
castle castles: Schloss Schloss Schloss Schlosses, Schlösser Schlösser Schlössern Schlösser
church churches: Kirche Kirche Kirche Kirche, Kirchen Kirchen Kirchen Kirchen
hotel hotels: Hotel Hotel Hotel Hotels, Hotels Hotels Hotels Hotels
friend friends: Freund Freund Freund Freundes, Freunde Freunde Freunden Freunde
colleague colleagues: Kollege Kollegen Kollegen Kollegen, Kollegen Kollegen Kollegen Kollegen
neighbour neighbours: Nachbar Nachbarn Nachbarn Nachbarn, Nachbarn Nachbarn Nachbarn Nachbarn
child children: Kind Kind Kind Kindes, Kinder Kinder Kindern Kinder
gallery galleries: Galerie Galerie Galerie Galerie, Galerien Galerien Galerien Galerien
knife knives: Messer Messer Messer Messers, Messer Messer Messern Messer
parents parents: Eltern Eltern Eltern Eltern, Eltern Eltern Eltern Eltern
"""


@pytest.mark.parametrize("row", NOUN_FORMS.strip().splitlines())
def test_nouns(row):
    english_side, german_side = row.split(": ")
    singular, plural = english_side.split()
    noun = NOUNS[singular]
    assert noun.en_plural == plural
    assert german_side == ", ".join(
        " ".join(noun.de.form(case, many) for case in german.Case) for many in (False, True)
    )


NOUN_PHRASES = """
THE old tower: der alte Turm, den alten Turm, dem alten Turm, des alten Turms
A red jacket: eine rote Jacke, eine rote Jacke, einer roten Jacke, einer roten Jacke
A long train: ein langer Zug, einen langen Zug, einem langen Zug, eines langen Zugs
MY small bag: meine kleine Tasche, meine kleine Tasche, meiner kleinen Tasche, meiner kleinen Tasche
THIS expensive shirt: dieses teure Hemd, dieses teure Hemd, diesem teuren Hemd, dieses teuren Hemdes
NO high tower: kein hoher Turm, keinen hohen Turm, keinem hohen Turm, keines hohen Turms
WHICH new car: welches neue Auto, welches neue Auto, welchem neuen Auto, welches neuen Autos
BARE cold water: kaltes Wasser, kaltes Wasser, kaltem Wasser, kalten Wassers
BARE hot coffee: heißer Kaffee, heißen Kaffee, heißem Kaffee, heißen Kaffees
BARE fresh eggs: frische Eier, frische Eier, frischen Eiern, frischer Eier
THE red apples: die roten Äpfel, die roten Äpfel, den roten Äpfeln, der roten Äpfel
NO big nuts: keine großen Nüsse, keine großen Nüsse, keinen großen Nüssen, keiner großen Nüsse
"""


@pytest.mark.parametrize("row", NOUN_PHRASES.strip().splitlines())
def test_noun_phrases(row):
    english_side, forms = row.split(": ")
    det, adjective, noun = english_side.split()
    many = noun.endswith("s")
    phrase = nominal.NP(
        getattr(nominal, det), NOUNS[noun.removesuffix("s")], ADJECTIVES[adjective], many
    )
    assert ", ".join(phrase.de(case) for case in german.Case) == forms


def test_the_stem_of_euer_contracts():
    car = nominal.NP(nominal.YOU_ALL.possessive, NOUNS["car"])
    assert [car.de(case) for case in german.Case] == [
        "euer Auto",
        "euer Auto",
        "eurem Auto",
        "eures Autos",
    ]


@pytest.mark.parametrize(
    ("adjective", "more", "most"),
    [
        ("big", ("bigger", "größer"), ("biggest", "größt")),
        ("old", ("older", "älter"), ("oldest", "ältest")),
        ("good", ("better", "besser"), ("best", "best")),
        ("expensive", ("more expensive", "teurer"), ("most expensive", "teuerst")),
        ("high", ("higher", "höher"), ("highest", "höchst")),
    ],
)
def test_comparison(adjective, more, most):
    assert ADJECTIVES[adjective].more == more
    assert ADJECTIVES[adjective].most == most


GERMAN_VERBS = """
take: nehme nimmst nimmt nehmen nehmt nehmen, genommen, zu nehmen, nimm nehmt
pick up: hole holst holt holen holt holen, abgeholt, abzuholen, hol holt
depart: fahre fährst fährt fahren fahrt fahren, abgefahren, abzufahren, fahr fahrt
find: finde findest findet finden findet finden, gefunden, zu finden, finde findet
rent: miete mietest mietet mieten mietet mieten, gemietet, zu mieten, miete mietet
read: lese liest liest lesen lest lesen, gelesen, zu lesen, lies lest
travel: reise reist reist reisen reist reisen, gereist, zu reisen, reis reist
hike: wandere wanderst wandert wandern wandert wandern, gewandert, zu wandern, wandere wandert
play: spiele spielst spielt spielen spielt spielen, gespielt, zu spielen, spiele spielt
invite: lade lädst lädt laden ladet laden, eingeladen, einzuladen, lade ladet
stop: halte hältst hält halten haltet halten, gehalten, zu halten, halte haltet
visit: besuche besuchst besucht besuchen besucht besuchen, besucht, zu besuchen, besuch besucht
rain: regne regnest regnet regnen regnet regnen, geregnet, zu regnen, regne regnet
be: bin bist ist sind seid sind, gewesen, zu sein, sei seid
"""


@pytest.mark.parametrize("row", GERMAN_VERBS.strip().splitlines())
def test_german_verbs(row):
    name, forms = row.split(": ")
    verb = VERBS[name].de
    present = " ".join(verb.finite(person) for person in range(6))
    commands = f"{verb.imperative(german.DU)} {verb.imperative(german.IHR)}"
    assert ", ".join([present, verb.past_participle, verb.zu, commands]) == forms


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("stop", "stops stopped stopped stopping"),
        ("take", "takes took taken taking"),
        ("travel", "travels travelled travelled travelling"),
        ("see", "sees saw seen seeing"),
        ("miss", "misses missed missed missing"),
        ("go", "goes went gone going"),
        ("fly", "flies flew flown flying"),
        ("have", "has had had having"),
        ("play", "plays played played playing"),
        ("get up", "gets got got getting"),
    ],
)
def test_english_verbs(verb, forms):
    entry = VERBS[verb].en
    third, past = entry.finite(english.IT), entry.finite(english.IT, past=True)
    assert [third, past, entry.past_participle, entry.ing] == forms.split()


@pytest.mark.parametrize(
    ("tense", "english_group", "german_group", "final"),
    [
        (tenses.PRESENT, ("picks", ""), ("holt", "ab"), "abholt"),
        (tenses.PROGRESSIVE, ("is", "picking"), ("holt", "ab"), "abholt"),
        (tenses.PAST, ("picked", ""), ("hat", "abgeholt"), "abgeholt hat"),
        (tenses.PERFECT, ("has", "picked"), ("hat", "abgeholt"), "abgeholt hat"),
        (tenses.FUTURE, ("will", "pick"), ("wird", "abholen"), "abholen wird"),
        (tenses.MUST, ("has", "to pick"), ("muss", "abholen"), "abholen muss"),
        (tenses.HAD_TO, ("had", "to pick"), ("musste", "abholen"), "abholen musste"),
        (tenses.WOULD_LIKE, ("would", "like to pick"), ("möchte", "abholen"), "abholen möchte"),
    ],
)
def test_verb_groups(tense, english_group, german_group, final):
    verb = VERBS["pick up"]
    assert tense.en.group(verb.en, english.IT, support=False) == english_group
    assert tense.de.group(verb.de, german.ER) == german_group
    assert tense.de.final(verb.de, german.ER) == final


def test_questions_and_negation_ask_for_do():
    group = tenses.MUST.en.group(VERBS["pick up"].en, english.IT, support=True)
    assert group == ("does", "have to pick")
    assert english.negative("does") == "doesn't"


@pytest.mark.parametrize(
    ("n", "english_words", "german_words"),
    [
        (1, "one", "eins"),
        (12, "twelve", "zwölf"),
        (17, "seventeen", "siebzehn"),
        (21, "twenty-one", "einundzwanzig"),
        (76, "seventy-six", "sechsundsiebzig"),
        (30, "thirty", "dreißig"),
        (99, "ninety-nine", "neunundneunzig"),
    ],
)
def test_numbers(n, english_words, german_words):
    assert (english.number(n), german.number(n)) == (english_words, german_words)


@pytest.mark.parametrize(
    ("hour", "minutes", "english_time", "german_time"),
    [
        (1, 0, "one o'clock", "ein Uhr"),
        (2, 30, "half past two", "halb drei"),
        (12, 30, "half past twelve", "halb eins"),
        (7, 45, "a quarter to eight", "Viertel vor acht"),
        (1, 15, "a quarter past one", "Viertel nach eins"),
        (9, 50, "ten to ten", "zehn vor zehn"),
    ],
)
def test_times_of_day(hour, minutes, english_time, german_time):
    assert slots.clock(hour, minutes) == (english_time, german_time)


# Sentences


def find(values, english_side):
    """Return the value whose English side is `english_side`."""
    return next(value for value in values if value.en == english_side)


def time(english_side):
    return find([*lexicon.FUTURE_TIMES, *lexicon.PAST_TIMES], english_side)


def place(english_side):
    return next(
        place for place in (*slots.TOWNS, *slots.LANDS) if place.at.en == f"in {english_side}"
    )


def address(opening=""):
    everybody = [*slots.EVERYBODY, slots.PLEASE_YOU]
    return next(you for you in everybody if you.opening.en.strip(",") == opening)


def to_do(english_side):
    return next(
        what for what in slots.ACTIONS if what.by(nominal.I).main().en == f"I {english_side}"
    )


def my(english_side):
    return slots.kin(nominal.MY, english_side)


def spot(preposition, noun):
    return next(s for s in things.SPOTS if s[0] == preposition and s[2] is NOUNS[noun])


CASES = [
    (
        plans.report(my("brother"), to_do("pick up my suitcase"), (time("yesterday"), False), True),
        "Yesterday my brother picked up his suitcase.",
        "Gestern hat mein Bruder seinen Koffer abgeholt.",
    ),
    (
        plans.report(nominal.SHE, to_do("buy an umbrella"), (time("last week"), True), False),
        "She didn't buy an umbrella last week.",
        "Sie hat letzte Woche keinen Regenschirm gekauft.",
    ),
    (
        plans.duty(MS_BECKER, to_do("call my neighbour"), tenses.MUST, time("tomorrow"), True),
        "Ms. Becker doesn't have to call her neighbour tomorrow.",
        "Frau Becker muss morgen ihren Nachbarn nicht anrufen.",
    ),
    (
        plans.because(
            find(plans.EXCUSES, "we don't have time"),
            nominal.THEY,
            (to_do("help my aunt"), tenses.WANT),
            time("on Monday"),
        ),
        "We don't have time because they want to help their aunt on Monday.",
        "Wir haben keine Zeit, weil sie ihrer Tante am Montag helfen wollen.",
    ),
    (
        plans.whether(plans.DOUBTS[0], ANNA, (to_do("go to the beach"), tenses.PERFECT)),
        "I don't know whether Anna has gone to the beach.",
        "Ich weiß nicht, ob Anna an den Strand gegangen ist.",
    ),
    (
        plans.if_it_rains(plans.WEATHER[0], time("tomorrow"), nominal.WE, plans.INDOORS[0]),
        "If it rains tomorrow, we will go to the museum.",
        "Wenn es morgen regnet, gehen wir ins Museum.",
    ),
    (
        plans.to_do(
            find(plans.RESOLUTIONS, "it is important"), to_do("hand in the key"), time("on Friday")
        ),
        "It is important to hand in the key on Friday.",
        "Es ist wichtig, am Freitag den Schlüssel abzugeben.",
    ),
    (
        plans.in_order_to(nominal.HE, plans.ERRANDS[0], time("tomorrow"), True),
        "Tomorrow he is going to the market to buy apples.",
        "Morgen geht er auf den Markt, um Äpfel zu kaufen.",
    ),
    (
        plans.tell(address("Anna and Paul"), to_do("fill in this form"), time("tomorrow")),
        "Anna and Paul, fill in this form tomorrow.",
        "Anna und Paul, füllt morgen dieses Formular aus.",
    ),
    (
        plans.tell_politely(to_do("pack my bag"), time("tomorrow evening")),
        "Please pack your bag tomorrow evening.",
        "Bitte packen Sie morgen Abend Ihre Tasche.",
    ),
    (
        things.where_is(nominal.MY, (NOUNS["key"], "lie", "lay", spot("on", "table"))),
        "Where is my key? It is on the table.",
        "Wo ist mein Schlüssel? Er liegt auf dem Tisch.",
    ),
    (
        things.put(address("please"), (NOUNS["bag"], "stand", "place", spot("in", "wardrobe"))),
        "Please put the bag in the wardrobe.",
        "Bitte stellen Sie die Tasche in den Schrank.",
    ),
    (
        things.have_you_seen(address("Anna"), nominal.MY, NOUNS["camera"]),
        "Anna, I can't find my camera. Have you seen it?",
        "Anna, ich kann meine Kamera nicht finden. Hast du sie gesehen?",
    ),
    (
        things.whose(my("uncle"), NOUNS["umbrella"], find(things.CONDITIONS, "very old"), False),
        "My uncle's umbrella is very old.",
        "Der Regenschirm meines Onkels ist sehr alt.",
    ),
    (
        shopping.contrast(
            nominal.I, NOUNS["shirt"], (ADJECTIVES["blue"], ADJECTIVES["green"]), "cheap"
        ),
        "I like the blue shirt, but the green one is cheaper.",
        "Das blaue Hemd gefällt mir, aber das grüne ist billiger.",
    ),
    (
        shopping.another_size((my("son"), NOUNS["coat"]), shopping.MISFITS[0]),
        "Excuse me, this coat is too small for my son. Do you have a bigger one?",
        "Entschuldigung, dieser Mantel ist meinem Sohn zu klein. Haben Sie einen größeren?",
    ),
    (
        shopping.regret(nominal.WE, NOUNS["sweater"], time("yesterday"), shopping.MISFITS[2]),
        "We bought a sweater yesterday, but it is too long.",
        "Wir haben gestern einen Pullover gekauft, aber er ist zu lang.",
    ),
    (
        sights.visited(nominal.WE, NOUNS["castle"], time("yesterday"), sights.PRAISE[0], "visit"),
        "The castle that we visited yesterday is very old.",
        "Das Schloss, das wir gestern besucht haben, ist sehr alt.",
    ),
    (
        sights.helper(NOUNS["waiter"], nominal.I, 0, sights.CHARACTER[0]),
        "The waiter who helped me was very kind.",
        "Der Kellner, der mir geholfen hat, war sehr freundlich.",
    ),
    (
        sights.superlative(NOUNS["church"], ADJECTIVES["old"], place("Cologne"), False),
        "This is the oldest church in Cologne.",
        "Das ist die älteste Kirche in Köln.",
    ),
    (
        station.journey(
            PAUL,
            next(
                j
                for j in station.JOURNEYS
                if j.by(PAUL).main().en == "Paul goes to Switzerland by train"
            ),
            tenses.PROGRESSIVE,
            time("on Monday"),
            False,
        ),
        "Paul is going to Switzerland by train on Monday.",
        "Paul fährt am Montag mit dem Zug in die Schweiz.",
    ),
    (
        station.ask_timetable(address("Mr. Weber"), (NOUNS["train"], place("Vienna")), False, True),
        "Mr. Weber, can you tell me when the train from Vienna arrives?",
        "Herr Weber, können Sie mir sagen, wann der Zug aus Wien ankommt?",
    ),
    (
        station.board(nominal.SHE, NOUNS["tram"], NOUNS["theatre"], False, tenses.PAST),
        "She got on the tram at the theatre.",
        "Sie ist am Theater in die Straßenbahn eingestiegen.",
    ),
    (
        restaurant.taste(my("parents"), NOUNS["soup"], tenses.PAST, True, nominal.THE),
        "My parents didn't like the soup.",
        "Die Suppe hat meinen Eltern nicht geschmeckt.",
    ),
    (
        restaurant.allergy(my("sister"), (NOUNS["cake"], NOUNS["nut"])),
        "My sister can't eat the cake because she is allergic to nuts.",
        "Meine Schwester kann den Kuchen nicht essen, weil sie gegen Nüsse allergisch ist.",
    ),
    (
        health.needs_doctor(nominal.HE, (NOUNS["foot"], True)),
        "He needs a doctor because his feet hurt.",
        "Er braucht einen Arzt, weil ihm die Füße wehtun.",
    ),
    (
        health.injury(nominal.I, ("break", NOUNS["arm"]), None),
        "I broke my arm.",
        "Ich habe mir den Arm gebrochen.",
    ),
    (
        directions.turn(address("please"), directions.SIDES[0], (NOUNS["church"], NOUNS["park"])),
        "Please turn left at the church and then go straight on to the park.",
        "Bitte biegen Sie an der Kirche links ab und gehen Sie dann geradeaus bis zum Park.",
    ),
    (
        hotel.switch_it(address(), (NOUNS["window"], "close", text.Text("open", "offen"))),
        "The window is open. Can you close it?",
        "Das Fenster ist offen. Kannst du es zumachen?",
    ),
    (
        money.cheaper(nominal.WE, NOUNS["hotel"]),
        "The hotel is too expensive for us, so we are looking for a cheaper one.",
        "Das Hotel ist uns zu teuer, deshalb suchen wir ein billigeres.",
    ),
    (
        smalltalk.likes_to(MISTER_WEBER, (to_do("go to the cinema"), tenses.LIKE, True)),
        "Mr. Weber doesn't like to go to the cinema.",
        "Herr Weber geht nicht gern ins Kino.",
    ),
    (
        weather.compare((place("Rome"), place("Hamburg")), ADJECTIVES["warm"], weather.SEASONS[1]),
        "In summer it is warmer in Rome than in Hamburg.",
        "Im Sommer ist es in Rom wärmer als in Hamburg.",
    ),
]


@pytest.mark.parametrize(("made", "source", "target"), CASES)
def test_sentences(made, source, target):
    assert made == (source, target)


def test_a_pronoun_has_the_gender_of_its_noun():
    for thing in things.OWNED:
        _, target = things.have_you_seen(address("Anna"), nominal.MY, thing)
        pronoun = {"m": "ihn", "f": "sie", "n": "es"}[thing.de.gender]
        assert target.endswith(f"Hast du {pronoun} gesehen?")


def test_two_way_prepositions_take_dative_for_place_and_accusative_for_direction():
    cases = {"m": ("dem", "den"), "f": ("der", "die"), "n": ("dem", "das")}
    for thing, being, putting, where in things.RESTING:
        place_article, direction_article = cases[where[2].de.gender]
        _, place_side = things.where_is(nominal.MY, (thing, being, putting, where))
        _, direction_side = things.put(address("please"), (thing, being, putting, where))
        for side, article in ((place_side, place_article), (direction_side, direction_article)):
            phrase = german.contract(f"{where[1]} {article} {where[2].de.singular}")
            assert side.endswith(f" {phrase}."), side
