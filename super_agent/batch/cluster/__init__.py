"""A batch on several machines: Ray places each task on a node with a free slot; what may be repeated we decide."""
