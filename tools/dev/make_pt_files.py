#!/usr/bin/env python3
"""Writes small files with torch.save and what is in them, and a direction in the formats of others:
make_pt_files.py OUT

OUT/NAME.pt, and OUT/NAME.safetensors with the same tensors under the names that hrt gives them, contiguous.
OUT/direction.gguf and OUT/direction.npy by gguf and numpy. OUT is tests/tensor/data in this repository.
Development only."""

import collections
import pathlib
import sys

import gguf
import numpy
import torch
from safetensors.torch import save_file


def ramp(*shape, dtype=torch.float32):
    return torch.arange(1, 1 + torch.Size(shape).numel(), dtype=torch.float32).reshape(shape).to(dtype)


def named(value, name=None):
    """[(name, tensor)] of a nested value: the way to each tensor, joined by dots."""
    if isinstance(value, numpy.ndarray | numpy.generic):
        value = torch.from_numpy(numpy.array(value).copy())
    if isinstance(value, torch.Tensor):
        return [("tensor" if name is None else name, value.detach())]
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    else:
        return []
    found = []
    for key, item in items:
        key = f"({','.join(map(str, key))})" if isinstance(key, tuple) else str(key)
        found += named(item, key if name is None else f"{name}.{key}")
    return found


def trained_linear():
    torch.manual_seed(0)
    linear = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(linear.parameters())
    linear(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return {"model": linear.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}


def parameter_with_state():
    parameter = torch.nn.Parameter(ramp(2))
    parameter.note = "mine"
    return [parameter]


window = ramp(3, 4, 2)
FLOATS = ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "bool"]
INTEGERS = ["int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64"]
NUMPY = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]

FILES = {
    "bare": ramp(2, 3),
    "window": window[:, 1, :],
    "transposed": {"t": ramp(2, 3).t(), "expanded": ramp(2, 1).expand(2, 3), "offset": ramp(9)[4:]},
    "odd_shapes": {"scalar": torch.tensor(7.0), "empty": torch.zeros(2, 0, 3), "ones": ramp(1, 1, 2)},
    "floats": {name: ramp(3, dtype=getattr(torch, name)) for name in FLOATS},
    "integers": {name: ramp(3, dtype=getattr(torch, name)) for name in INTEGERS},
    "one_key": {"only": ramp(2)},
    "one_item": [ramp(2)],
    "containers": {
        "list": [ramp(1), (ramp(2), {"deep": ramp(3)})],
        "ordered": collections.OrderedDict(a=ramp(1), b=collections.OrderedDict()),
        7: ramp(2),
        (-1, 12): ramp(3),
        "layer": 12,
        "rate": 0.5,
        "trained": True,
        "note": "\u00e9t\u00e9",
        "nothing": None,
        "huge": 2**70,
        "negative": -(2**40),
        "numbers": [1, 2, 3],
        "size": torch.Size([1, 2]),
        "device": torch.device("cpu"),
        "dtype": torch.float16,
        "bytes": b"\x00\xff",
        "no_bytes": b"",
    },
    "parameters": [torch.nn.Parameter(ramp(2, 2)), torch.nn.Parameter(ramp(1), requires_grad=False)],
    "parameter_with_state": parameter_with_state(),
    "shared": {"a": window[0], "b": window[1:], "c": window[0]},
    "trained": trained_linear(),
    "numpy": ramp(2, 3).numpy(),
    "numpy_dtypes": {name: numpy.array([0, 1, 2], dtype=name) for name in NUMPY},
    "numpy_shapes": {
        "fortran": numpy.asfortranarray(ramp(2, 3, 2).numpy()),
        "transposed": ramp(2, 3).numpy().T,
        "scalar": numpy.float64(2.5),
        "no_dimensions": numpy.array(3),
        "empty": numpy.zeros((0, 3)),
    },
    "protocol4": {"tensor": ramp(2), "array": ramp(2).numpy(), "bytes": b"\x01", "long": "x" * 300},
}


def write_direction(out):
    """Rows 0..4 of 5 values each: row l is direction.(l-1) of a control vector, where rows 0 and 1 have no place."""
    rows = ramp(5, 5).numpy() / 8
    numpy.save(out / "direction.npy", rows)
    writer = gguf.GGUFWriter(out / "direction.gguf", "controlvector")
    writer.add_string("controlvector.model_hint", "llama")
    writer.add_int32("controlvector.layer_count", 3)
    for row in range(2, 5):
        writer.add_tensor(f"direction.{row - 1}", rows[row])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    out = pathlib.Path(sys.argv[1])
    for name, value in FILES.items():
        torch.save(value, out / f"{name}.pt", pickle_protocol=4 if name == "protocol4" else 2)
        save_file({key: tensor.clone().contiguous() for key, tensor in named(value)}, out / f"{name}.safetensors")
    write_direction(out)
    torch.save(ramp(2), out / "legacy.pt", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
