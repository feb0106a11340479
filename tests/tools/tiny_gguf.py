"""Tiny models as GGUF files, written by hand: the package under test has no part in it."""
import random
import struct

HEADS, KV_HEADS, HEAD, FF, BLOCKS = 4, 2, 6, 32, 2
HIDDEN = HEADS * HEAD
ALPHABET = "abcdefgh"
TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *ALPHABET, "ab", "abc"]
STRING, ARRAY, UINT32, FLOAT32, INT32, BOOL = 8, 9, 4, 6, 5, 7
F32 = 0


def metadata(architecture="llama"):
    sizes = {"block_count": BLOCKS, "context_length": 64, "embedding_length": HIDDEN, "feed_forward_length": FF,
             "attention.head_count": HEADS, "attention.head_count_kv": KV_HEADS, "rope.freq_base": 100000.0,
             "attention.layer_norm_rms_epsilon": 1e-5, "rope.dimension_count": HEAD, "vocab_size": len(TOKENS)}
    if architecture == "gemma3":
        sizes["attention.sliding_window"] = 9
    return {
        "general.architecture": architecture, "general.name": "Tiny", "general.license": "apache-2.0",
        **{f"{architecture}.{key}": value for key, value in sizes.items()},
        "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm", "tokenizer.ggml.tokens": TOKENS,
        "tokenizer.ggml.token_type": [3, 3, 3] + [1] * (len(TOKENS) - 3), "tokenizer.ggml.merges": ["a b", "ab c"],
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.padding_token_id": 2, "tokenizer.chat_template": "{{ messages }}",
    }


SENTENCEPIECE = ["<pad>", "<eos>", "<bos>", "<unk>", "  ", "<0x0A>", "\u2581a", "b"]


def sentencepiece_metadata():
    """Of Gemma: in place of the keys of the other tokenizer."""
    return {
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.pre": "default", "tokenizer.ggml.tokens": SENTENCEPIECE,
        "tokenizer.ggml.scores": [-1000.0] * 6 + [-0.5, -1.0], "tokenizer.ggml.token_type": [3, 3, 3, 3, 4, 6, 1, 1],
        "tokenizer.ggml.bos_token_id": 2, "tokenizer.ggml.eos_token_id": 1, "tokenizer.ggml.unknown_token_id": 3,
        "tokenizer.ggml.padding_token_id": 0, "tokenizer.ggml.add_space_prefix": False,
    }


def weights(architecture="llama", vocabulary=len(TOKENS)):
    """Hugging Face name -> rows of float32 values."""
    chance = random.Random(1)

    def matrix(rows, columns):
        return [[as_float32(chance.uniform(-1, 1)) for _ in range(columns)] for _ in range(rows)]
    found = {"model.embed_tokens.weight": matrix(vocabulary, HIDDEN), "model.norm.weight": matrix(1, HIDDEN)}
    for i in range(BLOCKS):
        shapes = {"input_layernorm": (1, HIDDEN), "post_attention_layernorm": (1, HIDDEN),
                  "self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (KV_HEADS * HEAD, HIDDEN),
                  "self_attn.v_proj": (KV_HEADS * HEAD, HIDDEN), "self_attn.o_proj": (HIDDEN, HIDDEN),
                  "mlp.gate_proj": (FF, HIDDEN), "mlp.up_proj": (FF, HIDDEN), "mlp.down_proj": (HIDDEN, FF)}
        shapes = {f"{name}.weight": shape for name, shape in shapes.items()} | MORE[architecture]
        found |= {f"model.layers.{i}.{name}": matrix(*shape) for name, shape in shapes.items()}
    return found


QK_NORMS = {"self_attn.q_norm.weight": (1, HEAD), "self_attn.k_norm.weight": (1, HEAD)}
MORE = {  # tensors of a block that Llama has not
    "llama": {},
    "qwen2": {"self_attn.q_proj.bias": (1, HIDDEN), "self_attn.k_proj.bias": (1, KV_HEADS * HEAD),
              "self_attn.v_proj.bias": (1, KV_HEADS * HEAD)},
    "qwen3": QK_NORMS,
    "gemma3": {"pre_feedforward_layernorm.weight": (1, HIDDEN), "post_feedforward_layernorm.weight": (1, HIDDEN)}
              | QK_NORMS,
}
NAMES = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
         "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm"}
GEMMA_NAMES = NAMES | {"post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
                       "post_feedforward_layernorm": "post_ffw_norm"}
OUTSIDE = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}


def tensors(weights, architecture="llama"):
    """GGUF name -> rows, as llama.cpp stores them: Llama's rotary embedding pairs neighbours there, not the halves of a
    head, and 1 is added to Gemma's norms."""
    found = {}
    for name, rows in weights.items():
        if architecture == "gemma3" and "norm" in name:
            rows = [[as_float32(value + 1) for value in row] for row in rows]
        if name in OUTSIDE:
            found[OUTSIDE[name]] = rows
            continue
        _, _, block, rest = name.split(".", 3)
        part, _, what = rest.rpartition(".")
        kind = (GEMMA_NAMES if architecture == "gemma3" else NAMES)[part]
        permuted = architecture == "llama" and kind in ("attn_q", "attn_k")
        found[f"blk.{block}.{kind}.{what}"] = interleaved(rows) if permuted else rows
    return found


def interleaved(rows):
    half = HEAD // 2
    return [rows[head * HEAD + side * half + i]
            for head in range(len(rows) // HEAD) for i in range(half) for side in (0, 1)]


def as_float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def kind_of(value):
    return {str: STRING, bool: BOOL, int: INT32, float: FLOAT32, list: ARRAY}[type(value)]


def encoded(value):
    if isinstance(value, list):
        return struct.pack("<IQ", kind_of(value[0]), len(value)) + b"".join(map(encoded, value))
    if isinstance(value, str):
        return text(value)
    return struct.pack({bool: "<?", int: "<i", float: "<f"}[type(value)], value)


def write(path, metadata, tensors):
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        head += text(key) + struct.pack("<I", kind_of(value)) + encoded(value)
    data = b""
    for name, rows in tensors.items():
        shape = [len(rows[0]), len(rows)] if len(rows) > 1 else [len(rows[0])]  # fastest axis first
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, F32, len(data))
        data += struct.pack(f"<{len(rows) * len(rows[0])}f", *(value for row in rows for value in row))
        data += bytes(-len(data) % 32)
    path.write_bytes(head + bytes(-len(head) % 32) + data)
