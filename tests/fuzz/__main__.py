"""The long run of the fuzzer: `make fuzz`. Prints what became of the inputs; exits 1 where a contract was broken."""

import argparse
import sys

from tests.fuzz.campaign import run


def main() -> int:
    """Run as told by the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the token and metadata parsers.")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    report = run(chosen.inputs, chosen.seed)
    for outcome, count in sorted(report.outcomes.items(), key=lambda pair: (-pair[1], pair[0])):
        sys.stdout.write(f"{count:>9,}  {outcome}\n")
    for what, given in report.faults:
        sys.stdout.write(f"{what}\n    {given}\n")
    sys.stdout.write(f"{report.outcomes.total():,} inputs, seed {chosen.seed}, {len(report.faults)} faults kept\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
