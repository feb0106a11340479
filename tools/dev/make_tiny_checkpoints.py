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
To add a family, add a row to VARIANTS for each way in which its arithmetic can differ.
"""

import argparse
import json
import pathlib
import shutil
import tempfile

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

GOLDENS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "model" / "goldens"
PROMPT_LENGTHS = [1, 3, 9, 20, 80]
STORED_ROWS = 12  # of prompts longer than twice this, only so many tokens' rows are kept
NEW_TOKENS = 24
# Greedy choices closer than this could flip by rounding alone; another seed is taken then.
LEAST_MARGIN = 2e-3

SIZES = {
    "vocab_size": 80,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GQA = {"num_key_value_heads": 2}

# The config as the hub has it. `new`: written again in the spelling of transformers 5. `generation`: a
# generation_config.json. `shards`, `bfloat16`, `inv_freq`, `stored_head` ("equal", "other"): how weights lie.
VARIANTS = {
    "llama-hub2023": {
        "config": {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
                   "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None, "pretraining_tp": 1,
                   "pad_token_id": -1, "tie_word_embeddings": False, "torch_dtype": "float32", "use_cache": True,
                   "transformers_version": "4.31.0"},
        "generation": {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": [2, 7], "pad_token_id": 0,
                       "temperature": 0.6, "top_p": 0.9, "transformers_version": "4.31.0"},
        "inv_freq": True,
    },
    "llama-gqa-tied": {"new": True, "config": {"model_type": "llama", **GQA, "tie_word_embeddings": True,
                                               "num_hidden_layers": 3}},
    "llama-tied-other-head": {"stored_head": "other", "config": {"model_type": "llama", **GQA,
                                                                 "tie_word_embeddings": True}},
    "llama-rope-llama3": {"new": True, "shards": "45KB", "config": {
        "model_type": "llama", **GQA, "rope_theta": 10000.0,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 64}}},
    "llama-rope-linear": {"config": {"model_type": "llama", **GQA, "rope_theta": 5000.0,
                                     "rope_scaling": {"type": "linear", "factor": 2.5}}},
    "llama-rope-dynamic": {"config": {"model_type": "llama", **GQA, "max_position_embeddings": 16,
                                      "rope_scaling": {"type": "dynamic", "factor": 8.0}}},
    "llama-rope-yarn": {"new": True, "config": {
        "model_type": "llama", **GQA,
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32,
                         "beta_fast": 24.0, "beta_slow": 2.0, "mscale": 1.0, "mscale_all_dim": 0.8,
                         "truncate": False}}},
    "llama-head-dim": {"new": True, "config": {"model_type": "llama", **GQA, "head_dim": 12}},
    "llama-bias": {"config": {"model_type": "llama", **GQA, "attention_bias": True, "mlp_bias": True}},
    "llama-gelu": {"config": {"model_type": "llama", "num_key_value_heads": 1, "hidden_act": "gelu"}},
    "llama-gelu-tanh-bf16": {"bfloat16": True, "config": {"model_type": "llama", "torch_dtype": "bfloat16",
                                                          "hidden_act": "gelu_pytorch_tanh"}},
    "mistral-window": {"config": {"model_type": "mistral", **GQA, "sliding_window": 13, "rope_theta": 10000.0,
                                  "torch_dtype": "float32"}},
    "mistral-nemo": {"new": True, "config": {"model_type": "mistral", **GQA, "head_dim": 16, "sliding_window": None,
                                             "rope_theta": 1000000.0}},
    "qwen2-tied": {"stored_head": "equal", "config": {
        "model_type": "qwen2", **GQA, "tie_word_embeddings": True, "rope_theta": 1000000.0, "sliding_window": 13,
        "use_sliding_window": False, "max_window_layers": 1, "torch_dtype": "float32"}},
    "qwen2-window": {"config": {"model_type": "qwen2", **GQA, "sliding_window": 11, "use_sliding_window": True,
                                "max_window_layers": 1, "num_hidden_layers": 3}},
    "qwen2-layer-types": {"new": True, "config": {
        "model_type": "qwen2", **GQA, "sliding_window": 9, "use_sliding_window": True, "max_window_layers": 2,
        "layer_types": ["sliding_attention", "full_attention"]}},
    "qwen2.5-yarn": {"bfloat16": True, "config": {
        "model_type": "qwen2", **GQA, "rope_theta": 1000000.0,
        "use_sliding_window": False, "torch_dtype": "bfloat16",
        "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}}},
}


def write_config(variant, folder):
    path = folder / "config.json"
    path.write_text(json.dumps({**SIZES, **variant["config"]}, indent=2) + "\n")
    if variant.get("new"):
        config = AutoConfig.from_pretrained(folder)
        config.dtype = torch.float32
        config.architectures = [type(AutoModelForCausalLM.from_config(config)).__name__]
        config.save_pretrained(folder)
    if "generation" in variant:
        (folder / "generation_config.json").write_text(json.dumps(variant["generation"], indent=2) + "\n")


def randomize(model, generator):
    """Weights that keep every row lively: attention that prefers some keys, norms and biases unlike 1 and 0."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if "norm" in name:
            value = 1 + 0.3 * noise
        elif name.endswith("bias"):
            value = 0.3 * noise
        elif "embed" in name:
            value = 0.3 * noise  # small, or a tied head would only echo the last token
        else:
            gain = 1.5 if "q_proj" in name or "k_proj" in name else 1.0
            value = gain * noise / parameter.shape[-1] ** 0.5
        parameter.data.copy_(value)


def write_weights(variant, folder, seed):
    generator = torch.Generator().manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32)
    randomize(model, generator)
    if variant.get("bfloat16"):
        model = model.to(torch.bfloat16)
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch, max_shard_size=variant.get("shards", "5GB"))
        for file in pathlib.Path(scratch).glob("model*"):
            shutil.copy(file, folder)
    add_tensors(variant, folder, model, generator)


def add_tensors(variant, folder, model, generator):
    """Tensors that checkpoints on the hub hold beside what transformers saves."""
    extra = {}
    if variant.get("inv_freq"):
        for layer in range(model.config.num_hidden_layers):
            extra[f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"] = model.model.rotary_emb.inv_freq.clone()
    table = model.get_input_embeddings().weight.detach()
    if variant.get("stored_head") == "equal":
        extra["lm_head.weight"] = table.clone()
    if variant.get("stored_head") == "other":
        extra["lm_head.weight"] = torch.randn(table.shape, generator=generator) / table.shape[-1] ** 0.5
    if extra:
        path = folder / "model.safetensors"
        save_file({**load_file(path), **extra}, path, metadata={"format": "pt"})


def load(folder):
    # A fresh model for each use: dynamic rope remembers the longest prompt that it has seen.
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def rows_and_logits(folder, tokens):
    model = load(folder)
    last = []
    model.model.layers[-1].register_forward_hook(
        lambda module, args, output: last.append(output[0] if isinstance(output, tuple) else output))
    output = model(tokens[None], output_hidden_states=True, use_cache=False)
    rows = [*output.hidden_states[:-1], last[0]]
    assert torch.equal(model.model.norm(last[0]), output.hidden_states[-1])
    return torch.cat([row.reshape(1, len(tokens), -1) for row in rows]), output.logits[0, -1]


def greedy(folder, tokens):
    model = load(folder)
    model.generation_config.eos_token_id = None
    output = model.generate(tokens[None], attention_mask=torch.ones_like(tokens[None]), do_sample=False,
                            max_new_tokens=NEW_TOKENS, return_dict_in_generate=True, output_logits=True,
                            pad_token_id=0, temperature=None, top_p=None)
    best = torch.stack([logits[0].topk(2).values for logits in output.logits])
    return output.sequences[0, len(tokens):], (best[:, 0] - best[:, 1]).min().item()


def golden(folder, seed):
    """What transformers computes, and the smallest margin between two best logits in the replies."""
    generator = torch.Generator().manual_seed(1000 + seed)
    tensors, least = {}, float("inf")
    for number, length in enumerate(PROMPT_LENGTHS):
        tokens = torch.randint(3, SIZES["vocab_size"], (length,), generator=generator)
        rows, logits = rows_and_logits(folder, tokens)
        reply, margin = greedy(folder, tokens)
        index = torch.arange(length)
        if length > 2 * STORED_ROWS:
            index = torch.linspace(0, length - 1, STORED_ROWS).round().long()
        values = {"tokens": tokens, "index": index, "rows": rows[:, index], "logits": logits, "reply": reply}
        tensors.update({f"prompt.{number}.{key}": value.contiguous() for key, value in values.items()})
        least = min(least, margin)
    return tensors, least


def make(name, variant):
    folder = GOLDENS / name
    for seed in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_config(variant, folder)
        write_weights(variant, folder, seed)
        tensors, margin = golden(folder, seed)
        if margin > LEAST_MARGIN:
            break
    else:
        raise SystemExit(f"{name}: no seed gives replies that rounding cannot flip")
    save_file(tensors, folder / "golden.safetensors")
    size = sum(file.stat().st_size for file in folder.iterdir())
    distinct = len({token for key, value in tensors.items() if key.endswith("reply") for token in value.tolist()})
    print(f"{name:24} seed {seed:2}  margin {margin:.4f}  {distinct} distinct reply tokens  {size / 1000:.0f} KB")


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
