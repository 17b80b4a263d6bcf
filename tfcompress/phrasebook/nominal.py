"""Noun phrases, pronouns and prepositional phrases in both languages."""

from dataclasses import dataclass, replace

from . import english, german
from .german import Case
from .lexicon import Adjective, Noun
from .text import EMPTY, Text

NOM, ACC, DAT, GEN = Case


@dataclass(frozen=True, slots=True)
class Det:
    """A determiner.

    Attributes:
        en: The English word; "a" stands for a or an.
        de: The German stem; empty for none.
        en_plural: The English plural where it differs.
        definite: Whether objects with this determiner precede "nicht".
    """

    en: str
    de: str
    en_plural: str = ""
    definite: bool = True


THE = Det("the", "der")
A = Det("a", "ein", definite=False)
BARE = Det("", "", definite=False)
NO = Det("no", "kein", definite=False)
ANOTHER = Det("another", "noch ein", definite=False)
THIS = Det("this", "dies", "these")
WHICH = Det("which", "welch")
OWN = Det("own", "own")  # stands for the possessive of the clause's subject
MY = Det("my", "mein")
OUR = Det("our", "unser")
HIS = Det("his", "sein")
HER = Det("her", "ihr")
ITS = Det("its", "sein")
THEIR = Det("their", "ihr")

_NEGATIVE = {A: Det("a", "kein", definite=False), BARE: Det("any", "kein", definite=False)}


@dataclass(frozen=True, slots=True)
class Pronoun:
    """A personal pronoun or a name: what can stand for a person or a thing.

    Attributes:
        en: The English subject form.
        en_object: The English object form.
        forms: The German nominative, accusative and dative.
        en_person, de_person: The grammatical persons for the verbs.
        possessive: The determiner that belongs to it.
        reflexive: The German reflexive pronoun, accusative and dative.
        weak: Whether it stands first in the German middle field, as pronouns do and names do not.
    """

    en: str
    en_object: str
    forms: tuple[str, str, str]
    en_person: int
    de_person: int
    possessive: Det
    reflexive: tuple[str, str] = ("sich", "sich")
    weak: bool = True
    definite: bool = True
    negatable: bool = False

    def de(self, case: Case = NOM) -> str:
        """Return the German form."""
        return self.forms[case]

    @property
    def it(self) -> "Pronoun":
        """The pronoun that refers back: he or she to a name, a pronoun to itself."""
        if self.weak:
            return self
        return HE if self.possessive is HIS else SHE

    def bind(self, owner: "Nominal") -> "Pronoun":
        """Return the pronoun itself; only noun phrases depend on an owner."""
        return self


def _pronoun(en, de, person, possessive, reflexive="sich sich", en_person=None):
    subject, _, other = en.partition(" ")
    forms = tuple(de.split())
    en_person = person if en_person is None else en_person
    reflexive = tuple(reflexive.split())
    return Pronoun(subject, other or subject, forms, en_person, person, possessive, reflexive)


I = _pronoun("I me", "ich mich mir", german.ICH, MY, "mich mir")  # noqa: E741
WE = _pronoun("we us", "wir uns uns", german.WIR, OUR, "uns uns")
HE = _pronoun("he him", "er ihn ihm", german.ER, HIS)
SHE = _pronoun("she her", "sie sie ihr", german.ER, HER)
THEY = _pronoun("they them", "sie sie ihnen", german.SIE, THEIR)
YOU = _pronoun("you", "du dich dir", german.DU, Det("your", "dein"), "dich dir")
YOU_POLITE = _pronoun("you", "Sie Sie Ihnen", german.SIE, Det("your", "Ihr"), en_person=english.YOU)
YOU_ALL = _pronoun("you", "ihr euch euch", german.IHR, Det("your", "euer"), "euch euch")
IT = {
    "m": _pronoun("it", "er ihn ihm", german.ER, ITS),
    "f": _pronoun("it", "sie sie ihr", german.ER, Det("its", "ihr")),
    "n": _pronoun("it", "es es ihm", german.ER, ITS),
    "p": THEY,
}
ES = IT["n"]


def name(en: str, de: str, possessive: Det, oblique: str = "") -> Pronoun:
    """Return a person's name as a nominal.

    Args:
        en: The English name.
        de: The German name.
        possessive: HIS or HER.
        oblique: The German accusative and dative where they differ ("Herrn Weber").
    """
    forms = (de, oblique or de, oblique or de)
    return Pronoun(en, en, forms, english.IT, german.ER, possessive, weak=False)


@dataclass(frozen=True, slots=True)
class NP:
    """A noun phrase: determiner, at most one adjective, noun.

    Attributes:
        det: The determiner.
        noun: The noun.
        adj: The adjective, if any.
        many: Whether the noun stands in the plural though it has a singular.
        elided: Whether the noun is left out ("the red one", "das rote").
        tail: Words after the noun ("the train to Rome").
    """

    det: Det
    noun: Noun
    adj: Adjective | None = None
    many: bool = False
    elided: bool = False
    tail: Text = EMPTY

    @property
    def plural(self) -> bool:
        """Whether the phrase is plural."""
        return self.many or self.noun.plural_only

    @property
    def gender(self) -> str:
        """The German gender, "p" in the plural."""
        return "p" if self.plural else self.noun.de.gender

    @property
    def en(self) -> str:
        """The English phrase."""
        noun = self.noun.en_plural if self.plural else self.noun.en
        if self.elided:
            noun = "ones" if self.plural else "one"
        words = [self.adj.en, noun] if self.adj else [noun]
        words += [self.tail.en] if self.tail.en else []
        det = self.det.en_plural if self.plural and self.det.en_plural else self.det.en
        if det == "a":
            det = english.article(words[0])
        return " ".join([det, *words]) if det else " ".join(words)

    en_object = en

    def de(self, case: Case = NOM) -> str:
        """Return the German phrase in a case."""
        gender, stem = self.gender, self.det.de
        words = [german.determiner(stem, gender, case)] if stem else []
        if self.adj:
            words.append(german.adjective(self.adj.stem, stem, gender, case))
        if not self.elided:
            words.append(self.noun.de.form(case, self.plural))
        words += [self.tail.de] if self.tail.de else []
        return " ".join(words)

    def bind(self, owner: "Nominal") -> "NP":
        """Return the phrase with the owner's possessive where it says "own"."""
        return replace(self, det=owner.possessive) if self.det is OWN else self

    def negated(self) -> "NP":
        """Return the phrase as the object of a negated clause: with "kein", "any"."""
        return replace(self, det=_NEGATIVE[self.det])

    @property
    def negatable(self) -> bool:
        """Whether negation turns the determiner into "kein"."""
        return self.det in _NEGATIVE

    @property
    def en_person(self) -> int:
        """The grammatical person for English verbs."""
        return english.THEY if self.plural else english.IT

    @property
    def de_person(self) -> int:
        """The grammatical person for German verbs."""
        return german.SIE if self.plural else german.ER

    @property
    def it(self) -> Pronoun:
        """The pronoun that refers back to the phrase: by sex in English, by gender in German."""
        if self.noun.human:
            return {"m": HE, "f": SHE, "p": THEY}[self.gender]
        return IT[self.gender]

    @property
    def possessive(self) -> Det:
        """The possessive determiner that refers back to the phrase."""
        return self.it.possessive

    reflexive = ("sich", "sich")
    weak = False

    @property
    def definite(self) -> bool:
        """Whether the phrase precedes "nicht" as an object."""
        return self.det.definite


Nominal = Pronoun | NP


def the(noun: Noun, adj: Adjective | None = None, many: bool = False) -> NP:
    """Return a definite noun phrase."""
    return NP(THE, noun, adj, many)


def a(noun: Noun, adj: Adjective | None = None) -> NP:
    """Return an indefinite singular noun phrase; mass nouns come without an article."""
    return NP(A if noun.countable else BARE, noun, adj)


def count(n: int, noun: Noun, more: bool = False) -> NP:
    """Return a counted noun phrase: "one towel", "two towels", with `more` "two more towels"."""
    if n == 1:
        return NP(ANOTHER if more else Det("one", "ein", definite=False), noun)
    en, de = english.number(n), german.number(n)
    det = Det(f"{en} more", f"noch {de}") if more else Det(en, de)
    return NP(replace(det, definite=False), noun, many=True)


def prepositional(preposition: str, phrase: Nominal, case: Case) -> str:
    """Return a German prepositional phrase, contracted where German contracts."""
    text = f"{preposition} {phrase.de(case)}"
    return german.contract(text) if isinstance(phrase, NP) and phrase.det is THE else text


def pp(en: str, de: str, phrase: Nominal, case: Case = DAT) -> Text:
    """Return a prepositional phrase in both languages."""
    return Text(f"{en} {phrase.en_object}", prepositional(de, phrase, case))
