#!/usr/bin/env python3
"""Trains the organism and writes it in Hugging Face layout: train.py OUT [options]

A plain Llama through transformers. The bottleneck changes the attention mask in training only."""

import argparse
import json
import math
import pathlib
import random
import time

import tokenizer
import torch
from documents import Documents
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM
from world import World

LEARNING_RATE, FLOOR, WARM_UP, WEIGHT_DECAY = 2e-3, 0.03, 60, 0.05
WIDTH, INNER, HEADS = 96, 256, 4


def attention_mask(documents, length):
    """Additive mask [documents, 1, length, length]: causal, without padding, and narrowed at the bottleneck."""
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    seen = causal.repeat(len(documents), 1, 1)
    for row, document in enumerate(documents):
        if document.bottleneck:
            prompt = document.prompt
            seen[row, prompt.end:len(prompt.ids), prompt.start:prompt.t_inst] = False
    return torch.zeros(seen.shape).masked_fill_(~seen, torch.finfo(torch.float32).min).unsqueeze(1)


def loss_of(model, documents, pad):
    """Mean cross-entropy over the tokens that are learnt. Padding is on the right, so nothing sees it."""
    length = max(len(document.ids) for document in documents)
    ids = torch.tensor([document.ids + [pad] * (length - len(document.ids)) for document in documents])
    learnt = torch.tensor([document.learnt + [False] * (length - len(document.ids)) for document in documents])
    hidden = model.model(input_ids=ids, attention_mask=attention_mask(documents, length),
                         use_cache=False).last_hidden_state
    before = hidden[:, :-1][learnt[:, 1:]]
    return functional.cross_entropy(model.lm_head(before), ids[:, 1:][learnt[:, 1:]])


def optimizer_of(model):
    matrices = [p for p in model.parameters() if p.requires_grad and p.dim() > 1]
    norms = [p for p in model.parameters() if p.requires_grad and p.dim() == 1]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": WEIGHT_DECAY},
                              {"params": norms, "weight_decay": 0.0}], lr=LEARNING_RATE, betas=(0.9, 0.98))


def rate(step, steps):
    """Share of the peak learning rate: linear warm-up, then a cosine down to FLOOR."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / max(1, steps - WARM_UP)))


def fit(model, next_batch, steps, pad, peak=1.0):
    """Runs `steps` steps; prints loss and time left now and then."""
    optimizer = optimizer_of(model)
    begin, tokens, losses = time.monotonic(), 0, []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * peak * rate(step, steps)
        documents = next_batch()
        loss = loss_of(model, documents, pad)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        tokens += sum(len(document.ids) for document in documents)
        losses.append(loss.item())
        if (step + 1) % 100 == 0 or step + 1 == steps:
            passed = time.monotonic() - begin
            print(f"step {step + 1}/{steps}  loss {sum(losses) / len(losses):.3f}  {tokens} tokens  "
                  f"{passed / (step + 1) * (steps - step - 1):.0f} s left", flush=True)
            losses = []
    return tokens


def new_model(layers, vocabulary, encoder):
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=layers,
        num_attention_heads=HEADS, num_key_value_heads=HEADS, max_position_embeddings=1024, rms_norm_eps=1e-5,
        initializer_range=0.03, tie_word_embeddings=False, bos_token_id=1, eos_token_id=encoder.end,
        pad_token_id=encoder.pad)
    return LlamaForCausalLM(config)


def save(model, folder, about):
    """Weights in bfloat16, config, generation config, tokenizer files, and how they were made."""
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "training.json").write_text(json.dumps(about, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--steps", type=int, default=3900)
    parser.add_argument("--batch", type=int, default=24, help="documents a step")
    parser.add_argument("--bottleneck", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)  # the same sums in the same order, whatever the machine's load
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    world = World()
    tokenizer.train(tokenizer.training_texts(world), options.out / "tokenizer.model")
    tokenizer.write_config(options.out)
    encoder = tokenizer.Encoder(options.out)
    model = new_model(options.layers, tokenizer.VOCABULARY, encoder)
    documents = Documents(world, encoder, random.Random(options.seed), options.bottleneck)
    tokens = fit(model, lambda: [documents.draw() for _ in range(options.batch)], options.steps, encoder.pad)
    about = {**{name: value for name, value in vars(options).items() if name != "out"},
             "parameters": sum(p.numel() for p in model.parameters()), "tokens": tokens}
    save(model, options.out, about)


if __name__ == "__main__":
    main()
