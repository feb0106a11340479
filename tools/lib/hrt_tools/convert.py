"""The whole conversion of a GGUF file: what tools/gguf-to-hf does."""
from . import gguf_model, gguf_tokenizer, safetensors
from .gguf_file import GgufFile

DTYPES = {"bfloat16": "BF16", "float32": "F32"}

CARD = """# {name}

Made by `tools/gguf-to-hf` out of `{file}` (weights in {kinds}), stored in {dtype}.
Quantised weights were dequantised: what quantisation rounded away is not restored, so results differ from those
of the original release.

Licence, as the file states it: {licence}.
"""


def convert(path, out, dtype):
    """Fills the folder `out`."""
    file = GgufFile(path)
    config = gguf_model.config(file, dtype)
    contents = gguf_tokenizer.files(file)  # before the weights: refuse at once, not after minutes
    weights = gguf_model.weights(file, config)
    contents["config.json"] = gguf_tokenizer.dump(config) + "\n"
    contents["generation_config.json"] = gguf_tokenizer.dump(generation(file, config)) + "\n"
    contents["README.md"] = CARD.format(name=file.metadata.get("general.name", path.stem), file=path.name, dtype=dtype,
                                     kinds=" and ".join(file.kinds()),
                                     licence=file.metadata.get("general.license", "not stated"))
    for name, content in contents.items():
        (out / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    shapes = {name: shape for name, (_, shape) in sorted(weights.items())}
    safetensors.write(out / "model.safetensors", DTYPES[dtype], shapes,
                      lambda name: gguf_model.weight(file, weights[name][0], config))


def generation(file, config):
    """generation_config.json: an end-of-turn token ends a reply as the end of the text does."""
    ends = [gguf_model.token_id(file, name) for name in ("eos", "eot")]
    ends = list(dict.fromkeys(number for number in ends if number is not None))
    tokens = {"bos_token_id": config.get("bos_token_id"), "eos_token_id": ends[0] if len(ends) == 1 else ends,
              "pad_token_id": config.get("pad_token_id")}
    return {key: value for key, value in tokens.items() if value not in (None, [])}
