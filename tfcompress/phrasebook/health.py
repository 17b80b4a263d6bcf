"""Health: pain, illness, medicine, accidents."""

from . import tenses
from .clause import PRONOUN, Object, Parallel, Part, action, how, what, when, where, whither
from .lexicon import NOUNS, PAST_TIMES, TODAY, TOMORROW, VERBS, tagged
from .nominal import DAT, HE, NP, OWN, SHE, THIS, Det, I, a, the
from .slots import (
    ACQUAINTANCES,
    EVERYONE,
    LEISURE,
    PEOPLE,
    POLITE,
    RELATIVES,
    SINCE,
)
from .template import template
from .text import Text, question, sentence, table

BODY = tagged("body")
PAIRED = [NOUNS[part] for part in ("leg", "foot", "hand", "knee", "ear", "eye", "tooth", "arm")]
PARTS = [*((part, False) for part in BODY), *((part, True) for part in PAIRED)]
PATIENTS = [I, HE, SHE, *RELATIVES]
ILLNESSES = table("""
a headache = Kopfschmerzen
a toothache = Zahnschmerzen
a stomach ache = Bauchschmerzen
a sore throat = Halsschmerzen
back pain = Rückenschmerzen
a fever = Fieber
a cough = Husten
a cold = eine Erkältung
""")
DOSES = table("""
once = einmal
twice = zweimal
three times = dreimal
four times = viermal
""")
INTAKE = table("""
before meals = vor dem Essen
after meals = nach dem Essen
with water = mit Wasser
""")
REMEDIES = [NOUNS[name] for name in ("pill", "drops", "medicine")]
ADVICE = [
    action("stay", where(Text("in bed", "im Bett"))),
    action("go", whither(Text("to the doctor", "zum Arzt"))),
    action("drink", a(NOUNS["tea"])),
    action("sleep", when(Text("more", "mehr"))),
    action("stay", where(Text("at home", "zu Hause"))),
]
INJURIES = [
    *(("break", part) for part in tagged("bone")),
    *(("burn", NOUNS[part]) for part in ("hand", "finger", "arm")),
]


def _hurts(who, part, many, tense=tenses.PRESENT, *more) -> Parallel:
    """Return that a part of somebody's body hurts: "my head hurts", "der Kopf tut mir weh"."""
    owner = who.possessive if who.weak else Det(f"{who.en}'s", "")
    return Parallel(
        action("hurt").by(NP(owner, part, many=many), tense, *more),
        action("hurt", Object(who, DAT)).by(the(part, many=many), tenses.PRESENT, *more),
    )


@template(who=PATIENTS, part=PARTS)
def hurts(who, part):
    """My sister's head hurts."""
    return sentence(_hurts(who, *part).main())


@template(who=PATIENTS, part=PARTS, since=SINCE)
def has_hurt(who, part, since):
    """My feet have hurt since yesterday."""
    return sentence(_hurts(who, *part, tenses.STILL, when(since)).main())


@template(who=EVERYONE, illness=ILLNESSES, since=SINCE)
def has_had(who, illness, since):
    """I have had a headache for two days."""
    return sentence(action("have", what(illness), when(since)).by(who, tenses.STILL).main())


@template(illness=ILLNESSES, you=POLITE)
def remedy(illness, you):
    """Excuse me, do you have something for a headache?"""
    return question(
        you.opening,
        Text(f"do you have something for {illness.en}", f"haben Sie etwas gegen {illness.de}"),
    )


@template(who=[I, HE, SHE, *RELATIVES], injury=INJURIES, time=[None, *PAST_TIMES])
def injury(who, injury, time):
    """My son broke his arm yesterday."""
    verb, part = injury
    reflexive = Part("", who.reflexive[1], PRONOUN)
    english_side = action(verb, NP(OWN, part)).by(who, tenses.PAST)
    german_side = action(verb, reflexive, the(part)).by(who, tenses.PAST)
    if time:
        english_side, german_side = english_side.also(when(time)), german_side.also(when(time))
    return sentence(Parallel(english_side, german_side).main())


@template(weight=0.5, you=ACQUAINTANCES, remedy=REMEDIES, dose=DOSES, intake=INTAKE)
def prescription(you, remedy, dose, intake):
    """Mr. Weber, you should take these pills three times a day after meals."""
    moment = Text(f"{dose.en} a day {intake.en}", f"{dose.de} am Tag {intake.de}")
    phrase = NP(THIS, remedy, many=remedy.en == "pill")
    clause = action("take", phrase, how(moment)).by(you.pronoun, tenses.SHOULD)
    return sentence(you.opening, clause.main())


@template(
    weight=0.5,
    who=PEOPLE,
    outing=[plan for plan in LEISURE if plan.verb in (VERBS["visit"], VERBS["go"])],
    time=[*TODAY, *TOMORROW],
    patient=tagged("relative"),
    illness=ILLNESSES,
)
def cannot_come(who, outing, time, patient, illness):
    """Today we can't visit the museum because our son has a fever."""
    clause = outing.by(who, tenses.CAN, negated=True).main(time)
    is_ill = action("have", what(illness)).by(NP(who.possessive, patient))
    return sentence(clause, is_ill.sub(Text("because", ", weil")))


@template(who=PATIENTS, part=PARTS)
def needs_doctor(who, part):
    """My father needs a doctor because his back hurts."""
    first = action("need", a(NOUNS["doctor"])).by(who).main()
    return sentence(first, _hurts(who.it, *part).sub(Text("because", ", weil")))


@template(weight=0.5, you=ACQUAINTANCES, illness=ILLNESSES, advice=ADVICE)
def advice(you, illness, advice):
    """Anna, you should stay in bed if you have a fever."""
    clause = advice.by(you.pronoun, tenses.SHOULD).main()
    condition = action("have", what(illness)).by(you.pronoun).sub(Text("if", ", wenn"))
    return sentence(you.opening, clause, condition)
