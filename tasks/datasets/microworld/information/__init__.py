"""What a world of microworld carries, proved on scripts and annotations alone: no pixel is drawn here.

For each claim of the papers a *script oracle* answers a benchmark with the claim's ingredient and without it
(:mod:`claims <reelbench.tasks.datasets.microworld.information.registry>`), in the world and in the control world in
which the ingredient carries nothing. Beside them stand *shortcuts*: answers that look at too little, and have to stay
near chance. These are tests of the generator, not of any method.
"""
