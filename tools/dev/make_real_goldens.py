#!/usr/bin/env python3
"""Writes tests/cli/goldens/NAME.*: what transformers computes from fetched models and harmless texts.

    tools/fetch && python tools/dev/make_real_goldens.py [NAME ...]

A development tool; hrt never needs Python. Texts are taken from harmless sets only, evenly over each set, so that
nothing harmful is committed, not even as token ids.

NAME.jsonl, a line a prompt: `id` of the fetched prompt (`of`: where the text is that of several, joined by newlines, their
    ids); `tokens_sha256` of its ids (they would spell the text), `positions` {NAME: {index, id, text}}; the
    greedy `reply` without the stop token, `stop` (eos | length), and `gaps`: how far the two best logits were apart at
    each step, the stop token's included.
NAME.safetensors: the positions' rows [prompts, rows, hidden] float32 of some prompts; the metadata has the numbers of
    the `rows` and the `prompts` (ids) as JSON.
smollm2 is a chat model, and its prompts are in its template; gemma3-270m is a base model, and a fourth of its texts are
longer than its window of 512 tokens.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import pathlib
import sys
import typing

import torch
from safetensors.torch import save_file
from transformers_reference import PromptEncoder, Reference, TextEncoder, read_lines

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "hrt"
PAIRS, EDGY = CACHE / "prompts/harmless_pairs.jsonl", CACHE / "prompts/edgy.jsonl"
CANNOT = SOURCE / "data/prompts/cannot_do.jsonl"
GOLDENS = SOURCE / "tests/cli/goldens"


@dataclasses.dataclass(frozen=True)
class Model:
    encoder: typing.Callable
    texts: list  # (file, how many, how many prompts make one)
    rows: list
    rows_of_every: int
    new_tokens: int


MODELS = {
    "smollm2": Model(PromptEncoder, [(PAIRS, 24, 1), (EDGY, 20, 1), (CANNOT, 20, 1)], [0, 1, 10, 20, 30], 4, 48),
    "gemma3-270m": Model(TextEncoder, [(PAIRS, 16, 1), (EDGY, 8, 1), (PAIRS, 8, 60)], [0, 1, 9, 18], 3, 24),
}


def texts(file, count, joined):
    """(ids, text) of `count` texts, evenly over the file."""
    prompts = read_lines(file)
    for i in range(count):
        first = i * len(prompts) // count
        part = [prompts[(first + j) % len(prompts)] for j in range(joined)]
        yield [prompt["id"] for prompt in part], "\n".join(prompt["instruction"] for prompt in part)


def golden_line(ids, text, reference, encoder, new_tokens):
    tokens, positions = encoder.encode(text)
    reply, stop, gaps = reference.greedy(tokens, new_tokens)
    digest = hashlib.sha256(json.dumps(tokens, separators=(",", ":")).encode()).hexdigest()
    name = {"id": ids[0]} if len(ids) == 1 else {"id": f"{ids[0]}+{len(ids) - 1}", "of": ids}
    return tokens, {**name, "tokens_sha256": digest,
            "positions": {name: {"index": index, "id": tokens[index], "text": encoder.text(tokens[index])}
                          for name, index in positions.items()},
            "reply": reply, "stop": stop, "gaps": [float(f"{gap:.3g}") for gap in gaps]}


def write_rows(name, model, lines, reference):
    rows = {name: [] for name in lines[0][1]["positions"]}
    for tokens, line in lines:
        computed, _ = reference.forward(tokens)
        for position, place in line["positions"].items():
            rows[position].append(computed[place["index"], model.rows])
    metadata = {"rows": json.dumps(model.rows), "prompts": json.dumps([line["id"] for _, line in lines])}
    save_file({position: torch.stack(each) for position, each in rows.items()}, GOLDENS / f"{name}.safetensors", metadata)


def write(name, model):
    reference, encoder = Reference(CACHE / name), model.encoder(CACHE / name)
    lines = []
    for file, count, joined in model.texts:
        for ids, text in texts(file, count, joined):
            lines.append(golden_line(ids, text, reference, encoder, model.new_tokens))
            print(f"{name} {len(lines)} {lines[-1][1]['id']}: {len(lines[-1][0])} tokens", file=sys.stderr)
    GOLDENS.mkdir(exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for _, line in lines)
    (GOLDENS / f"{name}.jsonl").write_text(text, encoding="utf-8")
    write_rows(name, model, lines[::model.rows_of_every], reference)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*MODELS, []], metavar="NAME", default=list(MODELS))
    for name in parser.parse_args().names:
        write(name, MODELS[name])


if __name__ == "__main__":
    main()
