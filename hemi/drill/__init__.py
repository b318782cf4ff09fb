"""The drill: faults on demand against the running parts, then the proof by id that nothing was lost or doubled.

Reading order: points (what is tried), rounds (how), proof (what must be true then), matrix (what is told).
"""
