"""Names of HTTP headers that more than one room or pipeline sends or reads."""

REVISION = "Millrace-Revision"
"""Of a request: the revision that is to answer, whatever its share. Of an answer: who answered."""

JSON_LENGTH = "Inference-Header-Content-Length"
"""How many bytes of a body are JSON, of the Open Inference Protocol v2; the rest are binary tensors."""
