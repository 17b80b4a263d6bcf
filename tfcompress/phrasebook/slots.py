"""Values that many templates share: people, forms of address, places, times, prices, activities."""

from typing import NamedTuple

from . import english, german
from .clause import Action, action, whither
from .lexicon import (
    CITIES,
    COUNTRIES,
    NOUNS,
    TOMORROW,
    WEEKDAYS,
    Noun,
    tagged,
)
from .nominal import (
    ACC,
    BARE,
    DAT,
    GEN,
    HE,
    HER,
    HIS,
    MY,
    NP,
    OUR,
    OWN,
    SHE,
    THE,
    THEY,
    THIS,
    WE,
    YOU,
    YOU_ALL,
    YOU_POLITE,
    A,
    Det,
    I,
    Pronoun,
    count,
    name,
    pp,
    the,
)
from .text import EMPTY, Text, table

WOMEN = [name(en, en, HER) for en in ("Anna", "Maria", "Julia", "Lena")]
MEN = [name(en, en, HIS) for en in ("Paul", "Max", "Felix", "Jonas")]
MISTERS = [
    *(
        name(f"Mr. {en}", f"Herr {en}", HIS, f"Herrn {en}")
        for en in ("Weber", "Fischer", "Hoffmann")
    ),
    *(name(f"Ms. {en}", f"Frau {en}", HER) for en in ("Becker", "Wagner", "Schmidt")),
]


def kin(det: Det, english_name: str) -> NP:
    """Return a person by relation to the speaker ("my brother")."""
    return NP(det, NOUNS[english_name])


RELATIVES = [kin(MY, noun.en) for noun in tagged("relative")]
FAMILY = [kin(MY, "brother"), kin(MY, "sister"), kin(OUR, "friends"), kin(MY, "parents")]
PEOPLE = [I, WE, HE, SHE, THEY, *FAMILY, WOMEN[0], WOMEN[1], MEN[0], MEN[1], MISTERS[0], MISTERS[3]]
EVERYONE = [*PEOPLE, *(person for person in RELATIVES if person not in PEOPLE)]
SPEAKERS = [I, WE]


class Address(NamedTuple):
    """How somebody is spoken to: the words that say who is meant, and the pronoun that follows.

    A politeness formula or a surname asks for "Sie", two first names for "ihr"; everybody else is
    "du".
    """

    opening: Text
    pronoun: Pronoun


def _opening(text: Text) -> Text:
    return Text(*(f"{side}," for side in text))


EXCUSE_ME = Address(_opening(Text("excuse me", "Entschuldigung")), YOU_POLITE)
POLITE = [EXCUSE_ME, *(Address(_opening(Text(n.en, n.de())), YOU_POLITE) for n in MISTERS)]
FAMILIAR = [
    Address(EMPTY, YOU),
    *(Address(_opening(Text(n.en, n.de())), YOU) for n in WOMEN[:3] + MEN[:3]),
    *(
        Address(_opening(Text(f"{a.en} and {b.en}", f"{a.en} und {b.en}")), YOU_ALL)
        for a, b in zip(WOMEN, MEN)
    ),
]
PLEASE_YOU = Address(Text("please", "bitte"), YOU_POLITE)
ACQUAINTANCES = [*FAMILIAR, *POLITE[1:]]
EVERYBODY = [*FAMILIAR, *POLITE]

PLACES = tagged("place")
PLACE_PAIRS = [(a, b) for a in PLACES for b in PLACES if a is not b]
POSITIONS = table("""
behind = hinter
in front of = vor
next to = neben
opposite = gegenüber
""")


def at(place: Noun) -> Text:
    """Return where somebody meets, stops or turns: "at the station", "am Bahnhof"."""
    return pp("at", "an", the(place), DAT)


def inside(place: Noun) -> Text:
    """Return where somebody is: "in the museum", "im Museum"."""
    return pp("in", "in", the(place), DAT)


def near(place: Noun) -> Text:
    """Return what something is close to: "near the station", "in der Nähe des Bahnhofs"."""
    return Text(f"near {the(place).en}", f"in der Nähe {the(place).de(GEN)}")


def toward(place: Noun) -> Text:
    """Return where a way leads: "to the castle", "zum Schloss"."""
    return pp("to", "zu", the(place), DAT)


def to(place: Noun) -> Text:
    """Return a destination with the preposition that the place asks for: "ins", "zum", "an den"."""
    for preposition in ("in", "an", "auf"):
        if f"to_{preposition}" in place.tags:
            return pp("to", preposition, the(place), ACC)
    return toward(place)


def clock(hour: int, minutes: int) -> Text:
    """Return a time of day as people say it: "half past three", "halb vier"."""
    following = hour % 12 + 1
    en, de = english.number, german.number
    return {
        0: Text(f"{en(hour)} o'clock", f"{'ein' if hour == 1 else de(hour)} Uhr"),
        10: Text(f"ten past {en(hour)}", f"zehn nach {de(hour)}"),
        15: Text(f"a quarter past {en(hour)}", f"Viertel nach {de(hour)}"),
        30: Text(f"half past {en(hour)}", f"halb {de(following)}"),
        45: Text(f"a quarter to {en(following)}", f"Viertel vor {de(following)}"),
        50: Text(f"ten to {en(following)}", f"zehn vor {de(following)}"),
    }[minutes]


def _at(time: Text) -> Text:
    return Text(f"at {time.en}", f"um {time.de}")


HOURS = [_at(clock(hour, 0)) for hour in range(1, 13)]
CLOCK = [_at(clock(h, m)) for h in range(1, 13) for m in (0, 10, 15, 30, 45, 50)]
MORNING = [_at(clock(h, m)) for h in (6, 7, 8) for m in (0, 15, 30, 45)]


class Location(NamedTuple):
    """A city or country: where somebody is, goes to, comes from, and where a way begins."""

    at: Text
    to: Text
    origin: Text
    start: Text


def _location(en: str, de: str) -> Location:
    article, _, noun = de.rpartition(" ")
    if not article:
        german_side = f"in {noun}", f"nach {noun}", f"aus {noun}", f"von {noun}"
    elif article == "die":
        german_side = f"in der {noun}", f"in die {noun}", f"aus der {noun}", f"von der {noun}"
    else:
        german_side = f"in den {noun}n", f"in die {noun}", f"aus den {noun}n", f"von den {noun}n"
    english_side = f"in {en}", f"to {en}", f"from {en}", f"from {en}"
    return Location(*map(Text, english_side, german_side))


TOWNS = [_location(*row) for row in CITIES]
LANDS = [_location(*row) for row in COUNTRIES]
TOWN_PAIRS = [(a, b) for a in TOWNS for b in TOWNS if a is not b]
PRICES = [
    *(
        Text(f"{english.number(n)} euros", f"{german.number(n)} Euro")
        for n in (*range(2, 21), 25, 30, 35, 40, 45, 50, 60, 75, 80, 90)
    ),
    *(Text(f"{n} euros", f"{n.replace('.', ',')} Euro") for n in ("3.20", "4.50", "7.90", "12.50")),
]
MINUTES = [count(n, NOUNS["minute"]) for n in (2, 5, 10, 15, 20, 25, 30, 40)]
IN_MINUTES = [Text(f"in {time.en}", f"in {time.de(DAT)}") for time in MINUTES]
DAYS = [TOMORROW[0], *WEEKDAYS]
SINCE = table("""
since yesterday = seit gestern
since this morning = seit heute Morgen
since Monday = seit Montag
for two days = seit zwei Tagen
for three days = seit drei Tagen
for a week = seit einer Woche
""")


def _actions(verb: str, det: Det, *nouns: Noun) -> list[Action]:
    return [action(verb, NP(det, noun)) for noun in nouns]


def _named(names: str) -> list[Noun]:
    return [NOUNS[name] for name in names.split(", ")]


LEISURE = [
    *_actions("visit", THE, *tagged("sight")),
    *_actions("photograph", THE, *tagged("old_building")),
    *_actions("rent", A, *tagged("rental")),
    *_actions("read", A, *tagged("read")),
    *_actions("meet", OWN, *_named("friends, uncle, aunt, colleague, grandmother")),
    *(action("go", whither(to(place))) for place in tagged("outing")),
]
DUTIES = [
    *_actions("call", OWN, *_named("parents, son, daughter, uncle, colleague, neighbour")),
    *_actions("pick up", OWN, *_named("friends, mother, grandfather, suitcase, train ticket")),
    *_actions("help", OWN, *_named("father, sister, aunt, neighbour")),
    *_actions("pack", OWN, *tagged("luggage")),
    *_actions("buy", A, *_named("train ticket, city map, present, umbrella, newspaper")),
    *_actions("send", A, *tagged("mail")),
    *_actions("fill in", THIS, NOUNS["form"]),
    *_actions("hand in", THE, NOUNS["key"]),
    *_actions("pay", THE, NOUNS["bill"]),
    *_actions("change", BARE, NOUNS["money"]),
]
ACTIONS = [*LEISURE, *DUTIES]
