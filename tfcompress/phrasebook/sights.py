"""Sightseeing: buildings, exhibitions, relative clauses, superlatives."""

from . import tenses
from .clause import Object, action, relative, relative_subject, what, when, where
from .lexicon import ADJECTIVES, NOUNS, PAST_TIMES, Noun, adjectives, tagged
from .nominal import ACC, DAT, HE, NP, SHE, THE, THEY, WE, I, count, pp, the
from .slots import (
    CLOCK,
    DAYS,
    EVERYBODY,
    EXCUSE_ME,
    LANDS,
    PEOPLE,
    PRICES,
    RELATIVES,
    SPEAKERS,
    TOWNS,
    inside,
)
from .template import template
from .text import Text, join, question, sentence, table

BOTH = (False, True)
COMMA = Text("", ",")


def _the(phrase: NP) -> Text:
    return Text(phrase.en, phrase.de())


def _in_front_of(place: Noun) -> Text:
    return pp("in front of", "vor", the(place))


SIGHTS = tagged("sight")
MONUMENTS = tagged("old_building")
WEEKDAYS = table("""
on Mondays = montags
on Tuesdays = dienstags
on Wednesdays = mittwochs
on Thursdays = donnerstags
on Fridays = freitags
on Saturdays = samstags
on Sundays = sonntags
""")
PRAISE = table("""
very old = sehr alt
very beautiful = sehr schön
very famous = sehr berühmt
not very big = nicht sehr groß
closed today = heute geschlossen
""")
VERDICTS = table("""
too small = zu klein
too big = zu groß
very beautiful = sehr schön
very elegant = sehr elegant
""")
CHARACTER = table("""
was very kind = war sehr freundlich
was not very kind = war nicht sehr freundlich
comes from Italy = kommt aus Italien
comes from Spain = kommt aus Spanien
speaks good English = spricht gut Englisch
""")
SCHEDULE = [
    (NOUNS["guided tour"], [_in_front_of(place) for place in SIGHTS if "area" not in place.tags]),
    (NOUNS["concert"], [inside(NOUNS[name]) for name in ("church", "cathedral", "park", "castle")]),
    (NOUNS["film"], [inside(NOUNS["cinema"])]),
    (NOUNS["game"], [inside(NOUNS["stadium"])]),
    (NOUNS["exhibition"], [inside(NOUNS[name]) for name in ("museum", "town hall", "library")]),
    (NOUNS["festival"], [inside(NOUNS[name]) for name in ("old town", "park", "castle")]),
]
VIEWS = table("""
from our room = von unserem Zimmer aus
from the bridge = von der Brücke aus
from the hotel = vom Hotel aus
from the train = vom Zug aus
from the boat = vom Boot aus
""")
THE_WAY = Text("the way", "den Weg")
WHOM = [I, WE, HE, SHE, THEY]
ENCOUNTERS = ("meet", "call", "help", "wait for", "look for", "see")


@template(you=EVERYBODY, monument=MONUMENTS, quality=("old", "high", "big"))
def ask_how(you, monument, quality):
    """Anna, do you know how old the cathedral is?"""
    adjective = ADJECTIVES[quality]
    clause = action("be").by(the(monument))
    known = action("know").by(you.pronoun).ask()
    how = Text(f"how {adjective.en}", f", wie {adjective.de}")
    return question(you.opening, known, clause.sub(how))


@template(who=PEOPLE, sight=SIGHTS, time=PAST_TIMES, praise=PRAISE, verb=("visit", "photograph"))
def visited(who, sight, time, praise, verb):
    """The castle that we visited yesterday is very old."""
    phrase = the(sight)
    visit = relative(phrase, action(verb).by(who, tenses.PAST, when(time)))
    return sentence(_the(phrase), visit, COMMA, Text("is", "ist"), praise)


@template(who=PEOPLE, thing=tagged("clothes"), town=TOWNS, verdict=VERDICTS)
def bought(who, thing, town, verdict):
    """The jacket that my sister bought in Rome is too small."""
    phrase = the(thing)
    buy = relative(phrase, action("buy", where(town.at)).by(who, tenses.PAST))
    return sentence(_the(phrase), buy, COMMA, Text("is", "ist"), verdict)


@template(helper=tagged("staff"), whom=WHOM, service=range(3), character=CHARACTER)
def helper(helper, whom, service, character):
    """The waiter who helped us was very kind."""
    phrase = the(helper)
    did = (
        action("help", whom),
        action("show", Object(whom, DAT), what(THE_WAY)),
        action("carry", NP(whom.possessive, NOUNS["suitcase"])),
    )[service]
    clause = did.by(relative_subject(phrase), tenses.PAST).sub(COMMA)
    return sentence(_the(phrase), clause, COMMA, character)


@template(
    weight=0.5,
    who=PEOPLE,
    person=[the(noun) for noun in tagged("staff")],
    verb=ENCOUNTERS,
    time=PAST_TIMES,
    character=CHARACTER,
)
def encounter(who, person, verb, time, character):
    """The guide who we met yesterday comes from Spain."""
    met = relative(person, action(verb).by(who, tenses.PAST, when(time)))
    return sentence(_the(person), met, COMMA, character)


@template(place=tagged("shuts"), days=WEEKDAYS, form=range(3))
def open_on(place, days, form):
    """Excuse me, is the museum open on Mondays?"""
    phrase = the(place)
    state = ("open", "geöffnet"), ("closed", "geschlossen")
    en, de = state[form == 2]
    if form == 0:
        asked = Text(f"is {phrase.en} {en} {days.en}", f"ist {phrase.de()} {days.de} {de}")
        return question(EXCUSE_ME.opening, asked)
    return sentence(Text(f"{phrase.en} is {en} {days.en}", f"{phrase.de()} ist {days.de} {de}"))


@template(
    weight=0.5,
    event=[(event, place) for event, places in SCHEDULE for place in places],
    time=CLOCK,
    day=[None, *DAYS],
)
def starts(event, time, day):
    """The guided tour starts in front of the castle on Monday at ten o'clock."""
    occasion, place = event
    moment = join(day, time) if day else time
    clause = action("start", where(place), when(moment)).by(the(occasion))
    return sentence(clause.main())


@template(
    sight=tagged("sight", "inside"),
    quality=adjectives("sight"),
    place=[*TOWNS, *LANDS],
    asking=BOTH,
)
def superlative(sight, quality, place, asking):
    """This is the oldest church in Cologne."""
    phrase = NP(THE, sight, quality.superlative, tail=place.at)
    if asking:
        return question(Text("is this", "ist das"), _the(phrase))
    return sentence(Text("this is", "das ist"), _the(phrase))


@template(
    who=[*SPEAKERS, *RELATIVES],
    deed=[
        (deed, place)
        for deed in ("eat", "smoke", "take photos", "phone")
        for place in tagged("inside")
        if not (deed == "eat" and "outing" in place.tags)
    ],
)
def permitted(who, deed):
    """Excuse me, can we take photos in the museum?"""
    verb, place = deed
    clause = action(verb, where(inside(place))).by(who, tenses.ALLOWED)
    return question(EXCUSE_ME.opening, clause.ask())


@template(adults=range(2, 7), children=range(1, 6), price=PRICES[8:29])
def admission(adults, children, price):
    """Admission for two adults and three children costs twenty euros."""
    grown, young = count(adults, NOUNS["adult"]), count(children, NOUNS["child"])
    return sentence(
        Text(
            f"admission for {grown.en} and {young.en} costs {price.en}",
            f"der Eintritt für {grown.de(ACC)} und {young.de(ACC)} kostet {price.de}",
        )
    )


@template(who=PEOPLE, view=VIEWS, sight=SIGHTS, tense=(tenses.CAN, tenses.PAST, tenses.WANTED))
def view(who, view, sight, tense):
    """From the tower we can see the harbour."""
    return sentence(action("see", the(sight)).by(who, tense).main(view))
