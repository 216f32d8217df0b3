"""What the benchmarks measured, for people.

report.py row ROW RTT_MS NOTES   the table of one row of far.sh, from its lines of notes
report.py keep OLD NEW           adds those rows of OLD that NEW does not have to NEW
report.py all FOLDER             FOLDER/README.md (tables) and FOLDER/*.svg (pictures) from FOLDER/*.json
"""
import glob
import json
import os
import statistics
import sys

import picture

TITLES = {
    "walk": "ls -lR of 100 directories x 100 files",
    "cat": "cat of 100 files of 1 KiB",
    "copy-out": "cp -r of a folder of 100 small files out",
    "copy-in": "10 small files copied in, one by one",
    "stat": "stat of a file in a folder, nothing seen yet",
    "stat-deep": "stat of a file two folders down, nothing seen yet",
    "first-byte": "open and first byte, its directory known",
    "random": "one random read of 4 KiB of an open file",
    "shuffled": "cat of 20 small files in no order",
    "read": "a big file from end to end",
    "read-limited": "a big file, 4 MB/s for each connection",
    "mount": "the mount command, until the prompt is back",
    "list": "ls -f of a long directory",
}
PEERS = ["ftpfs", "ftpfs-off", "rclone", "sshfs", "curlftpfs", "curl", "lftp", "curl-each", "curl-mlsd"]


class Measured:
    """What one program did at one row: medians, or why there are none."""

    def __init__(self, values):
        self.bad = next((w for w in ("wrong", "fails", "over") if w in values), None)
        self.limit = values.get("over", [0])[0]
        self.mid = {k: statistics.median(v) for k, v in values.items()}
        self.n = len(values.get("seconds", []))

    def text(self):
        if self.bad == "over":
            return f"> {self.limit:.0f} s"
        return self.bad or duration(self.mid["seconds"])


def duration(seconds):
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def by_row(cases):
    """{"walk:ftpfs": {"seconds": [..]}} as {"walk": {"ftpfs": Measured}}, in the order of PEERS."""
    rows = {}
    for case, values in cases.items():
        row, peer = case.split(":")
        rows.setdefault(row, {})[peer] = Measured(values)
    return {r: {p: rows[r][p] for p in PEERS if p in rows[r]} for r in rows}


def read_notes(path):
    found = {}
    for line in open(path):
        case, what, value = line.split()
        found.setdefault(case, {}).setdefault(what, []).append(float(value))
    return found


def read_json(path):
    run = json.load(open(path))
    cases = {}
    for r in run["results"]:
        cases.setdefault(r["case"], {})[r["what"]] = r["values"]
    return run, cases


def counts(m, rtt):
    mid = m.mid
    return [
        f"{mid['seconds'] * 1000 / rtt:.1f}",
        f"{mid['commands']:.0f}" if mid["commands"] else "-",
        f"{mid['turns']:.0f}",
        f"{mid['connections']:.0f}",
        f"{mid['peak_mib']:.0f}" if "peak_mib" in mid else "",
        str(m.n),
    ]


COLUMNS = ["", "time", "trips", "commands", "turns", "conns", "MiB", "n"]


def print_row(name, rtt, path):
    print(f"\n{TITLES.get(name, name)}")
    print("  {:<10} {:>9} {:>7} {:>9} {:>6} {:>6} {:>5} {:>3}".format(*COLUMNS))
    for peer, m in by_row(read_notes(path)).get(name, {}).items():
        line = f"  {peer:<10} {m.text():>9}"
        if not m.bad:
            line += " {:>7} {:>9} {:>6} {:>6} {:>5} {:>3}".format(*counts(m, rtt))
        print(line)


def row_of(result):
    return result["case"].split(":")[0]


def keep(old_path, path):
    """Rows stay whole: what is compared was measured together."""
    old, new = json.load(open(old_path)), json.load(open(path))
    if any(old.get(k) != new[k] for k in ("mib", "entries")):
        return
    anew = {row_of(r) for r in new["results"]}
    results = [r for r in old["results"] if row_of(r) not in anew] + new["results"]
    results.sort(key=lambda r: list(TITLES).index(row_of(r)))
    lines = ",\n".join("    " + json.dumps(r) for r in results)
    head = ", ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in new.items() if k != "results")
    with open(path, "w") as f:
        f.write("{\n  " + head + ',\n  "results": [\n' + lines + "\n  ]\n}\n")


# --- the folder of results ------------------------------------------------------------------------


def link_name(run):
    rate = f"{run['mbit'] / 1000:.0f} Gbit/s" if run["mbit"] >= 1000 else f"{run['mbit']} Mbit/s"
    return f"{run['server']}, round trip {run['rtt_ms']} ms, {rate}"


def far_table(run, cases):
    sizes = f"the big file has {run['mib']} MiB, the long directory {run['entries']} entries"
    yield f"\n## {link_name(run)}\n\n{run['date'][:10]}, {run['cpus']} processors; {sizes}\n"
    for row, peers in by_row(cases).items():
        yield f"\n**{TITLES.get(row, row)}**\n\n| " + " | ".join(COLUMNS) + " |\n" + "| --- " + "| ---: " * 7 + "|\n"
        for peer, m in peers.items():
            cells = [peer, m.text()] + (counts(m, run["rtt_ms"]) if not m.bad else [""] * 6)
            yield "| " + " | ".join(cells) + " |\n"


def number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def plain_table(run, cases):
    """One line a case, one column a thing measured: medians."""
    what = list(dict.fromkeys(w for values in cases.values() for w in values))
    facts = [f"{k} {v}" for k, v in run.items() if k not in ("bench", "results", "kernel", "date", "cpus")]
    yield f"\n## {run['bench']}\n\n{', '.join(facts + [run['date'][:10], str(run['cpus']) + ' processors'])}\n\n"
    yield "| | " + " | ".join(what) + " |\n" + "| --- " + "| ---: " * len(what) + "|\n"
    for case, values in cases.items():
        cells = [number(statistics.median(values[w])) if values.get(w) else "" for w in what]
        yield "| " + " | ".join([case.replace(":", ": ")] + cells) + " |\n"


def far_picture(run, cases):
    panels = []
    for row, peers in by_row(cases).items():
        bars = []
        for peer, m in peers.items():
            if m.bad in ("fails", "wrong"):
                bars.append((peer, None, m.bad))
            elif m.bad:
                bars.append((peer, m.limit, m.text()))
            else:
                trips = m.mid["seconds"] * 1000 / run["rtt_ms"]
                bars.append((peer, m.mid["seconds"], f"{m.text()}, {trips:.{0 if trips >= 9.95 else 1}f} trips"))
        panels.append((TITLES.get(row, row), bars))
    title = f"Everyday work over distance: {link_name(run)}"
    sizes = f"The big file has {run['mib']} MiB, the long directory {run['entries']:,} entries."
    return picture.panels(title, f"Time, and the same in round trips of the link; shorter is better. {sizes}", panels)


SPEED_NAMES = {"cached": "ftpfs", "direct_io": "ftpfs -o direct_io", "rclone": "rclone mount", "passthrough": "libfuse*"}


def speed_picture(runs):
    """runs: {title: cases with MB/s}."""
    panels = []
    for title, cases in runs.items():
        bars = [
            (SPEED_NAMES.get(c, c), statistics.median(v["MB/s"]), f"{statistics.median(v['MB/s']):.0f} MB/s")
            for c, v in cases.items()
            if "MB/s" in v
        ]
        panels.append((title, sorted(bars, key=lambda b: -b[1])))
    note = "Longer is better. *passthrough_ll, an example of libfuse, on a local folder without any network."
    return picture.panels("One big file on the same machine", note, panels)


def report(folder):
    text = ["# Results\n\nWritten by `make bench`; what is measured, and how: [docs/benchmarks.md](../../docs/benchmarks.md).\n"]
    speeds = {}
    far = sorted(glob.glob(f"{folder}/far-*.json"))
    for path in sorted(set(glob.glob(f"{folder}/*.json")) - set(far)):
        run, cases = read_json(path)
        text.extend(plain_table(run, cases))
        if run["bench"] in ("read", "write"):
            speeds[{"read": "read, from vsftpd", "write": "written, to vsftpd"}[run["bench"]]] = cases
    for path in far:
        run, cases = read_json(path)
        text.extend(far_table(run, cases))
        with open(path[: -len("json")] + "svg", "w") as f:
            f.write(far_picture(run, cases))
    if speeds:
        with open(f"{folder}/speed.svg", "w") as f:
            f.write(speed_picture(speeds))
    with open(f"{folder}/README.md", "w") as f:
        f.write("".join(text))
    print(f"\nall tables: {os.path.join(folder, 'README.md')}; pictures: {os.path.join(folder, '*.svg')}")


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[1] == "row":
        print_row(sys.argv[2], float(sys.argv[3]), sys.argv[4])
    elif len(sys.argv) == 4 and sys.argv[1] == "keep":
        keep(sys.argv[2], sys.argv[3])
    elif len(sys.argv) == 3 and sys.argv[1] == "all":
        report(sys.argv[2])
    else:
        sys.exit(__doc__)
