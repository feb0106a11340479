#!/bin/bash
# Submits the array of shards, and the merge that waits for all of them.
#
#   HRT=/path/to/hrt CONFIG=my.json OUT=/scratch/run SHARDS=16 docs/slurm/submit.sh [arguments of sbatch for the array]
#
# OUT/shard-I are the shards, OUT/run is the result, OUT/log holds what was said. Run from the folder that the config's
# paths are relative to.
set -euo pipefail
: "${HRT:?the hrt to run}" "${CONFIG:?a config file}" "${OUT:?a folder}" "${SHARDS:?how many}"
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$OUT/log"
export HRT CONFIG OUT SHARDS
array=$(sbatch --parsable --array="0-$((SHARDS - 1))" --output="$OUT/log/%a.txt" "$@" "$here/extract_array.sh")
shards=()
for ((i = 0; i < SHARDS; ++i)); do shards+=("$OUT/shard-$i"); done
merge=$(sbatch --parsable --job-name=hrt-merge --dependency="afterok:$array" --kill-on-invalid-dep=yes \
  --output="$OUT/log/merge.txt" --wrap "'$HRT' merge $(printf "'%s' " "${shards[@]}") --out '$OUT/run' --resume")
echo "array $array, merge $merge; the result will be in $OUT/run"
