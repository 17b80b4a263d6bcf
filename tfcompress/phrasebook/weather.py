"""Weather: now, then and elsewhere."""

from . import english, german, tenses
from .clause import Clause, action, predicate, when, where, whither
from .lexicon import FUTURE_TIMES, NEXT_DAYS, NOUNS, PAST_TIMES, RECENTLY, TODAY, Verb, adjectives
from .nominal import ES, NP, OWN
from .slots import FAMILIAR, LANDS, PEOPLE, PLEASE_YOU, TOWN_PAIRS, TOWNS, to
from .template import template
from .text import EMPTY, Text, question, sentence, table

BOTH = (False, True)
BECOME = Verb(english.BE, german.Verb("werden"))
WHERE = [*TOWNS, *LANDS]
FALLING = [action("rain"), action("snow")]
LOOKS = table("""
warm
cold = kalt
hot = heiß
sunny = sonnig
windy = windig
cloudy = bewölkt
""")
SEASONS = table("""
in spring = im Frühling
in summer = im Sommer
in autumn = im Herbst
in winter = im Winter
in July = im Juli
in January = im Januar
""")
OUTINGS = [
    action("go", whither(to(NOUNS[place])))
    for place in ("beach", "lake", "park", "market", "zoo", "old town")
]
OUTINGS += [action("swim", where(Text("in the lake", "im See"))), action("hike")]
DISCOMFORTS = table("""
too cold = zu kalt
too hot = zu heiß
too windy = zu windig
""")
PAST_WEATHER = [*FALLING, *(action("be", predicate(text)) for text in DISCOMFORTS)]
TIMES = [
    *((time, tenses.PROGRESSIVE) for time in TODAY[:1]),
    *((time, tenses.FUTURE) for time in FUTURE_TIMES[1:]),
    *((time, tenses.PAST) for time in PAST_TIMES),
]
# What to take along against which weather.
PRECAUTIONS = [
    (NOUNS[thing], action(verb))
    for verb, things in (("rain", "umbrella jacket coat"), ("snow", "coat scarf hat jacket"))
    for thing in things.split()
]


@template(what=FALLING, place=WHERE, time_and_tense=TIMES, fronted=BOTH)
def falling(what, place, time_and_tense, fronted):
    """It will rain in Rome tomorrow."""
    time, tense = time_and_tense
    clause = what.by(ES, tense, where(place.at))
    return sentence(clause.timed(time, fronted))


@template(look=LOOKS, place=WHERE, time=FUTURE_TIMES, fronted=BOTH)
def forecast(look, place, time, fronted):
    """Tomorrow it will be warm in Rome."""
    clause = Clause(ES, BECOME, (predicate(look), where(place.at)), tenses.SOON)
    return sentence(clause.timed(time, fronted))


@template(look=LOOKS, place=WHERE, time=PAST_TIMES, fronted=BOTH)
def looking_back(look, place, time, fronted):
    """Yesterday it was cold in Prague."""
    clause = action("be", predicate(look), where(place.at)).by(ES, tenses.PAST)
    return sentence(clause.timed(time, fronted))


@template(towns=TOWN_PAIRS, more=adjectives("weather"), season=SEASONS)
def compare(towns, more, season):
    """In summer it is warmer in Rome than in Hamburg."""
    here, there = (town.at for town in towns)
    degree = predicate(
        Text(f"{more.more[0]} {here.en} than {there.en}", f"{more.more[1]} als {there.de}")
    )
    return sentence(action("be", degree, where(Text("", here.de))).by(ES).main(season))


@template(
    place=WHERE,
    time_and_tense=[*((t, False) for t in FUTURE_TIMES), *((t, True) for t in PAST_TIMES)],
)
def ask_weather(place, time_and_tense):
    """What will the weather be like in Rome tomorrow?"""
    time, past = time_and_tense
    en, de = ("was the weather", "war") if past else ("will the weather be", "wird")
    return question(
        Text(
            f"what {en} like {place.at.en} {time.en}",
            f"wie {de} das Wetter {time.de} {place.at.de}",
        )
    )


@template(you=[*FAMILIAR, PLEASE_YOU], precaution=PRECAUTIONS, time=NEXT_DAYS)
def take_along(you, precaution, time):
    """Anna, take your umbrella with you because it will rain tomorrow."""
    thing, weather = precaution
    packed = action("take along", NP(OWN, thing), when(Text("with you", "")))
    taking = packed.by(you.pronoun).command()
    reason = weather.by(ES, tenses.SOON, when(time)).sub(Text("because", ", weil"))
    return sentence(you.opening, taking, reason)


@template(weight=0.5, who=PEOPLE, outing=OUTINGS, time=RECENTLY, weather=PAST_WEATHER)
def called_off(who, outing, time, weather):
    """Yesterday we didn't go to the beach because it rained."""
    clause = outing.by(who, tenses.PAST, negated=True).main(time)
    reason = weather.by(ES, tenses.PAST).sub(Text("because", ", weil"))
    return sentence(clause, reason)


@template(weather=DISCOMFORTS, outing=OUTINGS, time=[None, *TODAY])
def too_cold(weather, outing, time):
    """Today it is too cold to swim in the lake."""
    state = action("be", predicate(weather)).by(ES).main(time or EMPTY)
    return sentence(state, outing.by(ES).infinitive("um"))
