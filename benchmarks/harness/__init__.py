"""What all benchmarks share: pictures, processes, timing, results."""
