"""report.py row ROW RTT_MS NOTES - the table of one row of far.sh, from its lines of notes."""
import statistics
import sys

TITLES = {
    "walk": "ls -lR of 100 directories x 100 files",
    "cat": "cat of 100 files of 1 KiB",
    "copy-out": "cp -r of a folder of 100 small files out",
    "copy-in": "10 small files copied in, one after the other",
    "stat": "stat of a file in a directory not seen yet",
    "first-byte": "open and first byte, its directory known",
    "random": "a random read of 4 KiB of an open file",
    "read": "a big file from end to end",
    "read-limited": "the same, each connection held to 4 MB/s",
    "mount": "the mount command, until the prompt is back",
    "list": "ls -f of a directory of 100,000",
}


def notes(path):
    found = {}
    for line in open(path):
        case, what, value = line.split()
        found.setdefault(case, {}).setdefault(what, []).append(float(value))
    return found


def row(name, rtt, path):
    print(f"\n{TITLES.get(name, name)}")
    print(f"  {'':<10} {'seconds':>9} {'trips':>7} {'commands':>9} {'turns':>6} {'conns':>6} {'MiB':>6} {'n':>3}")
    for case, values in notes(path).items():
        if not case.startswith(name + ":"):
            continue
        peer = case.split(":")[1]
        bad = next((w for w in ("wrong", "fails", "over") if w in values), None)
        if bad:
            text = f"> {values['over'][0]:.0f} s" if bad == "over" else bad
            print(f"  {peer:<10} {text:>9}")
            continue
        mid = {k: statistics.median(v) for k, v in values.items()}
        commands = f"{mid['commands']:.0f}" if mid["commands"] else "-"
        memory = f"{mid['peak_mib']:.0f}" if "peak_mib" in mid else ""
        print(
            f"  {peer:<10} {mid['seconds']:>9.3f} {mid['seconds'] * 1000 / rtt:>7.1f} {commands:>9}"
            f" {mid['turns']:>6.0f} {mid['connections']:>6.0f} {memory:>6} {len(values['seconds']):>3}"
        )


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] != "row":
        sys.exit(__doc__)
    row(sys.argv[2], float(sys.argv[3]), sys.argv[4])
