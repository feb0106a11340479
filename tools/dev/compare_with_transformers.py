#!/usr/bin/env python3
"""Computes a run of `hrt extract` again with transformers, in float32, one prompt at a time, and says how far apart
the two are: token ids, rows of each position, logits, greedy replies.

    python tools/dev/compare_with_transformers.py MODEL RUN [--limit N]

A development tool; hrt never needs Python. Token ids are compared where prompts are text without a system turn of
their own. Exit code 1 when a row differs by more than 2e-5 of its norm, token ids differ, or a reply parts from
transformers' where the two best logits are more than 5e-3 apart.
"""

import argparse
import json
import pathlib
import sys

from safetensors import safe_open
from transformers_reference import PromptEncoder, Reference, gap_of_best, read_lines

ROW_TOLERANCE = 2e-5
UNDECIDED_GAP = 5e-3


class Run:
    """The files of a run directory."""

    def __init__(self, folder):
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.prompts = read_lines(folder / "prompts.jsonl")
        replies = folder / "replies.jsonl"
        self.replies = {line["id"]: line for line in read_lines(replies)} if replies.exists() else {}
        self.tensors = safe_open(folder / "activations.safetensors", framework="pt")
        self.rows = json.loads(self.tensors.metadata()["rows"])
        # Names of single positions; a position that some prompt lacks has its own index of prompts.
        names = set(self.tensors.keys())
        self.positions = {name: self._prompts_of(name, names) for name in self.prompts[0]["positions"]
                          if f"{name}.offsets" not in names}

    def _prompts_of(self, name, names):
        indices = self.tensors.get_tensor(f"{name}.index").tolist() if f"{name}.index" in names else range(
            len(self.prompts))
        return {prompt: place for place, prompt in enumerate(indices)}

    def stored(self, name, prompt):
        """[rows, hidden] of a prompt's position, or None."""
        place = self.positions[name].get(prompt)
        return None if place is None else self.tensors.get_slice(name)[place].float()


def relative(a, b):
    return ((a - b).norm(dim=-1) / b.norm(dim=-1)).max().item()


class Comparison:
    def __init__(self, reference, run):
        self.reference, self.run = reference, run
        self.worst = {name: (0.0, None, None) for name in run.positions}
        self.worst_logits = 0.0
        self.partings = []  # (prompt's id, step, gap of the two best logits)
        self.other_tokens = []
        self.compared_replies = self.compared_tokens = 0

    def prompt(self, index):
        line = self.run.prompts[index]
        reply = self.run.replies.get(line["id"])
        # One pass over prompt and reply gives the rows, and whether each token of the reply is the best one.
        rows, logits = self.reference.forward(line["tokens"] + (reply["tokens"] if reply else []))
        for name in self.run.positions:
            self._rows(name, index, line, rows)
        if "logits" in self.run.tensors.keys():
            ours = self.run.tensors.get_slice("logits")[index].float()
            self.worst_logits = max(self.worst_logits, relative(ours, logits[len(line["tokens"]) - 1]))
        if reply:
            self._reply(line, reply, logits[len(line["tokens"]) - 1:])

    def _rows(self, name, index, line, rows):
        ours = self.run.stored(name, index)
        if ours is None:
            return
        theirs = rows[line["positions"][name]["index"]]
        for place, row in enumerate(self.run.rows):
            difference = relative(ours[place], theirs[row])
            if difference > self.worst[name][0]:
                self.worst[name] = (difference, line["id"], row)

    def _reply(self, line, reply, logits):
        self.compared_replies += 1
        self.compared_tokens += len(reply["tokens"])
        best = logits.argmax(-1).tolist()
        for step, token in enumerate(reply["tokens"]):
            if best[step] != token:
                return self.partings.append((line["id"], step, gap_of_best(logits[step])))
        if reply["stop"] == "eos" and best[-1] not in self.reference.stop:
            self.partings.append((line["id"], len(reply["tokens"]), gap_of_best(logits[-1])))

    def tokens(self, encoder):
        for line in self.run.prompts:
            ids, positions = encoder.encode(line["instruction"])
            ours = {name: line["positions"][name]["index"] for name in positions if name in line["positions"]}
            if ids != line["tokens"] or any(positions[name] != index for name, index in ours.items()):
                self.other_tokens.append(line["id"])

    def holds(self):
        return (all(worst <= ROW_TOLERANCE for worst, _, _ in self.worst.values())
                and self.worst_logits <= ROW_TOLERANCE and not self.other_tokens
                and all(gap <= UNDECIDED_GAP for _, _, gap in self.partings))

    def report(self):
        print(f"prompts            {len(self.run.prompts)}")
        for name, (worst, prompt, row) in self.worst.items():
            print(f"rows, {name:<12} worst relative difference {worst:.2e} ({prompt}, row {row})")
        if self.worst_logits:
            print(f"logits             worst relative difference {self.worst_logits:.2e}")
        print(f"other token ids    {len(self.other_tokens)} {self.other_tokens[:5] or ''}")
        print(f"replies            {self.compared_replies} of {self.compared_tokens} tokens, "
              f"{len(self.partings)} part from transformers'")
        for prompt, step, gap in self.partings:
            print(f"  {prompt}: token {step}, the two best logits are {gap:.1e} apart")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--limit", type=int, help="only the first N prompts")
    options = parser.parse_args()
    run = Run(options.run)
    run.prompts = run.prompts[:options.limit]
    comparison = Comparison(Reference(options.model), run)
    for index in range(len(run.prompts)):
        comparison.prompt(index)
    if run.manifest["template"]["name"] != "raw":
        comparison.tokens(PromptEncoder(options.model))
    comparison.report()
    sys.exit(0 if comparison.holds() else 1)


if __name__ == "__main__":
    main()
