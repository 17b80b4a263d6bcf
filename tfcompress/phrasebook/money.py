"""Money: paying, changing, comparing prices."""

from . import english, german, tenses
from .clause import Object, action, how, predicate, to_whom, what, when, whither
from .lexicon import ADJECTIVES, NOUNS, PAST_TIMES, adjectives, tagged
from .nominal import ACC, DAT, HE, NP, SHE, THE, THEY, THIS, WE, A, I, the
from .slots import EXCUSE_ME, PEOPLE, PRICES, RELATIVES, SPEAKERS
from .template import template
from .text import Text, question, sentence, table

MEANS = table("""
by credit card = mit Kreditkarte
in cash = bar
in dollars = in Dollar
in pounds = in Pfund
""")
CURRENCIES = table("""
euros = Euro
dollars = Dollar
pounds = Pfund
""")
AMOUNTS = (*range(20, 100, 10), 25, 35, 45, 55, 65, 75, 85, 95)
PAYABLE = [
    *(NOUNS[name] for name in ("room", "salad", "train ticket", "taxi", "guided tour")),
    *tagged("clothes"),
]
BOUGHT = [*tagged("clothes"), *tagged("luggage")]
TIPPED = [NOUNS[name] for name in ("waiter", "driver", "guide", "conductor")]
EXCHANGES = [(a, b) for a in CURRENCIES for b in CURRENCIES if a is not b]
EXPENSIVE = [
    *(NOUNS[name] for name in ("hotel", "room", "restaurant", "car", "bike", "boat", "camera")),
    *tagged("clothes"),
    *tagged("luggage"),
]


def _comparisons():
    """Yield (noun, noun, adjective) for things of a kind and a quality they may differ in."""
    kinds = (
        (tagged("vehicle"), adjectives("speed", "price")),
        (tagged("clothes"), [ADJECTIVES[word] for word in ("cheap", "expensive", "beautiful")]),
        (tagged("luggage"), [ADJECTIVES[word] for word in ("cheap", "heavy", "light", "big")]),
        (tagged("quarters"), [ADJECTIVES[word] for word in ("cheap", "quiet", "bright", "big")]),
        (tagged("old_building", "building"), adjectives("sight")),
    )
    for things, qualities in kinds:
        for one in things:
            for other in things:
                if one is not other:
                    yield from ((one, other, quality) for quality in qualities)


@template(who=[*SPEAKERS, *RELATIVES], thing=PAYABLE, means=MEANS, det=(THE, THIS))
def pay(who, thing, means, det):
    """Excuse me, can I pay for the room by credit card?"""
    clause = action("pay for", NP(det, thing), how(means)).by(who, tenses.CAN)
    return question(EXCUSE_ME.opening, clause.ask())


@template(
    who=PEOPLE,
    amount=AMOUNTS,
    currencies=EXCHANGES,
    mode=(tenses.WOULD_LIKE, tenses.WANT, tenses.MUST),
)
def exchange(who, amount, currencies, mode):
    """I would like to change fifty dollars into euros."""
    one, other = currencies
    money = Text(f"{english.number(amount)} {one.en}", f"{german.number(amount)} {one.de}")
    into = whither(Text(f"into {other.en}", f"in {other.de}"))
    return sentence(action("change", what(money), into).by(who, mode).main())


@template(who=PEOPLE, price=PRICES[10:29], thing=BOUGHT, tense=(tenses.PAST, tenses.MUST))
def paid(who, price, thing, tense):
    """He paid twenty euros for the hat."""
    phrase = the(thing)
    for_it = whither(Text(f"for {phrase.en}", f"für {phrase.de(ACC)}"))
    return sentence(action("pay", what(price), for_it).by(who, tense).main())


@template(comparison=list(_comparisons()), form=range(3))
def compare(comparison, form):
    """The bus is cheaper than the train."""
    one, other, quality = comparison
    subject, standard = the(one), the(other)
    degree = (
        Text(f"{quality.more[0]} than {standard.en}", f"{quality.more[1]} als {standard.de()}"),
        Text(f"as {quality.en} as {standard.en}", f"so {quality.de} wie {standard.de()}"),
        Text(f"as {quality.en} as {standard.en}", f"so {quality.de} wie {standard.de()}"),
    )[form]
    return sentence(action("be", predicate(degree)).by(subject, negated=form == 2).main())


@template(who=PEOPLE, whom=TIPPED, price=PRICES[:19], time=[None, *PAST_TIMES])
def tip(who, whom, price, time):
    """We gave the waiter five euros."""
    parts = [when(time)] if time else []
    clause = action("give", Object(the(whom), DAT), what(price)).by(who, tenses.PAST, *parts)
    return sentence(clause.main())


@template(who=[I, WE, HE, SHE, THEY], thing=EXPENSIVE)
def cheaper(who, thing):
    """The hotel is too expensive for us, so we are looking for a cheaper one."""
    flaw = predicate(Text(f"too expensive for {who.en_object}", "zu teuer"))
    too_much = action("be", flaw).by(the(thing), tenses.PRESENT, to_whom(who)).main()
    other = NP(A, thing, ADJECTIVES["cheap"].comparative, elided=True)
    search = action("look for", other).by(who, tenses.PROGRESSIVE)
    return sentence(too_much, search.main(Text(", so", ", deshalb")))


@template(who=PEOPLE, thing=tagged("clothes"), colour=adjectives("colour"))
def not_enough(who, thing, colour):
    """We don't have enough money to buy the red coat."""
    money = what(Text("enough money", "genug Geld"))
    without = action("have", money).by(who, negated=True).main()
    return sentence(without, action("buy", the(thing, colour)).by(who).infinitive("um"))
