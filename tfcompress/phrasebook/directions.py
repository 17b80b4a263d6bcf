"""Finding the way: places, two-way prepositions, commands."""

from . import tenses
from .clause import Object, action, what, when, where, whither
from .lexicon import ADJECTIVES, tagged
from .nominal import ACC, DAT, NP, THE, a, pp, the
from .slots import (
    EVERYBODY,
    EXCUSE_ME,
    FAMILIAR,
    MINUTES,
    PEOPLE,
    PLACE_PAIRS,
    PLACES,
    PLEASE_YOU,
    POSITIONS,
    SPEAKERS,
    at,
    near,
    toward,
)
from .template import template
from .text import Text, join, question, sentence, table

GUIDED = [*FAMILIAR, PLEASE_YOU]
BUILDINGS = tagged("building")
BUILDING_PAIRS = [(a, b) for a in BUILDINGS for b in BUILDINGS if a is not b]
HERE, AROUND = BUILDINGS[:12], BUILDINGS[12:]  # what lies between what
SIDES = [Text("left", "links"), Text("right", "rechts")]
ORDINALS = table("""
first = erste
second = zweite
third = dritte
fourth = vierte
""")
HOW_FAR = table("""
how far is it = wie weit ist es
is it far = ist es weit
""")
STREETS = [
    Text(f"the {nth.en} street on the {side.en}", f"die {nth.de} Straße {side.de}")
    for nth in ORDINALS
    for side in SIDES
]
WAYS = table("""
through the park = durch den Park
through the old town = durch die Altstadt
across the bridge = über die Brücke
across the square = über den Platz
across the street = über die Straße
across the market = über den Markt
across the car park = über den Parkplatz
along the river = am Fluss entlang
along the lake = am See entlang
""")


@template(you=EVERYBODY, place=tagged("near"), know=(False, True))
def nearest(you, place, know):
    """Excuse me, do you know where the nearest pharmacy is?"""
    clause = action("be").by(NP(THE, place, ADJECTIVES["nearest"]))
    if know:
        known = action("know").by(you.pronoun).ask()
        return question(you.opening, known, clause.sub(Text("where", ", wo")))
    return question(you.opening, clause.ask(Text("where", "wo")))


@template(
    pair=[(a, b) for a in tagged("near") for b in PLACES if a is not b],
    asking=(False, True),
)
def is_there(pair, asking):
    """Excuse me, is there a pharmacy near the station?"""
    place, landmark = a(pair[0]), near(pair[1])
    if asking:
        there = Text(f"is there {place.en} {landmark.en}", f"gibt es {landmark.de} {place.de(ACC)}")
        return question(EXCUSE_ME.opening, there)
    there = Text(f"there is {place.en} {landmark.en}", f"{landmark.de} gibt es {place.de(ACC)}")
    return sentence(there)


@template(weight=0.5, who=SPEAKERS, pair=PLACE_PAIRS)
def ask_way(who, pair):
    """Excuse me, how do I get from the hotel to the museum?"""
    start = pp("from", "von", the(pair[0]))
    clause = action("get", whither(start), whither(toward(pair[1]))).by(who)
    return question(EXCUSE_ME.opening, clause.ask(Text("how", "wie")))


@template(pair=BUILDING_PAIRS, position=POSITIONS)
def location(pair, position):
    """The bank is behind the church."""
    subject, landmark = the(pair[0]), the(pair[1])
    place = pp(position.en, position.de, landmark)
    return sentence(action("be", where(place)).by(subject).main())


@template(
    subject=HERE,
    landmarks=[(a, b) for a in AROUND for b in AROUND if a is not b],
)
def between(subject, landmarks):
    """The museum is between the bank and the bakery."""
    one, other = map(the, landmarks)
    place = Text(f"between {one.en} and {other.en}", f"zwischen {one.de(DAT)} und {other.de(DAT)}")
    return sentence(action("be", where(place)).by(the(subject)).main())


@template(weight=0.5, you=GUIDED, side=SIDES, pair=PLACE_PAIRS)
def turn(you, side, pair):
    """Anna, turn left at the church and then go straight on to the park."""
    corner, goal = pair
    turning = action("turn", whither(side), where(at(corner))).by(you.pronoun).command()
    onward = Text(f"straight on {toward(goal).en}", f"geradeaus bis {toward(goal).de}")
    going = action("go", when(Text("", "dann")), whither(onward)).by(you.pronoun).command()
    return sentence(you.opening, turning, Text("and then", "und"), going)


@template(weight=0.5, you=GUIDED, street=STREETS, pair=BUILDING_PAIRS, position=POSITIONS)
def street(you, street, pair, position):
    """Please take the second street on the left. The bank is behind the church."""
    taking = action("take", what(street)).by(you.pronoun).command()
    return join(sentence(you.opening, taking), location(pair, position))


@template(weight=0.5, pair=PLACE_PAIRS, minutes=MINUTES)
def walk(pair, minutes):
    """It takes ten minutes to walk from the hotel to the beach."""
    start, goal = pp("from", "von", the(pair[0])), toward(pair[1])
    return sentence(
        Text(
            f"it takes {minutes.en} to walk {start.en} {goal.en}",
            f"zu Fuß braucht man {start.de} {goal.de} {minutes.de(ACC)}",
        )
    )


@template(pair=PLACE_PAIRS, asked=HOW_FAR)
def far(pair, asked):
    """How far is it from the hotel to the beach?"""
    return question(asked, pp("from", "von", the(pair[0])), toward(pair[1]))


@template(
    weight=0.5,
    you=GUIDED,
    ways=[(a, b) for a in WAYS for b in WAYS if a.en.split()[0] != b.en.split()[0]],
    goal=BUILDINGS,
)
def go_through(you, ways, goal):
    """Please go through the park and across the bridge to the castle."""
    first, second = ways
    way = Text(
        f"{first.en} and {second.en} {toward(goal).en}",
        f"{first.de} und {second.de} {toward(goal).de}",
    )
    return sentence(you.opening, action("go", whither(way)).by(you.pronoun).command())


@template(weight=0.5, you=EVERYBODY, who=SPEAKERS, place=PLACES)
def show_on_map(you, who, place):
    """Excuse me, can you show me on the map where the castle is?"""
    on_map = where(Text("on the map", "auf der Karte"))
    show = action("show", Object(who, DAT), on_map).by(you.pronoun, tenses.CAN).ask()
    return question(you.opening, show, action("be").by(the(place)).sub(Text("where", ", wo")))


@template(who=PEOPLE, place=PLACES, past=(False, True))
def cannot_find(who, place, past):
    """We are looking for the museum, but we can't find it."""
    phrase = the(place)
    search, find = (tenses.PAST, tenses.PAST) if past else (tenses.PROGRESSIVE, tenses.CAN)
    first = action("look for", phrase).by(who, search).main()
    second = action("find", phrase.it).by(who.it, find, negated=True).main()
    return sentence(first, Text(", but", ", aber"), second)
