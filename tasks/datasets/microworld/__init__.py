"""microworld: short story videos made by a deterministic generator, with the truth about everything in them.

A story is written as a script (:mod:`.script`), staged and drawn twice (:mod:`.staging`, :mod:`.render`,
:mod:`.sound`), and told in sentences (:mod:`.language`). Features (:mod:`.vision`, :mod:`.hearing`) are computed from
pixels and waveform alone, in integer arithmetic. What a result on it means: that an implementation does what its
paper says it does, not that the method is better on films.
"""
