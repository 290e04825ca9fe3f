"""Maps: images laid out by t-SNE, so that what is alike lies together.

The web process takes requests and answers (`service`, `store`); the map worker computes (`worker`). Between them is a
queue of jobs (`jobs`). openTSNE is imported by the worker alone.
"""
