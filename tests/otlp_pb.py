#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/otlp/NAME.pb beside each NAME.json: the same request as protobuf, by OpenTelemetry's own package
(opentelemetry-proto), so that what reads protobuf is tested with what others write. To be run when a case changes."""
import base64
import glob
import json
import os
import re

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

HERE = os.path.dirname(os.path.abspath(__file__))


def ids(v):
    """Ids are hex in OTLP's JSON, base64 in protobuf's."""
    if isinstance(v, list):
        return [ids(x) for x in v]
    if not isinstance(v, dict):
        return v
    return {k: base64.b64encode(bytes.fromhex(x)).decode() if re.fullmatch("traceId|spanId|parentSpanId", k) else ids(x)
            for k, x in v.items()}


for path in glob.glob(os.path.join(HERE, "data", "otlp", "*.json")):
    with open(path, encoding="utf-8") as f:
        message = json_format.ParseDict(ids(json.load(f)), ExportTraceServiceRequest())
    with open(path[:-4] + "pb", "wb") as f:
        f.write(message.SerializeToString(deterministic=True))
