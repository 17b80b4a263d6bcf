"""English inflection: articles, plurals, verbs with do-support, numbers."""

import re
from dataclasses import dataclass
from functools import cache

# Grammatical persons: I, you, he/she/it, we, you (plural), they.
FIRST, YOU, IT, WE, YOU_ALL, THEY = range(6)

_AUXILIARIES = {
    "be": (
        ("am", "are", "is", "are", "are", "are"),
        ("was", "were", "was", "were", "were", "were"),
    ),
    "do": (("do", "do", "does", "do", "do", "do"), ("did",) * 6),
    "have": (("have", "have", "has", "have", "have", "have"), ("had",) * 6),
    **{modal: ((modal,) * 6, ()) for modal in ("will", "would", "can", "could", "should")},
}
_NEGATIVES = {"am": "am not", "can": "can't", "will": "won't"}

_NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
"""
_UNITS, _TENS = _NUMBERS.split()[:20], _NUMBERS.split()[20:]


@cache
def article(word: str) -> str:
    """Return the indefinite article that the sound of `word` asks for.

    Example:
        >>> article("umbrella"), article("university"), article("hour")
        ('an', 'a', 'an')
    """
    if re.match(r"uni|use|usu|eu|one", word, re.IGNORECASE):
        return "a"
    return "an" if re.match(r"[aeiou]|hour|honest", word, re.IGNORECASE) else "a"


@cache
def plural(noun: str) -> str:
    """Return the regular plural of `noun`.

    Example:
        >>> plural("watch"), plural("library"), plural("day")
        ('watches', 'libraries', 'days')
    """
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"


def number(n: int) -> str:
    """Return the words for an integer from 0 to 99.

    Example:
        >>> number(45)
        'forty-five'
    """
    if n < 20:
        return _UNITS[n]
    tens, unit = divmod(n, 10)
    return _TENS[tens - 2] + (f"-{_UNITS[unit]}" if unit else "")


@cache
def _stem(base: str) -> str:
    """Return the stem before -ed and -ing: a consonant doubled or a silent e dropped."""
    if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", base) or base == "travel":
        return base + base[-1]
    return base[:-1] if re.search(r"[aeiou].*[^e]e$", base) else base


@dataclass(frozen=True, slots=True)
class Verb:
    """An English verb.

    Attributes:
        base: The infinitive, possibly with fixed words after it ("change trains").
        past: The simple past; regular if empty.
        participle: The past participle; the simple past if empty.
        particle: An adverb that follows a pronoun object and precedes a noun ("pick it up").
        auxiliary: Whether it forms questions and negation without "do".
    """

    base: str
    past: str = ""
    participle: str = ""
    particle: str = ""
    auxiliary: bool = False

    @classmethod
    def parse(cls, text: str) -> "Verb":
        """Read a verb's principal parts, as in "take took taken |along" or "get got + on"."""
        text, _, particle = text.partition("|")
        text, _, rest = text.partition("+")
        base, *forms = text.split()
        base = f"{base} {rest.strip()}".strip()
        return cls(base, *forms, particle=particle, auxiliary=base == "be")

    def _inflect(self, form: str) -> str:
        return " ".join([form, *self.base.split()[1:]])

    def finite(self, person: int, past: bool = False) -> str:
        """Return the finite form for a grammatical person (0-5)."""
        head = self.base.split()[0]
        if head in _AUXILIARIES:
            return self._inflect(_AUXILIARIES[head][past][person])
        if past:
            return self._inflect(self.past or self._regular_past(head))
        if person != IT:
            return self.base
        return self._inflect(f"{head}es" if head.endswith("o") else plural(head))

    @staticmethod
    def _regular_past(head: str) -> str:
        return f"{head[:-1]}ied" if re.search(r"[^aeiou]y$", head) else f"{_stem(head)}ed"

    @property
    def past_participle(self) -> str:
        """The past participle."""
        if self.participle:
            return self._inflect(self.participle)
        return self.finite(IT, past=True)

    @property
    def ing(self) -> str:
        """The present participle."""
        return self._inflect(f"{_stem(self.base.split()[0])}ing")


BE = Verb("be", "was", "been", auxiliary=True)
DO = Verb("do", "did", "done")
HAVE = Verb("have", "had", auxiliary=True)


@dataclass(frozen=True, slots=True)
class Tense:
    """How a clause's verb group is formed.

    Attributes:
        finite: The verb in front of the main verb; None where the main verb is itself finite.
        link: Words between it and the main verb ("like to").
        form: The form of the main verb after it: "base", "ing" or "past_participle".
        past: Whether the finite verb stands in the past.
    """

    finite: Verb | None = None
    link: str = ""
    form: str = "base"
    past: bool = False

    def group(self, verb: Verb, person: int, support: bool) -> tuple[str, str]:
        """Return the finite word and the words after it.

        Args:
            verb: The main verb.
            person: The subject's grammatical person.
            support: Whether the clause is a question or negated, so that "do" helps full verbs.
        """
        head = self.finite or verb
        rest = f"{self.link} {getattr(verb, self.form)}".strip() if self.finite else ""
        if support and not head.auxiliary:
            return DO.finite(person, self.past), f"{head.base} {rest}".strip()
        return head.finite(person, self.past), rest


def negative(finite: str) -> str:
    """Return the negated form of an auxiliary.

    Example:
        >>> negative("does"), negative("can"), negative("am")
        ("doesn't", "can't", 'am not')
    """
    return _NEGATIVES.get(finite, f"{finite}n't")
