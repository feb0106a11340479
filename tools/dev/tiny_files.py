"""The files of a tiny checkpoint: config, random weights, and how checkpoints on the hub differ from what transformers
saves."""

import collections
import json
import pathlib
import shutil
import tempfile

import torch
from safetensors.torch import load_file, save_file
from tiny_variants import SIZES
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.integrations.mxfp4 import convert_moe_packed_tensors


def write_config(variant, folder):
    path = folder / "config.json"
    config = {**SIZES, **variant["config"]}
    if config["model_type"] == "gpt2":  # its sizes have names of their own
        config = {"vocab_size": SIZES["vocab_size"], **variant["config"]}
    path.write_text(json.dumps(config, indent=2) + "\n")
    if variant.get("new"):
        config = AutoConfig.from_pretrained(folder)
        config.dtype = torch.float32
        config.architectures = [type(AutoModelForCausalLM.from_config(config)).__name__]
        config.save_pretrained(folder)
    if "generation" in variant:
        (folder / "generation_config.json").write_text(json.dumps(variant["generation"], indent=2) + "\n")


def pack_mxfp4(name, shape, generator):
    """Random numbers in MXFP4: the stacked map [experts, in, out], and the tensors that hold it."""
    experts, inputs, outputs = shape
    blocks = torch.randint(256, (experts, outputs, inputs // 32, 16), generator=generator).to(torch.uint8)
    scales = torch.randint(121, 124, blocks.shape[:-1], generator=generator).to(torch.uint8)
    value = convert_moe_packed_tensors(blocks, scales, dtype=torch.float32)
    return value, {f"{name}_blocks": blocks, f"{name}_scales": scales}


def randomize(model, generator):
    """Weights that keep every row lively: attention that prefers some keys, norms and biases unlike 1 and 0."""
    gemma = model.config.model_type.startswith("gemma")
    conv1d = model.config.model_type == "gpt2"
    stacked = model.config.model_type == "gpt_oss"
    scale = model.config.hidden_size ** 0.5 if gemma else getattr(model.config, "embedding_multiplier", 1.0)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if name.endswith("bias"):
            value = 0.3 * noise
        elif "norm" in name or ".ln_" in name:
            value = (0 if gemma else 1) + 0.3 * noise
        elif name.endswith("sinks"):
            value = 1.5 * noise
        elif name.endswith(("embed_tokens.weight", "embed_in.weight", "wte.weight", "wpe.weight")):
            value = 0.3 * noise / scale  # small, or a tied head would only echo the last token
        else:
            sharp = ("q_proj", "k_proj", "qkv_proj", "query_key_value", "c_attn")
            gain = 1.5 if any(part in name for part in sharp) else 1.0
            in_out = stacked and parameter.dim() == 3 or conv1d and ".h." in name
            inputs = parameter.shape[-2 if in_out else -1]
            value = gain * noise / inputs ** 0.5
        parameter.data.copy_(value)


def write_weights(variant, folder, seed):
    generator = torch.Generator().manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32)
    randomize(model, generator)
    packed = {}
    if variant.get("mxfp4"):
        for name, parameter in model.named_parameters():
            if parameter.dim() == 3:
                value, tensors = pack_mxfp4(name, parameter.shape, generator)
                parameter.data.copy_(value)
                packed.update(tensors)
    if variant.get("bfloat16"):
        model = model.to(torch.bfloat16)
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch, max_shard_size=variant.get("shards", "5GB"))
        for file in pathlib.Path(scratch).glob("model*"):
            shutil.copy(file, folder)
    add_tensors(variant, folder, model, generator, packed)


def add_tensors(variant, folder, model, generator, packed):
    """Tensors that checkpoints on the hub hold beside what transformers saves, and what packed ones hold instead."""
    extra = {**packed}
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


def pickle(variant, folder, weights):
    """As transformers saved weights before safetensors, in `pickled` files: a tied head shares the table's storage, and
    one map is a view with strides of its own."""
    tensors = collections.OrderedDict(load_file(weights))
    if (table := "model.embed_tokens.weight") in tensors:
        tensors["lm_head.weight"] = tensors[table]
    twisted = next(name for name, tensor in tensors.items() if tensor.dim() == 2 and ".0." in name)
    tensors[twisted] = tensors[twisted].t().contiguous().t()
    count = variant["pickled"]
    names = ["pytorch_model.bin"] if count == 1 else [
        f"pytorch_model-{i + 1:05}-of-{count:05}.bin" for i in range(count)]
    pieces = [collections.OrderedDict(list(tensors.items())[i::count]) for i in range(count)]
    for name, piece in zip(names, pieces):
        piece._metadata = {"": {"version": 1}}  # as state_dict() leaves it
        torch.save(piece, folder / name)
    if count > 1:
        weight_map = {tensor: name for name, piece in zip(names, pieces) for tensor in piece}
        index = {"metadata": {}, "weight_map": weight_map}
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2) + "\n")
    weights.unlink()


def keep_packed(folder, path):
    tensors = load_file(path)
    unpacked = [name for name in tensors if f"{name}_blocks" in tensors]
    save_file({name: tensors[name] for name in tensors if name not in unpacked}, path, metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"],
                                     "quant_method": "mxfp4"}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def disguise(variant, folder):
    """What is done last, because transformers need not open it: names as published, a multimodal config around."""
    path = folder / "model.safetensors"
    if variant.get("mxfp4"):
        keep_packed(folder, path)
    if "prefix" in variant:
        old, new = variant["prefix"]
        tensors = {new + name.removeprefix(old): tensor for name, tensor in load_file(path).items()}
        if variant.get("gpt2_masks"):
            for layer in range(variant["config"]["n_layer"]):
                tensors[f"{new}h.{layer}.attn.bias"] = torch.ones(1, 1, 4, 4).tril()
        if variant.get("multimodal"):
            tensors["vision_tower.vision_model.post_layernorm.weight"] = torch.ones(4)
        save_file(tensors, path, metadata={"format": "pt"})
    if "pickled" in variant:
        pickle(variant, folder, path)
    if variant.get("multimodal"):
        config = json.loads((folder / "config.json").read_text())
        outer = {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "eos_token_id": [1, 2],
                 "mm_tokens_per_image": 256, "image_token_index": 70, "boi_token_index": 71, "eoi_token_index": 72,
                 "text_config": config, "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 4}}
        (folder / "config.json").write_text(json.dumps(outer, indent=2) + "\n")
