"""Queues, batches, workers."""
