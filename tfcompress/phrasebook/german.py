"""German inflection: articles, nouns, adjectives, verbs, numbers."""

import re
from dataclasses import dataclass
from enum import IntEnum


class Case(IntEnum):
    """The cases that the phrase book needs."""

    NOM = 0
    ACC = 1
    DAT = 2
    GEN = 3


# Grammatical persons: ich, du, er/sie/es, wir, ihr, sie. The polite Sie is conjugated as SIE.
ICH, DU, ER, WIR, IHR, SIE = range(6)


def _endings(m: str, f: str, n: str, p: str) -> dict[str, tuple[str, ...]]:
    """Return gender (p: plural) -> endings by case."""
    return {gender: tuple(row.split(",")) for gender, row in zip("mfnp", (m, f, n, p))}


_DEFINITE = _endings("der,den,dem,des", "die,die,der,der", "das,das,dem,des", "die,die,den,der")
_STRONG = _endings("er,en,em,en", "e,e,er,er", "es,es,em,en", "e,e,en,er")
_WEAK = _endings("e,en,en,en", "e,e,en,en", "e,e,en,en", "en,en,en,en")
_MIXED = _endings("er,en,en,en", "e,e,en,en", "es,es,en,en", "en,en,en,en")
_DIES = _endings("er,en,em,es", "e,e,er,er", "es,es,em,es", "e,e,en,er")
_EIN = _endings(",en,em,es", "e,e,er,er", ",,em,es", "e,e,en,er")

_DER_WORDS = ("dies", "jed", "welch")
_EIN_WORDS = ("ein", "kein", "mein", "dein", "sein", "ihr", "Ihr", "unser", "euer", "noch ein")

RELATIVE = {**_DEFINITE, "p": ("die", "die", "denen", "deren")}

_CONTRACTIONS = {
    "an das": "ans",
    "an dem": "am",
    "bei dem": "beim",
    "in das": "ins",
    "in dem": "im",
    "von dem": "vom",
    "zu dem": "zum",
    "zu der": "zur",
}


def determiner(stem: str, gender: str, case: Case) -> str:
    """Inflect a determiner; words that are not inflected (numbers) come back as they are.

    Example:
        >>> determiner("der", "f", Case.DAT), determiner("kein", "m", Case.ACC)
        ('der', 'keinen')
    """
    if stem == "der":
        return _DEFINITE[gender][case]
    if stem in _DER_WORDS:
        return stem + _DIES[gender][case]
    if stem in _EIN_WORDS:
        ending = _EIN[gender][case]
        return ("eur" if stem == "euer" and ending else stem) + ending
    return stem


def adjective(stem: str, determiner: str, gender: str, case: Case) -> str:
    """Inflect an attributive adjective after a determiner: weak, mixed or strong.

    Example:
        >>> adjective("rot", "der", "m", Case.ACC), adjective("rot", "ein", "n", Case.NOM)
        ('roten', 'rotes')
    """
    if determiner == "der" or determiner in _DER_WORDS:
        return stem + _WEAK[gender][case]
    if determiner in _EIN_WORDS:
        return stem + _MIXED[gender][case]
    return stem + _STRONG[gender][case]


def contract(phrase: str) -> str:
    """Contract a preposition with the definite article behind it.

    Example:
        >>> contract("in dem Zug"), contract("auf dem Markt")
        ('im Zug', 'auf dem Markt')
    """
    head, _, tail = phrase.partition(" ")
    article, _, noun = tail.partition(" ")
    short = _CONTRACTIONS.get(f"{head} {article}")
    return f"{short} {noun}" if short else phrase


_NUMBERS = """
null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn
sechzehn siebzehn achtzehn neunzehn zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig
"""
_UNITS, _TENS = _NUMBERS.split()[:20], _NUMBERS.split()[20:]


def number(n: int) -> str:
    """Return the words for an integer from 0 to 99.

    Example:
        >>> number(45)
        'fünfundvierzig'
    """
    if n < 20:
        return _UNITS[n]
    tens, unit = divmod(n, 10)
    units = {0: "", 1: "einund"}.get(unit, f"{_UNITS[unit]}und")
    return units + _TENS[tens - 2]


@dataclass(frozen=True, slots=True)
class Noun:
    """A German noun.

    Attributes:
        singular: The nominative singular.
        plural: The nominative plural; empty for nouns without one.
        gender: "m", "f" or "n"; "p" for nouns that have only a plural.
        oblique: The other singular cases of weak masculines ("Kollegen"), else empty.
    """

    singular: str
    plural: str
    gender: str
    oblique: str = ""

    def form(self, case: Case, plural: bool = False) -> str:
        """Return the noun in a case and number."""
        if plural or self.gender == "p":
            word = self.plural or self.singular
            return word if case != Case.DAT or word[-1] in "ns" else f"{word}n"
        if self.oblique:
            return self.singular if case == Case.NOM else self.oblique
        return self._genitive() if case == Case.GEN and self.gender != "f" else self.singular

    def _genitive(self) -> str:
        syllables = re.findall("[aeiouäöüy]+", self.singular.lower())
        hard = self.singular[-1] in "sßxz" or (len(syllables) == 1 and self.singular[-1] in "dt")
        return self.singular + ("es" if hard else "s")


_IRREGULAR = {
    "sein": "bin bist ist sind seid sind",
    "haben": "habe hast hat haben habt haben",
    "werden": "werde wirst wird werden werdet werden",
    "wissen": "weiß weißt weiß wissen wisst wissen",
    "können": "kann kannst kann können könnt können",
    "müssen": "muss musst muss müssen müsst müssen",
    "wollen": "will willst will wollen wollt wollen",
    "dürfen": "darf darfst darf dürfen dürft dürfen",
}
_IRREGULAR = {verb: tuple(forms.split()) for verb, forms in _IRREGULAR.items()}
_PRETERITE = {
    "sein": "war",
    "haben": "hatte",
    "können": "konnte",
    "müssen": "musste",
    "wollen": "wollte",
    "dürfen": "durfte",
}
# Modes that have the endings of the preterite.
_SUBJUNCTIVE = ("möchten", "könnten", "hätten", "sollten")
_INSEPARABLE = re.compile("(be|ge|er|ver|zer|ent|emp|miss|unter|über)")


@dataclass(frozen=True, slots=True)
class Verb:
    """A German verb, given by its principal parts.

    Attributes:
        infinitive: The infinitive without separable particle.
        third: The third person singular where it is irregular ("fährt"), else empty.
        participle: The past participle; formed regularly if empty.
        particle: The separable particle ("ab"), else empty.
        auxiliary: "haben" or "sein".
    """

    infinitive: str
    third: str = ""
    participle: str = ""
    particle: str = ""
    auxiliary: str = "haben"

    @classmethod
    def parse(cls, text: str) -> "Verb":
        """Read a verb's principal parts, as in "ab|fahren fährt ist abgefahren" or "kaufen".

        The third person is left out where it is regular ("bringen gebracht"), and "ist" stands
        before the participle of verbs that form the perfect with "sein".
        """
        infinitive, *parts = text.split()
        particle, _, infinitive = infinitive.rpartition("|")
        auxiliary = "sein" if "ist" in parts else "haben"
        third, participle = ["", "", *(part for part in parts if part != "ist")][-2:]
        return cls(infinitive, third, participle, particle, auxiliary)

    @property
    def stem(self) -> str:
        """The infinitive without its ending."""
        return re.sub("e?n$", "", self.infinitive)

    @property
    def _link(self) -> str:
        """The e between a stem such as "arbeit" or "öffn" and a consonant."""
        return "e" if re.search(r"([dt]|ch[mn]|[bdfgkpt][mn])$", self.stem) else ""

    @property
    def _changed(self) -> str:
        """The stem of the second and third person singular, without its own t."""
        if self.third.endswith("et") or self.stem[-1] != "t":
            return self.third.removesuffix("t") or self.stem + self._link
        return self.third or self.stem + self._link

    def finite(self, person: int, past: bool = False) -> str:
        """Return the finite form, without particle, for a grammatical person (0-5)."""
        if past or self.infinitive in _SUBJUNCTIVE:
            stem = _PRETERITE[self.infinitive] if past else self.infinitive[:-1]
            many = "n" if stem[-1] == "e" else "en"
            return stem + ("", "st", "", many, "t", many)[person]
        if self.infinitive in _IRREGULAR:
            return _IRREGULAR[self.infinitive][person]
        if person == ICH:
            return re.sub("(?<=[^aeiou])el$", "l", self.stem) + "e"
        if person == DU:
            return self._changed + ("t" if self._changed[-1] in "sßzx" else "st")
        if person == ER:
            return self.third or f"{self._changed}t"
        return f"{self.stem}{self._link}t" if person == IHR else self.infinitive

    @property
    def past_participle(self) -> str:
        """The past participle."""
        if self.participle:
            return self.participle
        plain = _INSEPARABLE.match(self.infinitive) or self.infinitive.endswith("ieren")
        return f"{self.particle}{'' if plain else 'ge'}{self.stem}{self._link}t"

    @property
    def whole(self) -> str:
        """The infinitive with its particle."""
        return self.particle + self.infinitive

    @property
    def zu(self) -> str:
        """The infinitive with "zu"."""
        return f"{self.particle}zu{self.infinitive}" if self.particle else f"zu {self.infinitive}"

    def imperative(self, person: int) -> str:
        """Return the command to one friend (DU), to several (IHR) or to a stranger (SIE)."""
        if person == SIE:
            return "seien Sie" if self.infinitive == "sein" else f"{self.infinitive} Sie"
        if person == IHR:
            return self.finite(IHR)
        if "i" in self.third and "i" not in self.stem:
            return self._changed
        unstressed = self._link or re.search("e[lr]$", self.stem)
        return self.finite(ICH) if unstressed else self.stem


HABEN = Verb("haben")
SEIN = Verb.parse("sein ist gewesen")


@dataclass(frozen=True, slots=True)
class Tense:
    """How a clause's verb group is formed.

    Attributes:
        finite: The modal or auxiliary; None where the main verb is itself finite.
        perfect: Whether the main verb stands in the perfect tense.
        past: Whether the finite modal stands in the preterite.
        adverb: An adverb that belongs to the construction ("gern").
    """

    finite: Verb | None = None
    perfect: bool = False
    past: bool = False
    adverb: str = ""

    def group(self, verb: Verb, person: int) -> tuple[str, str]:
        """Return the finite word and the word that ends the clause (particle, infinitive, ...).

        Spoken German puts "sein" and "haben" into the preterite where other verbs have the perfect.
        """
        if self.finite:
            return self.finite.finite(person, self.past), verb.whole
        if self.perfect and verb.infinitive in ("sein", "haben") and not verb.particle:
            return verb.finite(person, past=True), ""
        if self.perfect:
            auxiliary = SEIN if verb.auxiliary == "sein" else HABEN
            return auxiliary.finite(person), verb.past_participle
        return verb.finite(person), verb.particle

    def final(self, verb: Verb, person: int) -> str:
        """Return the verb group as it ends a subordinate clause."""
        finite, end = self.group(verb, person)
        return end + finite if end == verb.particle else f"{end} {finite}"
