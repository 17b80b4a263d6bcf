"""At the station and the airport: timetables, tickets, journeys, luggage."""

from dataclasses import replace

from . import english, german, tenses
from .clause import action, how, predicate, what, when, where, whither
from .lexicon import ADJECTIVES, FUTURE_TIMES, NOUNS, PAST_TIMES, adjectives, tagged
from .nominal import ACC, DAT, NP, OWN, THE, THIS, I, a, count, pp, the
from .slots import (
    ACQUAINTANCES,
    CLOCK,
    DAYS,
    EVERYBODY,
    EXCUSE_ME,
    HOURS,
    IN_MINUTES,
    LANDS,
    MINUTES,
    PEOPLE,
    PLACES,
    PRICES,
    SPEAKERS,
    TOWN_PAIRS,
    TOWNS,
    at,
    toward,
)
from .template import template
from .text import Text, join, question, sentence, table

BOTH = (False, True)
FIRST, NEXT, LAST = (ADJECTIVES[word] for word in ("first", "next", "last"))
PLATFORMS = [
    Text(f"platform {english.number(n)}", f"Gleis {german.number(n)}") for n in range(1, 13)
]
LINES = [(NOUNS[vehicle], town) for vehicle in ("train", "bus") for town in TOWNS]
TICKET_DAYS = table("""
for today = für heute
for tomorrow = für morgen
for Monday = für Montag
for Wednesday = für Mittwoch
for Friday = für Freitag
for Saturday = für Samstag
""")
RIDES = table("""
by train = mit dem Zug
by bus = mit dem Bus
by car = mit dem Auto
""")
JOURNEYS = [
    *(action("ride", whither(place.to), how(ride)) for ride in RIDES for place in TOWNS + LANDS),
    *(action("fly", whither(place.to)) for place in TOWNS + LANDS),
]
MISHAPS = [
    (action("get up", when(Text("too late", "zu spät"))), False),
    (action("find", the(NOUNS["station"])), True),
    (action("find", the(NOUNS["bus stop"])), True),
    (action("find", NP(OWN, NOUNS["train ticket"])), True),
    (action("wait for", NP(OWN, NOUNS["friends"])), False),
    (action("look for", NP(OWN, NOUNS["suitcase"])), False),
]
BAGGAGE = [
    *tagged("luggage"),
    *(NOUNS[thing] for thing in ("umbrella", "coat", "jacket", "hat", "scarf", "sweater")),
]


@template(
    line=LINES,
    which=[(NEXT, None), *((order, time) for order in (FIRST, LAST) for time in (None, *DAYS))],
)
def ask_departure(line, which):
    """When does the first train to Munich leave tomorrow?"""
    order, time = which
    vehicle, town = line
    parts = [when(time)] if time else []
    clause = action("depart").by(NP(THE, vehicle, order, tail=town.to), tenses.PRESENT, *parts)
    return question(clause.ask(Text("when", "wann")))


@template(weight=0.5, order=[None, FIRST, NEXT, LAST], town=TOWNS, time=CLOCK, platform=PLATFORMS)
def departure(order, town, time, platform):
    """The next train to Munich leaves at half past two from platform seven."""
    train = NP(THE, NOUNS["train"], order, tail=town.to)
    place = where(Text(f"from {platform.en}", f"von {platform.de}"))
    return sentence(action("depart").by(train, tenses.PRESENT, when(time), place).main())


@template(weight=0.5, town=TOWNS, time=CLOCK, platform=PLATFORMS)
def arrival(town, time, platform):
    """The train from Vienna arrives at ten past nine on platform three."""
    train = NP(THE, NOUNS["train"], tail=town.origin)
    place = where(Text(f"on {platform.en}", f"auf {platform.de}"))
    return sentence(action("arrive").by(train, tenses.PRESENT, when(time), place).main())


@template(weight=0.5, you=EVERYBODY, line=LINES, departs=BOTH, telling=BOTH)
def ask_timetable(you, line, departs, telling):
    """Anna, do you know when the train from Vienna arrives?"""
    vehicle, town = line
    subject = NP(THE, vehicle, tail=town.to if departs else town.origin)
    happens = action("depart" if departs else "arrive").by(subject).sub(Text("when", ", wann"))
    if telling:
        return question(you.opening, action("tell", I).by(you.pronoun, tenses.CAN).ask(), happens)
    return question(you.opening, action("know").by(you.pronoun).ask(), happens)


@template(weight=0.5, who=SPEAKERS, number=range(1, 7), town=TOWNS, day=TICKET_DAYS, wish=BOTH)
def tickets(who, number, town, day, wish):
    """We need two train tickets to Berlin for tomorrow."""
    ticket = NOUNS["train ticket"]
    phrase = a(ticket) if number == 1 else count(number, ticket)
    verb, tense = ("buy", tenses.WOULD_LIKE) if wish else ("need", tenses.PRESENT)
    return sentence(action(verb, phrase, what(town.to), what(day)).by(who, tense).main())


@template(number=range(1, 4), town=[*TOWNS, *LANDS], price=PRICES[10:29])
def ticket_price(number, town, price):
    """Two train tickets to Berlin cost eighty euros."""
    ticket = NOUNS["train ticket"]
    phrase = replace(a(ticket) if number == 1 else count(number, ticket), tail=town.to)
    return sentence(action("cost", what(price)).by(phrase).main())


@template(weight=0.5, who=SPEAKERS, towns=TOWN_PAIRS)
def change_trains(who, towns):
    """Excuse me, do we have to change trains in Leipzig if we want to go to Dresden?"""
    first = action("change trains", where(towns[0].at)).by(who, tenses.MUST).ask()
    second = action("ride", whither(towns[1].to)).by(who, tenses.WANT)
    return question(EXCUSE_ME.opening, first, second.sub(Text("if", ", wenn")))


@template(weight=0.5, who=PEOPLE, line=LINES, mishap=MISHAPS)
def missed(who, line, mishap):
    """We missed the train to Vienna because we got up too late."""
    vehicle, town = line
    reason, negated = mishap
    missed_it = action("miss", NP(THE, vehicle, tail=town.to)).by(who, tenses.PAST)
    why = reason.by(who.it, tenses.PAST, negated=negated).sub(Text("because", ", weil"))
    return sentence(missed_it.main(), why)


@template(line=LINES, arriving=BOTH, minutes=MINUTES)
def delay(line, arriving, minutes):
    """The train from Cologne is twenty minutes late."""
    vehicle, town = line
    train = NP(THE, vehicle, tail=town.origin if arriving else town.to)
    return sentence(
        Text(f"{train.en} is {minutes.en} late", f"{train.de()} hat {minutes.de()} Verspätung")
    )


@template(
    weight=2,
    who=PEOPLE,
    journey=JOURNEYS,
    tense=(tenses.PROGRESSIVE, tenses.WANT, tenses.MUST, tenses.WOULD_LIKE),
    time=FUTURE_TIMES,
    fronted=BOTH,
)
def journey(who, journey, tense, time, fronted):
    """We are going to Berlin by train on Monday."""
    clause = journey.by(who, tense)
    return sentence(clause.timed(time, fronted))


@template(who=PEOPLE, journey=JOURNEYS, time=PAST_TIMES)
def past_journey(who, journey, time):
    """My parents flew to Spain last week."""
    return sentence(journey.by(who, tenses.PAST, when(time)).main())


@template(vehicle=tagged("local"), place=tagged("building"), form=range(3))
def stops(vehicle, place, form):
    """Excuse me, does this bus stop at the castle?"""
    clause = action("stop", where(at(place))).by(
        NP(THIS, vehicle), tenses.PRESENT, negated=form == 2
    )
    if form == 0:
        return question(EXCUSE_ME.opening, clause.ask())
    return sentence(clause.main())


@template(who=SPEAKERS, place=PLACES)
def get_off(who, place):
    """Excuse me, where do I have to get off to get to the castle?"""
    leave = action("get off").by(who, tenses.MUST).ask(Text("where", "wo"))
    arrive = action("get", whither(toward(place))).by(who).infinitive("um")
    return question(EXCUSE_ME.opening, leave, arrive)


@template(
    who=PEOPLE,
    vehicle=tagged("boarding"),
    place=PLACES,
    off=BOTH,
    tense=(tenses.PAST, tenses.MUST),
)
def board(who, vehicle, place, off, tense):
    """We got on the bus at the town hall."""
    verb = "get off" if off else "get on"
    direction = pp("", "aus", the(vehicle), DAT) if off else pp("", "in", the(vehicle), ACC)
    clause = action(verb, whither(Text(direction.en.strip(), direction.de)), where(at(place)))
    return sentence(clause.by(who, tense).main())


@template(who=PEOPLE, thing=BAGGAGE, first=adjectives("size"), second=adjectives("colour"))
def lost_luggage(who, thing, first, second):
    """I have lost my suitcase. It is big and red."""
    phrase = NP(OWN, thing)
    lost = action("lose", phrase).by(who, tenses.PERFECT).main()
    look = predicate(Text(f"{first.en} and {second.en}", f"{first.de} und {second.de}"))
    return join(sentence(lost), sentence(action("be", look).by(phrase.it).main()))


@template(weight=0.5, you=ACQUAINTANCES, who=SPEAKERS, place=PLACES, day=DAYS, hour=HOURS)
def pick_up(you, who, place, day, hour):
    """Anna, can you pick me up at the station tomorrow at ten o'clock?"""
    time = when(Text(f"{day.en} {hour.en}", f"{day.de} {hour.de}"))
    clause = action("pick up", who, where(at(place))).by(you.pronoun, tenses.CAN, time)
    return question(you.opening, clause.ask())


@template(weight=0.5, towns=TOWN_PAIRS, ride=RIDES)
def duration(towns, ride):
    """How long does the journey from Cologne to Vienna take by train?"""
    start, goal = towns
    return question(
        Text(
            f"how long does the journey {start.origin.en} {goal.to.en} take {ride.en}",
            f"wie lange dauert die Fahrt {start.start.de} {goal.to.de} {ride.de}",
        )
    )


@template(town=TOWNS, time=[*CLOCK, *IN_MINUTES])
def landing(town, time):
    """The plane from London lands at half past two."""
    plane = NP(THE, NOUNS["plane"], tail=town.origin)
    return sentence(action("land").by(plane, tenses.PRESENT, when(time)).main())
