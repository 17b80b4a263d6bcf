"""Small talk: origin, work, languages, likes, thanks, invitations."""

from . import english, german, tenses
from .clause import Parallel, action, how, predicate, what, when, where, whither
from .lexicon import ADJECTIVES, NEXT_DAYS, NOUNS, tagged
from .nominal import ACC, DAT, HE, NP, OWN, SHE, WE, I, count, pp, the
from .slots import (
    ACQUAINTANCES,
    CLOCK,
    DAYS,
    EVERYONE,
    LANDS,
    LEISURE,
    MEN,
    MISTERS,
    PEOPLE,
    PLACES,
    POSITIONS,
    RELATIVES,
    SPEAKERS,
    TOWNS,
    WOMEN,
    at,
)
from .template import template
from .text import Text, join, question, sentence, table

BOTH = (False, True)
LANGUAGES = table("""
German = Deutsch
English = Englisch
French = Französisch
Italian = Italienisch
Spanish = Spanisch
Turkish = Türkisch
Portuguese = Portugiesisch
Polish = Polnisch
""")
# Profession, German for a man and for a woman, and the place of work.
PROFESSIONS = [
    (Text(en, man), Text(en, woman), Text(*place.split(" / ")))
    for en, man, woman, place in (
        ("a doctor", "Arzt", "Ärztin", "in a hospital / in einem Krankenhaus"),
        ("a teacher", "Lehrer", "Lehrerin", "at a school / an einer Schule"),
        ("a cook", "Koch", "Köchin", "in a restaurant / in einem Restaurant"),
        ("a journalist", "Journalist", "Journalistin", "at a newspaper / bei einer Zeitung"),
        ("an engineer", "Ingenieur", "Ingenieurin", "at the airport / am Flughafen"),
        ("a student", "Student", "Studentin", "in a bookshop / in einer Buchhandlung"),
        ("an architect", "Architekt", "Architektin", "in an office / in einem Büro"),
        ("a baker", "Bäcker", "Bäckerin", "in a bakery / in einer Bäckerei"),
        ("a lawyer", "Rechtsanwalt", "Rechtsanwältin", "in an office / in einem Büro"),
        ("a pilot", "Pilot", "Pilotin", "at the airport / am Flughafen"),
        ("a pharmacist", "Apotheker", "Apothekerin", "in a pharmacy / in einer Apotheke"),
    )
]
GAMES = table("""
chess = Schach
football = Fußball
tennis = Tennis
""")
HOBBIES = [
    action("swim", where(Text("in the lake", "im See"))),
    action("hike", where(Text("in the mountains", "in den Bergen"))),
    action("dance"),
    action("cook"),
    action("sing"),
    action("listen to", what(Text("music", "Musik"))),
    *(action("play", what(game)) for game in GAMES),
    action("travel", whither(Text("by train", "mit dem Zug"))),
    *(action("travel", whither(land.to)) for land in LANDS),
    *(action("learn", what(language)) for language in LANGUAGES),
]
PARTIES = table("""
for breakfast = zum Frühstück
for lunch = zum Mittagessen
for dinner = zum Abendessen
to our party = zu unserer Feier
""")
THANKS = [
    the(NOUNS[noun], ADJECTIVES[quality])
    for qualities, nouns in (
        ("beautiful lovely", ("evening", "day", "trip")),
        ("beautiful small interesting", ("present", "book")),
        ("kind", ("invitation", "letter")),
        ("beautiful red white yellow", ("flowers",)),
        ("good delicious", ("meal", "cake", "coffee")),
    )
    for noun in nouns
    for quality in qualities.split()
]
_AGES = {
    **dict.fromkeys(("son", "daughter", "niece", "nephew"), (2, 31)),
    **dict.fromkeys(("mother", "father"), (40, 71)),
    **dict.fromkeys(("grandmother", "grandfather"), (65, 100)),
}
# Relatives and the ages that they may have.
AGES = [
    (relative, age)
    for relative in RELATIVES
    for low, high in (_AGES.get(relative.noun.en, (20, 70)),)
    for age in range(low, high)
]
PERIODS = [
    Text(f"for {time.en}", f"seit {time.de(DAT)}")
    for unit in ("year", "month", "week")
    for time in (count(n, NOUNS[unit]) for n in range(2, 7))
]
OCCUPATIONS = [
    *(action("learn", what(language)) for language in LANGUAGES),
    *(action(verb, where(town.at)) for verb in ("live", "work") for town in TOWNS),
]
# How somebody feels, and the action, done or not done before, that explains it.
TIRED, HAPPY, SAD, LATE = table("""
tired = müde
happy = glücklich
sad = traurig
late = spät dran
""")
STATES = [
    (TIRED, action("sleep", how(Text("well", "gut"))), True),
    (TIRED, action("get up", when(Text("too early", "zu früh"))), False),
    (TIRED, action("work", how(Text("a lot", "viel"))), False),
    (TIRED, action("dance", how(Text("a lot", "viel"))), False),
    *((HAPPY, action("find", NP(OWN, noun)), False) for noun in tagged("own", "small_thing")),
    *((SAD, action("lose", NP(OWN, noun)), False) for noun in tagged("own", "gift")),
    *((LATE, action("miss", the(noun)), False) for noun in tagged("public")),
]
JOYS = table("""
I am glad that = es freut mich, dass
it is nice that = es ist schön, dass
""")
REGRETS = table("""
I am sorry that = es tut mir leid, dass
we are sad that = wir sind traurig, dass
""")
FEELINGS = [*((joy, False) for joy in JOYS), *((regret, True) for regret in REGRETS)]
VISITS = [
    action("come", whither(Text("to our party", "zu unserer Feier"))),
    action("visit", WE),
    action("help", WE),
    action("call", I),
]


@template(who=PEOPLE, land=LANDS, town=TOWNS)
def origin(who, land, town):
    """My parents come from Spain, but they live in Vienna."""
    first = action("come", where(land.origin)).by(who).main()
    second = action("live", where(town.at)).by(who.it).main()
    return sentence(first, Text(", but", ", aber"), second)


@template(
    named=[
        (relative, person)
        for relative in RELATIVES
        for person in (WOMEN if relative.gender == "f" else MEN)
    ],
    town=TOWNS,
    verb=("live", "work"),
)
def introduce(named, town, verb):
    """This is my sister Anna. She lives in Vienna."""
    relative, person = named
    named = Text(f"this is {relative.en} {person.en}", f"das ist {relative.de()} {person.de()}")
    life = action(verb, where(town.at)).by(relative.it)
    return join(sentence(named), sentence(life.main()))


@template(who=EVERYONE, occupation=OCCUPATIONS, period=PERIODS)
def since(who, occupation, period):
    """He has been learning German for two years."""
    return sentence(occupation.by(who, tenses.SO_FAR, when(period)).main())


@template(
    weight=0.5,
    who=[HE, SHE, *RELATIVES, *MEN, *WOMEN],
    profession=PROFESSIONS,
    town=TOWNS,
)
def profession(who, profession, town):
    """My sister is a doctor and works in a hospital in Cologne."""
    man, woman, place = profession
    is_one = action("be", predicate(woman if who.it is SHE else man)).by(who).main()
    works = Text(f"and works {place.en} {town.at.en}", f"und arbeitet {place.de} {town.at.de}")
    return sentence(is_one, works)


@template(
    who=EVERYONE,
    languages=[(a, b) for a in LANGUAGES for b in LANGUAGES if a is not b],
)
def languages(who, languages):
    """She speaks a little Spanish, but she doesn't understand Turkish."""
    some, none = languages
    a_little = what(Text(f"a little {some.en}", f"ein bisschen {some.de}"))
    speaks = action("speak", a_little).by(who).main()
    understands = Parallel(
        action("understand", what(none)).by(who.it, negated=True),
        action("understand", what(Text("", f"kein {none.de}"))).by(who.it),
    )
    return sentence(speaks, Text(", but", ", aber"), understands.main())


@template(
    weight=2,
    who=EVERYONE,
    liking=[
        *((what, tenses.PREFER, False) for what in HOBBIES),
        *((what, tenses.LIKE, negated) for what in (*HOBBIES, *LEISURE) for negated in BOTH),
    ],
)
def likes_to(who, liking):
    """My uncle doesn't like to travel by train."""
    what, tense, negated = liking
    return sentence(what.by(who, tense, negated=negated).main())


@template(whom=[*WOMEN, *MEN, *MISTERS], gift=THANKS)
def thank(whom, gift):
    """Thank you for the lovely evening, Mr. Weber."""
    return sentence(
        Text(f"thank you for {gift.en}", f"vielen Dank für {gift.de(ACC)}"),
        Text(f", {whom.en}", f", {whom.de()}"),
    )


@template(who_and_age=AGES)
def age(who_and_age):
    """My aunt is fifty-three years old."""
    who, age = who_and_age
    years = predicate(Text(f"{english.number(age)} years old", f"{german.number(age)} Jahre alt"))
    return sentence(action("be", years).by(who).main())


@template(who=PEOPLE, state=STATES)
def state(who, state):
    """My sister is tired because she didn't sleep well."""
    feeling, reason, negated = state
    is_so = action("be", predicate(feeling)).by(who).main()
    why = reason.by(who.it, tenses.PAST, negated=negated).sub(Text("because", ", weil"))
    return sentence(is_so, why)


@template(you=ACQUAINTANCES, feeling=FEELINGS, what=VISITS, time=NEXT_DAYS)
def feeling(you, feeling, what, time):
    """Anna, I am sorry that you can't come to our party tomorrow."""
    mood, negated = feeling
    clause = what.by(you.pronoun, tenses.CAN, when(time), negated=negated)
    return sentence(you.opening, clause.sub(mood))


@template(you=ACQUAINTANCES, who=SPEAKERS, occasion=PARTIES, time=DAYS)
def invite(you, who, occasion, time):
    """Ms. Becker, we would like to invite you for dinner on Friday."""
    clause = action("invite", you.pronoun, whither(occasion)).by(who, tenses.WOULD_LIKE, when(time))
    return sentence(you.opening, clause.main())


@template(you=ACQUAINTANCES, who=[*SPEAKERS, *RELATIVES], place=PLACES)
def wait(you, who, place):
    """Paul, my brother is waiting for you at the station."""
    clause = action("wait for", you.pronoun, where(at(place))).by(who, tenses.PROGRESSIVE)
    return sentence(you.opening, clause.main())


@template(weight=0.5, time=CLOCK, position=POSITIONS, place=tagged("building"))
def shall_we_meet(time, position, place):
    """Shall we meet at half past seven in front of the cinema?"""
    spot = pp(position.en, position.de, the(place))
    return question(
        Text(f"shall we meet {time.en} {spot.en}", f"sollen wir uns {time.de} {spot.de} treffen")
    )
