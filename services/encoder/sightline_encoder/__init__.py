"""The encoder: encodes texts and images to vectors of one space, over gRPC or in this process."""
