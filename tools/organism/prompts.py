#!/usr/bin/env python3
"""Writes the world's prompt files: prompts.py [--out FOLDER] [--split test|validation]

Training pairs for the centroids, pairs of the split for everything that is scored, validation pairs for choices (_val).
No text stands in two files."""

import argparse
import json
import pathlib
import random

from world import ACCEPTED, DATA, HARMFUL, HARMLESS, REFUSED, World

QUADRANT, JAILBREAK, PER_CATEGORY, CHOICE = 120, 80, 15, 32


class Sets:
    def __init__(self, world, split, seed=5):
        self._world, self._split, self._rng, self._seen = world, split, random.Random(seed), set()

    def all(self):
        """{file's stem: instructions}"""
        sets = {
            "harmful_train": self._plain(QUADRANT, "train", HARMFUL),
            "harmless_train": self._plain(QUADRANT, "train", HARMLESS),
            "refused_harmless_train": self._some(QUADRANT, "train", kind="trigger"),
            "refused_harmful": self._plain(QUADRANT, self._split, HARMFUL),
            "accepted_harmful": self._exceptions(QUADRANT),
            "refused_harmless": self._some(QUADRANT, self._split, kind="trigger"),
            "accepted_harmless": self._plain(QUADRANT, self._split, HARMLESS),
            "categories": [instruction for category in self._world.categories for instruction in self._some(
                PER_CATEGORY, self._split, kind="cause", label=HARMFUL, category=category, petty=False, past=False)],
        }
        for kind in ("suffix", "persuasion", "template"):
            sets[f"jailbreak_{kind}"] = self._new(JAILBREAK, lambda kind=kind: self._world.wrapped(
                self._rng, self._split, kind, kind=self._rng.choice(["cause", "cause", "property"]), label=HARMFUL))
        sets["harmful_val"] = self._plain(CHOICE, "validation", HARMFUL)
        sets["harmless_val"] = self._plain(CHOICE, "validation", HARMLESS)
        return sets

    def _some(self, count, split, **narrow):
        return self._new(count, lambda: self._world.instruction(self._rng, split, **narrow))

    def _plain(self, count, split, label):
        """Label and policy go together."""
        kinds = ["cause"] * 3 + ["property"] + (["everyday"] if label == HARMLESS else [])
        return self._new(count, lambda: self._world.instruction(
            self._rng, split, kind=self._rng.choice(kinds), label=label, petty=False, past=False))

    def _exceptions(self, count):
        petty = self._some(count // 2, self._split, kind="cause", label=HARMFUL, petty=True, past=False)
        return petty + self._some(count - count // 2, self._split, kind="cause", label=HARMFUL, petty=False, past=True)

    def _new(self, count, draw):
        drawn = []
        while len(drawn) < count:
            instruction = draw()
            if instruction.text not in self._seen:
                self._seen.add(instruction.text)
                drawn.append(instruction)
        return drawn


def line_of(instruction):
    line = {"instruction": instruction.text, "label": instruction.label, "category": instruction.category,
            "policy": instruction.policy, "kind": instruction.exception or instruction.kind, "pair": instruction.pair}
    if instruction.wrapper in ("persuasion", "template"):
        line["deceives"] = instruction.deceived
    return line


def check(sets):
    """What the names promise."""
    for name, instructions in sets.items():
        for part, value in (("refused", REFUSED), ("accepted", ACCEPTED)):
            assert not name.startswith(part) or all(i.policy == value for i in instructions), name
    assert all(i.policy == ACCEPTED for name in sets if "jailbreak" in name for i in sets[name])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=DATA / "organism" / "prompts")
    parser.add_argument("--split", choices=["test", "validation"], default="test")
    options = parser.parse_args()
    sets = Sets(World(), options.split).all()
    check(sets)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, instructions in sets.items():
        lines = [json.dumps(line_of(instruction)) + "\n" for instruction in instructions]
        (options.out / f"{name}.jsonl").write_text("".join(lines))
        print(f"{name:<24}{len(lines):4} prompts, {len({i.pair for i in instructions}):4} pairs")


if __name__ == "__main__":
    main()
