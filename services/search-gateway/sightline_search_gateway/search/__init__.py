"""Searches: queries to vectors, results to clusters and a graph, and whether a query was found."""
