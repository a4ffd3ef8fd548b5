"""The feature store: arrays a video, one safetensors file a modality and shard, under a manifest of SHA-256 digests.

What it is not: a data loader. It maps files into memory and cuts clips out of them; batching, padding and devices
are :mod:`reelbench.batching`'s. Imports numpy and never torch.
"""

from reelbench.features.manifest import FileRecord, Manifest
from reelbench.features.store import FeatureStore
from reelbench.features.writer import FeatureWriter, replace_atomically, write_manifest, write_shard

__all__ = [
    "FeatureStore",
    "FeatureWriter",
    "FileRecord",
    "Manifest",
    "replace_atomically",
    "write_manifest",
    "write_shard",
]
