"""A GGUF file's metadata and tensors, with errors that name the file and the key."""
import gguf
import numpy

from .command import Failure


class GgufFile:
    def __init__(self, path):
        self.path = path
        try:
            reader = gguf.GGUFReader(path)
            self.metadata = {name: field.contents() for name, field in reader.fields.items()}
        except OSError:
            raise
        except Exception as error:  # the package lets whatever a broken file provokes through
            raise Failure(f"{path}: not a readable GGUF file: {error}") from None
        self.tensors = {tensor.name: tensor for tensor in reader.tensors}

    def get(self, key, kind, default=None):
        """The value of a metadata key; refuses another type, and absence where there is no default."""
        value = self.metadata.get(key, default)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            found = "is missing" if value is None else f"is {str(value)[:40]!r}"
            raise Failure(f"{self.path}: {key} {found}, expected {kind.__name__}")
        return value

    def shape(self, name):
        return tuple(int(size) for size in reversed(self.tensors[name].shape))  # GGUF lists the fastest axis first

    def array(self, name):
        """The tensor in float32."""
        tensor = self.tensors[name]
        try:
            array = gguf.dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError:
            raise Failure(f"{self.path}: {name}: cannot dequantise {tensor.tensor_type.name}") from None
        if not numpy.isfinite(array).all():
            raise Failure(f"{self.path}: {name} holds values that are not finite")
        return array.astype(numpy.float32, copy=False).reshape(self.shape(name))

    def kinds(self):
        """The types of the matrices: ["Q4_1", "Q8_0"]. (Norms are F32 in every file.)"""
        return sorted({t.tensor_type.name for t in self.tensors.values() if len(t.shape) > 1})
