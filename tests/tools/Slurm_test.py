"""docs/slurm on a real Slurm: two nodes on this machine, one task stopped and requeued, the shards merged.

Runs as root where slurmctld, slurmd and munge are installed, in an hour of their own ports; says "skipped" elsewhere.
"""

import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import support

CONF = """
ClusterName=hrt
SlurmctldHost={host}
SlurmctldPort={ports[0]}
AuthType=auth/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "scontrol", "munged", "munge")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def tensors(path):
    """The float32 tensors of a safetensors file."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    body = data[8 + size:]
    found = {}
    for name, info in header.items():
        if name == "__metadata__" or info["dtype"] != "F32":
            continue
        begin, end = info["data_offsets"]
        found[name] = struct.unpack(f"<{(end - begin) // 4}f", body[begin:end])
    return found


@unittest.skipUnless(os.geteuid() == 0 and all(shutil.which(p) for p in PROGRAMS), "no Slurm that can be started here")
class Slurm(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        (self.folder / "state").mkdir()
        conf = self.folder / "slurm.conf"
        conf.write_text(CONF.format(host=socket.gethostname().split(".")[0], ports=free_ports(3), folder=self.folder))
        self.environment = {**os.environ, "SLURM_CONF": str(conf)}
        self.start_munge()
        self.daemon("slurmctld", "-D")
        for node in ("n1", "n2"):
            self.daemon("slurmd", "-D", "-N", node)
        if not self.comes_true(lambda: self.run_slurm("sinfo", "-h", "-o", "%T %D").split() == ["idle", "2"], 90):
            self.skipTest("Slurm does not start here: " + "; ".join(p.read_text()[-300:] for p in self.folder.glob("*.log")))

    def start_munge(self):
        if subprocess.run(["munge", "-n"], capture_output=True).returncode == 0:
            return
        for folder in ("/run/munge", "/var/log/munge", "/var/lib/munge"):
            Path(folder).mkdir(exist_ok=True)
            shutil.chown(folder, "munge", "munge")
        key = Path("/etc/munge/munge.key")
        if not key.exists():
            key.write_bytes(os.urandom(1024))
            key.chmod(0o400)
            shutil.chown(key, "munge", "munge")
        subprocess.run(["su", "-s", "/bin/sh", "munge", "-c", "munged"], check=True)
        self.wait_for(lambda: subprocess.run(["munge", "-n"], capture_output=True).returncode == 0, 20, "munge answers")

    def daemon(self, *command):
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)

    def run_slurm(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout

    def comes_true(self, holds, seconds):
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(0.3)
        return True

    def wait_for(self, holds, seconds, what):
        self.assertTrue(self.comes_true(holds, seconds), f"waited in vain until {what}")

    def submit(self, out):
        environment = {**self.environment, "HRT": os.environ["HRT_BINARY"], "CONFIG": "configs/zhao2025/extract.json", "OUT": str(out),
                       "SHARDS": "3", "HRT_ARGUMENTS": "--data data/catalogs/organism.json --device cpu --group-size 2"}
        done = subprocess.run([support.ROOT / "docs" / "slurm" / "submit.sh"], cwd=support.ROOT, env=environment, capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()[1].rstrip(",")

    def states(self, job):
        return dict(line.split() for line in self.run_slurm("squeue", "-h", "-j", job, "-r", "-o", "%i %T").splitlines())

    def test_shards_on_two_nodes_with_one_task_requeued(self):
        out = self.folder / "out"
        array = self.submit(out)
        first = f"{array}_0"
        self.wait_for(lambda: list((out / "shard-0").glob("work/group-*")), 180, "the first task has computed something")
        self.run_slurm("scancel", "--batch", "--signal=USR1", first)
        self.wait_for(lambda: self.states(array).get(first) == "PENDING", 180, "the first task is requeued")
        self.assertEqual(json.loads((out / "shard-0" / "manifest.json").read_text())["status"], "running")
        self.run_slurm("scontrol", "update", f"JobId={first}", "StartTime=now")
        self.wait_for(lambda: not self.run_slurm("squeue", "-h"), 600, "all jobs are done")

        whole = self.folder / "whole"
        subprocess.run([os.environ["HRT_BINARY"], "extract", "--config", "configs/zhao2025/extract.json", "--data",
                        "data/catalogs/organism.json", "--device", "cpu", "--quiet", "--out", whole],
                       cwd=support.ROOT, check=True, stdout=subprocess.DEVNULL)
        merged = out / "run"
        log = "\n".join(path.read_text() for path in sorted((out / "log").iterdir()))
        self.assertTrue((merged / "directions.safetensors").exists(), log)
        self.assertEqual((merged / "prompts.jsonl").read_bytes(), (whole / "prompts.jsonl").read_bytes())
        self.assertEqual(json.loads((merged / "manifest.json").read_text())["counts"],
                         json.loads((whole / "manifest.json").read_text())["counts"])
        for name, values in tensors(whole / "directions.safetensors").items():
            other = tensors(merged / "directions.safetensors")[name]
            norm = sum(v * v for v in values) ** 0.5
            difference = sum((a - b) ** 2 for a, b in zip(values, other)) ** 0.5
            self.assertLessEqual(difference, 1e-5 * norm, name)


if __name__ == "__main__":
    unittest.main()
