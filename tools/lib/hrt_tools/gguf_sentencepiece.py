"""tokenizer.model, a serialized sentencepiece ModelProto, out of GGUF metadata.

The fields are those of sentencepiece_model.proto; what is not written has its default there."""
import struct

from .command import Failure
from .gguf_model import token_id

UNKNOWN, USER_DEFINED = 2, 4  # token types of GGUF, which are sentencepiece's
BPE = 2
SPACE = "\u2581"


def model(file, tokens, kinds):
    scores = file.get("tokenizer.ggml.scores", list)
    if len(scores) != len(tokens):
        raise Failure(f"{file.path}: {len(tokens)} tokens, but {len(scores)} in tokenizer.ggml.scores")
    unknown = token_id(file, "unknown")
    if unknown is None:
        raise Failure(f"{file.path}: tokenizer.ggml.unknown_token_id is missing")
    pieces = b""
    for i, (text, score, kind) in enumerate(zip(tokens, scores, kinds)):
        if kind == USER_DEFINED:
            text = text.replace(" ", SPACE)  # as it was before llama.cpp's converter
        kind = UNKNOWN if i == unknown else kind
        pieces += message(1, message(1, text.encode()) + b"\x15" + struct.pack("<f", score) + number(3, kind))
    trainer = number(3, BPE) + number(35, 1)  # byte_fallback
    for field, name in ((40, "unknown"), (41, "bos"), (42, "eos"), (43, "padding")):
        identity = token_id(file, name)
        trainer += number(field, -1 if identity is None else identity)
    trainer += b"".join(message(field, tokens[token_id(file, name)].encode())
                        for field, name in ((45, "unknown"), (46, "bos"), (47, "eos"), (48, "padding"))
                        if token_id(file, name) is not None)
    prefix = file.get("tokenizer.ggml.add_space_prefix", bool, True)
    normalizer = message(1, b"identity") + number(3, prefix) + number(4, 0) + number(5, 1)
    return pieces + message(2, trainer) + message(3, normalizer)


def varint(value):
    value &= (1 << 64) - 1
    found = b""
    while value >= 0x80:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(int(value))


def message(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content
