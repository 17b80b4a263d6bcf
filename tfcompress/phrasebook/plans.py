"""Plans and reports: tenses, modal verbs, subordinate clauses, infinitives."""

from . import tenses
from .clause import action, predicate, when, where, whither
from .lexicon import FUTURE_TIMES, NEXT_DAYS, NOUNS, PAST_TIMES, RECENTLY, TOMORROW, WEEKDAYS
from .nominal import BARE, ES, NP, A
from .slots import (
    ACQUAINTANCES,
    ACTIONS,
    DUTIES,
    FAMILIAR,
    LEISURE,
    PEOPLE,
    PLEASE_YOU,
    SPEAKERS,
    to,
)
from .template import template
from .text import Text, question, sentence, table

BOTH = (False, True)
AGENDA = [*TOMORROW, *WEEKDAYS]

# Times with and without negation: nobody says what did not happen an hour ago.
FUTURE_OR_NOT = [(t, False) for t in FUTURE_TIMES] + [(t, True) for t in NEXT_DAYS]
PAST_OR_NOT = [(t, False) for t in PAST_TIMES] + [(t, True) for t in RECENTLY]
WEATHER = [
    action("rain"),
    action("snow"),
    action("be", predicate(Text("too cold", "zu kalt"))),
    action("be", predicate(Text("too hot", "zu heiß"))),
]
INDOORS = [
    *(
        action("go", whither(to(NOUNS[place])))
        for place in ("museum", "theatre", "cinema", "café", "restaurant", "swimming pool")
    ),
    action("stay", where(Text("at the hotel", "im Hotel"))),
    action("stay", where(Text("at home", "zu Hause"))),
]
OPINIONS = table("""
I think that = ich glaube, dass
I hope that = ich hoffe, dass
we know that = wir wissen, dass
my aunt says that = meine Tante sagt, dass
I am sure that = ich bin sicher, dass
it is good that = es ist gut, dass
""")
DOUBTS = table("""
I don't know whether = ich weiß nicht, ob
we are not sure whether = wir sind nicht sicher, ob
nobody knows whether = niemand weiß, ob
""")
EXCUSES = table("""
we are staying at the hotel = wir bleiben im Hotel
I am not coming with you = ich komme nicht mit
we have to wait = wir müssen warten
we don't have time = wir haben keine Zeit
""")
RESOLUTIONS = table("""
it is not easy = es ist nicht leicht
I am planning = ich habe vor
we are trying = wir versuchen
we don't have time = wir haben keine Zeit
it is important = es ist wichtig
""")


def _errands(place: str, verb: str, names: str, many: bool = False):
    """Yield (place, action) for what people do at a place they go to."""
    for name in names.split(", "):
        noun = NOUNS[name]
        phrase = NP(A if noun.countable and not many else BARE, noun, many=many)
        yield NOUNS[place], action(verb, phrase)


ERRANDS = [
    *_errands("market", "buy", "apple, tomato, potato, pear, orange, egg, mushroom", many=True),
    *_errands("market", "buy", "cheese, fish, honey, present"),
    *_errands("bakery", "buy", "bread, cake"),
    *_errands("bank", "change", "money"),
    *_errands("post office", "send", "package, letter, postcard"),
    *_errands("station", "buy", "train ticket, newspaper"),
    *_errands("library", "read", "book, newspaper"),
    *_errands("restaurant", "eat", "salad, pizza, steak, omelette"),
    *_errands("supermarket", "buy", "milk, bread, butter, jam, rice"),
    *_errands("bookshop", "buy", "book, city map"),
    *_errands("café", "drink", "coffee, tea"),
    *_errands("harbour", "rent", "boat"),
]

# What people want to do and what they have to do.
WISHES = [(what, tenses.WANT) for what in LEISURE]
OBLIGATIONS = [(what, tenses.MUST) for what in DUTIES]
PAST_PLANS = [
    *((what, tenses.WANTED) for what in LEISURE),
    *((what, tenses.HAD_TO) for what in DUTIES),
]


@template(
    weight=2,
    who=PEOPLE,
    what=LEISURE,
    mode=(tenses.WOULD_LIKE, tenses.WANT, tenses.CAN, tenses.FUTURE),
    time=FUTURE_TIMES,
    fronted=BOTH,
)
def wish(who, what, mode, time, fronted):
    """My brother would like to visit the castle tomorrow."""
    return sentence(what.by(who, mode).timed(time, fronted))


@template(
    weight=3,
    who=PEOPLE,
    what=DUTIES,
    mode=(tenses.MUST, tenses.SHOULD, tenses.CAN),
    time=AGENDA,
    negated=BOTH,
)
def duty(who, what, mode, time, negated):
    """She doesn't have to call her son tomorrow."""
    return sentence(what.by(who, mode, negated=negated).timed(time, False))


@template(weight=2, who=PEOPLE, what=ACTIONS, moment=FUTURE_OR_NOT, fronted=BOTH)
def arrangement(who, what, moment, fronted):
    """Tomorrow we are not picking up our friends."""
    time, negated = moment
    return sentence(what.by(who, tenses.PROGRESSIVE, negated=negated).timed(time, fronted))


@template(weight=3, who=PEOPLE, what=ACTIONS, moment=PAST_OR_NOT, fronted=BOTH)
def report(who, what, moment, fronted):
    """Yesterday we visited the castle."""
    time, negated = moment
    return sentence(what.by(who, tenses.PAST, negated=negated).timed(time, fronted))


@template(who=PEOPLE, plan=PAST_PLANS, time=PAST_TIMES)
def intention(who, plan, time):
    """They wanted to rent a boat on Sunday."""
    what, mode = plan
    return sentence(what.by(who, mode).timed(time, False))


@template(
    weight=0.5,
    you=ACQUAINTANCES,
    plan=[
        *WISHES,
        *((what, tenses.WOULD_LIKE) for what in LEISURE),
        *((what, tenses.CAN) for what in DUTIES),
        *OBLIGATIONS,
    ],
    time=AGENDA,
)
def ask_about_plan(you, plan, time):
    """Anna, do you have to pack your suitcase tomorrow?"""
    what, mode = plan
    return question(you.opening, what.by(you.pronoun, mode, when(time)).ask())


@template(
    you=ACQUAINTANCES,
    plan=[*WISHES, *OBLIGATIONS, *((what, tenses.PAST) for what in ACTIONS)],
    wh=(Text("when", "wann"), Text("why", "warum")),
)
def ask_when(you, plan, wh):
    """Paul, why did you call your parents?"""
    what, mode = plan
    return question(you.opening, what.by(you.pronoun, mode).ask(wh))


@template(you=FAMILIAR, what=DUTIES, time=AGENDA)
def tell(you, what, time):
    """Max, pack your suitcase tomorrow morning."""
    return sentence(you.opening, what.by(you.pronoun, tenses.PRESENT, when(time)).command())


@template(what=DUTIES, time=AGENDA)
def tell_politely(what, time):
    """Please send the letter on Monday."""
    clause = what.by(PLEASE_YOU.pronoun, tenses.PRESENT, when(time))
    return sentence(PLEASE_YOU.opening, clause.command())


@template(
    excuse=EXCUSES,
    who=PEOPLE,
    plan=[*WISHES, *OBLIGATIONS],
    time=AGENDA,
)
def because(excuse, who, plan, time):
    """We don't have time because my sister wants to visit the museum tomorrow."""
    what, mode = plan
    return sentence(excuse, what.by(who, mode, when(time)).sub(Text("because", ", weil")))


@template(
    weight=2,
    opinion=OPINIONS,
    who=PEOPLE,
    what=ACTIONS,
    tense_and_time=[
        *((tenses.FUTURE, time) for time in AGENDA),
        *((tenses.PAST, time) for time in PAST_TIMES),
    ],
)
def that(opinion, who, what, tense_and_time):
    """I think that Paul bought a city map yesterday."""
    tense, time = tense_and_time
    return sentence(what.by(who, tense, when(time)).sub(opinion))


@template(
    doubt=DOUBTS,
    who=PEOPLE,
    plan=[*WISHES, *OBLIGATIONS, *((what, tenses.PERFECT) for what in ACTIONS)],
)
def whether(doubt, who, plan):
    """I don't know whether Anna has called her parents."""
    what, mode = plan
    return sentence(what.by(who, mode).sub(doubt))


@template(weather=WEATHER, time=AGENDA, who=PEOPLE, what=INDOORS)
def if_it_rains(weather, time, who, what):
    """If it rains tomorrow, we will go to the museum."""
    condition = weather.by(ES, tenses.PRESENT, when(time)).sub(Text("if", "wenn"))
    return sentence(condition, Text(",", ","), what.by(who, tenses.SOON).inverted())


@template(resolution=RESOLUTIONS, what=ACTIONS, time=AGENDA)
def to_do(resolution, what, time):
    """We don't have time to pick up our suitcase tomorrow."""
    who = SPEAKERS[resolution.en.startswith("we")]
    return sentence(resolution, what.by(who, tenses.PRESENT, when(time)).infinitive())


@template(who=PEOPLE, errand=ERRANDS, time=FUTURE_TIMES, fronted=BOTH)
def in_order_to(who, errand, time, fronted):
    """We are going to the market on Saturday to buy apples."""
    place, what = errand
    going = action("go", whither(to(place))).by(who, tenses.PROGRESSIVE)
    return sentence(going.timed(time, fronted), what.by(who).infinitive("um"))
