"""Tenses, modal verbs and other verb groups in both languages."""

from dataclasses import dataclass

from . import english, german


@dataclass(frozen=True, slots=True)
class Tense:
    """A verb group in both languages: tense, modal or another finite verb over the main verb."""

    en: english.Tense
    de: german.Tense


def _modal(en: str, de: str, link: str = "") -> Tense:
    finite = english.Verb(en, auxiliary=True)
    return Tense(english.Tense(finite, link), german.Tense(german.Verb(de)))


def _semi_modal(en: str, de: str, past: bool = False) -> Tense:
    finite = english.Verb(*en.split())
    return Tense(english.Tense(finite, "to", past=past), german.Tense(german.Verb(de), past=past))


def _with_adverb(en: english.Tense, adverb: str) -> Tense:
    return Tense(en, german.Tense(adverb=adverb))


PRESENT = Tense(english.Tense(), german.Tense())
PROGRESSIVE = Tense(english.Tense(english.BE, form="ing"), german.Tense())
PAST = Tense(english.Tense(past=True), german.Tense(perfect=True))
PERFECT = Tense(english.Tense(english.HAVE, form="past_participle"), german.Tense(perfect=True))
FUTURE = _modal("will", "werden")
CAN = _modal("can", "können")
COULD = _modal("could", "könnten")
SHOULD = _modal("should", "sollten")
WOULD_LIKE = _modal("would", "möchten", "like to")
WANT = _semi_modal("want", "wollen")
WANTED = _semi_modal("want wanted", "wollen", past=True)
MUST = _semi_modal("have had", "müssen")
HAD_TO = _semi_modal("have had", "müssen", past=True)
LIKE = _with_adverb(english.Tense(english.Verb("like"), "to"), "gern")
PREFER = _with_adverb(english.Tense(english.Verb("prefer"), "to"), "lieber")
WISH = _with_adverb(english.Tense(english.Verb("would", auxiliary=True)), "gern")
# English differs from German: "will" for what the German present says well enough, "may I" said as
# "can I", and the perfect for what has begun in the past and still goes on.
SOON = Tense(FUTURE.en, PRESENT.de)
ALLOWED = Tense(CAN.en, german.Tense(german.Verb("dürfen")))
STILL = Tense(PERFECT.en, PRESENT.de)
SO_FAR = Tense(english.Tense(english.HAVE, "been", "ing"), PRESENT.de)
