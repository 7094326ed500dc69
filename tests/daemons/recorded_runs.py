"""meshd --trace: one file that Wireshark opens with every layer in clear."""
import os
import shutil
import subprocess

from lab import Lab, check


def a_recorded_run_opens_decrypted(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        capture = lab.path("run.pcapng")
        lab.start_meshd("ada", "--trace", capture)
        lab.start_meshd("grace")
        ada, grace = lab.program("ada"), lab.program("grace")
        ada.wait_for_peers("grace")
        ada.send("grace", "a marker in clear text")
        grace.wait_for("message")
        grace.send("ada", "and back")
        ada.wait_for("message")
        lab.stop("ada")
        check(os.stat(capture).st_mode & 0o777 == 0o600, "the capture file is the user's alone")

        text = subprocess.run([os.path.join(binaries, "meshctl"), "timeline", capture], capture_output=True, text=True, timeout=60)
        phases = [p for p in ("gathering", "checks", "dtls", "sctp") if f"phase {p} ends" in text.stdout]
        check(text.returncode == 0 and phases == ["gathering", "checks", "dtls", "sctp"], "the timeline shows every phase", (phases, text.stderr[-300:]))

        if not shutil.which("tshark"):
            print("SKIP daemons: tshark opens the capture: tshark is not installed")
            return

        def tshark(*options):
            return subprocess.run(["tshark", "-r", capture, "--enable-heuristic", "stun_udp", "--enable-heuristic", "dtls_udp", *options],
                                  capture_output=True, text=True, timeout=120).stdout

        marker = b"a marker in clear text".hex()
        check(tshark("-Y", 'sctp.chunk_type == 0 && frame contains "a marker in clear text"').strip(), "tshark finds the message in an SCTP DATA chunk")
        check(tshark("-Y", "rtcdc.message_type == 3").strip(), "tshark finds the DCEP open")
        # The keys in the file open the DTLS records too; the port has to be named because 4.0 looks for no SCTP in them.
        ports = {p for p in tshark("-T", "fields", "-e", "udp.srcport", "-Y", "dtls").split() if p}
        options = [o for p in ports for o in ("-d", f"dtls.port=={p},data")]
        check(marker in tshark(*options, "-T", "fields", "-e", "data.data", "-Y", "dtls"), "the keys in the file open the DTLS records")
        check("checking" in tshark("-T", "fields", "-e", "frame.comment", "-Y", "frame.comment"), "events stand in the file as packet comments")
