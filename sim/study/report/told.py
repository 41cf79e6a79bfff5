"""An author's sentences with the numbers of a result; those whose conditions do not hold have fallen, and say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sim.compare.words import counted
from sim.errors import BadInput
from sim.experiment.answer import MOST_WORDS, PLACE, Condition, Sentence, Words, condition, placeholder
from sim.study.report.answer import Answer
from sim.study.report.values import Number, holds, joined, number

WORDS = 6  # of a sentence, by which it is known again


@dataclass(frozen=True)
class Told:
    """What an experiment's author says of a result."""

    words: Words
    answer: Answer

    @cached_property
    def numbers(self) -> Mapping[str, Number]:
        """Every named value in the result."""
        return {name: number(self.answer, value, self.words.cases) for name, value in self.words.values.items()}

    @cached_property
    def paragraph(self) -> str:
        """The sentences that hold, in one paragraph. Raises BadInput where it is too long."""
        kept = [self._filled(sentence) for sentence in self.words.sentences if not self._broken(sentence)]
        text = " ".join(kept)
        if len(text.split()) > MOST_WORDS:
            raise BadInput(
                f"experiments/{self.answer.name}.toml: answer.sentences: have {len(text.split())} words with their "
                f"numbers; an answer has at most {MOST_WORDS}"
            )
        return text

    @cached_property
    def fallen(self) -> list[str]:
        """A sentence for each that does not hold: what it rests on, and the number that this is now."""
        said = []
        for sentence in self.words.sentences:
            if broken := self._broken(sentence):
                names = dict.fromkeys(name for each in broken for name in each.names)
                now = joined([f"“{name}” is now {_now(self.numbers[name])}" for name in names])
                rests = joined([f"“{each.text}”" for each in broken])
                said.append(
                    f"The sentence that begins “{_beginning(sentence)} …” rests on {rests} and has fallen: {now}."
                )
        return said

    @property
    def fallen_in_short(self) -> str:
        """What the gallery adds to an answer of which something has fallen."""
        if not self.fallen:
            return ""
        count = len(self.fallen)
        return f"({counted(count, 'sentence')} of this answer {'has' if count == 1 else 'have'} fallen.)"

    def _broken(self, sentence: Sentence) -> list[Condition]:
        found = [condition(text, self.words.values) for text in sentence.holds]
        return [each for each in found if each and not holds(each, self.numbers)]

    def _filled(self, sentence: Sentence) -> str:
        def put(text: str) -> str:
            name, form = placeholder(text, self.words.values) or ("", "")
            return self.numbers[name].form(form)

        return PLACE.sub(lambda match: put(match[1]), sentence.says)


def _beginning(sentence: Sentence) -> str:
    """Its first words, up to its first number."""
    return " ".join(PLACE.split(sentence.says, maxsplit=1)[0].split()[:WORDS])


def _now(found: Number) -> str:
    told = found.form("change" if found.is_difference else "")
    return f"{told} ({found.range})" if found.low != found.high else told
