"""The Llama architecture: GGUF's hyperparameters and tensor names as transformers 5 spells them."""
from .command import Failure

BLOCK = {  # GGUF name -> (Hugging Face name, shape by the names in sizes())
    "attn_norm": ("input_layernorm", ["hidden"]),
    "attn_q": ("self_attn.q_proj", ["q", "hidden"]),
    "attn_k": ("self_attn.k_proj", ["kv", "hidden"]),
    "attn_v": ("self_attn.v_proj", ["kv", "hidden"]),
    "attn_output": ("self_attn.o_proj", ["hidden", "q"]),
    "ffn_norm": ("post_attention_layernorm", ["hidden"]),
    "ffn_gate": ("mlp.gate_proj", ["ff", "hidden"]),
    "ffn_up": ("mlp.up_proj", ["ff", "hidden"]),
    "ffn_down": ("mlp.down_proj", ["hidden", "ff"]),
}
OUTSIDE = {
    "token_embd": ("model.embed_tokens", ["vocabulary", "hidden"]),
    "output_norm": ("model.norm", ["hidden"]),
    "output": ("lm_head", ["vocabulary", "hidden"]),  # absent where the head is tied to the embedding
}
KEYS = {"block_count", "context_length", "embedding_length", "feed_forward_length", "vocab_size",
        "attention.head_count", "attention.head_count_kv", "attention.layer_norm_rms_epsilon",
        "attention.key_length", "attention.value_length", "rope.freq_base", "rope.dimension_count"}


def config(file, dtype):
    """config.json. Refuses what would change the numbers and is not expressed in it."""
    architecture = file.get("general.architecture", str)
    if architecture != "llama":
        raise Failure(f"{file.path}: general.architecture is {architecture!r}, only 'llama' is supported")
    for key in file.metadata:
        if key.startswith("llama.") and key.removeprefix("llama.") not in KEYS:
            raise Failure(f"{file.path}: {key} = {str(file.metadata[key])[:40]} is not supported")
    if "rope_freqs.weight" in file.tensors:
        raise Failure(f"{file.path}: rope_freqs.weight (scaled rotary frequencies, as in Llama 3.1) is not supported")

    def get(key, kind=int, default=None):
        return file.get(f"llama.{key}", kind, default)
    hidden, heads = get("embedding_length"), get("attention.head_count")
    if min(hidden, heads) < 1:
        raise Failure(f"{file.path}: llama.embedding_length {hidden} with {heads} heads makes no model")
    head_dim = get("attention.key_length", default=hidden // heads)
    for key in ("attention.value_length", "rope.dimension_count"):
        if get(key, default=head_dim) != head_dim:
            raise Failure(f"{file.path}: llama.{key} = {get(key)} differs from the head size {head_dim}")
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "dtype": dtype,
        "vocab_size": len(file.get("tokenizer.ggml.tokens", list)),
        "hidden_size": hidden, "intermediate_size": get("feed_forward_length"),
        "num_hidden_layers": get("block_count"), "num_attention_heads": heads,
        "num_key_value_heads": get("attention.head_count_kv", default=heads), "head_dim": head_dim,
        "hidden_act": "silu", "attention_bias": False, "mlp_bias": False,
        "max_position_embeddings": get("context_length"),
        "rms_norm_eps": shortest(get("attention.layer_norm_rms_epsilon", float)),
        "rope_parameters": {"rope_type": "default", "rope_theta": shortest(get("rope.freq_base", float, 10000.0))},
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
    head = config["head_dim"]
    sizes = {"hidden": config["hidden_size"], "ff": config["intermediate_size"], "vocabulary": config["vocab_size"],
             "q": head * config["num_attention_heads"], "kv": head * config["num_key_value_heads"]}
    blocks = config["num_hidden_layers"]
    if blocks * len(BLOCK) > len(file.tensors):
        raise Failure(f"{file.path}: {len(file.tensors)} tensors are too few for {blocks} blocks")
    names = {f"{gguf}.weight": (f"{hf}.weight", shape) for gguf, (hf, shape) in OUTSIDE.items()}
    names |= {f"blk.{i}.{gguf}.weight": (f"model.layers.{i}.{hf}.weight", shape)
              for i in range(blocks) for gguf, (hf, shape) in BLOCK.items()}
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
    array = file.array(name)
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for kind, count in heads.items():
        if name.endswith(f".{kind}.weight"):
            # llama.cpp rotates neighbouring rows, transformers the two halves of a head: put the rows back.
            array = array.reshape(count, -1, 2, array.shape[1]).swapaxes(1, 2).reshape(array.shape)
    return array
