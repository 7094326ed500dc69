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
            # Ports are not the registered ones: the heuristics of the dissectors have to be told once.
            return subprocess.run(["tshark", "-r", capture, "--enable-heuristic", "stun_udp", "--enable-heuristic", "dtls_udp", *options],
                                  capture_output=True, text=True, timeout=120).stdout

        check("a marker in clear text" in tshark("-V", "-Y", "sctp.chunk_type == 0") or
              b"a marker in clear text".hex() in tshark("-T", "fields", "-e", "data.data", "-Y", "sctp.chunk_type == 0"),
              "tshark finds the message in a decrypted SCTP DATA chunk")
        check(tshark("-Y", "rtcdc.message_type == 3").strip() or tshark("-Y", "sctp.data_payload_proto_id == 50").strip(), "tshark finds the DCEP open")
        check("checking" in tshark("-T", "fields", "-e", "frame.comment", "-Y", "frame.comment"), "events stand in the file as packet comments")
