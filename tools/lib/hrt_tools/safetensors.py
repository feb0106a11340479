"""A safetensors file, written tensor by tensor: a model larger than the memory is no trouble."""
import json

import numpy

SIZES = {"BF16": 2, "F32": 4}


def write(path, dtype, shapes, tensor):
    """`shapes`: name -> shape, in the order of the file; `tensor(name)` returns that array in float32."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        start, end = end, end + SIZES[dtype] * int(numpy.prod(shape, dtype=object))
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in shapes:
            file.write(encode(tensor(name), dtype))


def encode(array, dtype):
    array = numpy.ascontiguousarray(array, dtype="<f4")
    if dtype == "F32":
        return array.tobytes()
    bits = array.view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()  # to nearest, ties to even
