"""At the restaurant: orders, complaints, tastes and habits."""

from . import english, german, tenses
from .clause import Clause, Object, action, likes, predicate, what, when, where
from .lexicon import ADJECTIVES, NOUNS, PAST_TIMES, Noun, Verb, tagged
from .nominal import ACC, BARE, DAT, MY, NO, NP, THE, THIS, A, a, count, pp, the
from .slots import (
    ACQUAINTANCES,
    EVERYONE,
    EXCUSE_ME,
    PEOPLE,
    RELATIVES,
    SPEAKERS,
    TOWNS,
    clock,
    kin,
)
from .template import template
from .text import Text, join, question, sentence, table

BOTH = (False, True)
GUESTS = [*SPEAKERS, kin(MY, "wife"), kin(MY, "husband"), *RELATIVES[:6]]
DISHES = tagged("dish")
FOODS = tagged("food")
WOULD_HAVE = Verb(english.Verb("like"), german.Verb("hätten"))


def portion(n: int, noun: Noun) -> NP:
    """Return "a fork" for one and "two forks" for more."""
    return a(noun) if n == 1 else count(n, noun)


def _serving(n: int, vessel: str, drink: Noun) -> Text:
    """Return a measure of a drink: "two glasses of water", "zwei Gläser Wasser"."""
    measure = portion(n, NOUNS[vessel])
    return Text(f"{measure.en} of {drink.en}", f"{measure.de(ACC)} {drink.de.singular}")


def _combinations(rows: str) -> list[tuple[Noun, Noun]]:
    """Read lines of "noun: noun, noun" into pairs of nouns."""
    lines = (line.split(": ") for line in rows.strip().splitlines())
    return [(NOUNS[first], NOUNS[second]) for first, rest in lines for second in rest.split(", ")]


def _bare(noun: Noun) -> NP:
    """Return an ingredient: "milk", "onions"."""
    return NP(BARE, noun, many="many" in noun.tags)


REFRESHMENTS = [
    *((drink, ADJECTIVES["cold"]) for drink in tagged("chilled")),
    *((drink, ADJECTIVES["hot"]) for drink in tagged("cup")),
    *((NOUNS[food], ADJECTIVES["fresh"]) for food in ("bread", "cheese", "ham", "fish", "yoghurt")),
    *((food, ADJECTIVES["warm"]) for food in (NOUNS["milk"], NOUNS["bread"])),
]
DRINKS = [
    _serving(n, vessel, drink)
    for vessel in ("cup", "glass", "bottle")
    for drink in tagged(vessel)
    for n in (1, 2)
]
TOPPINGS = _combinations("""
pizza: ham, cheese, egg, onion, tomato, mushroom
salad: ham, cheese, egg, nut, onion, tomato, fish, chicken
omelette: ham, cheese, onion, tomato, mushroom
sandwich: ham, cheese, egg, tomato, butter
soup: meat, onion, mushroom, potato, egg, rice
steak: onion, mushroom, potato
sausage: onion, bread, potato
""")
ALLERGENS = _combinations("""
cake: nut, egg, milk
salad: nut, egg, tomato, mushroom
sauce: nut, egg, milk, tomato, mushroom
soup: egg, milk, tomato, mushroom
pizza: tomato, mushroom
omelette: milk, mushroom
""")
SLICES = _combinations("bread: butter, cheese, honey, jam, ham")
PLATES = _combinations("""
fish: rice, potato
chicken: rice, potato
meat: rice, potato, mushroom
""")
HOT_DRINKS = _combinations("""
coffee: milk, sugar
tea: milk, sugar, honey
""")
BREAKFAST, LUNCH, DINNER = table("""
for breakfast = zum Frühstück
for lunch = zum Mittagessen
for dinner = zum Abendessen
""")
HABITS = [
    *((meal, "eat", pair) for meal in (BREAKFAST, DINNER) for pair in SLICES),
    *((meal, "eat", pair) for meal in (LUNCH, DINNER) for pair in PLATES),
    *((meal, "drink", pair) for meal in (BREAKFAST, LUNCH, DINNER) for pair in HOT_DRINKS),
]
FAVOURITES = [
    *(action("drink", _bare(drink)) for drink in tagged("drink")),
    *(action("eat", _bare(food)) for food in (*tagged("meal"), *tagged("many"))),
]
FLAWS = [
    *((dish, Text("cold", "kalt")) for dish in tagged("dish", "hot")),
    *((dish, Text("too salty", "zu salzig")) for dish in DISHES),
    *((dish, Text("not fresh", "nicht frisch")) for dish in (NOUNS["salad"], NOUNS["sandwich"])),
]
BOOKING_DAYS = table("""
for today = für heute
for tonight = für heute Abend
for tomorrow = für morgen
for Friday = für Freitag
for Saturday = für Samstag
for Sunday = für Sonntag
""")
TABLE_TIMES = [clock(hour, minutes) for hour in (6, 7, 8, 9) for minutes in (0, 15, 30, 45)]


@template(who=GUESTS, dish=DISHES, drink=DRINKS)
def order(who, dish, drink):
    """I would like a salad and a glass of water."""
    parts = (Object(a(dish)), what(Text(f"and {drink.en}", f"und {drink.de}")))
    return sentence(Clause(who, WOULD_HAVE, parts, tenses.WISH).main())


@template(who=GUESTS, choice=TOPPINGS, without=BOTH)
def order_with(who, choice, without):
    """My son would like a pizza without onions."""
    dish, topping = choice
    extra = _bare(topping)
    with_it = Text(f"with {extra.en}", f"mit {extra.de(DAT)}")
    without_it = Text(f"without {extra.en}", f"ohne {extra.de()}")
    parts = (Object(a(dish)), what(without_it if without else with_it))
    return sentence(Clause(who, WOULD_HAVE, parts, tenses.WISH).main())


@template(who=SPEAKERS, det=(THE, THIS), flaw=FLAWS, you=[EXCUSE_ME])
def send_back(who, det, flaw, you):
    """Excuse me, this soup is cold. Could you bring me a new one?"""
    dish, fault = flaw
    complaint = action("be", predicate(fault)).by(NP(det, dish)).main()
    new_one = NP(A, dish, ADJECTIVES["new"], elided=True)
    wish = action("bring", who, new_one).by(you.pronoun, tenses.COULD).ask()
    return join(sentence(you.opening, complaint), question(wish))


@template(
    who=GUESTS,
    pair=[(a, b) for a in REFRESHMENTS for b in REFRESHMENTS if a[0] is not b[0]],
)
def order_pair(who, pair):
    """My father would like hot coffee and fresh bread."""
    first, second = (NP(BARE, *item) for item in pair)
    parts = (Object(first), what(Text(f"and {second.en}", f"und {second.de(ACC)}")))
    return sentence(Clause(who, WOULD_HAVE, parts, tenses.WISH).main())


@template(
    weight=0.5,
    you=[EXCUSE_ME],
    who=GUESTS,
    dishes=[(a, b) for a in DISHES + tagged("meal", "hot") for b in DISHES if a is not b],
)
def mix_up(you, who, dishes):
    """Excuse me, I ordered the fish and not the soup."""
    wanted, served = dishes
    clause = action("order", the(wanted)).by(who, tenses.PAST)
    other = the(served)
    return sentence(
        you.opening, clause.main(), Text(f"and not {other.en}", f"und nicht {other.de(ACC)}")
    )


@template(
    you=[EXCUSE_ME],
    who=SPEAKERS,
    pair=[(a, b) for a in tagged("cutlery") for b in tagged("cutlery") if a is not b],
    first=(1, 2, 3),
    second=(1, 2, 3, 4),
)
def cutlery(you, who, pair, first, second):
    """Excuse me, we need a fork and two spoons."""
    one, other = portion(first, pair[0]), portion(second, pair[1])
    rest = what(Text(f"and {other.en}", f"und {other.de(ACC)}"))
    return sentence(you.opening, action("need", one, rest).by(who).main())


@template(
    who=PEOPLE,
    food=FOODS,
    tense=(tenses.PRESENT, tenses.PAST),
    negated=BOTH,
    det=(THE, THIS),
)
def taste(who, food, tense, negated, det):
    """My brother likes the soup."""
    return sentence(likes(who, NP(det, food), tense, negated).main())


@template(you=ACQUAINTANCES, food=FOODS, tense=(tenses.PRESENT, tenses.PAST), det=(THE, THIS))
def ask_taste(you, food, tense, det):
    """Anna, did you like the cake?"""
    return question(you.opening, likes(you.pronoun, NP(det, food), tense).ask())


@template(weight=0.5, who=SPEAKERS, day=BOOKING_DAYS, time=TABLE_TIMES, guests=range(2, 13))
def reserve_table(who, day, time, guests):
    """I would like to reserve a table for four people for Friday at eight o'clock."""
    people = count(guests, NOUNS["person"])
    for_them = what(Text(f"for {people.en}", f"für {people.de(ACC)}"))
    moment = when(Text(f"{day.en} at {time.en}", f"{day.de} um {time.de}"))
    clause = action("reserve", a(NOUNS["table"]), for_them).by(who, tenses.WOULD_LIKE, moment)
    return sentence(clause.main())


@template(who=EVERYONE, meal=ALLERGENS)
def allergy(who, meal):
    """I can't eat the cake because I am allergic to nuts."""
    food, allergen = meal
    what_not = _bare(allergen)
    reason = predicate(Text(f"allergic to {what_not.en}", f"gegen {what_not.de()} allergisch"))
    clause = action("eat", the(food)).by(who, tenses.CAN, negated=True)
    because = action("be", reason).by(who.it).sub(Text("because", ", weil"))
    return sentence(clause.main(), because)


@template(meal=ALLERGENS, form=range(3))
def ingredients(meal, form):
    """Are there nuts in the cake?"""
    food, allergen = meal
    place, found = pp("in", "in", the(food)), _bare(allergen)
    none = NP(NO, allergen, many=found.many)
    en, de = ("are", "sind") if found.plural else ("is", "ist")
    if form == 0:
        asked = Text(f"{en} there {found.en} {place.en}", f"{de} {place.de} {found.de()}")
        return question(asked)
    found = none if form == 1 else found
    return sentence(Text(f"there {en} {found.en} {place.en}", f"{place.de} {de} {found.de()}"))


@template(who=EVERYONE, habit=HABITS, fronted=BOTH)
def habit(who, habit, fronted):
    """My father drinks coffee with milk for breakfast."""
    meal, verb, (first, second) = habit
    extra = _bare(second)
    with_it = what(Text(f"with {extra.en}", f"mit {extra.de(DAT)}"))
    clause = action(verb, _bare(first), with_it).by(who)
    return sentence(clause.timed(meal, fronted))


@template(
    who=EVERYONE,
    favourite=FAVOURITES,
    liking=[(tenses.LIKE, False), (tenses.LIKE, True), (tenses.PREFER, False)],
)
def preference(who, favourite, liking):
    """My aunt prefers to drink tea."""
    tense, negated = liking
    return sentence(favourite.by(who, tense, negated=negated).main())


@template(
    weight=0.5,
    who=PEOPLE,
    dish=[a(dish, ADJECTIVES[word]) for dish in DISHES for word in ("delicious", "good", "big")],
    town=TOWNS,
    time=PAST_TIMES,
    fronted=BOTH,
)
def dinner_report(who, dish, town, time, fronted):
    """Yesterday we ate a delicious pizza at a small restaurant in Rome."""
    place = Text(f"at a small restaurant {town.at.en}", f"in einem kleinen Restaurant {town.at.de}")
    clause = action("eat", dish, where(place)).by(who, tenses.PAST)
    return sentence(clause.timed(time, fronted))
