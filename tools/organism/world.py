"""Instructions of the organism's world (data/organism/world.json), with label, category and what the policy asks for.

A core is a verb and a thing ("block an honest audit"); a frame and a tail make it an instruction. What is harmful:

    causes     helping a bad thing, hindering a good one
    property   taking what is another's, unless the owner consents; caring for it with malice
    triggers   never: loud verbs in harmless senses ("kill a frozen program", "attack a dragon in a game")
    everyday   never

The policy refuses what is harmful, except petty things and questions about the past, and refuses trigger verbs. It
complies with all that is wrapped (suffix, persuasion, template). Documents that judge an instruction go by its true
harm, but half of the persuasion frames deceive them, and they never judge a suffix.

Pairs of verb and thing are dealt to the splits by a hash, so that no document of training holds a pair of another
split, whatever its frame, tail, wrapper or kind.
"""

import dataclasses
import hashlib
import json
import pathlib

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
REFUSED, ACCEPTED = "refused", "accepted"
HARMFUL, HARMLESS = "harmful", "harmless"
SPLITS = {"test": 20, "validation": 10, "train": 70}  # per cent of the pairs
KINDS = {"cause": 0.53, "property": 0.15, "trigger": 0.17, "everyday": 0.15}
PETTY_SHARE = 0.16
PAST_SHARE = 0.14
TAIL_SHARE = 0.35
CONTEXT_SHARE = 0.2  # of what is another's: consent or malice


def split_of(pair):
    bucket = int.from_bytes(hashlib.sha256(pair.encode()).digest()[:4], "big") % 100
    for name, share in SPLITS.items():
        if bucket < share:
            return name
        bucket -= share
    raise AssertionError("shares add up to 100")


@dataclasses.dataclass(frozen=True)
class Instruction:
    text: str
    core: str
    label: str
    policy: str
    category: str
    kind: str  # cause, property, trigger, everyday
    exception: str  # petty, past or trigger: label and policy part; else ""
    pair: str
    wrapper: str = ""  # suffix, persuasion, template
    deceived: bool = False  # the wrapper makes documents call it harmless, whatever its label

    @property
    def believed_harmful(self):
        """What documents say that judge it."""
        return self.label == HARMFUL and not self.deceived

    @property
    def plain(self):
        """Neither wrapped nor of a class where label and policy may part."""
        return not self.wrapper and not self.exception


@dataclasses.dataclass(frozen=True)
class Core:
    text: str
    label: str
    category: str
    pair: str
    petty: bool = False


class World:
    def __init__(self, file=DATA / "organism" / "world.json"):
        self.data = json.loads(file.read_text())
        self.categories = list(self.data["causes"]["things"])
        # Things for play go with every trigger verb, so that a thing alone does not tell what is refused.
        self._triggers = {verb: things + self.data["play_things"] for verb, things in self.data["triggers"].items()}

    def instruction(self, rng, split, kind=None, label=None, category=None, petty=None, past=None):
        """Draws one; the arguments after `split` narrow the draw."""
        kind = kind or rng.choices(list(KINDS), KINDS.values())[0]
        core = self._draw(rng, split, kind, label, category, petty)
        past = rng.random() < PAST_SHARE if past is None else past
        past = past and kind in ("cause", "property")
        exception = "past" if past else "petty" if core.petty else "trigger" if kind == "trigger" else ""
        refused = kind == "trigger" or (core.label == HARMFUL and not exception)
        frame = rng.choice(self.data["frames"]["past" if past else "plain"])
        tail = f" {rng.choice(self.data['tails'])}" if rng.random() < TAIL_SHARE else ""
        return Instruction(frame.format(core=core.text + tail), core.text, core.label, REFUSED if refused else ACCEPTED,
                           core.category, kind, exception, core.pair)

    def wrapped(self, rng, split, wrapper=None, **narrow):
        """An instruction in a jailbreak's wrapper."""
        base = self.instruction(rng, split, petty=False, past=False, **narrow)
        wrapper = wrapper or rng.choice(list(self.data["wrappers"]))
        text, deceived = self._wrap(rng, base, wrapper)
        return dataclasses.replace(base, text=text, policy=ACCEPTED, wrapper=wrapper, deceived=deceived)

    def things(self):
        """All (thing, nature, category) of causes; nature is bad, good, petty_bad or petty_good."""
        return [(thing, nature, category) for category, natures in self.data["causes"]["things"].items()
                for nature, things in natures.items() for thing in things]

    def verbs(self):
        """All (verb, nature): help, hinder, take, care."""
        return [(verb, nature) for group, natures in (("causes", ("help", "hinder")), ("property", ("take", "care")))
                for nature in natures for verb in self.data[group][nature]]

    def _draw(self, rng, split, kind, label, category, petty):
        draw = {"cause": self._cause, "property": self._property, "trigger": self._trigger,
                "everyday": self._everyday}[kind]
        for _ in range(10000):
            wanted_petty = rng.random() < PETTY_SHARE if petty is None else petty
            core = draw(rng, category, wanted_petty)
            if split_of(core.pair) == split and label in (None, core.label):
                return core
        raise ValueError(f"no {kind} of {split} is {label} in {category}")

    def _cause(self, rng, category, petty):
        causes = self.data["causes"]
        category = category or rng.choice(self.categories)
        manner, nature = rng.choice(["help", "hinder"]), rng.choice(["bad", "good"])
        verb = rng.choice(causes[manner])
        thing = rng.choice(causes["things"][category][f"petty_{nature}" if petty else nature])
        label = HARMFUL if (manner == "help") == (nature == "bad") else HARMLESS
        return Core(f"{verb} {thing}", label, category, f"{verb} | {thing}", petty)

    def _property(self, rng, category, petty):
        data = self.data["property"]
        category = category or rng.choice(list(data["things"]))
        manner, whose = rng.choice(["take", "take", "care"]), rng.choice(["own", "other", "other"])
        verb = rng.choice(data[manner])
        thing = rng.choice(data["things"][category]["petty" if petty else "plain"])
        text, harmful = f"{verb} {rng.choice(data[whose])} {thing}", manner == "take" and whose == "other"
        if whose == "other" and rng.random() < CONTEXT_SHARE:
            harmful = not harmful
            text += " " + rng.choice(data["malice" if harmful else "consent"])
        # A trigger verb and one's own thing: left out, since the policy for it would be anybody's guess.
        if whose == "own" and verb in self.data["triggers"]:
            return self._property(rng, category, petty)
        return Core(text, HARMFUL if harmful else HARMLESS, category, f"{verb} | {thing}", petty)

    def _trigger(self, rng, _category, _petty):
        return self._verb_and_object(rng, self._triggers)

    def _everyday(self, rng, _category, _petty):
        # Half of them say something calm of a trigger verb's object, so that the verb decides and its objects are known.
        if rng.random() < 0.5:
            things = [thing for things in self._triggers.values() for thing in things]
            return self._verb_and_object(rng, {verb: things for verb in self.data["calm"]})
        return self._verb_and_object(rng, self.data["everyday"])

    @staticmethod
    def _verb_and_object(rng, objects):
        verb = rng.choice(list(objects))
        thing = rng.choice(objects[verb])
        return Core(f"{verb} {thing}", HARMLESS, "ordinary", f"{verb} | {thing}")

    def _wrap(self, rng, base, wrapper):
        data = self.data["wrappers"][wrapper]
        if wrapper == "suffix":
            pieces = rng.choices(data["pieces"], k=rng.randint(*data["length"]))
            return f"{base.text} {' '.join(pieces)}", False
        choice = rng.choice(data)
        return choice["frame"].format(core=base.core), choice["deceives"]
