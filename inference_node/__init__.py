"""Serves ONNX models over HTTP; batches, executes and meters."""
