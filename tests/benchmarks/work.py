"""A worker: measures one task of one library, a turn for every line that it is sent.

python work.py TASK PEER '{"layers": 4, ...}'
"""

import json
import os
import resource
import sys

import peers
import writers

PEERS = peers.PEERS | writers.PEERS


def main():
    """Prepares, then does a turn for every line that comes in."""
    task, peer, arguments = sys.argv[1:]
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print goes elsewhere
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    turn = PEERS[task, peer](peers.SIZES | json.loads(arguments))
    for _ in sys.stdin:
        found = turn()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found | {"peak MiB": round(peak)}), file=answers, flush=True)


if __name__ == "__main__":
    main()
