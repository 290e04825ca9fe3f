"""Maps: pictures laid out by t-SNE, so that what is alike lies together.

The web process keeps and answers (`desk`, `store`, `shape`); the map worker computes (`job`, `layout`, `separation`).
openTSNE is imported by the worker alone.
"""
