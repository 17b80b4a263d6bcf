"""In shops: prices, sizes, colours, presents, opening hours."""

from dataclasses import replace

from . import tenses
from .clause import Clause, Object, action, likes, predicate, to_whom, what, when
from .lexicon import ADJECTIVES, NOUNS, PAST_TIMES, adjectives, tagged
from .nominal import ACC, BARE, NP, OWN, THE, THIS, WHICH, A, I, the
from .restaurant import WOULD_HAVE
from .slots import (
    ACQUAINTANCES,
    EVERYONE,
    EXCUSE_ME,
    PEOPLE,
    PRICES,
    RELATIVES,
    SPEAKERS,
    clock,
)
from .template import template
from .text import Text, join, question, sentence, table

BOTH = (False, True)
CLOTHES = tagged("clothes")
UNISEX = [thing for thing in CLOTHES if "lady" not in thing.tags]
FITTINGS = [
    (who, thing) for who in RELATIVES for thing in (CLOTHES if who.gender == "f" else UNISEX)
]
COLOURS = adjectives("colour")
COLOUR_PAIRS = [(a, b) for a in COLOURS for b in COLOURS if a is not b]
# Presents that suit the person.
GIFTS = [
    (whom, thing)
    for whom in RELATIVES
    for thing in tagged("gift")
    if whom.gender == "f" or "lady" not in thing.tags
]
CLOTHES_PRICES = PRICES[13:29]
# What is wrong with a garment, and how it should be instead.
MISFITS = [
    (ADJECTIVES[wrong], ADJECTIVES[right])
    for wrong, right in (
        ("small", "big"),
        ("big", "small"),
        ("long", "short"),
        ("short", "long"),
        ("expensive", "cheap"),
    )
]
GIFT_QUALITIES = [ADJECTIVES[word] for word in ("new", "beautiful", "cheap", "elegant", "red")]
WORN_OUT = [
    (NOUNS[thing], Text(en, de))
    for things, en, de in (
        ("suitcase bag backpack umbrella phone camera watch", "broken", "kaputt"),
        ("suitcase bag backpack coat jacket sweater", "too small", "zu klein"),
        ("suitcase bag backpack camera", "too heavy", "zu schwer"),
    )
    for thing in things.split()
]
KILOS = table("""
a kilo = ein Kilo
two kilos = zwei Kilo
three kilos = drei Kilo
""")
FRUITS = tagged("kilo")
OPENING = [clock(hour, minutes) for hour in (7, 8, 9, 10) for minutes in (0, 30)]
CLOSING = [clock(hour, minutes) for hour in (4, 5, 6) for minutes in (0, 15, 30)]


@template(thing=CLOTHES, colour=COLOURS, many=BOTH, asking=(None, EXCUSE_ME))
def ask_price(thing, colour, many, asking):
    """Excuse me, how much does this red jacket cost?"""
    clause = action("cost").by(NP(THIS, thing, colour, many))
    asked = clause.ask(Text("how much", "was"))
    return question(asking.opening, asked) if asking else question(asked)


@template(thing=CLOTHES, colour=COLOURS, many=BOTH, price=CLOTHES_PRICES)
def tell_price(thing, colour, many, price):
    """The blue shirts cost fifteen euros."""
    return sentence(action("cost", what(price)).by(the(thing, colour, many)).main())


@template(weight=0.5, fitting=[*((I, thing) for thing in CLOTHES), *FITTINGS], misfit=MISFITS)
def another_size(fitting, misfit):
    """Excuse me, this coat is too small for me. Do you have a bigger one?"""
    who, thing = fitting
    wrong, right = misfit
    flaw = predicate(Text(f"too {wrong.en} for {who.en_object}", f"zu {wrong.de}"))
    complaint = action("be", flaw).by(NP(THIS, thing), tenses.PRESENT, to_whom(who))
    other = NP(A, thing, right.comparative, elided=True)
    return join(
        sentence(EXCUSE_ME.opening, complaint.main()),
        question(action("have", other).by(EXCUSE_ME.pronoun).ask()),
    )


@template(
    fitting=[*((I, thing) for thing in CLOTHES), *FITTINGS],
    colour=COLOURS,
    det=(THE, THIS),
)
def try_on(fitting, colour, det):
    """Excuse me, can I try on this blue dress?"""
    who, thing = fitting
    clause = action("try on", NP(det, thing, colour)).by(who, tenses.CAN)
    return question(EXCUSE_ME.opening, clause.ask())


@template(who=PEOPLE, quality=GIFT_QUALITIES, gift=GIFTS, buying=BOTH)
def look_for_gift(who, quality, gift, buying):
    """I am looking for a new bag for my brother."""
    whom, thing = gift
    receiver = Object(replace(whom, det=OWN), ACC, "für", "for")
    verb, tense = ("buy", tenses.WOULD_LIKE) if buying else ("look for", tenses.PROGRESSIVE)
    return sentence(action(verb, NP(A, thing, quality), receiver).by(who, tense).main())


@template(
    weight=2,
    who=PEOPLE,
    gift=GIFTS,
    time=PAST_TIMES,
    verb=("buy", "present", "show"),
)
def give(who, gift, time, verb):
    """We bought our mother a scarf yesterday."""
    whom, thing = gift
    clause = action(verb, replace(whom, det=OWN), NP(A, thing)).by(who, tenses.PAST, when(time))
    return sentence(clause.main())


@template(
    weight=0.5,
    who=PEOPLE,
    thing=CLOTHES,
    colours=COLOUR_PAIRS,
    better=("cheap", "beautiful", "warm"),
)
def contrast(who, thing, colours, better):
    """I like the blue shirt, but the green one is cheaper."""
    one, other = colours
    rest = NP(THE, thing, other, elided=True)
    comparison = predicate(Text(*ADJECTIVES[better].more))
    return sentence(
        likes(who, the(thing, one)).main(),
        Text(", but", ", aber"),
        action("be", comparison).by(rest).main(),
    )


@template(weight=0.5, you=ACQUAINTANCES, thing=CLOTHES, colours=COLOUR_PAIRS)
def which(you, thing, colours):
    """Anna, which dress do you like better, the red one or the blue one?"""
    first, second = (NP(THE, thing, colour, elided=True) for colour in colours)
    asked = NP(WHICH, thing)
    pleases = action("please", you.pronoun, predicate(Text("", "besser"))).by(asked)
    return question(
        you.opening,
        Text(f"{asked.en} do you like better", pleases.main().de),
        Text(f", {first.en} or {second.en}", f", {first.de()} oder {second.de()}"),
    )


@template(who=PEOPLE, thing=UNISEX, time=PAST_TIMES, misfit=MISFITS)
def regret(who, thing, time, misfit):
    """I bought a jacket yesterday, but it is too small."""
    phrase = NP(A, thing)
    flaw = predicate(Text(f"too {misfit[0].en}", f"zu {misfit[0].de}"))
    return sentence(
        action("buy", phrase).by(who, tenses.PAST, when(time)).main(),
        Text(", but", ", aber"),
        action("be", flaw).by(phrase.it).main(),
    )


@template(weight=0.5, place=tagged("shuts"), opens=OPENING, closes=CLOSING)
def opening_hours(place, opens, closes):
    """The museum opens at nine o'clock and closes at half past six."""
    subject = the(place)
    return sentence(
        Text(
            f"{subject.en} opens at {opens.en} and closes at {closes.en}",
            f"{subject.de()} öffnet um {opens.de} und schließt um {closes.de}",
        )
    )


@template(thing=CLOTHES, many=BOTH, colour=COLOURS)
def in_colour(thing, many, colour):
    """Excuse me, do you also have this shirt in blue?"""
    phrase = NP(THIS, thing, many=many)
    return question(
        EXCUSE_ME.opening,
        Text(
            f"do you also have {phrase.en} in {colour.en}",
            f"haben Sie {phrase.de(ACC)} auch in {colour.de.capitalize()}",
        ),
    )


@template(
    you=ACQUAINTANCES,
    thing=UNISEX,
    colour=COLOURS,
    verb=("suit", "fit"),
    negated=BOTH,
)
def suits(you, thing, colour, verb, negated):
    """Anna, the red coat suits you."""
    clause = action(verb, you.pronoun).by(the(thing, colour), negated=negated)
    return sentence(you.opening, clause.main())


@template(fitting=FITTINGS, colour=COLOURS, verb=("suit", "fit"), negated=BOTH)
def suits_relative(fitting, colour, verb, negated):
    """The blue hat doesn't fit my father."""
    whom, thing = fitting
    return sentence(action(verb, whom).by(the(thing, colour), negated=negated).main())


@template(who=EVERYONE, worn=WORN_OUT)
def replacement(who, worn):
    """I need a new suitcase because my old one is broken."""
    thing, flaw = worn
    old = NP(OWN, thing, ADJECTIVES["old"], elided=True).bind(who.it)
    reason = action("be", predicate(flaw)).by(old).sub(Text("because", ", weil"))
    return sentence(action("need", NP(A, thing, ADJECTIVES["new"])).by(who).main(), reason)


@template(
    weight=0.5,
    who=SPEAKERS,
    fruits=[(a, b) for a in FRUITS for b in FRUITS if a is not b],
    first=KILOS,
    second=KILOS,
)
def at_the_market(who, fruits, first, second):
    """I would like two kilos of potatoes and a kilo of apples."""
    one, other = (
        Text(f"{amount.en} of {fruit.en_plural}", f"{amount.de} {fruit.de.plural}")
        for amount, fruit in zip((first, second), fruits)
    )
    wanted = join(one, Text("and", "und"), other)
    return sentence(Clause(who, WOULD_HAVE, (what(wanted),), tenses.WISH).main())


@template(
    weight=2,
    who=PEOPLE,
    plan=[
        ("need", tenses.PRESENT),
        ("buy", tenses.PRESENT),
        ("buy", tenses.PAST),
        ("buy", tenses.MUST),
        ("look for", tenses.PROGRESSIVE),
    ],
    quality=[None, *(ADJECTIVES[word] for word in ("fresh", "big", "small", "cheap"))],
    fruit=tagged("many"),
    negated=BOTH,
)
def groceries(who, plan, quality, fruit, negated):
    """We didn't buy any fresh eggs."""
    verb, tense = plan
    clause = action(verb, NP(BARE, fruit, quality, many=True)).by(who, tense, negated=negated)
    return sentence(clause.main())


@template(fruit=FRUITS, amount=KILOS, price=PRICES[:9])
def kilo_price(fruit, amount, price):
    """A kilo of apples costs three euros."""
    costs = Text("costs", "kostet") if amount is KILOS[0] else Text("cost", "kosten")
    goods = Text(f"{amount.en} of {fruit.en_plural}", f"{amount.de} {fruit.de.plural}")
    return sentence(goods, costs, price)
