"""`python -m tests.bench.inside tests.bench.memory ROWS`: import so many products, and print the peak memory in MB."""

import resource
import sys

from . import catalogue, engine


def main() -> None:
    engine.offer()
    rows = int(sys.argv[1])
    engine.load(engine.connected_store(), lambda first: catalogue.page(first, of=rows))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main()
