"""Judges a run of BoGo by name: what must pass passes, what is disabled exists, the rest is known.

    verdict.py --progress DIR PID    shows how far the runner has come, until it ends
    verdict.py --judge DIR           judges DIR/results.json
    verdict.py --bless DIR           writes what passed down as what must pass, then judges
    verdict.py --audit DIR           judges a run that included the disabled tests

Three things are gated, each by name: the tests that pass (`passed.txt`, neither fewer nor more), the
globs of disabled tests (`bogo.json`, each must match), and so the unimplemented rest. The two tables in
docs/conformance.md, of families and of what the shim does not know, must be those of the run.
"""

import fnmatch
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
PASSED = HERE / "passed.txt"
CONFIG = HERE / "bogo.json"
DOCUMENT = HERE.parent.parent / "docs" / "conformance.md"

# The first pattern that matches a test's name tells its family.
FAMILIES = [
    ("DTLS", r"DTLS"),
    ("QUIC", r"QUIC"),
    ("TLS 1.1 and older by name", r"(^|-)(TLS1|TLS11|SSL3)(-|$)"),
    ("shutdown", r"Shutdown"),
    ("state machine, synchronous", r"-TLS-Sync"),
    ("state machine, one byte at a time", r"-TLS-Async"),
    ("peek", r"^Peek-"),
    ("key update", r"KeyUpdate"),
    ("unfinished writes, record sizes", r"UnfinishedWrite|MaxSendFragment|CBCRecordSplitting"),
    ("renegotiation", r"Renego|HelloRequest"),
    ("alerts, floods, empty and large records", r"Alert|Empty|Large|BadPackets|RecordPadding|OnlyPadding"),
    ("change of keys, end of flight", r"ChangeCipherSpec|^Partial|TrailingDataWithFinished|^AppData"),
    ("wrong message, trailing bytes", r"^WrongMessageType|^TrailingMessageData|^ExtensionTrailingData"),
    ("early data", r"Early[dD]ata|0RTT"),
    ("Encrypted Client Hello", r"ECH"),
    ("signature algorithms", r"^(Client|Server)-(Sign|Verify|TLS1)|SignatureType|BadECDSA"),
    ("selection of certificates", r"^CertificateSelection"),
    ("raw public keys", r"RPK|RawPublicKey"),
    ("pre-shared keys, PAKE", r"PSK|PAKE"),
    ("versions", r"Version|Downgrade"),
    ("cipher suites", r"^TLS-|Cipher"),
    ("curves", r"Curve|MLKEM|KeyShare"),
    ("resumption, tickets, extended master secret", r"Resum|Ticket|ExtendedMasterSecret|Session"),
    ("exporters", r"Export|TLSUnique"),
    ("policies, trust anchors, delegated credentials", r"Compliance|TrustAnchor|DelegatedCredential|FIPS|CNSA|WPA"),
    ("the rest", r""),
]

# The first pattern that matches what the shim says is missing tells the subject.
SUBJECTS = [
    ("Encrypted Client Hello: the server's half, retry configurations", r"-ech-|-enable-ech"),
    ("renegotiation", r"renegotiat|legacy-server-connect"),
    ("verification of a resumed session", r"reverify"),
    ("exporters", r"export"),
    ("early data", r"early-data|early-write"),
    ("handshake hints, BoringSSL's split of a server in two", r"hint|-on-shim-"),
    ("external pre-shared keys", r"psk"),
    ("callbacks that refuse with an alert of their choice, as rustls's resolvers cannot", r"-fail-"),
    ("session id contexts", r"session-id-context"),
    ("tickets: keys, renewal, age, use across names", r"ticket|across-names"),
    ("what a server keeps of client certificates", r"retain-only"),
    ("alerts on demand", r"-send-alert"),
    ("extensions that rustls does not have", r"npn|next-proto|signed-cert|padding|grease|application-settings|delegated|types"),
    ("groups that the provider does not have", r"^the algorithm"),
    ("signature schemes and keys that the provider does not have", r"^these signature|private key"),
    ("cipher suites and lists of them", r"^the cipher|-cipher"),
    ("the rest", r""),
]

OUTCOMES = ["passed", "disabled", "unimplemented"]


def family(name):
    return next(title for title, pattern in FAMILIES if re.search(pattern, name))


def is_alive(pid):
    """Whether the process runs. It may be reaped at any moment, and its file with it."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def progress(directory, pid):
    """Shows a line now and then; on a terminal the line is rewritten."""
    total = len(json.loads((directory / "names.json").read_text())["tests"])
    counts, seen, shown = Counter(), 0, 0.0
    output = directory / "output.txt"
    while True:
        alive = is_alive(pid)
        with open(output, errors="replace") as lines:
            lines.seek(seen)
            for line in iter(lines.readline, ""):
                if not line.endswith("\n"):
                    break
                counts[line.partition(" ")[0]] += 1
                seen = lines.tell()
        terminal = sys.stderr.isatty()
        if not alive or time.monotonic() - shown > (0.5 if terminal else 15):
            shown = time.monotonic()
            done = counts["PASSED"] + counts["FAILED"] + counts["UNIMPLEMENTED"]
            line = f"bogo: {done} of at most {total} run, {counts['PASSED']} passed, {counts['FAILED']} failed"
            print("\r" + line if terminal else line, end="" if terminal and alive else "\n", file=sys.stderr, flush=True)
        if not alive:
            return
        time.sleep(0.2)


def table(outcomes):
    """The families and what came of their tests, as docs/conformance.md has them."""
    counts = {title: Counter() for title, _ in FAMILIES}
    for name, outcome in outcomes.items():
        counts[family(name)][outcome] += 1
    rows = [f"| family | {' | '.join(OUTCOMES)} |", "|---|---:|---:|---:|"]
    for title, count in counts.items():
        if count:
            rows.append(f"| {title} | {' | '.join(str(count[outcome]) for outcome in OUTCOMES)} |")
    total = Counter(outcomes.values())
    rows.append(f"| **all** | {' | '.join(f'**{total[outcome]}**' for outcome in OUTCOMES)} |")
    return "\n".join(rows)


def wanting(words):
    """What the shim does not know, by subject, as docs/conformance.md has it."""
    counts = {title: Counter() for title, _ in SUBJECTS}
    for word in words:
        title = next(title for title, pattern in SUBJECTS if re.search(pattern, word))
        word = re.sub(r"^-on-(initial|resume|retry)-", "-", word)
        counts[title][f"`{word}`" if word.startswith("-") else re.sub(r"[|:\]].*", " …", word)] += 1
    rows = ["| what is missing | by the shim's words | tests |", "|---|---|---:|"]
    for title, count in counts.items():
        named = ", ".join(f"{word} {number}" for word, number in sorted(count.items(), key=lambda item: (-item[1], item[0])))
        rows.append(f"| {title} | {named} | {count.total()} |")
    rows.append(f"| **all** | | **{len(words)}** |")
    return "\n".join(rows)


def judge(directory, mode):
    results = {
        name: test["actual"] for name, test in json.loads((directory / "results.json").read_text())["tests"].items()
    }
    names = json.loads((directory / "names.json").read_text())["tests"]
    disabled = json.loads(CONFIG.read_text())["DisabledTests"]
    complaints = []
    outcomes, used = {}, set()
    for name in names:
        # Go writes a negated class with a caret.
        globs = [glob for glob in disabled if fnmatch.fnmatchcase(name, glob.replace("[^", "[!"))]
        used.update(globs)
        if globs and mode != "--audit":
            outcomes[name] = "disabled"
        else:
            outcomes[name] = {"PASS": "passed", "FAIL": "failed", "SKIP": "unimplemented"}.get(results.get(name), "missing")
        if outcomes[name] in ("failed", "missing") and not globs:
            complaints.append(f"{outcomes[name]}: {name}")
        if mode == "--audit" and globs and outcomes[name] in ("passed", "unimplemented"):
            print(f"needlessly disabled, {outcomes[name]}: {name} ({globs})")
    complaints += [f"disabled, but there is no such test: {glob}" for glob in disabled if glob not in used]
    complaints += [f"disabled without a reason: {glob}" for glob, reason in disabled.items() if not reason.strip()]

    passed = {name for name, outcome in outcomes.items() if outcome == "passed"}
    if mode == "--bless":
        PASSED.write_text("".join(f"{name}\n" for name in sorted(passed)))
    if mode != "--audit":
        expected = set(PASSED.read_text().split())
        complaints += [f"passes no longer: {name}" for name in sorted(expected - passed)]
        complaints += [f"passes, but not listed (--bless): {name}" for name in sorted(passed - expected)]
        words = (directory / "unimplemented.txt").read_text().splitlines()
        unimplemented = sum(outcome == "unimplemented" for outcome in outcomes.values())
        if len(words) != unimplemented:
            complaints.append(f"{unimplemented} tests are unimplemented, but the shim said so {len(words)} times")
        for rows in (table(outcomes), wanting(words)):
            if not complaints and rows not in DOCUMENT.read_text():
                complaints.append(f"docs/conformance.md has another table than this run:\n{rows}")
    for complaint in complaints:
        print(complaint)
    if any(complaint.startswith(("failed", "missing")) for complaint in complaints):
        print(f"what the runner said of it: {directory / 'output.txt'}")
    count = Counter(outcomes.values())
    print(
        f"bogo: {count['passed']} passed, {count['failed'] + count['missing']} failed, "
        f"{count['disabled']} disabled, {count['unimplemented']} unimplemented"
    )
    return bool(complaints)


def main():
    mode, directory = sys.argv[1], Path(sys.argv[2])
    if mode == "--progress":
        return progress(directory, int(sys.argv[3]))
    return judge(directory, mode)


if __name__ == "__main__":
    sys.exit(main())
