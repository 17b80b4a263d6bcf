"""Clauses in both languages: main, question, subordinate, relative, infinitive, command."""

from dataclasses import dataclass, replace

from . import english, german, tenses
from .german import Case
from .lexicon import VERBS, Verb
from .nominal import ACC, DAT, NP, Nominal, Pronoun, prepositional
from .tenses import Tense
from .text import EMPTY, Text, join

# Order of the German middle field. Stable sorting by these ranks places every part of a clause.
(
    PRONOUN,
    DATIVE,
    PARTICLE,
    TIME,
    DEFINITE,
    NOT,
    MANNER,
    INDEFINITE,
    PLACE,
    DIRECTION,
    PREDICATE,
) = range(11)


@dataclass(frozen=True, slots=True)
class Part:
    """An adverbial or predicate whose words do not depend on the rest of the clause."""

    en: str
    de: str
    rank: int

    negatable = False

    def bind(self, owner: Nominal) -> "Part":
        """Return the part itself."""
        return self


@dataclass(frozen=True, slots=True)
class Object:
    """A noun phrase that a verb governs, with or without a German preposition."""

    phrase: Nominal
    case: Case = ACC
    preposition: str = ""
    en_preposition: str = ""

    def bind(self, owner: Nominal) -> "Object":
        """Return the object with "own" resolved."""
        bound = self.phrase.bind(owner)
        return self if bound is self.phrase else replace(self, phrase=bound)

    @property
    def negatable(self) -> bool:
        """Whether the object carries the negation of its clause ("kein")."""
        return not self.preposition and self.phrase.negatable

    def negated(self) -> "Object":
        """Return the object as it stands in a negated clause."""
        return replace(self, phrase=self.phrase.negated())

    @property
    def en(self) -> str:
        """The English words."""
        return f"{self.en_preposition} {self.phrase.en_object}".strip()

    @property
    def de(self) -> str:
        """The German words."""
        if self.preposition:
            return prepositional(self.preposition, self.phrase, self.case)
        return self.phrase.de(self.case)

    @property
    def rank(self) -> int:
        """The place in the middle field."""
        if self.preposition:
            return DIRECTION
        if self.phrase.weak:
            return PRONOUN
        if self.case == DAT:
            return DATIVE
        return DEFINITE if self.phrase.definite else INDEFINITE


NICHT = Part("", "nicht", NOT)
PLEASE = Part(", please", "bitte", PARTICLE)


def when(text: Text) -> Part:
    """Return an adverbial of time."""
    return Part(*text, TIME)


def how(text: Text) -> Part:
    """Return an adverbial of manner."""
    return Part(*text, MANNER)


def what(text: Text) -> Part:
    """Return further words of an indefinite object."""
    return Part(*text, INDEFINITE)


def where(text: Text) -> Part:
    """Return an adverbial of place."""
    return Part(*text, PLACE)


def whither(text: Text) -> Part:
    """Return an adverbial of direction."""
    return Part(*text, DIRECTION)


def to_whom(person: Nominal) -> Part:
    """Return a German dative that English says in another way ("too small for me")."""
    return Part("", person.de(DAT), PRONOUN if person.weak else DATIVE)


def predicate(text: Text) -> Part:
    """Return what a subject is."""
    return Part(*text, PREDICATE)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: who does what to whom, when, how and where.

    Attributes:
        subject: The subject.
        verb: The verb.
        parts: Objects and adverbials in their English order.
        tense: The verb group.
        negated: Whether the clause is negative.
    """

    subject: Nominal
    verb: Verb
    parts: tuple[Part | Object, ...] = ()
    tense: Tense = tenses.PRESENT
    negated: bool = False

    def also(self, *parts: Part | Object) -> "Clause":
        """Return the clause with further parts after its own."""
        return replace(self, parts=(*self.parts, *parts))

    def main(self, front: Text = EMPTY) -> Text:
        """Return a main clause: verb second in German.

        Args:
            front: An adverbial that begins the clause on both sides.
        """
        if front.de:
            return join(front, self.inverted())
        parts = self._bound()
        finite, end = self._german_verb()
        words = _words(self.subject.de(), finite, _middle(parts), end)
        return Text(self._english(parts), words)

    def timed(self, time: Text, fronted: bool) -> Text:
        """Return a main clause with an adverbial of time at its beginning or in its midst."""
        return self.main(time) if fronted else self.also(when(time)).main()

    def inverted(self) -> Text:
        """Return a main clause whose German side begins with the verb, for what stands before."""
        parts = self._bound()
        return Text(self._english(parts), self._verb_first(parts))

    def ask(self, wh: Text = EMPTY) -> Text:
        """Return a question, after a question word if there is one."""
        parts = self._bound()
        return join(wh, Text(self._english(parts, invert=True), self._verb_first(parts)))

    def sub(self, conjunction: Text) -> Text:
        """Return a subordinate clause: verb last in German.

        Args:
            conjunction: What introduces it, with the German comma (", weil").
        """
        parts = self._bound()
        final = self.tense.de.final(self.verb.de, self.subject.de_person)
        words = _words(_middle(self._with_subject(parts)), final)
        return join(conjunction, Text(self._english(parts), words))

    def infinitive(self, um: str = "") -> Text:
        """Return the clause as an infinitive with "zu"; the subject only owns what it owns."""
        parts = self._bound()
        words = _words(",", um, _middle(parts), self.verb.de.zu)
        return Text(_words("to", self.verb.en.base, self._tail(parts)), words)

    def command(self) -> Text:
        """Return a command to the subject, who is spoken to."""
        parts = self._bound()
        verb = self.verb.de.imperative(self.subject.de_person)
        words = _words(verb, _middle(parts), self.verb.de.particle)
        return Text(_words(self.verb.en.base, self._tail(parts)), words)

    def _bound(self) -> list[Part | Object]:
        """Return the parts with possessives resolved and the negation in place."""
        parts = [part.bind(self.subject) for part in self.parts]
        if self.tense.de.adverb:
            parts.insert(0, Part("", self.tense.de.adverb, MANNER))
        elif self.negated:
            for i, part in enumerate(parts):
                if part.negatable:
                    return [*parts[:i], part.negated(), *parts[i + 1 :]]
        return [NICHT, *parts] if self.negated else parts

    def _english(self, parts: list[Part | Object], invert: bool = False) -> str:
        """Return the English clause, as a question if it is to be inverted."""
        person = self.subject.en_person
        finite, rest = self.tense.en.group(self.verb.en, person, invert or self.negated)
        finite = english.negative(finite) if self.negated else finite
        head = (finite, self.subject.en) if invert else (self.subject.en, finite)
        return _words(*head, rest, self._tail(parts))

    def _tail(self, parts: list[Part | Object]) -> str:
        """Return the English words after the verb."""
        said = [part for part in parts if part.en]
        words = [part.en for part in said]
        after_pronoun = bool(said) and said[0].rank == PRONOUN
        words.insert(int(after_pronoun), self.verb.en.particle)
        return _words(*words)

    def _german_verb(self) -> tuple[str, str]:
        """Return the finite verb and the word that ends the clause."""
        return self.tense.de.group(self.verb.de, self.subject.de_person)

    def _verb_first(self, parts: list[Part | Object]) -> str:
        finite, end = self._german_verb()
        return _words(finite, _middle(self._with_subject(parts)), end)

    def _with_subject(self, parts: list[Part | Object]) -> list[Part | Object]:
        """Return the parts of a middle field with the subject: object pronouns precede nouns."""
        rank = PRONOUN - 1 if self.subject.weak else PRONOUN
        return [*parts, Part("", self.subject.de(), rank)]


@dataclass(frozen=True, slots=True)
class Parallel:
    """A thought whose clauses differ in structure: "I like the soup", "die Suppe schmeckt mir".

    Attributes:
        en: The clause whose English side counts.
        de: The clause whose German side counts.
    """

    en: Clause
    de: Clause

    def main(self, front: Text = EMPTY) -> Text:
        """Return a main clause, as `Clause.main` does."""
        return Text(self.en.main(front).en, self.de.main(front).de)

    def ask(self, wh: Text = EMPTY) -> Text:
        """Return a question, as `Clause.ask` does."""
        return Text(self.en.ask(wh).en, self.de.ask(wh).de)

    def sub(self, conjunction: Text) -> Text:
        """Return a subordinate clause, as `Clause.sub` does."""
        return Text(self.en.sub(conjunction).en, self.de.sub(conjunction).de)


def _words(*words: str) -> str:
    return " ".join(filter(None, words))


def _middle(parts: list[Part | Object]) -> str:
    """Return the German middle field."""
    return _words(*(part.de for part in sorted(parts, key=lambda part: part.rank)))


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody does: a verb and its complements.

    Attributes:
        verb: The verb.
        parts: Its objects and adverbials in their English order.
    """

    verb: Verb
    parts: tuple[Part | Object, ...] = ()

    def by(
        self, who: Nominal, tense: Tense = tenses.PRESENT, *more: Part, negated: bool = False
    ) -> Clause:
        """Return the clause in which somebody does it, with further adverbials."""
        return Clause(who, self.verb, (*self.parts, *more), tense, negated)


def action(verb: str, *complements: Nominal | Part | Object) -> Action:
    """Return an action from a verb's name, its objects and adverbials.

    Where there are two noun phrases, the first is in the dative ("give somebody something").
    """
    entry = VERBS[verb]
    parts = [part for part in complements if isinstance(part, Part | Object)]
    phrases = [part for part in complements if not isinstance(part, Part | Object)]
    objects = [Object(phrase, DAT) for phrase in phrases[:-1]]
    objects += [Object(phrase, entry.case, entry.preposition) for phrase in phrases[-1:]]
    return Action(entry, (*objects, *parts))


def likes(
    who: Nominal, thing: NP, tense: Tense = tenses.PRESENT, negated: bool = False
) -> Parallel:
    """Return that somebody likes something: "schmecken" for food and drink, else "gefallen"."""
    verb = "taste" if "food" in thing.noun.tags else "please"
    return Parallel(
        Clause(who, VERBS["like"], (Object(thing),), tense, negated),
        Clause(thing, VERBS[verb], (Object(who, DAT),), tense, negated),
    )


def relative(phrase: NP, clause: Clause) -> Text:
    """Return a relative clause about `phrase`, the missing object of the clause's verb.

    The German comma at its end belongs to what follows.
    """
    pronoun = german.RELATIVE[phrase.gender][clause.verb.case]
    german_side = f"{clause.verb.preposition} {pronoun}".strip()
    return clause.sub(Text("who" if phrase.noun.human else "that", f", {german_side}"))


def relative_subject(phrase: NP) -> Pronoun:
    """Return the subject of a relative clause about `phrase`."""
    english_side = "who" if phrase.noun.human else "that"
    return replace(phrase.it, en=english_side, forms=german.RELATIVE[phrase.gender])
