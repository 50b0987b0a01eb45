"""Checkpoints in the safetensors format: 8 bytes with the length of a JSON header, the header, the data."""
import ctypes
import json
import struct

import torch

DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL",
}
if hasattr(torch, "uint64"):
    DTYPES[torch.uint64] = "U64"
BY_NAME = {name: dtype for dtype, name in DTYPES.items()}


def _bytes(tensor):
    tensor = tensor.detach().cpu().contiguous()
    return ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size()) if tensor.numel() else b""


def _first_names(tensors):
    """Without further names of a tensor, such as tied weights have: what the exporter makes of them is one parameter."""
    seen, kept = set(), {}
    for name, t in tensors.items():
        key = (t.data_ptr(), t.dtype, t.shape, t.stride()) if t.numel() else name
        if key not in seen:
            seen.add(key)
            kept[name] = t
    return kept


def save(tensors, path):
    """Write a dict of name -> tensor: a state_dict() with the names that the emitted C loads."""
    write(_first_names(tensors), path)


def write(tensors, path):
    """Write all of a dict of name -> tensor."""
    header, data = {}, []
    offset = 0
    for name, tensor in tensors.items():
        raw = _bytes(tensor)
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(raw)]}
        data.append(raw)
        offset += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.writelines(data)


def load(path):
    """Read a dict of name -> tensor; `model.load_state_dict(load(path))` takes trained weights back."""
    with open(path, "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(size))
        data = f.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        dtype, shape = BY_NAME[entry["dtype"]], entry["shape"]
        if begin == end:
            tensors[name] = torch.empty(shape, dtype=dtype)
        else:
            tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=dtype).reshape(shape)
    return tensors
