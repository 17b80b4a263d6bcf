"""Things and where they are: two-way prepositions, possession, pronouns that refer back."""

from . import tenses
from .clause import action, where, whither
from .lexicon import ADJECTIVES, NOUNS, PAST_TIMES, adjectives, tagged
from .nominal import (
    ACC,
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
    THEIR,
    THEY,
    THIS,
    WE,
    A,
    I,
    pp,
    the,
)
from .slots import ACQUAINTANCES, EVERYBODY, FAMILIAR, PEOPLE, PLEASE_YOU, RELATIVES, inside
from .template import template
from .text import EMPTY, Text, join, question, sentence, table

BOTH = (False, True)
GUIDED = [*FAMILIAR, PLEASE_YOU]
SPOTS = [
    *(("on", "auf", noun) for noun in tagged("on")),
    *(("under", "unter", noun) for noun in tagged("under")),
    *(("in", "in", noun) for noun in tagged("in")),
    *(("next to", "neben", NOUNS[name]) for name in ("bed", "lamp", "door", "window", "TV")),
    *(("behind", "hinter", NOUNS[name]) for name in ("door", "sofa", "TV")),
]
# Things, the verbs for being and putting there, and where: small things lie, luggage stands.
RESTING = [
    *((thing, "lie", "lay", spot) for thing in tagged("lie") for spot in SPOTS),
    *(
        (thing, "stand", "place", spot)
        for thing in tagged("stand")
        for spot in SPOTS
        if spot[2] is not NOUNS["drawer"]
    ),
]
OWNED = tagged("own")
WORN = [*tagged("own", "buy"), *tagged("own", "clothes")]
COLOURS = adjectives("colour")
SCENES = [
    *(inside(noun) for noun in (*tagged("inside"), NOUNS["taxi"], NOUNS["car"])),
    *(pp("on", "in", the(NOUNS[name])) for name in ("train", "bus", "tram", "underground")),
]
CONDITIONS = table("""
very old = sehr alt
brand new = ganz neu
too small = zu klein
too big = zu groß
""")


@template(owner=(MY, OUR, HIS, HER, THEIR), resting=RESTING)
def where_is(owner, resting):
    """Where is my key? It is on the table."""
    thing, being, _, (en, de, spot) = resting
    phrase = NP(owner, thing)
    place = where(pp(en, de, the(spot), DAT))
    return join(
        question(action("be").by(phrase).ask(Text("where", "wo"))),
        sentence(action(being, place).by(phrase.it).main()),
    )


@template(you=GUIDED, resting=RESTING)
def put(you, resting):
    """Please put the suitcase under the bed."""
    thing, _, putting, (en, de, spot) = resting
    direction = whither(pp(en, de, the(spot), ACC))
    return sentence(you.opening, action(putting, the(thing), direction).by(you.pronoun).command())


@template(who=PEOPLE, resting=RESTING)
def has_put(who, resting):
    """My sister has put her passport in the drawer."""
    thing, _, putting, (en, de, spot) = resting
    direction = whither(pp(en, de, the(spot), ACC))
    return sentence(action(putting, NP(OWN, thing), direction).by(who, tenses.PERFECT).main())


@template(you=EVERYBODY, owner=(MY, OUR, HIS, HER, THEIR), thing=OWNED)
def have_you_seen(you, owner, thing):
    """Anna, I can't find my bag. Have you seen it?"""
    phrase = NP(owner, thing)
    loss = action("find", phrase).by(I, tenses.CAN, negated=True).main()
    seen = action("see", phrase.it).by(you.pronoun, tenses.PERFECT).ask()
    return join(sentence(you.opening, loss), question(seen))


@template(
    weight=2,
    who=PEOPLE,
    verb=("have", "need"),
    quality=[None, *(ADJECTIVES[word] for word in ("new", "cheap", "small", "big"))],
    thing=tagged("buy"),
    negated=BOTH,
)
def need(who, verb, quality, thing, negated):
    """My brother doesn't need a new suitcase."""
    return sentence(action(verb, NP(A, thing, quality)).by(who, negated=negated).main())


@template(you=ACQUAINTANCES, verb=("have", "need"), thing=[*tagged("buy"), *tagged("supply")])
def ask_need(you, verb, thing):
    """Anna, do you need an umbrella?"""
    return question(you.opening, action(verb, NP(A, thing)).by(you.pronoun).ask())


@template(who=PEOPLE, thing=OWNED, place=SCENES, time=[None, *PAST_TIMES])
def left_behind(who, thing, place, time):
    """Yesterday I left my umbrella in the taxi."""
    clause = action("leave", NP(OWN, thing), where(place)).by(who, tenses.PAST)
    return sentence(clause.main(time or EMPTY))


@template(
    thing=[
        *((thing, None) for thing in OWNED),
        *((thing, colour) for thing in WORN for colour in COLOURS),
    ],
    whom=[*RELATIVES, I, HE, SHE, WE, THEY],
    negated=BOTH,
)
def belongs(thing, whom, negated):
    """This red bag belongs to my sister."""
    noun, colour = thing
    clause = action("belong to", whom).by(NP(THIS, noun, colour), negated=negated)
    return sentence(clause.main())


@template(whom=RELATIVES, thing=WORN, condition=CONDITIONS, past=BOTH)
def whose(whom, thing, condition, past):
    """My sister's suitcase is too small."""
    subject = Text(f"{whom.en}'s {thing.en}", f"{the(thing).de()} {whom.de(GEN)}")
    copula = Text("was", "war") if past else Text("is", "ist")
    return sentence(subject, copula, condition)
