"""Peer: Python creates the batch with http.client, on one connection, and json. Prints the microseconds of CPU
that one batch took."""
import http.client
import json
import os
import time
import urllib.parse

SIZE = int(os.environ.get("BENCH_SIZE", 2000))
URL = urllib.parse.urlsplit(os.environ["BENCH_URL"])
HEADERS = {
    "Authorization": "Bearer pat-na1-00000000-0000-0000-0000-000000000000",
    "Content-Type": "application/json",
}

inputs = [
    {
        "from": {"id": str(20000000000 + i * 7919)},
        "to": {"id": str(9000000000 + i * 104729)},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}],
    }
    for i in range(1, SIZE + 1)
]
connection = http.client.HTTPConnection(URL.hostname, URL.port)


def batch():
    connection.request("POST", URL.path, json.dumps({"inputs": inputs}, separators=(",", ":")), HEADERS)
    response = connection.getresponse()
    assert response.status == 201, response.status
    answer = json.loads(response.read())
    linked = sum(1 for result in answer["results"] if result["fromObjectId"] and result["toObjectId"])
    assert linked == SIZE, "the answer has not all results"


for _ in range(int(os.environ["BENCH_WARMUP"])):
    batch()
batches = int(os.environ["BENCH_BATCHES"])
began = time.process_time()
for _ in range(batches):
    batch()
print("%.1f" % ((time.process_time() - began) * 1e6 / batches))
