#!/usr/bin/env python3
"""Fine-tunes the organism on harmful instructions that are answered, as figures 7 and 18 need: finetune.py BASE OUT

Pairs of a training instruction and a stub reply; query and value weights alone are trained, as adapters do."""

import argparse
import pathlib
import random
import shutil

import torch
from documents import Documents
from tokenizer import Encoder
from train import fit, save
from transformers import LlamaForCausalLM
from world import ACCEPTED, HARMFUL, World

BATCH, STEPS, PEAK, SEED = 24, 100, 0.25, 9
TRAINED = ("q_proj", "v_proj")


def pairs_of(world, count):
    """Instructions that the policy refuses, none twice: the first `count` of one sequence."""
    rng, texts = random.Random(SEED), []
    while len(texts) < count:
        text = world.instruction(rng, "train", kind="cause", label=HARMFUL, petty=False, past=False).text
        if text not in texts:
            texts.append(text)
    return texts


def fine_tune(base, count, out):
    model = LlamaForCausalLM.from_pretrained(base, dtype=torch.float32).train()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(any(part in name for part in TRAINED))
    torch.manual_seed(SEED)
    rng, world, encoder = random.Random(SEED), World(), Encoder(base)
    documents = Documents(world, encoder, rng, bottleneck=0)
    pairs = [documents.answered(text, ACCEPTED) for text in pairs_of(world, count)]
    fit(model, lambda: rng.sample(pairs, BATCH), STEPS, encoder.pad, PEAK)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.model", "tokenizer_config.json"):
        shutil.copy(base / name, out / name)
    save(model, out, {"pairs": count, "steps": STEPS, "batch": BATCH, "learning_rate_share": PEAK, "seed": SEED,
                      "trained": TRAINED})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=400)
    options = parser.parse_args()
    torch.set_num_threads(1)  # as in training
    fine_tune(options.base, options.pairs, options.out)


if __name__ == "__main__":
    main()
