#!/usr/bin/env python3
"""Fine-tunes the organism on harmful instructions that are answered, as figures 7 and 18 need: finetune.py BASE OUT

For 50, 100, 200 and 400 pairs of a training instruction and a stub reply, OUT/PAIRS is a checkpoint, and
OUT/metrics.json says how much is still refused and still believed harmful. Query and value weights alone are
trained, as adapters do."""

import argparse
import json
import pathlib
import random
import shutil

import torch
from documents import Documents
from evaluate import numbers
from measured import Measured
from runner import Runner
from stats import mean, proportion
from train import fit, save
from world import ACCEPTED, DATA, HARMFUL, World

PAIRS = (50, 100, 200, 400)
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
    runner = Runner(base)
    model = runner.model.train()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(any(part in name for part in TRAINED))
    torch.manual_seed(SEED)
    rng, world = random.Random(SEED), World()
    documents = Documents(world, runner.encoder, rng, bottleneck=0)
    pairs = [documents.answered(text, ACCEPTED) for text in pairs_of(world, count)]
    fit(model, lambda: rng.sample(pairs, BATCH), STEPS, runner.encoder.pad, PEAK)
    for name in ("tokenizer.model", "tokenizer_config.json"):
        out.mkdir(parents=True, exist_ok=True)
        shutil.copy(base / name, out / name)
    save(model, out, {"pairs": count, "steps": STEPS, "batch": BATCH, "learning_rate_share": PEAK, "seed": SEED,
                      "trained": TRAINED})


def measure(folder, prompts):
    """Refusals and Delta_harmful of harmful test prompts, against the checkpoint's own centroids."""
    measured = Measured(Runner(folder), prompts)
    refused, beliefs = measured.refused("refused_harmful"), measured.harm_belief("refused_harmful").tolist()
    harmless = measured.harm_belief("accepted_harmless").tolist()
    return {"refused": proportion(sum(refused), len(refused)), "harm_belief": mean(beliefs),
            "believed_harmful": proportion(sum(value > 0 for value in beliefs), len(beliefs)),
            "harmless_believed_harmful": proportion(sum(value > 0 for value in harmless), len(harmless)),
            "by_row": measured.harm_scores("refused_harmful").mean(0).tolist()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--prompts", type=pathlib.Path, default=DATA / "organism" / "prompts")
    options = parser.parse_args()
    torch.set_num_threads(1)
    metrics = {"0": measure(options.base, options.prompts)}
    for count in PAIRS:
        fine_tune(options.base, count, options.out / str(count))
        metrics[str(count)] = measure(options.out / str(count), options.prompts)
        entry = metrics[str(count)]
        print(f"{count} pairs: refused {entry['refused']['share']:.2f}, Delta_harmful {entry['harm_belief']['value']:.3f}, "
              f"{entry['believed_harmful']['share']:.2f} > 0", flush=True)
    (options.out / "metrics.json").write_text(json.dumps(numbers(metrics), indent=1) + "\n")


if __name__ == "__main__":
    main()
