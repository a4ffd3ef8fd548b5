"""Sequence-to-sequence learning through a shared latent representation (SLR)."""
