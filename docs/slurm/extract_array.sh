#!/bin/bash
# An extraction as a Slurm array: each task computes one shard; submit.sh merges them.
#
#   HRT=/path/to/hrt CONFIG=my.json OUT=/scratch/run SHARDS=16 docs/slurm/submit.sh
#
# A task that is preempted, or runs out of time, gets SIGUSR1 two minutes before: hrt finishes its group of prompts, exits
# with 138, and the task is requeued; --resume then goes on where it was.
#SBATCH --job-name=hrt-extract
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
set -uo pipefail

shard=$SLURM_ARRAY_TASK_ID
"$HRT" extract --config "$CONFIG" --shard "$shard/$SHARDS" --out "$OUT/shard-$shard" --resume ${HRT_ARGUMENTS:-} &
child=$!
trap 'kill -USR1 $child' USR1  # the signal comes to this script
trap 'kill -TERM $child' TERM
wait $child
code=$?
# A wait that a signal ended returns before the child has.
while kill -0 $child 2>/dev/null; do
  wait $child
  code=$?
done
if [[ $code == 138 ]]; then scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"; fi
exit $code
