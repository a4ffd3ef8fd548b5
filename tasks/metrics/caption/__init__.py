"""Captioning metrics (BLEU, METEOR, ROUGE-L, CIDEr-D) as statistics an example, summed under weights.

Values are those of ``pycocoevalcap`` 1.2, which is only used for its two Java programs; the statistics are kept so
that a resample of a test set needs neither text nor Java.
"""
