"""At the hotel: rooms, repairs, service."""

from . import tenses
from .clause import PLEASE, action, when, where, whither
from .lexicon import ADJECTIVES, NOUNS, TODAY, TOMORROW, adjectives, tagged
from .nominal import ACC, NOM, a, count, the
from .slots import DAYS, EVERYBODY, EXCUSE_ME, MISTERS, MORNING, PEOPLE, SPEAKERS, near
from .template import template
from .text import Text, join, question, sentence

NIGHTS = [count(n, NOUNS["night"]) for n in range(1, 9)]
ROOM_NUMBERS = (7, 12, 15, 23, 104, 108, 111, 205, 216, 230, 301, 317, 402, 409)
ROOMS = [
    Text("in our room", "in unserem Zimmer"),
    Text("in my room", "in meinem Zimmer"),
    *(Text(f"in room {number}", f"in Zimmer {number}") for number in ROOM_NUMBERS),
]
FAULTS = [
    *((noun, Text("does not work", "funktioniert nicht")) for noun in tagged("machine")),
    *((noun, Text("is broken", "ist kaputt")) for noun in tagged("breakable")),
    *((noun, Text("is dirty", "ist schmutzig")) for noun in tagged("washable")),
]
SUPPLIES = [count(n, noun, more=True) for noun in tagged("supply") for n in range(1, 7)]
SWITCHES = [
    *((verb, noun) for noun in tagged("switch") for verb in ("turn on", "turn off")),
    *((verb, NOUNS[noun]) for noun in ("window", "door") for verb in ("open", "close")),
]
OPENED = [
    (NOUNS["window"], "close", Text("open", "offen")),
    (NOUNS["door"], "close", Text("open", "offen")),
    (NOUNS["window"], "open", Text("closed", "zu")),
    (NOUNS["door"], "open", Text("closed", "zu")),
    *((noun, "turn off", Text("still on", "noch an")) for noun in tagged("switch")),
    *((noun, "turn on", Text("off", "aus")) for noun in tagged("switch")),
]


@template(
    weight=0.5,
    you=[EXCUSE_ME],
    room=tagged("quarters"),
    quality=[None, *adjectives("room"), ADJECTIVES["cheap"]],
    extra=tagged("with"),
    nights=NIGHTS,
)
def vacancy(you, room, quality, extra, nights):
    """Excuse me, do you have a quiet room with a balcony for two nights?"""
    phrase = a(room, quality)
    return question(
        you.opening,
        Text(
            f"do you have {phrase.en} with {a(extra).en} for {nights.en}",
            f"haben Sie {phrase.de(ACC)} mit {extra.de.singular} für {nights.de(ACC)}",
        ),
    )


@template(weight=0.5, who=PEOPLE, room=tagged("quarters"), nights=NIGHTS, surname=[None, *MISTERS])
def reservation(who, room, nights, surname):
    """We have reserved a double room for two nights under the name Weber."""
    parts = [where(Text(f"for {nights.en}", f"für {nights.de(ACC)}"))]
    if surname:
        last = surname.en.split()[-1]
        parts.append(where(Text(f"under the name {last}", f"auf den Namen {last}")))
    clause = action("reserve", a(room)).by(who, tenses.PERFECT, *parts)
    return sentence(clause.main())


@template(fault=FAULTS, place=ROOMS)
def fault(fault, place):
    """The shower in our room does not work."""
    noun, what = fault
    subject = the(noun)
    return sentence(Text(f"{subject.en} {place.en}", f"{subject.de(NOM)} {place.de}"), what)


@template(who=SPEAKERS, what=SUPPLIES, time=[None, *TODAY, *TOMORROW])
def bring(who, what, time):
    """Could you bring us two more towels this afternoon, please?"""
    parts = [when(time)] if time else []
    clause = action("bring", who, what).by(EXCUSE_ME.pronoun, tenses.COULD, *parts, PLEASE)
    return question(clause.ask())


@template(number=ROOM_NUMBERS, what=SUPPLIES)
def bring_to_room(number, what):
    """Could you bring two more towels to room 12, please?"""
    place = whither(Text(f"to room {number}", f"auf Zimmer {number}"))
    clause = action("bring", what).by(EXCUSE_ME.pronoun, tenses.COULD, place, PLEASE)
    return question(clause.ask())


@template(who=SPEAKERS, time=MORNING, day=DAYS)
def wake(who, time, day):
    """Could you wake me at half past six tomorrow, please?"""
    clause = action("wake", who).by(
        EXCUSE_ME.pronoun, tenses.COULD, when(Text(f"{time.en} {day.en}", f"{day.de} {time.de}"))
    )
    return question(clause.also(PLEASE).ask())


@template(you=EVERYBODY, switch=SWITCHES, request=(tenses.CAN, tenses.COULD))
def switch(you, switch, request):
    """Paul, can you turn off the lamp?"""
    verb, noun = switch
    return question(you.opening, action(verb, the(noun)).by(you.pronoun, request).ask())


@template(you=EVERYBODY, state=OPENED)
def switch_it(you, state):
    """Paul, the window is open. Can you close it?"""
    noun, verb, adjective = state
    phrase = the(noun)
    first = sentence(you.opening, Text(f"{phrase.en} is", f"{phrase.de(NOM)} ist"), adjective)
    second = question(action(verb, phrase.it).by(you.pronoun, tenses.CAN).ask())
    return join(first, second)


@template(
    weight=0.5,
    who=PEOPLE,
    nights=NIGHTS,
    place=tagged("place"),
    tense=(tenses.PROGRESSIVE, tenses.PAST, tenses.WOULD_LIKE),
)
def stay(who, nights, place, tense):
    """We are staying at a hotel near the station for two nights."""
    hotel = Text(f"at a hotel {near(place).en}", f"in einem Hotel {near(place).de}")
    time = Text(f"for {nights.en}", nights.de(ACC))
    return sentence(action("stay", where(hotel)).by(who, tense, when(time)).main())
