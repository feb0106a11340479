"""Hyperparameters and tensor names of GGUF as transformers 5 spells them, by architecture."""
import dataclasses
from typing import Callable

from .command import Failure

LLAMA_BLOCK = {  # GGUF name -> (Hugging Face name, shape by the names in sizes())
    "attn_norm.weight": ("input_layernorm.weight", ["hidden"]),
    "attn_q.weight": ("self_attn.q_proj.weight", ["q", "hidden"]),
    "attn_k.weight": ("self_attn.k_proj.weight", ["kv", "hidden"]),
    "attn_v.weight": ("self_attn.v_proj.weight", ["kv", "hidden"]),
    "attn_output.weight": ("self_attn.o_proj.weight", ["hidden", "q"]),
    "ffn_norm.weight": ("post_attention_layernorm.weight", ["hidden"]),
    "ffn_gate.weight": ("mlp.gate_proj.weight", ["ff", "hidden"]),
    "ffn_up.weight": ("mlp.up_proj.weight", ["ff", "hidden"]),
    "ffn_down.weight": ("mlp.down_proj.weight", ["hidden", "ff"]),
}
QKV_BIASES = {
    "attn_q.bias": ("self_attn.q_proj.bias", ["q"]),
    "attn_k.bias": ("self_attn.k_proj.bias", ["kv"]),
    "attn_v.bias": ("self_attn.v_proj.bias", ["kv"]),
}
QK_NORMS = {
    "attn_q_norm.weight": ("self_attn.q_norm.weight", ["head"]),
    "attn_k_norm.weight": ("self_attn.k_norm.weight", ["head"]),
}
SANDWICH_NORMS = {
    "post_attention_norm.weight": ("post_attention_layernorm.weight", ["hidden"]),
    "ffn_norm.weight": ("pre_feedforward_layernorm.weight", ["hidden"]),
    "post_ffw_norm.weight": ("post_feedforward_layernorm.weight", ["hidden"]),
}
OUTSIDE = {
    "token_embd.weight": ("model.embed_tokens.weight", ["vocabulary", "hidden"]),
    "output_norm.weight": ("model.norm.weight", ["hidden"]),
    "output.weight": ("lm_head.weight", ["vocabulary", "hidden"]),  # absent where the head is tied to the embedding
}
KEYS = {"block_count", "context_length", "embedding_length", "feed_forward_length", "vocab_size",
        "attention.head_count", "attention.head_count_kv", "attention.layer_norm_rms_epsilon",
        "attention.key_length", "attention.value_length", "rope.freq_base", "rope.dimension_count"}


def one_rope(get, sizes):
    return {"rope_parameters": rope(get("rope.freq_base", float, 10000.0))}


def gemma3(get, sizes):
    """Every sixth layer sees all tokens, the others a window. llama.cpp knows that, and their theta, by heart."""
    layers = range(1, sizes["num_hidden_layers"] + 1)
    return {"query_pre_attn_scalar": sizes["head_dim"], "sliding_window": get("attention.sliding_window"),
            "layer_types": ["sliding_attention" if i % 6 else "full_attention" for i in layers],
            "rope_parameters": {"full_attention": rope(get("rope.freq_base", float, 1e6)),
                                "sliding_attention": rope(10000.0)}}


def rope(theta):
    return {"rope_type": "default", "rope_theta": shortest(theta)}


@dataclasses.dataclass(frozen=True)
class Architecture:
    model_type: str
    model_class: str
    config: dict  # further keys of config.json, the same in every one
    block: dict
    more: Callable = one_rope  # (get, sizes) -> those that depend on the file
    keys: frozenset = frozenset()  # that `more` reads
    permuted: bool = False  # rows of q and k are stored for the rotation of neighbours
    norm_plus_one: bool = False  # norms are stored with 1 added
    tokenizer_class: str = "LlamaTokenizer"  # where the vocabulary is sentencepiece's


ARCHITECTURES = {
    "llama": Architecture("llama", "LlamaForCausalLM",
                          {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False}, LLAMA_BLOCK, permuted=True),
    "qwen2": Architecture("qwen2", "Qwen2ForCausalLM", {"hidden_act": "silu", "use_sliding_window": False},
                          LLAMA_BLOCK | QKV_BIASES),
    "qwen3": Architecture("qwen3", "Qwen3ForCausalLM",
                          {"hidden_act": "silu", "attention_bias": False, "use_sliding_window": False},
                          LLAMA_BLOCK | QK_NORMS),
    "gemma3": Architecture("gemma3_text", "Gemma3ForCausalLM",
                           {"hidden_activation": "gelu_pytorch_tanh", "attention_bias": False},
                           LLAMA_BLOCK | QK_NORMS | SANDWICH_NORMS, gemma3, frozenset({"attention.sliding_window"}),
                           norm_plus_one=True, tokenizer_class="GemmaTokenizer"),
}


def architecture(file):
    """Its name in GGUF, and what is known about it."""
    name = file.get("general.architecture", str)
    if name not in ARCHITECTURES:
        raise Failure(f"{file.path}: general.architecture is {name!r}, supported: {', '.join(ARCHITECTURES)}")
    return name, ARCHITECTURES[name]


def config(file, dtype):
    """config.json. Refuses what would change the numbers and is not expressed in it."""
    name, kind = architecture(file)
    for key in file.metadata:
        if key.startswith(f"{name}.") and key.removeprefix(f"{name}.") not in KEYS | kind.keys:
            raise Failure(f"{file.path}: {key} = {str(file.metadata[key])[:40]} is not supported")
    if "rope_freqs.weight" in file.tensors:
        raise Failure(f"{file.path}: rope_freqs.weight (scaled rotary frequencies, as in Llama 3.1) is not supported")

    def get(key, kind=int, default=None):
        return file.get(f"{name}.{key}", kind, default)
    hidden, heads = get("embedding_length"), get("attention.head_count")
    if min(hidden, heads) < 1:
        raise Failure(f"{file.path}: {name}.embedding_length {hidden} with {heads} heads makes no model")
    head_dim = get("attention.key_length", default=hidden // heads)
    for key in ("attention.value_length", "rope.dimension_count"):
        if get(key, default=head_dim) != head_dim:
            raise Failure(f"{file.path}: {name}.{key} = {get(key)} differs from the head size {head_dim}")
    sizes = {
        "vocab_size": len(file.get("tokenizer.ggml.tokens", list)),
        "hidden_size": hidden, "intermediate_size": get("feed_forward_length"),
        "num_hidden_layers": get("block_count"), "num_attention_heads": heads,
        "num_key_value_heads": get("attention.head_count_kv", default=heads), "head_dim": head_dim,
    }
    return {
        "architectures": [kind.model_class], "model_type": kind.model_type, "dtype": dtype, **sizes, **kind.config,
        "max_position_embeddings": get("context_length"),
        "rms_norm_eps": shortest(get("attention.layer_norm_rms_epsilon", float)),
        **kind.more(get, sizes),
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "bos_token_id": token_id(file, "bos"), "eos_token_id": token_id(file, "eos"),
        "pad_token_id": token_id(file, "padding"),
    }


def token_id(file, name):
    """The id of bos, eos, eot, unknown or padding; None where the file names none."""
    key = f"tokenizer.ggml.{name}_token_id"
    if key not in file.metadata:
        return None
    value = file.get(key, int)
    if not 0 <= value < len(file.get("tokenizer.ggml.tokens", list)):
        raise Failure(f"{file.path}: {key} = {value} lies outside the vocabulary")
    return value


def shortest(value):
    """1e-05 for the float32 nearest to it, which GGUF stores and Python reads as 9.999999747378752e-06."""
    return float(f"{value:.7g}")


def weights(file, config):
    """Hugging Face name -> (GGUF name, shape). Every tensor of the file is accounted for, and none is missing."""
    block = architecture(file)[1].block
    head = config["head_dim"]
    sizes = {"hidden": config["hidden_size"], "ff": config["intermediate_size"], "vocabulary": config["vocab_size"],
             "q": head * config["num_attention_heads"], "kv": head * config["num_key_value_heads"], "head": head}
    blocks = config["num_hidden_layers"]
    if blocks * len(block) > len(file.tensors):
        raise Failure(f"{file.path}: {len(file.tensors)} tensors are too few for {blocks} blocks")
    names = OUTSIDE | {f"blk.{i}.{gguf}": (f"model.layers.{i}.{hf}", shape)
                       for i in range(blocks) for gguf, (hf, shape) in block.items()}
    if config["tie_word_embeddings"]:
        del names["output.weight"]
    for name in file.tensors:
        if name not in names:
            raise Failure(f"{file.path}: unknown tensor {name}")
    found = {}
    for name, (hf, shape) in names.items():
        want = tuple(sizes[axis] for axis in shape)
        if name not in file.tensors:
            raise Failure(f"{file.path}: tensor {name} is missing")
        if file.shape(name) != want:
            raise Failure(f"{file.path}: {name} has shape {file.shape(name)}, expected {want}")
        found[hf] = (name, want)
    return found


def weight(file, name, config):
    """A tensor as transformers wants it."""
    array, kind = file.array(name), architecture(file)[1]
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for part, count in heads.items():
        if kind.permuted and name.endswith(f".{part}.weight"):
            # llama.cpp rotates neighbouring rows, transformers the two halves of a head: put the rows back.
            array = array.reshape(count, -1, 2, array.shape[1]).swapaxes(1, 2).reshape(array.shape)
    return array - 1 if kind.norm_plus_one and name.endswith("norm.weight") else array
