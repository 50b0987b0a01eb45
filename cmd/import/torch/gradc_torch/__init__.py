"""PyTorch models as gradc's JSON IR.

    import gradc_torch
    gradc_torch.export(model, (x, label), "model.json", loss="cross_entropy", dims={"B": (0, 128)})

writes model.json and model.safetensors beside it. torch is needed, nothing else.
"""
from .errors import ExportError
from .export import export
from .safetensors import load, save

__all__ = ["ExportError", "export", "load", "save"]
