"""The map worker: takes jobs from the queue, and computes each map in a process of its own.

openTSNE is imported here alone, by that process.
"""
