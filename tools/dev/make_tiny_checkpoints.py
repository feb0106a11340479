#!/usr/bin/env python3
"""Writes tests/model/goldens: tiny random checkpoints, and what transformers computes from them.

A development tool; hrt never needs Python. Run with transformers 5.23, torch and safetensors installed:

    python tools/dev/make_tiny_checkpoints.py [--only NAME ...]

One folder a variant, in Hugging Face layout, and beside it golden.safetensors with, for each prompt I = 0..4:
    prompt.I.tokens  int64 [n]
    prompt.I.index   int64 [m]             the tokens whose rows are stored
    prompt.I.rows    float32 [L+1, m, h]   rows 0..L-1: input of block l; row L: output of the last block, before
                                           the final norm (transformers' hidden_states[-1] is after it)
    prompt.I.logits  float32 [vocab]       at the last token
    prompt.I.reply   int64 [24]            greedy tokens, nothing stops them
and, where experts are chosen, which rounding to half precision can change,
    bfloat16.difference  float64 [1]       of transformers' own rows in bfloat16: root mean square of |a - b| / |b|
The checkpoints are listed in tiny_variants.py; tiny_files.py writes their files.
"""

import argparse
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from tiny_files import disguise, write_config, write_weights
from tiny_variants import SIZES, VARIANTS
from transformers import AutoModelForCausalLM
from transformers.utils import logging

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "model" / "goldens"
PROMPT_LENGTHS = [1, 3, 9, 20, 80]
STORED_ROWS = 12  # of prompts longer than twice this, only so many tokens' rows are kept
NEW_TOKENS = 24
# Greedy choices closer than this could flip by rounding alone; another seed is taken then. The same of the last expert
# that a router chooses and the next one, whose scores are compared.
LEAST_MARGIN = 2e-3
LEAST_ROUTER_MARGIN = 1e-3


def load(folder, router_margins, dtype=torch.float32):
    # A fresh model for each use: dynamic rope remembers the longest prompt that it has seen. Experts that are not
    # eager take no odd sizes in bfloat16.
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, experts_implementation="eager").eval()
    for module in model.modules():
        if type(module).__name__.endswith("TopKRouter"):
            module.register_forward_hook(lambda router, args, output: router_margins.append(router_margin(router, output)))
    return model


def router_margin(router, output):
    """Between the scores of the last expert that is chosen and of the first that is not: the least of all tokens."""
    best = output[0].topk(router.top_k + 1).values
    return (best[:, -2] - best[:, -1]).min().item()


def blocks_and_norm(model):
    decoder = model.get_decoder()
    blocks = decoder.layers if hasattr(decoder, "layers") else decoder.h
    for name in ("norm", "final_layer_norm", "ln_f"):
        if hasattr(decoder, name):
            return blocks, getattr(decoder, name)
    raise SystemExit(f"no final norm in {type(decoder).__name__}")


def rows_and_logits(folder, tokens, router_margins, dtype=torch.float32):
    model = load(folder, router_margins, dtype)
    last = []
    blocks, norm = blocks_and_norm(model)
    blocks[-1].register_forward_hook(
        lambda module, args, output: last.append(output[0] if isinstance(output, tuple) else output))
    output = model(tokens[None], output_hidden_states=True, use_cache=False)
    rows = [*output.hidden_states[:-1], last[0]]
    assert torch.equal(norm(last[0]), output.hidden_states[-1])
    return torch.cat([row.reshape(1, len(tokens), -1) for row in rows]), output.logits[0, -1]


def greedy(folder, tokens, router_margins):
    model = load(folder, router_margins)
    model.generation_config.eos_token_id = None
    output = model.generate(tokens[None], attention_mask=torch.ones_like(tokens[None]), do_sample=False,
                            max_new_tokens=NEW_TOKENS, return_dict_in_generate=True, output_logits=True,
                            pad_token_id=0, temperature=None, top_p=None)
    best = torch.stack([logits[0].topk(2).values for logits in output.logits])
    return output.sequences[0, len(tokens):], (best[:, 0] - best[:, 1]).min().item()


def golden(folder, seed):
    """What transformers computes, the smallest margin between two best logits in the replies, and that of routers."""
    generator = torch.Generator().manual_seed(1000 + seed)
    tensors, least, router_margins = {}, float("inf"), [float("inf")]
    for number, length in enumerate(PROMPT_LENGTHS):
        tokens = torch.randint(3, SIZES["vocab_size"], (length,), generator=generator)
        rows, logits = rows_and_logits(folder, tokens, router_margins)
        reply, margin = greedy(folder, tokens, router_margins)
        index = torch.arange(length)
        if length > 2 * STORED_ROWS:
            index = torch.linspace(0, length - 1, STORED_ROWS).round().long()
        values = {"tokens": tokens, "index": index, "rows": rows[:, index], "logits": logits, "reply": reply}
        tensors.update({f"prompt.{number}.{key}": value.contiguous() for key, value in values.items()})
        least = min(least, margin)
    return tensors, least, min(router_margins)


def bfloat16_difference(folder, goldens):
    relative = []
    for number in range(len(PROMPT_LENGTHS)):
        tokens, index, expected = (goldens[f"prompt.{number}.{key}"] for key in ("tokens", "index", "rows"))
        rows, _ = rows_and_logits(folder, tokens, [], torch.bfloat16)
        error = (rows[:, index].double() - expected.double()).norm(dim=-1)
        relative.append((error / expected.double().norm(dim=-1)).flatten())
    return torch.cat(relative).square().mean().sqrt().reshape(1)


def make(name, variant):
    folder = GOLDENS / name
    for seed in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_config(variant, folder)
        write_weights(variant, folder, seed)
        tensors, margin, router_margin = golden(folder, seed)
        if margin > LEAST_MARGIN and router_margin > LEAST_ROUTER_MARGIN:
            break
    else:
        raise SystemExit(f"{name}: no seed gives choices that rounding cannot flip")
    if router_margin < float("inf"):
        tensors["bfloat16.difference"] = bfloat16_difference(folder, tensors)
    save_file(tensors, folder / "golden.safetensors")
    disguise(variant, folder)
    size = sum(file.stat().st_size for file in folder.iterdir())
    distinct = len({token for key, value in tensors.items() if key.endswith("reply") for token in value.tolist()})
    print(f"{name:24} seed {seed:2}  margins {margin:.4f} {router_margin:.4f}  {distinct} distinct reply tokens  {size / 1000:.0f} KB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="NAME")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    with torch.inference_mode():
        for name in parser.parse_args().only:
            make(name, VARIANTS[name])


if __name__ == "__main__":
    main()
