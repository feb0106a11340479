#!/usr/bin/env python3
"""Writes tests/model/adapters: LoRA adapters of tiny checkpoints, and what peft computes with them.

A development tool; hrt never needs Python. Run with transformers 5.23, peft 0.21, torch and safetensors installed:

    python tools/dev/make_adapter_goldens.py

The checkpoints are make_tiny_checkpoints.py's and are only read; the adapter's base_model_name_or_path is the name of its
own. Beside each adapter stands golden.safetensors with, for each prompt I:
    prompt.I.tokens  int64 [n]
    prompt.I.rows    float32 [L+1, n, h]   row l: input of block l; row L: output of the last block, before the final norm
    prompt.I.logits  float32 [vocab]       at the last token
The adapter is not merged there: hrt's sum is compared with peft's two maps side by side.
"""

import json
import shutil

import torch
from make_tiny_checkpoints import GOLDENS, blocks_and_norm, load
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tiny_variants import SIZES
from transformers.utils import logging

ADAPTERS = GOLDENS.parent / "adapters"
PROMPT_LENGTHS = [3, 20]

# `pickled`: adapter_model.bin instead of adapter_model.safetensors.
VARIANTS = {
    "list": {"base": "llama-gqa-tied", "config": {
        "target_modules": ["q_proj", "v_proj", "down_proj"], "r": 4, "lora_alpha": 8, "layers_to_transform": [0, 2]}},
    "regex-patterns": {"base": "qwen3-bias", "config": {
        "target_modules": r".*layers\.\d+\.(self_attn\.(q|k|v)_proj|mlp\.down_proj)", "r": 4, "lora_alpha": 6,
        "rank_pattern": {"mlp.down_proj": 2, r"^model\.layers\.1\.self_attn\.q_proj": 7},
        "alpha_pattern": {r"layers\.0\.self_attn\.[qk]_proj": 20, "down_proj": 3}}},
    "rslora-all-linear": {"base": "gemma2-hub", "pickled": True, "config": {
        "target_modules": "all-linear", "r": 9, "lora_alpha": 12, "use_rslora": True, "exclude_modules": ["up_proj"]}},
    "fused-phi3": {"base": "phi3-hub", "config": {
        "target_modules": ["qkv_proj", "gate_up_proj", "o_proj"], "r": 3, "lora_alpha": 16}},
    "fused-gpt-neox": {"base": "gpt-neox-hub", "config": {
        "target_modules": ["query_key_value", "dense_h_to_4h", "embed_out"], "r": 3, "lora_alpha": 16}},
    "gpt2": {"base": "gpt2-hub", "config": {
        "target_modules": ["c_attn", "c_proj", "c_fc"], "r": 3, "lora_alpha": 16, "fan_in_fan_out": True}},
}


def write_adapter(variant, folder):
    torch.manual_seed(0)
    config = LoraConfig(task_type="CAUSAL_LM", **variant["config"])
    model = get_peft_model(load(GOLDENS / variant["base"]), config)
    for name, parameter in model.named_parameters():
        if "lora_" in name:  # B begins as 0
            parameter.data.copy_(torch.randn(parameter.shape) / parameter.shape[-1] ** 0.5)
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    path = folder / "adapter_config.json"
    saved = json.loads(path.read_text())
    # As asked for: peft has sets, and the names that it found for "all-linear".
    asked = {key: variant["config"][key] for key in ("target_modules", "exclude_modules") if key in variant["config"]}
    saved |= {"base_model_name_or_path": variant["base"], **asked}
    path.write_text(json.dumps(saved, indent=2) + "\n")


def pickle(folder):
    path = folder / "adapter_model.safetensors"
    torch.save(load_file(path), folder / "adapter_model.bin")
    path.unlink()


@torch.inference_mode()
def golden(variant, folder):
    generator = torch.Generator().manual_seed(1)
    tensors = {}
    for number, length in enumerate(PROMPT_LENGTHS):
        model = PeftModel.from_pretrained(load(GOLDENS / variant["base"]), folder).eval()
        last = []
        blocks_and_norm(model.get_base_model())[0][-1].register_forward_hook(
            lambda module, args, output: last.append(output[0] if isinstance(output, tuple) else output))
        tokens = torch.randint(3, SIZES["vocab_size"], (length,), generator=generator)
        output = model(tokens[None], output_hidden_states=True, use_cache=False)
        rows = torch.cat([row.reshape(1, length, -1) for row in (*output.hidden_states[:-1], last[0])])
        values = {"tokens": tokens, "rows": rows, "logits": output.logits[0, -1]}
        tensors.update({f"prompt.{number}.{key}": value.contiguous() for key, value in values.items()})
    return tensors


def main():
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    for name, variant in VARIANTS.items():
        folder = ADAPTERS / name
        shutil.rmtree(folder, ignore_errors=True)
        write_adapter(variant, folder)
        if variant.get("pickled"):
            pickle(folder)
        save_file(golden(variant, folder), folder / "golden.safetensors")
        print(f"{name:20} {sum(file.stat().st_size for file in folder.iterdir()) / 1000:.0f} KB")


if __name__ == "__main__":
    main()
