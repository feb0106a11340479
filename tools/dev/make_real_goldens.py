#!/usr/bin/env python3
"""Writes tests/cli/goldens/smollm2.*: what transformers computes from SmolLM2 and harmless prompts.

    tools/fetch && python tools/dev/make_real_goldens.py

A development tool; hrt never needs Python. Prompts are taken from harmless sets only, evenly over each set, so that
nothing harmful is committed, not even as token ids.

smollm2.jsonl, a line a prompt: `id` of the fetched prompt, `tokens_sha256` of its ids (they would spell the text), `positions` {NAME: {index, id, text}}; the
    greedy `reply` of at most 48 tokens without the stop token, `stop` (eos | length), and `gaps`: how far the two best
    logits were apart at each step, the stop token's included.
smollm2.safetensors: t_inst and t_post_inst [prompts, rows, hidden] float32 of every fourth prompt; the metadata has
    its `rows` and `prompts` (ids) as JSON.
"""

import hashlib
import json
import os
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers_reference import PromptEncoder, Reference, read_lines

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "hrt"
SETS = {CACHE / "prompts/harmless_pairs.jsonl": 24, CACHE / "prompts/edgy.jsonl": 20,
        SOURCE / "data/prompts/cannot_do.jsonl": 20}
GOLDENS = SOURCE / "tests/cli/goldens"
ROWS = [0, 1, 10, 20, 30]
ROWS_OF_EVERY = 4
NEW_TOKENS = 48


def evenly(items, count):
    return [items[i * len(items) // count] for i in range(count)]


def golden_line(prompt, reference, encoder):
    tokens, positions = encoder.encode(prompt["instruction"])
    reply, stop, gaps = reference.greedy(tokens, NEW_TOKENS)
    digest = hashlib.sha256(json.dumps(tokens, separators=(",", ":")).encode()).hexdigest()
    return tokens, {"id": prompt["id"], "tokens_sha256": digest,
            "positions": {name: {"index": index, "id": tokens[index], "text": encoder.text(tokens[index])}
                          for name, index in positions.items()},
            "reply": reply, "stop": stop, "gaps": [float(f"{gap:.3g}") for gap in gaps]}


def write_rows(lines, reference):
    rows = {name: [] for name in lines[0][1]["positions"]}
    for tokens, line in lines:
        computed, _ = reference.forward(tokens)
        for name, position in line["positions"].items():
            rows[name].append(computed[position["index"], ROWS])
    metadata = {"rows": json.dumps(ROWS), "prompts": json.dumps([line["id"] for _, line in lines])}
    save_file({name: torch.stack(each) for name, each in rows.items()}, GOLDENS / "smollm2.safetensors", metadata)


def main():
    model = CACHE / "smollm2"
    reference, encoder = Reference(model), PromptEncoder(model)
    prompts = [prompt for file, count in SETS.items() for prompt in evenly(read_lines(file), count)]
    lines = []
    for prompt in prompts:
        lines.append(golden_line(prompt, reference, encoder))
        print(f"{len(lines)}/{len(prompts)} {prompt['id']}", file=sys.stderr)
    GOLDENS.mkdir(exist_ok=True)
    (GOLDENS / "smollm2.jsonl").write_text("".join(json.dumps(line) + "\n" for _, line in lines), encoding="utf-8")
    write_rows(lines[::ROWS_OF_EVERY], reference)


if __name__ == "__main__":
    main()
